"""A teacher and its students, trained at once on the same batches.

In each step the students learn from what the teacher, itself still learning, says of the batch (Zhang et al., Deep mutual
learning, 2018, in one direction). It costs less than one after the other: a position is made once and seen by the teacher
once, and each of them has the whole run. Knows the joined module and its stage; losses and targets are those of
`training.stages.distillation`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from goengine.nets.build import Net
from goengine.nets.heads import NetOutput
from goengine.nets.spec import NetSpec
from training.core.checkpoint import Counters, plain
from training.core.command_options import TEACHER, CodistillOptions, student_name
from training.core.device_feed import Batch, DeviceFeed
from training.core.losses import LossWeights, total_loss
from training.core.setup import Setup
from training.stages.distillation import TeacherWeights, distillation_loss
from training.stages.supervised import (
    GamesStage,
    check_student,
    freeze_norms_if_wanted,
    fresh_or_loaded,
    learn,
    loop_config,
    loss_weights,
    teacher_weights,
)

STUDENTS = "students"  # folder of their weights files in the run's


class TeacherStudents(nn.Module):
    """The teacher and its students by name, as one module: the loop trains, averages and saves them as it does one net."""

    def __init__(self, nets: Mapping[str, Net]):
        super().__init__()
        self.nets = nn.ModuleDict(nets)

    def forward(self, planes: Tensor, globals_: Tensor, full: bool | None) -> tuple[NetOutput, ...]:
        """What each net says, the teacher first; arguments as of `Net`."""
        return tuple(net(planes, globals_, full) for net in self.nets.values())


class CodistillStage(GamesStage):
    """Positions of packed games for a teacher and its students; the students learn from the teacher's answers, too.

    Figures without a prefix are the teacher's; those of a student begin with its name, as b8c96/top1.
    """

    def __init__(self, config: CodistillOptions, teacher_students: TeacherStudents):
        """Raises RunError if a student sees other features than the teacher, or has a head that the teacher lacks."""
        super().__init__(config, teacher_students.nets[TEACHER])
        self.specs = {name: net.spec for name, net in teacher_students.nets.items() if name != TEACHER}
        for name, spec in self.specs.items():
            check_student(spec, self.spec, f"--students {name}")
        self._lessons = {name: lesson(config, spec) for name, spec in self.specs.items()}

    def loss(self, module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of the nets' losses: they share no weights, and the teacher learns nothing from its students."""
        told, *answers = module(batch["planes"], batch["globals"], True)
        loss, figures = total_loss(told, batch, self.weights)
        said = NetOutput(*(part.detach() for part in told))
        for (name, learns), answer in zip(self._lessons.items(), answers, strict=True):
            more, found = distillation_loss(answer, said, batch, *learns)
            loss, figures = loss + more, figures | _of(name, found)
        return loss, figures

    def validate(self, module: TeacherStudents, device_feed: DeviceFeed) -> dict[str, float]:
        """Each net's figures on the held-out games."""
        figures = super().validate(module.nets[TEACHER], device_feed)
        for name in self.specs:
            figures |= _of(name, super().validate(module.nets[name], device_feed))
        return figures

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged teacher to `path`, and its students into the folder beside, each with its own figures."""
        mine = {name: value for name, value in figures.items() if "/" not in name}
        self.write(path, _part(arrays, f"nets.{TEACHER}."), self.spec, counters, mine)
        (path.parent / STUDENTS).mkdir(exist_ok=True)
        for name, spec in self.specs.items():
            student = path.parent / STUDENTS / f"{name}.safetensors"
            self.write(student, _part(arrays, f"nets.{name}."), spec, counters, _part(figures, f"{name}/"))


def _of(student: str, figures: Mapping) -> dict:
    """A student's figures with its name in front."""
    return {f"{student}/{name}": value for name, value in figures.items()}


def _part(values: Mapping, start: str) -> dict:
    """The entries whose names begin with `start`, without that beginning."""
    return {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}


def lesson(config: CodistillOptions, student: NetSpec) -> tuple[LossWeights, TeacherWeights]:
    """Weights of what a student learns from the games, and of what it learns from its teacher."""
    games = loss_weights(config, student)
    if games.policy is not None:
        games = dataclasses.replace(games, policy=config.hard_weight)
    return games, teacher_weights(config, student)


def codistill(config: CodistillOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does."""
    return learn(setup, config, began)


def setup(config: CodistillOptions) -> Setup:
    """What the stage trains."""
    sources = {TEACHER: config.net} | {student_name(student): student for student in config.students}
    nets = {name: fresh_or_loaded(source, config.features, config.seed) for name, source in sources.items()}
    teacher_students = TeacherStudents(nets)
    stage = CodistillStage(config, teacher_students)
    for name, net in nets.items():
        freeze_norms_if_wanted(net, sources[name], config, stage)
    specs = {name: dataclasses.asdict(net.spec) for name, net in nets.items()}
    return Setup(config.run, teacher_students, stage, loop_config(config), {"options": plain(config), "specs": specs})
