"""A comparison from batches to games: what it writes, that it goes on where it stopped, and what it refuses."""

import json
import math

import numpy as np
import pytest

from goengine.nets import weights_file
from training import cli
from training.laboratory import same_batches
from training.laboratory.compare_options import CompareOptions
from training.laboratory.prices import BATCHES
from training.stages.supervised import GamesStage

FIRST, SECOND = "c8:r", "c8:t"  # the second one computes on no integers


def words(shards, run, *more, nets=(FIRST, SECOND)):
    """A command line of two steps and two games; later options win."""
    learning = ["--samples", "16", "--batch", "8", "--sizes", "5", "--threads", "1", "--validation-positions", "8"]
    measuring = ["--rounds", "1", "--seconds", "0.001", "--games", "2", "--visits", "2"]
    return ["compare", "--nets", *nets, "--run", str(run), "--data", str(shards), *learning, *measuring, *more]


@pytest.fixture(scope="module")
def compared(shards, tmp_path_factory):
    """The folder of a small comparison."""
    run = tmp_path_factory.mktemp("compared") / "run"
    assert cli.main(words(shards, run)) == 0
    return run


def test_nets_are_trained_priced_and_played(compared):
    found = json.loads((compared / "compare.json").read_text())
    assert [net["net"] for net in found["nets"]] == [FIRST, SECOND]
    assert found["options"]["visits"] == 2 and found["data"]["sizes"] == [5]
    for net in found["nets"]:
        assert net["samples"] == 16
        assert all(math.isfinite(net["figures"][name]) for name in ("policy", "top1", "value_mse"))
        price = net["prices"]["5"]
        assert price["parameters"] > 0 and price["multiply_adds"] > 0 and price["bytes"]["graph"] > 0
        assert set(price["speeds"]) == {"f32", "bf16", "int8"} - ({"int8"} if net["net"] == SECOND else set())
        assert set(price["speeds"]["f32"]) == {str(batch) for batch in BATCHES}
    first, second = (net["meetings"].get("5", {}) for net in found["nets"])
    assert first == {} and set(second) == {"visits", "time"}
    assert second["visits"]["visits"] == 2 and second["visits"]["games"] == 2
    assert second["time"]["low"] <= second["time"]["elo"] <= second["time"]["high"]


def test_table_and_picture_name_every_net(compared):
    table, picture = (compared / "compare.md").read_text(), (compared / "compare-5x5.svg").read_text()
    for net in (FIRST, SECOND):
        assert f"| `{net}` |" in table and net in picture


def test_trained_nets_and_measured_speeds_are_not_made_again(shards, compared, capsys):
    kept = [compared / "nets" / name / "net.safetensors" for name in ("c8-r", "c8-t")] + [compared / "costs.json"]
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in kept]
    assert cli.main(words(shards, compared, "--json")) == 0
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in kept] == before
    assert json.loads(capsys.readouterr().out) == json.loads((compared / "compare.json").read_text())


def test_a_net_may_join_later(shards, compared):
    before = json.loads((compared / "costs.json").read_text())["5"]
    assert cli.main(words(shards, compared, nets=(FIRST, SECOND, "c8:b"))) == 0
    after = json.loads((compared / "costs.json").read_text())["5"]
    assert {text: after[text] for text in before} == before and set(after) - set(before) == {"c8:b"}


@pytest.mark.parametrize(
    ("more", "told"), [(["--samples", "24"], "made with the samples 16"), (["--seed", "5"], "made with the seed 1")]
)
def test_another_budget_is_refused_in_the_same_folder(shards, compared, capsys, more, told):
    assert cli.main(words(shards, compared, *more)) == 1
    assert told in capsys.readouterr().err


def test_a_stopped_run_goes_on_to_the_same_nets(shards, tmp_path, monkeypatch, stop_after_a_quarter, one_thread):
    more = ["--samples", "32", "--games", "0", "--no-half"]
    assert cli.main(words(shards, tmp_path / "whole", *more, nets=(FIRST,))) == 0
    stop_after_a_quarter(GamesStage)
    assert cli.main(words(shards, tmp_path / "cut", *more, nets=(FIRST,))) == 130
    assert not (tmp_path / "cut" / "compare.json").exists()
    monkeypatch.undo()
    assert cli.main(words(shards, tmp_path / "cut", *more, nets=(FIRST,))) == 0
    whole, cut = (weights_file.load(tmp_path / run / "nets" / "c8-r" / "net.safetensors") for run in ("whole", "cut"))
    assert all(np.array_equal(whole.arrays[key], cut.arrays[key]) for key in whole.arrays)


def test_packs_are_learned_from_too(small_pack, tmp_path):
    small_pack.save(tmp_path / "games.npz")
    small_pack.save(tmp_path / "held.npz")
    more = ["--validation", str(tmp_path / "held.npz"), "--sizes", "7", "--games", "0"]
    assert cli.main(words(tmp_path / "games.npz", tmp_path / "run", *more, nets=(FIRST,))) == 0
    net = json.loads((tmp_path / "run" / "compare.json").read_text())["nets"][0]
    assert math.isfinite(net["figures"]["cross_entropy"]) and "7" in net["prices"]


def options(shards, **changed):
    """Options of a comparison on 5x5."""
    given = {"nets": (FIRST, SECOND), "run": shards / "run", "data": (shards,), "samples": 16, "batch": 8, "sizes": (5,)}
    return CompareOptions(**(given | changed))


def test_every_net_sees_the_same_batches_and_none_sees_what_is_held_out(shards):
    one, two = (same_batches.same_batches(options(shards)) for _ in range(2))
    (sampler, first), (other, _) = (found.games.source.source(8, 8) for found in (one, two))
    assert np.array_equal(sampler.batch(first, 8).planes, other.batch(first, 8).planes)
    whole = [same_batches.load_part(path, (5,)) for path in sorted(shards.glob("a-*.npz"))]
    held = {tuple(game) for game in whole[1].games.moves.reshape(1, -1)}
    assert one.games.card["positions"] == sum(part.count() for part in (whole[0], whole[2]))
    assert not held & {tuple(sampler.games.moves)} and one.digest == two.digest


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"nets": ("c8:r", "c8:rxr")}, "--nets c8:rxr: at character 5 ('xr'): there is no block 'x'"),
        ({"nets": ("c8:r", "c2000:r")}, "--nets c2000:r: at character 2 ('2000:r'): expected 4 to 1024 channels"),
        ({"nets": ("c8:r", "c?:rx")}, "there is no block 'x'"),
        ({"nets": ("c8:r", "c8:r")}, "--nets c8:r: is twice in the list"),
        ({"nets": ("c?:r", "c8:r")}, "--nets c?:r: the first net sets the time"),
        ({"nets": ("c8:r", "net.safetensors")}, "--nets net.safetensors: is no architecture"),
        ({"samples": None}, "give --samples or --budget"),
        ({"sizes": (5, 5)}, "--sizes 5 5: a size twice"),
        ({"sprt": "elo=3"}, "--sprt 'elo=3'"),
        ({"seconds": 0.0}, "--seconds must be above 0"),
    ],
)
def test_wrong_options_are_named(shards, changed, told):
    with pytest.raises(ValueError) as error:
        options(shards, **changed)
    assert told in str(error.value)


def test_packs_need_a_pack_to_measure_on(tmp_path):
    with pytest.raises(ValueError, match="--validation PACK"):
        options(tmp_path, data=(tmp_path / "games.npz",))
    with pytest.raises(ValueError, match="one kind at a time"):
        options(tmp_path, data=(tmp_path / "games.npz", tmp_path))
    with pytest.raises(ValueError, match="leave it away"):
        options(tmp_path, validation=tmp_path / "games.npz")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--sizes", "9"], "no rows of size 9, which --sizes asks for"),
        (["--sizes", "7"], "one shard of size 7; two are needed"),
        (["--features", "none"], "--features none: there is no such feature set"),
    ],
)
def test_data_that_do_not_do_are_named(shards, tmp_path, capsys, more, told):
    assert cli.main(words(shards, tmp_path / "run", *more)) == 1
    assert told in capsys.readouterr().err


def test_folders_without_shards_are_named(tmp_path, capsys):
    assert cli.main(words(tmp_path, tmp_path / "run")) == 1
    assert f"--data {tmp_path}: no shards" in capsys.readouterr().err
    assert cli.main(words(tmp_path / "gone", tmp_path / "run")) == 1
    assert "neither a pack (NAME.npz) nor a folder" in capsys.readouterr().err


def test_damaged_results_are_named(shards, compared, tmp_path, capsys):
    (compared / "costs.json").rename(tmp_path / "kept.json")
    (compared / "costs.json").write_text("[1]")
    assert cli.main(words(shards, compared)) == 1
    assert "costs.json is damaged" in capsys.readouterr().err
    (tmp_path / "kept.json").replace(compared / "costs.json")


def test_widths_that_were_found_are_kept(shards, compared, capsys):
    known = compared / "widths.json"
    known.write_text('{"c?:t": "c8:t", "c?:r": "c8:r"}')
    assert cli.main(words(shards, compared, nets=(FIRST, "c?:t"))) == 0
    assert SECOND in capsys.readouterr().out
    assert cli.main(words(shards, compared, nets=(FIRST, "c?:r"))) == 1
    assert "--nets c?:r: becomes c8:r, which is in the list already" in capsys.readouterr().err
    known.write_text('{"c?:t": "net.pt"}')
    assert cli.main(words(shards, compared, nets=(FIRST, "c?:t"))) == 1
    assert "widths.json is damaged" in capsys.readouterr().err
    known.unlink()
