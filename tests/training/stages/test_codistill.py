"""A teacher and its students in one run: who learns what from whom, what is saved, what is refused."""

import json

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from tests.nets.helpers import lively
from training import cli
from training.core.checkpoint import load_state
from training.core.command_options import CodistillOptions
from training.stages import codistill
from training.stages.codistill import CodistillStage, TeacherStudents

pytestmark = pytest.mark.usefixtures("one_thread")

ZERO = features.get("zero")


def spec_of(name):
    return parse(name, ZERO.name, ZERO.planes, ZERO.globals)


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    return tmp_path


def arguments(stored, run, *more, command="codistill"):
    settings = {
        "--data": stored / "small.npz", "--run": stored / run, "--net": "b3c32", "--batch": 16, "--threads": 1,
        "--validation": stored / "small.npz", "--validation-positions": 32,
    }  # fmt: skip
    students = ["--students", "b2c16", "lee-policy-8"] if command == "codistill" else []
    return [command, *(str(part) for pair in settings.items() for part in pair), *students, *more]


@pytest.fixture
def stage(stored):
    config = CodistillOptions(
        data=(stored / "small.npz",), run=stored / "run", net="b3c32", students=("b2c16",), batch=16, steps=1, threads=1
    )
    teacher_students = TeacherStudents(
        {"teacher": lively(spec_of("b3c32")).train(), "b2c16": build(spec_of("b2c16"), 1).train()}
    )
    return CodistillStage(config, teacher_students), teacher_students


def first_batch(stage):
    arrays = next(stage.batches(0))
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return {**batch, "planes": batch["planes"].float()}


def test_the_teacher_learns_nothing_from_its_student(stage):
    stage, teacher_students = stage
    batch = first_batch(stage)
    stage.loss(teacher_students, batch)[0].backward()
    teacher = teacher_students.nets["teacher"]
    beside = [p.grad.clone() for p in teacher.parameters()]
    teacher_students.zero_grad()
    stage._lessons = {}
    stage.loss(TeacherStudents({"teacher": teacher}), batch)[0].backward()
    assert all(torch.equal(p.grad, other) for p, other in zip(teacher.parameters(), beside, strict=True))


def test_a_student_learns_on_fixed_samples(stage):
    stage, teacher_students = stage
    batch = first_batch(stage)
    optimizer = torch.optim.Adam(teacher_students.nets["b2c16"].parameters(), 0.003)  # the teacher, and so its loss, stays
    told = []
    for _ in range(20):
        loss, _ = stage.loss(teacher_students, batch)
        told.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert told[-1] < told[0] - 0.3


def test_each_net_is_saved_with_its_own_figures(stored):
    assert cli.main(arguments(stored, "run", "--steps", "3", "--log-every", "1")) == 0
    teacher = weights_file.load(stored / "run" / "net.safetensors")
    student = weights_file.load(stored / "run" / "students" / "b2c16.safetensors")
    assert teacher.spec == spec_of("b3c32") and student.spec == spec_of("b2c16")
    lines = [json.loads(line) for line in (stored / "run" / "log.jsonl").read_text().splitlines()]
    last = lines[-1]["validation"]
    assert teacher.meta.data["validation"]["cross_entropy"] == pytest.approx(last["cross_entropy"], abs=1e-5)
    assert student.meta.data["validation"]["cross_entropy"] == pytest.approx(last["b2c16/cross_entropy"], abs=1e-5)
    assert not any("/" in name for name in (*teacher.meta.data["validation"], *student.meta.data["validation"]))
    assert "b2c16/value_mse" in last and "lee-policy-8/value_mse" not in last  # it has no such head
    assert {"top1", "b2c16/agree", "lee-policy-8/agree"} <= set(lines[0])


def test_the_teacher_is_the_net_that_it_would_be_alone(stored):
    """Until gradients are clipped, which counts all nets' together."""
    assert cli.main(arguments(stored, "joined", "--steps", "3", "--clip", "1e9")) == 0
    assert cli.main(arguments(stored, "alone", "--steps", "3", "--clip", "1e9", command="supervised")) == 0
    joined, alone = (weights_file.load(stored / run / "net.safetensors").arrays for run in ("joined", "alone"))
    assert all(np.allclose(joined[name], array, atol=1e-6) for name, array in alone.items())


def test_a_run_stopped_and_resumed_is_the_run_in_one_go(stored, stop_after_a_quarter):
    assert cli.main(arguments(stored, "whole", "--steps", "4")) == 0
    stop_after_a_quarter(codistill.CodistillStage)
    assert cli.main(arguments(stored, "parts", "--steps", "4")) == 130
    assert cli.main(arguments(stored, "parts", "--steps", "4")) == 0
    whole, parts = (load_state(stored / run / "state.safetensors")[0] for run in ("whole", "parts"))
    assert all(np.array_equal(parts[name], array) for name, array in whole.items())


@pytest.mark.parametrize(
    "students, said",
    [(["b2c16", "b2c16"], "must differ"), (["a/teacher.safetensors"], "named teacher")],
)
def test_students_need_names_of_their_own(stored, students, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, "run", "--steps", "1", "--students", *students))
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_a_student_of_other_features_is_refused(stored, capsys):
    spec = parse("b2c16", "another", ZERO.planes, ZERO.globals)
    weights_file.save(stored / "odd.safetensors", lively(spec), spec)
    assert cli.main(arguments(stored, "run", "--steps", "1", "--students", str(stored / "odd.safetensors"))) == 1
    assert "--students odd: the teacher sees the features zero" in capsys.readouterr().err


def test_the_former_name_is_understood_and_not_shown(capsys):
    for name in ("codistill", "together"):
        with pytest.raises(SystemExit) as stop:
            cli.main([name, "--help"])
        assert stop.value.code == 0 and "usage: python -m training codistill" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert "codistill" in shown and "together " not in shown


def test_a_learning_teacher_answers_one_view(stored, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, "run", "--steps", "1", "--teacher-views", "8"))
    assert stop.value.code == 2 and "distill takes several" in capsys.readouterr().err
