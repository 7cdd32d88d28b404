"""The supervised command from packs to a net that the engine's loaders accept."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from goengine.dataio.records import GamePack
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from tests.training.conftest import random_record
from training import cli


@pytest.fixture(autouse=True)
def few_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    return str(tmp_path / "small.npz")


def arguments(stored, run, *more):
    return [
        "supervised",
        "--data",
        stored,
        "--validation",
        stored,
        "--run",
        str(run),
        "--net",
        "b2c16",
        "--batch",
        "16",
        "--threads",
        "1",
        "--validation-positions",
        "40",
        *more,
    ]


def test_a_run_makes_a_net_with_its_story(stored, tmp_path, capsys):
    run = tmp_path / "run"
    assert cli.main(arguments(stored, run, "--steps", "3")) == 0
    net = weights_file.load(run / "net.safetensors")
    assert net.meta.step == 3 and net.meta.config["steps"] == 3 and net.meta.config["net"] == "b2c16"
    assert net.meta.data["games"] == 30 and net.meta.data["samples"] == 48 and 0 <= net.meta.data["validation"]["top1"] <= 1
    assert capsys.readouterr().out == ""
    # a second run may begin with that net, and go on with more steps
    assert (
        cli.main(
            [
                "supervised",
                "--data",
                stored,
                "--run",
                str(tmp_path / "next"),
                "--net",
                str(run / "net.safetensors"),
                "--steps",
                "1",
                "--batch",
                "16",
                "--threads",
                "1",
                "--rate",
                "0",
            ]
        )
        == 0
    )
    again = weights_file.load(tmp_path / "next" / "net.safetensors")
    assert all(np.array_equal(again.arrays[name], array) for name, array in net.arrays.items() if "running" not in name)
    assert cli.main(arguments(stored, run, "--steps", "5")) == 0
    assert weights_file.load(run / "net.safetensors").meta.step == 5


def test_a_net_without_globals_trains(stored, tmp_path):
    """AlphaGo's planes: more of them, and not a number beside."""
    assert cli.main(arguments(stored, tmp_path / "run", "--features", "lee48", "--vary", "0", "--steps", "3")) == 0
    meta = weights_file.load(tmp_path / "run" / "net.safetensors").meta
    assert (meta.spec.features, meta.spec.planes, meta.spec.globals) == ("lee48", 48, 0)
    assert 0 <= meta.data["validation"]["top1"] <= 1


@pytest.mark.parametrize(
    "net, told",
    [
        ("lee-policy-8", {"policy", "top1", "top5", "cross_entropy"}),
        ("lee-value-8", {"value", "mse", "value_mse", "value_right"}),
    ],
)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_nets_with_one_head(stored, tmp_path, net, told, optimizer):
    """The first AlphaGo's: they learn what they can say, and are measured by it alone."""
    run = tmp_path / "run"
    more = ("--features", "agz17", "--steps", "2", "--log-every", "1", "--optimizer", optimizer)
    assert cli.main([*arguments(stored, run), "--net", net, *more]) == 0
    trained = weights_file.load(run / "net.safetensors")
    assert trained.spec.features == "agz17" and trained.spec == parse(net, "agz17", trained.spec.planes, trained.spec.globals)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    figures = {name for line in lines for name in {**line, **line.get("validation", {})}}
    every = {"policy", "top1", "top5", "cross_entropy", "value", "mse", "value_mse", "value_right", "score", "score_stdev"}
    assert figures & (every | {"opponent", "ownership", "score_error"}) == told


@pytest.mark.parametrize(
    "more, said",
    [
        (["--net", "b9000", "--steps", "1"], "b9000"),
        (["--data", "missing.npz", "--steps", "1"], "missing.npz: No such file"),
        (["--features", "lee99", "--steps", "1"], "possible: zero"),
        (["--device", "abacus", "--steps", "1"], "abacus"),
        (["--device", "cuda:99", "--steps", "1"], "cuda:99"),
        (["--run", "/dev/null", "--steps", "1"], "/dev/null: File exists"),
    ],
)
def test_failures_have_a_word(stored, tmp_path, capsys, more, said):
    assert cli.main([*arguments(stored, tmp_path / "run"), *more]) == 1
    assert said in capsys.readouterr().err


def test_games_of_two_sizes_in_one_run(stored, tmp_path, capsys):
    mixed, run = str(tmp_path / "mixed.npz"), tmp_path / "run"
    GamePack.build([random_record(7, 1), random_record(5, 2), random_record(5, 3)]).save(mixed)
    command = [*arguments(stored, run), "--data", mixed, "--validation", mixed, "--sizes", "7=0.5,5=0.5"]
    assert cli.main([*command, "--steps", "3"]) == 0
    net = weights_file.load(run / "net.safetensors")
    assert net.meta.data["sizes"] == [5, 7] and {"top1", "top1_5", "value_mse_7"} <= net.meta.data["validation"].keys()
    capsys.readouterr()
    onwards = ["--run", str(tmp_path / "onwards"), "--net", str(run / "net.safetensors"), "--steps", "2"]
    assert cli.main([*command, *onwards]) == 0  # a trained net: its statistics fit all sizes as well as before
    again = weights_file.load(tmp_path / "onwards/net.safetensors").arrays
    # Close, not equal: an average of equals rounds.
    means = [name for name in again if name.endswith("running_mean")]
    assert means and all(np.allclose(again[name], net.arrays[name], rtol=1e-5, atol=1e-7) for name in means)
    assert not np.array_equal(again["trunk.stem.conv.weight"], net.arrays["trunk.stem.conv.weight"])
    assert cli.main([*command, "--sizes", "19=1", "--steps", "6"]) == 1
    assert "board size 19; the games have 5, 7" in capsys.readouterr().err


def test_training_goes_on_without_a_damaged_pack(stored, tmp_path, capsys):
    (tmp_path / "broken.npz").write_bytes(Path(stored).read_bytes()[:-50])
    command = arguments(stored, tmp_path / "run", "--steps", "1", "--data", str(tmp_path / "broken.npz"))
    assert cli.main(command) == 1 and "everything there is damaged" in capsys.readouterr().err
    assert cli.main([*command, stored]) == 0
    said = capsys.readouterr().err
    assert "warning: " in said and "broken.npz: File is not a zip file; the whole pack is left out" in said


def test_bench_measures_samples_and_steps(stored, capsys):
    assert (
        cli.main(["bench", "--data", stored, "--net", "b2c16", "--batch", "8", "--threads", "1", "--seconds", "0.02", "--json"])
        == 0
    )
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {figure["size"] for figure in figures} == {7} and all(figure["value"] > 0 for figure in figures)
    assert {"packs read, checked", "samples, 1 thread", "fed over fixed"} <= {figure["part"] for figure in figures}


def test_bench_without_data(capsys):
    assert cli.main(["bench", "--sizes", "5", "--batch", "8", "--workers", "1", "--seconds", "0.02", "--no-steps"]) == 0
    assert "samples, 1 thread" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, said",
    [
        (["--steps", "1", "--data", "game.sgf"], "the command pack"),
        ([], "budget"),
        (["--steps", "1", "--sizes", "19:1"], "SIZE=SHARE"),
        (["--steps", "1", "--sizes", "19=0"], "above 0"),
        (["--steps", "1", "--results", "-1"], "--results"),
        (["--steps", "1", "--batch", "0"], "batch"),
        (["--steps", "1", "--epochs", "3"], "--epochs"),
    ],
)
def test_wrong_options(stored, tmp_path, capsys, more, said):
    with pytest.raises(SystemExit) as stop:
        cli.main([*arguments(stored, tmp_path / "run"), *more])
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_training_needs_torch_numpy_and_numba_only():
    """It must run where nothing else is installed."""
    others = "{'sgfmill', 'openvino', 'rich', 'nncf', 'onnx'}"
    code = f"import sys, training.stages.supervised, training.cli; print(sorted({others} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_does_not_wait_for_torch():
    code = "import sys, training.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
