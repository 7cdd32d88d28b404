"""Distillation: the student follows its teacher, hints fade, and a run keeps to the teacher it began with."""

import json

import numpy as np
import pytest
import torch

from goengine import features
from goengine.board import symmetry
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from tests.nets.helpers import lively
from training import cli
from training.core.checkpoint import load_state
from training.core.losses import LossWeights
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.stages import supervised
from training.stages.distillation import (
    Hint,
    Teacher,
    TeacherWeights,
    distillation_loss,
    divergence,
    hint_factor,
    taught,
    turned,
    turned_back,
)

pytestmark = pytest.mark.usefixtures("one_thread")

ZERO = features.get("zero")
GAMES = LossWeights(policy=0.0, value=0.7, opponent=0.15, ownership=0.25, score=0.05, score_stdev=0.02)  # no moves played
TEACHER = TeacherWeights(policy=1.0, soft=0.25, temperature=4.0, opponent=0.15, stdev=0.02, trust=0.7)


def spec_of(name):
    return parse(name, ZERO.name, ZERO.planes, ZERO.globals)


@pytest.fixture(scope="module")
def batch(small_pack):
    sampler = Sampler(packs.to_games(small_pack), ZERO, Draw(3, 1, 1, 0.5))
    found = {name: torch.from_numpy(array) for name, array in sampler.batch(0, 32)._asdict().items()}
    return {**found, "planes": found["planes"].float()}


def answers(net, batch):
    return net(batch["planes"], batch["globals"], True)


def test_divergence_is_the_cross_entropy_less_the_entropy():
    ours, theirs = torch.tensor([[0.0, 1.0, -2.0]]), torch.tensor([[1.0, 0.5, -1.0]])
    p = torch.softmax(theirs / 4, 1)
    expected = -(p * torch.log_softmax(ours / 4, 1)).sum() + (p * p.log()).sum()
    assert torch.allclose(divergence(ours, theirs, 4.0), expected)
    assert float(divergence(theirs, theirs)) == pytest.approx(0, abs=1e-7)


def test_a_student_equal_to_its_teacher_has_nothing_to_learn_from_it(batch):
    net = lively(spec_of("b2c16")).eval()
    trusting = TeacherWeights(policy=1.0, soft=0.25, temperature=4.0, opponent=0.15, stdev=0.02, trust=1.0)
    told, _ = Teacher(net, "cpu")(batch["planes"], batch["globals"], True)
    loss, figures = distillation_loss(answers(net, batch), told, batch, GAMES, trusting)
    loss.backward()
    assert max(float(p.grad.abs().max()) for p in net.parameters() if p.grad is not None) < 2e-3
    assert float(figures["agree"]) == 1 and float(figures["soft"]) == pytest.approx(0, abs=1e-4)


def test_every_position_gets_targets(batch):
    told, _ = Teacher(lively(spec_of("b2c16")), "cpu")(batch["planes"], batch["globals"], True)
    found = taught(batch, told, trust=0.5)
    counted, value = batch["score_weight"] > 0, torch.tanh(told.value / 2)
    judged = batch["value_weight"] > 0
    assert counted.any() and not counted.all() and not judged.all()
    assert torch.allclose(found["value"][judged], (value + batch["value"])[judged] / 2)
    assert torch.equal(found["value"][~judged], value[~judged])
    assert torch.equal(found["score"][~counted], told.score[~counted])
    assert torch.equal(found["owner"][batch["owner_weight"] == 0], told.ownership[batch["owner_weight"] == 0])
    assert all(bool((found[name] == 1).all()) for name in ("value_weight", "score_weight", "owner_weight"))


@pytest.mark.parametrize("hints", [False, True])
def test_the_loss_falls_on_fixed_samples(batch, hints):
    teacher, student = lively(spec_of("b3c32")), build(spec_of("b2c16"), 1).train()
    told, middle = Teacher(teacher, "cpu")(batch["planes"], batch["globals"], True)
    hint = Hint(student, teacher) if hints else None
    optimizer = torch.optim.AdamW(student.parameters(), 5e-3)
    seen = []
    for _ in range(40):
        loss, figures = distillation_loss(answers(student, batch), told, batch, GAMES, TEACHER)
        if hint:
            figures["hint"] = hint.distance(middle)
            loss = loss + figures["hint"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append({name: float(value.detach()) for name, value in figures.items()})
    for name in ("teacher", "soft", "opponent", *(["hint"] if hints else [])):
        assert seen[-1][name] < 0.8 * seen[0][name], name


def test_hints_fade():
    assert [hint_factor(progress, 0.4) for progress in (0.0, 0.1, 0.2, 0.4, 1.0)] == [1.0, 0.75, 0.5, 0.0, 0.0]


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    for name, seed in (("teacher", 1), ("other", 2)):
        spec = spec_of("b3c32")
        weights_file.save(tmp_path / f"{name}.safetensors", lively(spec, seed), spec, step=7)
    return tmp_path


def arguments(stored, run, *more, teacher="teacher"):
    settings = {
        "--data": stored / "small.npz", "--run": stored / run, "--net": "b2c16", "--batch": 16, "--threads": 1,
        "--teacher": stored / f"{teacher}.safetensors", "--hint-weight": 0.5, "--hint-share": 1,
    }  # fmt: skip
    return ["distill", *(str(part) for pair in settings.items() for part in pair), *more]


def test_a_run_stopped_and_resumed_is_the_run_in_one_go(stored, capsys, stop_after_a_quarter):
    assert cli.main(arguments(stored, "whole", "--steps", "4")) == 0
    whole = weights_file.load(stored / "whole" / "net.safetensors")
    stop_after_a_quarter(supervised.DistillStage)
    assert cli.main(arguments(stored, "parts", "--steps", "4")) == 130
    # another teacher, or none, would make another net of it
    assert cli.main(arguments(stored, "parts", "--steps", "4", teacher="other")) == 1
    assert "was made with the teacher" in capsys.readouterr().err
    assert cli.main(arguments(stored, "parts", "--steps", "4")) == 0
    parts = weights_file.load(stored / "parts" / "net.safetensors")
    assert all(np.array_equal(parts.arrays[name], array) for name, array in whole.arrays.items())


def test_a_net_tells_of_its_teacher_and_holds_nothing_of_it(stored):
    assert cli.main(arguments(stored, "run", "--steps", "1")) == 0
    net = weights_file.load(stored / "run" / "net.safetensors")  # which would refuse a hint's weights
    sha256 = weights_file.load(stored / "teacher.safetensors").meta.sha256
    assert net.meta.data["teacher"] == sha256 and net.meta.config["teacher"].endswith("teacher.safetensors")
    arrays, _, saved = load_state(stored / "run" / "state.safetensors")
    assert saved["bound"] == {"teacher": sha256}
    assert {name.split("/")[1] for name in arrays if name.startswith("weights/")} == {*net.arrays, "hint.weight"}


def test_resuming_a_distillation_as_supervised_is_refused(stored, capsys):
    assert cli.main(arguments(stored, "run", "--steps", "1", "--hint-weight", "0")) == 0
    plain = ["supervised", "--data", str(stored / "small.npz"), "--net", "b2c16", "--batch", "16", "--threads", "1"]
    assert cli.main([*plain, "--run", str(stored / "run"), "--steps", "2"]) == 1
    assert "take another --run folder" in capsys.readouterr().err


@pytest.mark.parametrize("more, said", [(["--trust", "1.5"], "--trust"), (["--temperature", "0"], "--temperature")])
def test_wrong_options(stored, more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, "run", "--steps", "1", *more))
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_a_teacher_of_other_features_is_refused(stored, capsys):
    spec = parse("b2c16", "another", ZERO.planes, ZERO.globals)
    weights_file.save(stored / "other.safetensors", lively(spec), spec)
    assert cli.main(arguments(stored, "run", "--steps", "1", teacher="other")) == 1
    assert "sees the features another" in capsys.readouterr().err


def test_a_student_with_one_head_learns_that_alone(stored):
    assert cli.main(arguments(stored, "run", "--steps", "2", "--log-every", "1", "--net", "lee-policy-8")) == 0
    told = {name for line in (stored / "run" / "log.jsonl").read_text().splitlines() for name in json.loads(line)}
    assert {"policy", "teacher", "soft", "agree"} <= told
    assert not told & {"value", "mse", "opponent", "score", "score_stdev", "ownership"}


def test_a_teacher_without_the_students_heads_is_refused(stored, capsys):
    spec = spec_of("lee-policy-8")
    weights_file.save(stored / "silent.safetensors", lively(spec), spec)
    assert cli.main(arguments(stored, "run", "--steps", "1", teacher="silent")) == 1
    assert "says nothing of opponent, ownership, score, value" in capsys.readouterr().err


@pytest.mark.parametrize("views", [1, 8])
def test_a_teacher_of_eight_views_says_the_same_of_each_of_them(batch, views):
    """One view depends on how the position lies; the mean of all eight does not."""
    teacher = Teacher(lively(spec_of("b2c16")).eval(), "cpu", views)
    told, middle = teacher(batch["planes"], batch["globals"], True)
    for s in range(1, 8):
        planes = torch.from_numpy(symmetry.planes(batch["planes"].numpy(), s).copy())
        assert torch.equal(turned(batch["planes"], s), planes)
        said, _ = teacher(planes, batch["globals"], True)
        back = turned_back(said, s)
        same = [torch.allclose(ours, theirs, atol=2e-3) for ours, theirs in zip(back, told, strict=True)]
        assert all(same) if views == 8 else not any(same)
        again = told._replace(policy=torch.from_numpy(symmetry.policy(told.policy.numpy(), s).copy()))
        assert torch.equal(turned_back(again, s).policy, told.policy)
    assert told.policy.exp().sum(1).allclose(torch.ones(32), atol=1e-3) or views == 1
    _, plain = Teacher(teacher.net, "cpu")(batch["planes"], batch["globals"], True)
    assert torch.allclose(middle, plain)
