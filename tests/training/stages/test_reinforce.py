"""REINFORCE: what wins becomes likelier, what loses less likely, and a run that was killed goes on to the same weights."""

import dataclasses
import json
import os
import signal
import types

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from goengine.nets.spec import BlockSpec
from goengine.policy_play.games import FinishedPolicyGame, PolicyRows
from training import cli
from training.core.device_feed import DeviceFeed
from training.stages import reinforce
from training.stages.opponents import Pool
from training.stages.played_moves import AllMoves, Moves, SomeMoves, outcomes
from training.stages.players import Seat
from training.stages.policy_options import ReinforceOptions
from training.stages.reinforce import ReinforceStage, policy_gradient_loss

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = (
    "--size",
    "3",
    "--games",
    "6",
    "--validation-games",
    "4",
    "--threads",
    "1",
    "--every",
    "2",
    "--rows",
    "16",
    "--play",
    "torch",
)


def spec_of(net, name="agz17"):
    chosen = features.get(name)
    return parse(net, name, chosen.planes, chosen.globals)


@pytest.fixture
def folder(tmp_path):
    """A policy, a policy that sees other features, and a value net of those."""
    for file, net, name in (
        ("policy", "lee-policy-8", "agz17"),
        ("other", "lee-policy-8", "zero"),
        ("value", "lee-value-8", "zero"),
    ):
        spec = spec_of(net, name)
        weights_file.save(tmp_path / f"{file}.safetensors", build(spec, 1), spec)
    return tmp_path


def command(folder, run, *more, net="policy"):
    return ["reinforce", "--net", str(folder / f"{net}.safetensors"), "--run", str(folder / run), *SMALL, *more]


def log(run):
    return [line for line in map(json.loads, (run / "log.jsonl").read_text().splitlines()) if "loss" in line]


# ------------------------------------------------------------------- the gradient


def test_the_gradient_is_that_of_the_formula():
    logits = torch.randn(5, 10, generator=torch.Generator().manual_seed(1)).requires_grad_()
    legal = torch.ones(5, 10, dtype=torch.uint8)
    legal[:, 7:] = 0
    played, z = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([1.0, -1.0, 0.0, 0.5, -2.0])
    loss, entropy = policy_gradient_loss(logits, legal, played, z, torch.ones(5), temperature=2.0)
    loss.backward()
    p = torch.softmax(logits.detach()[:, :7] / 2.0, 1)
    expected = torch.zeros(5, 10)
    expected[:, :7] = -z[:, None] * (torch.nn.functional.one_hot(played, 7) - p) / 2.0
    torch.testing.assert_close(logits.grad, expected)
    assert float(entropy) == pytest.approx(float(-(p * p.log()).sum()), rel=1e-5)


def test_outcomes_are_for_who_moved():
    finished = FinishedPolicyGame(np.zeros((3, 4), np.uint16), np.array([4, 4, 4]), np.array([7.5, -0.5, np.nan], np.float32))
    game, ply = np.repeat(np.arange(3), 2), np.tile([0, 1], 3)
    moves = Moves(*(np.zeros(6) for _ in range(3)), game, ply, np.ones(6))
    np.testing.assert_array_equal(outcomes(finished, moves), [1, -1, -1, 1, np.nan, np.nan])


def stage_for(folder, **changes):
    values = {
        "run": folder / "run",
        "net": folder / "policy.safetensors",
        "size": 3,
        "batch": 32,
        "threads": 1,
        "rows": 100,
        "play": "torch",
    }
    config = ReinforceOptions(**{**values, **changes})
    module, meta = reinforce.load_policy(config.net)
    return ReinforceStage(config, module, meta)


def shares(stage, stones):
    """Probabilities of the nine points for who is to move after these moves."""
    seen = []
    asked = types.SimpleNamespace(features=stage.device_feed and features.get("agz17"))

    def logits(rows):
        seen.append(rows)
        answer = np.zeros(rows.legal.shape, np.float32)
        if rows.ply < len(stones):
            answer[:, stones[rows.ply]] = 100.0
        return answer

    asked.logits = logits
    stage._games.play([asked], lambda games, ply: np.zeros(len(games), int), (1,))
    rows = seen[len(stones)]
    found = stage._seat.policy(stage.module).logits(rows)[0, :9]
    return np.exp(found - found.max()) / np.exp(found - found.max()).sum()


def test_moves_that_win_become_likelier_and_moves_that_lose_less(folder):
    """A bandit: Black wins with the centre as his first move, White with a corner as hers, whatever follows."""
    shallow = dataclasses.replace(spec_of("lee-policy-16"), blocks=(BlockSpec("conv"),))  # learns in seconds
    weights_file.save(folder / "policy.safetensors", build(shallow, 1), shallow)
    stage = stage_for(folder, batch=64, longest=0.3)  # four plies: little that has nothing to do with it
    optimizer = torch.optim.Adam(stage.module.parameters(), 0.01)
    before = shares(stage, []), shares(stage, [4])
    for iteration in range(15):
        learner = AllMoves(stage._seat.policy(stage.module))
        played = stage._games.play([learner, stage._seat.policy(stage.module)], stage._who, (iteration,))
        black = np.where(played.moves[:, 0] == 4, 1.0, -1.0)
        white = np.where(np.isin(played.moves[:, 1], (0, 2, 6, 8)), -1.0, 1.0)
        of_learner = np.where(np.arange(64) % 2 == 0, black, white).astype(np.float32)
        loss, _ = stage._learn(stage.module, played._replace(margin=of_learner), learner.moves())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    after = shares(stage, []), shares(stage, [4])
    assert after[0][4] > 3 * before[0][4] and (np.delete(after[0], 4) < np.delete(before[0], 4)).all()
    corners = [0, 2, 6, 8]
    assert after[1][corners].sum() > 0.8 and (np.delete(after[1], corners) < np.delete(before[1], corners)).all()


def test_rows_in_parts_give_the_gradient_of_all(folder):
    """In double precision: the order of the sums differs from machine to machine."""
    gradients = []
    for rows in (7, 10_000):
        stage = stage_for(folder, rows=rows)
        learner = AllMoves(stage._seat.policy(stage.module))
        played = stage._games.play([learner, stage._seat.policy(stage.module)], stage._who, (1,))
        assert 7 < len(learner.moves().game) < 10_000
        stage.module.double().register_forward_pre_hook(lambda _net, given: (given[0].double(), given[1].double(), *given[2:]))
        loss, _ = stage._learn(stage.module, played, learner.moves())
        loss.backward()
        gradients.append([parameter.grad for parameter in stage.module.parameters()] + [loss.detach()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_baseline_is_taken_off(folder):
    stage = stage_for(folder, baseline=folder / "value.safetensors")
    learner = AllMoves(stage._seat.policy(stage.module))
    played = stage._games.play([learner, stage._seat.policy(stage.module)], stage._who, (1,))
    values = stage.baseline.values(played, stage.terms, learner.moves())
    assert values.shape == learner.moves().game.shape and (np.abs(values) < 1).all() and values.std() > 0
    with torch.no_grad():  # one who is sure that Black wins: nothing is left to learn for him in games that he has won
        sure, _ = weights_file.load_module(folder / "value.safetensors")
        sure.value.outputs.weight.zero_()
        sure.value.outputs.bias.fill_(50.0)
    stage.baseline.answers = stage._seat.answers(sure, "value")
    moves = learner.moves()
    expected = played.result[moves.game] * np.where(moves.ply % 2 == 0, 1, -1) - 1
    left = outcomes(played, moves) - stage.baseline.values(played, stage.terms, moves)
    np.testing.assert_allclose(left, expected, atol=1e-5)


# ------------------------------------------------------------------- some moves of each game


def played_with(stage, keep):
    """(games, moves) of one game that both a recorder of all moves and another one have seen."""
    every = AllMoves(stage._seat.policy(stage.module))
    some = SomeMoves(every, stage.config.batch, *keep)
    finished = stage._games.play([some, stage._seat.policy(stage.module)], stage._who, (1,))
    return finished, every.moves(), some.moves()


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_what_is_kept_of_each_game_stands_for_all_of_it(folder, most):
    stage = stage_for(folder)
    _, every, some = played_with(stage, (most, np.random.default_rng(1)))
    made, kept = (np.bincount(moves.game, minlength=32) for moves in (every, some))
    np.testing.assert_array_equal(kept, np.minimum(made, most))
    np.testing.assert_allclose(np.bincount(some.game, some.weight), made, rtol=1e-6)
    places = {(game, ply): row for row, (game, ply) in enumerate(zip(every.game, every.ply, strict=True))}
    rows = [places[place] for place in zip(some.game, some.ply, strict=True)]
    assert len(set(rows)) == len(rows)
    for one, other in zip(every.rows(np.array(rows))[:5], some[:5], strict=True):
        np.testing.assert_array_equal(one, other)
    _, _, again = played_with(stage, (most, np.random.default_rng(1)))
    assert all(np.array_equal(one, other) for one, other in zip(some, again, strict=True))


def test_every_move_is_as_likely_to_be_kept():
    """And any two of a game together: K of n without a preference."""
    games, most, made = 30_000, 2, 5
    inner = types.SimpleNamespace(features=features.get("agz17"), logits=lambda rows: np.zeros(rows.legal.shape, np.float32))
    some, number = SomeMoves(inner, games, most, np.random.default_rng(1)), np.arange(games)
    for ply in range(made):
        shown = (np.zeros((games, 1, 1, 1), np.float32), np.zeros((games, 0), np.float32), np.ones((games, 2), np.uint8))
        some.logits(PolicyRows(*shown, number, ply))
    plies = np.sort(some.moves().ply.reshape(games, most), 1)
    pairs = np.bincount(plies[:, 0] * made + plies[:, 1], minlength=made**2).reshape(made, made)
    assert np.abs(pairs[np.triu_indices(made, 1)] / games - 0.1).max() < 0.01 and pairs.sum() == games
    assert (some.moves().weight == made / most).all()


def test_the_expected_gradient_of_some_moves_is_that_of_all(folder):
    """Exact: the mean over every choice of K moves of each game, of games with two moves of the learner, one of them kept."""
    stage = stage_for(folder, batch=4, longest=0.45, half=False)  # four plies
    finished, every, _ = played_with(stage, (1, np.random.default_rng(1)))
    finished = finished._replace(margin=np.array([1.0, -1.0, 1.0, 1.0], np.float32))

    def gradient(moves):
        stage.module.zero_grad()
        stage._learn(stage.module, finished, moves)[0].backward()
        return torch.cat([parameter.grad.flatten() for parameter in stage.module.parameters()])

    assert np.bincount(every.game).tolist() == [2] * 4
    rows = [np.flatnonzero(every.game == game) for game in range(4)]
    choices = [[rows[game][choice >> game & 1] for game in range(4)] for choice in range(16)]
    drawn = [gradient(every.rows(np.array(chosen))._replace(weight=np.full(4, 2.0, np.float32))) for chosen in choices]
    whole = gradient(every)
    torch.testing.assert_close(torch.stack(drawn).mean(0), whole, rtol=1e-3, atol=1e-5)
    assert not torch.allclose(drawn[0], whole, rtol=1e-1, atol=1e-3)


def test_the_baseline_is_asked_only_for_what_is_learned_from(folder):
    stage = stage_for(folder, baseline=folder / "value.safetensors", half=False)
    finished, every, some = played_with(stage, (2, np.random.default_rng(1)))
    asked, answers = [], stage.baseline.answers
    stage.baseline.answers = lambda planes, values: asked.append(len(planes)) or answers(planes, values)
    found = stage.baseline.values(finished, stage.terms, some)
    assert sum(asked) == len(some.game) == 64
    places = {place: row for row, place in enumerate(zip(every.game, every.ply, strict=True))}
    rows = [places[place] for place in zip(some.game, some.ply, strict=True)]
    np.testing.assert_allclose(found, stage.baseline.values(finished, stage.terms, every)[rows], atol=1e-5)


# ------------------------------------------------------------------- who computes the games


@pytest.mark.parametrize("net", ["lee-policy-16", "b2c16"])
def test_openvino_draws_from_the_distribution_of_torch(folder, net):
    spec = spec_of(net, "lee48")
    module = build(spec, 1).eval()
    planes = np.random.default_rng(1).integers(0, 2, (20, 48, 7, 7)).astype(np.float32)
    planes[:, 0] = 1
    values = np.zeros((20, 0), np.float32)
    for _ in range(2):  # again after the weights have changed, as they do after every iteration
        plain, graph = (Seat(DeviceFeed("cpu", False), play, 1).answers(module, "policy") for play in ("torch", "openvino"))
        one, other = (torch.softmax(torch.from_numpy(ask(planes, values)), 1) for ask in (plain, graph))
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
        half = Seat(DeviceFeed("cpu", True), "openvino", 1).answers(module, "policy")(planes, values)
        assert (torch.softmax(torch.from_numpy(half), 1) - one).abs().max() < 0.03
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(1.3)


def test_values_by_openvino_are_those_of_torch(folder):
    net, _ = weights_file.load_module(folder / "value.safetensors")
    planes = np.ones((3, net.spec.planes, 3, 3), np.uint8)
    values = np.random.default_rng(1).random((3, net.spec.globals), np.float32)
    plain, graph = (Seat(DeviceFeed("cpu", False), play, 1).answers(net, "value") for play in ("torch", "openvino"))
    np.testing.assert_allclose(plain(planes, values), graph(planes, values), atol=1e-5)


@pytest.mark.parametrize("device, by_openvino", [("cpu", True), ("meta", False)])
def test_openvino_plays_where_torch_is_on_the_cpu(device, by_openvino):
    feed = DeviceFeed(device, False)
    assert Seat(feed).by_openvino(spec_of("b2c16")) == by_openvino
    assert not Seat(feed, "torch").by_openvino(spec_of("b2c16")) and Seat(feed, "openvino").by_openvino(spec_of("b2c16"))


def test_a_run_by_openvino_on_some_moves_goes_on_to_the_same_weights(folder):
    more = ("--play", "openvino", "--moves-per-game", "2", "--baseline", str(folder / "value.safetensors"))
    assert cli.main(command(folder, "whole", "--iterations", "3", *more)) == 0
    for iterations in ("1", "3"):
        assert cli.main(command(folder, "parts", "--iterations", iterations, *more)) == 0
    whole, parts = (_arrays(folder / run / "net.safetensors") for run in ("whole", "parts"))
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    start = weights_file.load(folder / "policy.safetensors").arrays
    assert any(not np.array_equal(whole[name], start[name]) for name in start)


# ------------------------------------------------------------------- runs


def test_a_run_makes_a_net_with_its_story(folder, capsys):
    assert cli.main(command(folder, "run", "--iterations", "5")) == 0
    net, start = weights_file.load(folder / "run" / "net.safetensors"), weights_file.load(folder / "policy.safetensors")
    assert net.spec == start.spec and net.meta.step == 5 and net.meta.config["every"] == 2
    data = net.meta.data
    assert (data["games"], data["pool"], data["reinforced_from"]) == (30, 3, start.meta.sha256)
    assert 0 <= data["validation"]["won_start"] <= 1
    assert any(not np.array_equal(net.arrays[name], start.arrays[name]) for name in net.arrays)
    lines = log(folder / "run")
    assert len(lines) == 5 and {"won", "plies", "unfinished", "entropy", "opponent", "norm"} <= lines[0].keys()
    assert capsys.readouterr().out == ""


def test_the_pool_grows(folder):
    assert cli.main(command(folder, "run", "--iterations", "5")) == 0
    pool = folder / "run" / "pool"
    assert sorted(path.name for path in pool.iterdir()) == [f"{number:06d}.safetensors" for number in (0, 2, 4)]
    first, second = (weights_file.load(pool / f"{number:06d}.safetensors") for number in (0, 2))
    start = weights_file.load(folder / "policy.safetensors")
    assert all(np.array_equal(first.arrays[name], start.arrays[name]) for name in start.arrays) and second.meta.step == 2
    members = Pool(pool, start.spec, 2)
    assert [list(members.members(number)) for number in (0, 1, 2, 5)] == [[0], [0], [0, 2], [0, 2, 4]]
    chance = np.random.default_rng(1)
    drawn = [members.drawn(5, chance) for _ in range(60)]
    assert all(10 <= drawn.count(number) <= 30 for number in (0, 2, 4))
    assert {line["opponent"] for line in log(folder / "run")[:2]} == {0.0}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_killed_run_goes_on_to_the_same_weights(folder, monkeypatch, optimizer):
    more = ("--iterations", "6", "--optimizer", optimizer)
    assert cli.main(command(folder, "whole", *more)) == 0
    loss = ReinforceStage.loss

    def stopping(stage, module, batch):
        if int(batch["iteration"]) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(stage, module, batch)

    monkeypatch.setattr(ReinforceStage, "loss", stopping)
    assert cli.main(command(folder, "parts", *more)) == 130
    monkeypatch.setattr(ReinforceStage, "loss", loss)
    # what a process that was killed later has left behind does not belong to the pool yet, and is written anew
    (folder / "parts" / "pool" / "000004.safetensors").write_bytes(b"half of a f")
    assert cli.main(command(folder, "parts", *more)) == 0
    for place in ("net", "state", "pool/000004"):
        whole, parts = (_arrays(folder / run / f"{place}.safetensors") for run in ("whole", "parts"))
        assert whole.keys() == parts.keys() and all(np.array_equal(whole[name], parts[name]) for name in whole)
    assert [line["won"] for line in log(folder / "whole")] == [line["won"] for line in log(folder / "parts")]


def _arrays(path):
    return weights_file.read_file(path)[0]


def test_games_that_become_too_long_teach_nothing(folder):
    assert cli.main(command(folder, "run", "--iterations", "2", "--longest", "0.5")) == 0
    net, start = weights_file.load(folder / "run" / "net.safetensors"), weights_file.load(folder / "policy.safetensors")
    assert all(np.array_equal(net.arrays[name], start.arrays[name]) for name in start.arrays)
    assert all(line["unfinished"] == 1 and line["norm"] == 0 for line in log(folder / "run"))
    assert "NaN" not in (folder / "run" / "log.jsonl").read_text() and "won" not in log(folder / "run")[0]


def test_statistics_stay_as_they_are(folder):
    """A net with batch normalisation learns with the policy that it plays with."""
    spec = spec_of("b2c16")
    weights_file.save(folder / "normalised.safetensors", build(spec, 1), spec)
    assert cli.main(command(folder, "run", "--iterations", "2", net="normalised")) == 0
    net, start = weights_file.load(folder / "run" / "net.safetensors"), weights_file.load(folder / "normalised.safetensors")
    same = {name for name in start.arrays if np.array_equal(net.arrays[name], start.arrays[name])}
    assert {name for name in start.arrays if "running" in name} <= same and "policy.logits.weight" not in same


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "truncated"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes((path.parents[2] / "other.safetensors").read_bytes()), "it sees the features zero"),
    ],
)
def test_a_broken_member_of_the_pool_is_named(folder, capsys, damage, said):
    assert cli.main(command(folder, "run", "--iterations", "3")) == 0
    damage(folder / "run" / "pool" / "000002.safetensors")
    assert cli.main(command(folder, "run", "--iterations", "12")) == 1
    told = capsys.readouterr().err
    assert "000002.safetensors" in told and said in told


@pytest.mark.parametrize(
    "more, net, said",
    [
        ((), "value", "no policy to play by"),
        (("--baseline", "POLICY"), "policy", "no value"),
        (("--every", "3"), "policy", "pool of every 2"),
        (("--size", "4"), "policy", "board size 3"),
        ((), "other", "made with the net"),
    ],
)
def test_what_does_not_fit_is_refused(folder, capsys, more, net, said):
    assert cli.main(command(folder, "run", "--iterations", "1")) == 0
    more = [str(folder / "policy.safetensors") if word == "POLICY" else word for word in more]
    assert cli.main(command(folder, "run", "--iterations", "2", *more, net=net)) == 1
    assert said in capsys.readouterr().err


def test_features_that_are_not_known_here(folder, capsys):
    spec = parse("lee-policy-8", "lee99", 48, 0)
    weights_file.save(folder / "strange.safetensors", build(spec, 1), spec)
    assert cli.main(command(folder, "run", "--iterations", "1", net="strange")) == 1
    assert "lee99 (48 planes, 0 globals), which are not known here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        ("--temperature", "0"),
        ("--komi", "0.3"),
        ("--size", "26"),
        ("--every", "0"),
        ("--games", "0"),
        ("--moves-per-game", "-1"),
    ],
)
def test_wrong_options(folder, more):
    with pytest.raises(SystemExit) as stop:
        cli.main(command(folder, "run", "--iterations", "1", *more))
    assert stop.value.code == 2


def test_place_passes_on_batches_without_planes():
    assert int(DeviceFeed("cpu", False).put({"iteration": np.array(5)})["iteration"]) == 5
