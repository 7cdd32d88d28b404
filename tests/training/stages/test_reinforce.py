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
from goengine.policy_play.games import FinishedPolicyGame
from training import cli
from training.core.device_feed import DeviceFeed
from training.stages import reinforce
from training.stages.opponents import NetPolicy, Pool
from training.stages.policy_options import ReinforceOptions
from training.stages.reinforce import Moves, ReinforceStage, outcomes, policy_gradient_loss

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = ("--size", "3", "--games", "6", "--validation-games", "4", "--threads", "1", "--every", "2", "--rows", "16")


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
    loss, entropy = policy_gradient_loss(logits, legal, played, z, temperature=2.0)
    loss.backward()
    p = torch.softmax(logits.detach()[:, :7] / 2.0, 1)
    expected = torch.zeros(5, 10)
    expected[:, :7] = -z[:, None] * (torch.nn.functional.one_hot(played, 7) - p) / 2.0
    torch.testing.assert_close(logits.grad, expected)
    assert float(entropy) == pytest.approx(float(-(p * p.log()).sum()), rel=1e-5)


def test_outcomes_are_for_who_moved():
    finished = FinishedPolicyGame(np.zeros((3, 4), np.uint16), np.array([4, 4, 4]), np.array([7.5, -0.5, np.nan], np.float32))
    game, ply = np.repeat(np.arange(3), 2), np.tile([0, 1], 3)
    moves = Moves(*(np.zeros(6) for _ in range(3)), game, ply)
    np.testing.assert_array_equal(outcomes(finished, moves), [1, -1, -1, 1, np.nan, np.nan])


def stage_for(folder, **changes):
    values = {"run": folder / "run", "net": folder / "policy.safetensors", "size": 3, "batch": 32, "threads": 1, "rows": 100}
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
    found = NetPolicy(stage.module, stage.spec, stage.device_feed).logits(rows)[0, :9]
    return np.exp(found - found.max()) / np.exp(found - found.max()).sum()


def test_moves_that_win_become_likelier_and_moves_that_lose_less(folder):
    """A bandit: Black wins with the centre as his first move, White with a corner as hers, whatever follows."""
    shallow = dataclasses.replace(spec_of("lee-policy-16"), blocks=(BlockSpec("conv"),))  # learns in seconds
    weights_file.save(folder / "policy.safetensors", build(shallow, 1), shallow)
    stage = stage_for(folder, batch=64, longest=0.3)  # four plies: little that has nothing to do with it
    optimizer = torch.optim.Adam(stage.module.parameters(), 0.01)
    before = shares(stage, []), shares(stage, [4])
    for iteration in range(15):
        learner = reinforce.RecordingPolicy(NetPolicy(stage.module, stage.spec, stage.device_feed))
        played = stage._games.play([learner, NetPolicy(stage.module, stage.spec, stage.device_feed)], stage._who, (iteration,))
        black = np.where(played.moves[:, 0] == 4, 1.0, -1.0)
        white = np.where(np.isin(played.moves[:, 1], (0, 2, 6, 8)), -1.0, 1.0)
        of_learner = np.where(np.arange(64) % 2 == 0, black, white).astype(np.float32)
        chance = np.random.default_rng(iteration)
        loss, _ = stage._learn(stage.module, played._replace(margin=of_learner), learner.moves(), chance)
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
        learner = reinforce.RecordingPolicy(NetPolicy(stage.module, stage.spec, stage.device_feed))
        played = stage._games.play([learner, NetPolicy(stage.module, stage.spec, stage.device_feed)], stage._who, (1,))
        assert 7 < len(learner.moves().game) < 10_000
        stage.module.double().register_forward_pre_hook(lambda _net, given: (given[0].double(), given[1].double(), *given[2:]))
        loss, _ = stage._learn(stage.module, played, learner.moves(), np.random.default_rng(1))
        loss.backward()
        gradients.append([parameter.grad for parameter in stage.module.parameters()] + [loss.detach()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_baseline_is_taken_off(folder):
    stage = stage_for(folder, baseline=folder / "value.safetensors")
    learner = reinforce.RecordingPolicy(NetPolicy(stage.module, stage.spec, stage.device_feed))
    played = stage._games.play([learner, NetPolicy(stage.module, stage.spec, stage.device_feed)], stage._who, (1,))
    everything = np.arange(len(learner.moves().game))
    values = stage.baseline.values(played, stage.terms, learner.moves(), everything)
    some = everything[3::5]
    np.testing.assert_allclose(stage.baseline.values(played, stage.terms, learner.moves(), some), values[some], atol=1e-5)
    assert values.shape == learner.moves().game.shape and (np.abs(values) < 1).all() and values.std() > 0
    with torch.no_grad():  # one who is sure that Black wins: nothing is left to learn for him in games that he has won
        stage.baseline.net.value.outputs.weight.zero_()
        stage.baseline.net.value.outputs.bias.fill_(50.0)
    moves = learner.moves()
    expected = played.result[moves.game] * np.where(moves.ply % 2 == 0, 1, -1) - 1
    left = outcomes(played, moves) - stage.baseline.values(played, stage.terms, moves, everything)
    np.testing.assert_allclose(left, expected, atol=1e-5)


def test_a_few_moves_of_each_game_stand_for_all():
    game = np.array([0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    moves = Moves(*(np.zeros(10) for _ in range(3)), game, np.arange(10))
    advantage = np.where(game == 2, np.nan, np.arange(10.0))
    sums = []
    for seed in range(2000):
        rows, counts = reinforce.chosen_moves(moves, advantage, 3, np.random.default_rng(seed))
        assert (np.diff(rows) > 0).all() and np.bincount(game[rows]).tolist() == [3, 2]
        assert counts.tolist() == pytest.approx([5 / 3] * 3 + [1] * 2)
        sums.append((advantage[rows] * counts)[game[rows] == 0].sum())
    assert np.mean(sums) == pytest.approx(advantage[:5].sum(), rel=0.02) and np.std(sums) > 1
    rows, counts = reinforce.chosen_moves(moves, advantage, 0, np.random.default_rng(0))
    assert rows.tolist() == list(range(7)) and (counts == 1).all()
    assert len(reinforce.chosen_moves(moves, advantage * np.nan, 3, np.random.default_rng(0))[0]) == 0


def test_the_number_of_moves_bounds_what_is_learned_from(folder, monkeypatch):
    stage, seen = stage_for(folder, moves_per_game=2), []
    part = stage._part
    monkeypatch.setattr(stage, "_part", lambda *given: seen.append(len(given[-1])) or part(*given))
    stage.stepped(0)
    loss, figures = stage.loss(stage.module, {"iteration": np.array(0)})
    loss.backward()
    assert 0 < sum(seen) <= 2 * stage.config.batch and np.isfinite(float(figures["entropy"]))


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
    drawn = [members.opponent(5, chance)[0] for _ in range(60)]
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
    "more", [("--temperature", "0"), ("--komi", "0.3"), ("--size", "26"), ("--every", "0"), ("--games", "0")]
)
def test_wrong_options(folder, more):
    with pytest.raises(SystemExit) as stop:
        cli.main(command(folder, "run", "--iterations", "1", *more))
    assert stop.value.code == 2


def test_place_passes_on_batches_without_planes():
    assert int(DeviceFeed("cpu", False).put({"iteration": np.array(5)})["iteration"]) == 5
