"""Games for a value net: each gives the one position after its random move, and a net learns from exactly those."""

import json
import os
import signal

import numpy as np
import pytest

from goengine import features
from goengine.dataio.records import GamePack
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from goengine.policy_play.games import PolicyGameParams, PolicyGames
from tests.policy_play.scripted import Scripted
from training import cli
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.stages import value_games
from training.stages.named_policies import fingerprint
from training.stages.value import ValueOptions, ValueStage

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = (
    "--size",
    "4",
    "--komi",
    "0.5",
    "--parallel",
    "8",
    "--positions",
    "70",
    "--held-out",
    "12",
    "--threads",
    "1",
    "--play",
    "torch",
)
RECIPE = value_games.Recipe(PolicyGameParams(4, komi=0.5), 12, 8, 3, {"seed": 3})


def spec_of(net, name="agz17"):
    chosen = features.get(name)
    return parse(net, name, chosen.planes, chosen.globals)


@pytest.fixture
def folder(tmp_path):
    for file, net, seed in (("first", "lee-policy-8", 1), ("second", "lee-policy-8", 2), ("value", "lee-value-8", 1)):
        spec = spec_of(net)
        weights_file.save(tmp_path / f"{file}.safetensors", build(spec, seed), spec)
    return tmp_path


def command(folder, run, *more):
    nets = {"--policy": "first.safetensors", "--reinforced": "second.safetensors", "--run": run}
    words = [word for name, file in nets.items() for word in (name, str(folder / file))]
    return ["value", *words, "--net", "lee-value-8", *SMALL, *more]


def part(before=None, after=None):
    players = before or Scripted(), after or Scripted()
    return players, *value_games.play_part(RECIPE, 0, *players, PolicyGames(RECIPE.terms, 8))


def test_the_second_policy_plays_after_the_random_move():
    (before, after), pack, places = part()
    assert 40 < len(pack) <= 64 and places.min() >= 1 and places.max() <= 12 and len(set(places.tolist())) > 8
    assert (places < pack.lengths()).all() and set(pack.outcome.tolist()) <= {1, -1}
    plies = {policy: [ply for ply, _ in policy.asked] for policy in (before, after)}
    assert max(plies[before]) <= 11 and min(plies[after]) == 1  # the latest random move is the twelfth, the first the first
    first_table = dict(after.asked[: len(set(plies[after]))])
    chance = np.random.default_rng([3, 0, 0, 1]).integers(1, 13, 8)
    assert set(first_table[1]) == set(np.flatnonzero(chance == 1).tolist())


def test_the_random_move_is_drawn_from_all_alike():
    """Both policies want the first free point; only a random move goes elsewhere."""
    wants = Scripted(lambda rows: np.tile(-20.0 * np.arange(rows.legal.shape[1]), (len(rows.legal), 1)))
    _, pack, places = part(wants, wants)
    away = []
    for g, place in enumerate(places):
        moves = pack.moves[pack.offsets[g] : pack.offsets[g + 1]].tolist()
        assert moves[: place - 1] == list(range(place - 1)) or place > 6  # captures may free a point later
        away.append(moves[place - 1])
    assert len(set(away)) > 8


def test_each_game_gives_one_row(folder):
    assert cli.main(command(folder, "run", "--steps", "1")) == 0
    games, chosen, _ = value_games.load(folder / "run" / "games", 70)
    assert len(chosen) == len(games.size) >= 70
    assert ((games.start[:-1] < chosen) & (chosen < games.start[1:])).all()
    sampler = Sampler(games, features.get("agz17"), Draw(1, symmetries=0, shuffle=1, vary=0.0), chosen=chosen)
    count = len(chosen)
    assert sorted(sampler.positions(0, count).tolist()) == chosen.tolist()  # each once in a pass
    batch = sampler.batch(0, count)
    for row, position in enumerate(sampler.positions(0, count)):
        g = int(np.searchsorted(games.start, position, "right") - 1)
        color = games.colors[position]
        assert batch.value[row] == games.result[g] * (1 if color == 1 else -1) and batch.value_weight[row] == 1
        assert batch.planes[row, 1:3].sum() <= position - games.start[g]


def test_a_run_measures_what_it_learned_beside_what_it_did_not(folder):
    assert cli.main(command(folder, "run", "--steps", "3", "--log-every", "1")) == 0
    net = weights_file.load(folder / "run" / "net.safetensors")
    data = net.meta.data
    assert (data["positions"], data["positions_held_out"]) == (58, 12)
    assert data["games"]["reinforced"] == weights_file.load(folder / "second.safetensors").meta.sha256
    assert {"mse_learned", "right_learned", "mse_held_out", "right_held_out"} == data["validation"].keys()
    lines = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    assert {"mse", "loss"} <= lines[0].keys() and "top1" not in lines[0]
    # the same games, all positions
    again = ["value", "--data", str(folder / "run" / "games"), "--run", str(folder / "all"), "--net", "lee-value-8", *SMALL]
    assert cli.main([*again, "--positions-per-game", "all", "--steps", "1"]) == 0
    every = weights_file.load(folder / "all" / "net.safetensors").meta.data
    games, _, _ = value_games.load(folder / "run" / "games", 70)
    assert every["positions"] == games.start[70] - games.start[12] and every["positions_held_out"] == 12
    assert every["games"] == data["games"]


def test_a_run_keeps_what_it_holds_out(folder, capsys):
    assert cli.main(command(folder, "run", "--steps", "1")) == 0
    assert cli.main([*command(folder, "run", "--steps", "2"), "--held-out", "10"]) != 0
    assert "held out 12" in capsys.readouterr().err


def test_held_out_games_are_not_learned_from(folder):
    assert cli.main(command(folder, "run", "--steps", "1")) == 0
    config = ValueOptions(
        run=folder / "x", data=(folder / "run" / "games",), steps=1, positions=70, held_out=12, positions_per_game="all"
    )
    stage = ValueStage(config, build(spec_of("lee-value-8"), 1), config.data)
    start = stage.source.games.start
    assert stage.source.chosen.min() == start[12] and stage.measured["held_out"][4].chosen.max() < start[12]


# ------------------------------------------------------------------- several folders


@pytest.fixture
def two_sizes(folder):
    """Folders of games on 4x4 and 5x5, each of two parts."""
    for size in (4, 5):
        recipe = value_games.Recipe(PolicyGameParams(size, komi=0.5), 12, 8, 3, {"size": size})
        (folder / f"games{size}").mkdir()
        for number in range(2):
            pack, places = value_games.play_part(recipe, number, Scripted(), Scripted(), PolicyGames(recipe.terms, 8))
            value_games.save_part(value_games.path_of(folder / f"games{size}", number), pack, places, recipe.story)
    return folder


def learn(folder, run, *more, sizes=(4, 5), net="lee-value-8"):
    data = [str(folder / f"games{size}") for size in sizes]
    words = ["value", "--data", *data, "--run", str(folder / run), "--net", net, "--features", "agz17", "--positions", "60"]
    return [*words, "--held-out", "10", "--threads", "1", "--batch", "6", "--log-every", "1", *more]


def test_one_net_learns_from_games_of_two_sizes(two_sizes):
    assert cli.main(learn(two_sizes, "run", "--steps", "4", "--sizes", "4=0.25,5=0.75", net="b1c8")) == 0
    data = weights_file.load(two_sizes / "run" / "net.safetensors").meta.data
    assert (data["positions"], data["positions_held_out"], data["sizes"]) == (100, 20, [4, 5])
    assert data["games"] == [{"size": 4}, {"size": 5}]
    figures = data["validation"]
    for kind, rows in (("learned", (50, 50)), ("held_out", (10, 10))):
        parts = [figures[f"mse_{kind}_{size}"] for size in (4, 5)]
        assert figures[f"mse_{kind}"] == pytest.approx(np.average(parts, weights=rows)) and parts[0] != parts[1]


def test_batches_have_one_size_each_as_often_as_was_said(two_sizes):
    config = ValueOptions(
        run=two_sizes / "x",
        data=tuple(two_sizes / f"games{size}" for size in (4, 5)),
        sizes="4=0.25,5=0.75",
        steps=1,
        positions=60,
        held_out=10,
        batch=6,
        features="agz17",
        device="cpu",
    )
    stage = ValueStage(config, build(spec_of("b1c8"), 1), config.data)
    batches = stage.batches(0)
    assert sorted(next(batches)["planes"].shape[-1] for _ in range(8)) == [4] * 2 + [5] * 6
    batches.close()
    for size, part in stage.games.items():
        alone, chosen, _ = value_games.load(two_sizes / f"games{size}", 60)
        assert np.array_equal(part.games.moves, alone.moves)
        assert np.array_equal(part.held_out, chosen[:10]) and np.array_equal(part.learned, chosen[10:60])


def test_folders_of_the_same_size_are_held_out_each(two_sizes):
    folders = [two_sizes / "games4", two_sizes / "games4"]
    games, _ = value_games.load_folders(folders, 60, 10)
    one, chosen, _ = value_games.load(folders[0], 60)
    both = games[4]
    assert both.games.moves.size == 2 * one.moves.size and len(both.learned) == 100
    assert both.held_out.tolist() == [*chosen[:10], *(chosen[:10] + one.moves.size)]
    assert np.array_equal(both.learned[50:] - one.moves.size, both.learned[:50])


@pytest.mark.parametrize(
    "more, sizes, said",
    [
        (("--sizes", "9=1"), (4, 5), "board size 9; the games have 4, 5"),
        (("--held-out", "59", "--positions", "10000"), (4, 5, 6), "games6"),
    ],
)
def test_folders_that_do_not_fit_are_refused(two_sizes, capsys, more, sizes, said):
    assert cli.main(learn(two_sizes, "run", "--steps", "1", *more, sizes=sizes)) == 1
    assert said in capsys.readouterr().err


def test_a_trained_net_keeps_its_statistics_where_sizes_are_mixed(two_sizes):
    spec = spec_of("b1c8")
    weights_file.save(two_sizes / "start.safetensors", build(spec, 1), spec)
    for sizes, kept in (((4, 5), True), ((4,), False)):
        run = f"run{len(sizes)}"
        assert cli.main(learn(two_sizes, run, "--steps", "2", sizes=sizes, net=str(two_sizes / "start.safetensors"))) == 0
        one, other = (weights_file.load(two_sizes / name).arrays for name in ("start.safetensors", f"{run}/net.safetensors"))
        names = [name for name in one if "running_mean" in name]
        assert names and all(np.array_equal(one[name], other[name]) == kept for name in names)


def test_games_that_were_stopped_go_on_as_if_they_had_not_been(folder, monkeypatch):
    assert cli.main(command(folder, "whole", "--steps", "2")) == 0
    save = value_games.save_part

    def stopping(*arguments):
        save(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(value_games, "save_part", stopping)
    assert cli.main(command(folder, "parts", "--steps", "2")) == 130
    monkeypatch.setattr(value_games, "save_part", save)
    games = folder / "parts" / "games"
    assert value_games.path_of(games, 0).exists() and not value_games.path_of(games, 1).exists()
    value_games.path_of(games, 0).write_bytes(b"broken")  # which is played again
    assert cli.main(command(folder, "parts", "--steps", "2")) == 0
    for number in (0, 1):
        one, other = (GamePack.load(value_games.path_of(folder / run / "games", number)) for run in ("whole", "parts"))
        assert np.array_equal(one.moves, other.moves)
    one, other = (weights_file.load(folder / run / "net.safetensors").arrays for run in ("whole", "parts"))
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "more, said",
    [
        (("--seed", "2"), "made with seed 1, not 2"),
        (("--reinforced", "first.safetensors"), "made with reinforced"),
        (("--policy", "value.safetensors"), "no policy to play by"),
        (("--policy", "lee-value"), "no policy to play by"),
        (("--policy", "nobody"), "no net or file 'nobody'"),
        (("--policy", "uniform"), "'uniform' has no weights; the nets are: "),
        (("--net", "lee-policy-8"), "no value to learn"),
        (("--positions-per-game", "all"), "positions per game one"),
    ],
)
def test_what_does_not_fit_is_refused(folder, capsys, monkeypatch, more, said):
    monkeypatch.chdir(folder)
    assert cli.main(command(folder, "run", "--steps", "1")) == 0
    assert cli.main(command(folder, "run", "--steps", "2", *more)) == 1
    assert said in capsys.readouterr().err


def test_shipped_nets_play_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nets = ("--policy", "lee-policy", "--reinforced", "lee-reinforced-9", "--run", "run")
    assert cli.main(["value", *nets, "--net", "lee-value-8", *SMALL, "--steps", "1"]) == 0
    games, places, story = value_games.load_part(tmp_path / "run" / "games" / "000000.npz")
    assert len(games) == len(places) > 0 and len(story["policy"]) == len(story["reinforced"]) == 64
    assert story["policy"] == fingerprint("lee-policy") != story["reinforced"]


def test_places_of_other_games_are_refused(folder):
    _, pack, places = part()
    path = folder / "000000.npz"
    value_games.save_part(path, pack, places, {})
    value_games.save_part(folder / "other.npz", pack.select(np.arange(3)), places[:3], {})
    os.replace(value_games.places_path(folder / "other.npz"), value_games.places_path(path))
    with pytest.raises(ValueError, match="does not belong"):
        value_games.load_part(path)


@pytest.mark.parametrize("more", [("--held-out", "70"), ("--latest", "0"), ("--data", "x")])
def test_wrong_options(folder, more):
    with pytest.raises(SystemExit) as stop:
        cli.main(command(folder, "run", "--steps", "1", *more))
    assert stop.value.code == 2
