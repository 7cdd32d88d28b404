"""A teacher and its students, trained at once on the same batches.

In each step the students learn from what the teacher, itself still learning, says of the batch (Zhang et al., Deep mutual
learning, 2018, in one direction). It costs less than one after the other: a position is made once and seen by the teacher
once, and each of them has the whole run. Knows the joined module and its stage; losses and targets are those of
`training.distillation`.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from goengine.nets.build import Net
from goengine.nets.heads import NetOutput
from goengine.nets.spec import NetSpec
from training import parallel
from training.checkpoint import Counters, plain
from training.distillation import TeacherWeights, distillation_loss
from training.loop import Trainer
from training.losses import LossWeights, total_loss
from training.options import TEACHER, Together, student_name
from training.place import Batch, Place
from training.sampling import Targets
from training.stages import (
    GamesStage,
    check_student,
    device_name,
    fresh_or_loaded,
    loop_config,
    loss_weights,
    settle,
    teacher_weights,
)

STUDENTS = "students"  # folder of their weights files in the run's


Lesson = tuple[LossWeights, TeacherWeights]


class School(nn.Module):
    """The teacher and its students by name, with the loss of them all: the loop trains, averages and saves it as it does a net.

    The loss belongs to the module, so that torch compiles it with the nets.
    """

    def __init__(self, nets: Mapping[str, Net], teaching: LossWeights, lessons: Mapping[str, Lesson]):
        """teaching: what the teacher learns from the games; lessons: what each student learns from games and teacher."""
        super().__init__()
        self.nets = nn.ModuleDict(nets)
        self.teaching, self.lessons = teaching, dict(lessons)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """(loss, figures) of a batch whose boards fill the planes.

        The loss is the sum of the nets' losses: they share no weights, and the teacher learns nothing from its students.
        """
        told = self.teacher(batch["planes"], batch["globals"], True)
        loss, figures = total_loss(told, batch, self.teaching)
        said = NetOutput(*(part.detach() for part in told))
        for name, lesson in self.lessons.items():
            answer = self.nets[name](batch["planes"], batch["globals"], True)
            learnt, found = distillation_loss(answer, said, batch, *lesson)
            loss, figures = loss + learnt, figures | _of(name, found)
        return loss, figures

    @property
    def teacher(self) -> Net:
        return self.nets[TEACHER]


class TogetherStage(GamesStage):
    """Positions of packed games for a teacher, and for its students with what it says of them.

    Figures are the teacher's; those of students end in their names.
    """

    def __init__(self, config: Together, nets: Mapping[str, Net]):
        """Raises RunError if a student sees other features than the teacher, or has a head that the teacher lacks."""
        super().__init__(config, nets[TEACHER])
        self.specs = {name: net.spec for name, net in nets.items() if name != TEACHER}
        for name, spec in self.specs.items():
            check_student(spec, self.spec, f"--students {name}")
        self.school = School(nets, self.weights, {name: lesson(config, spec) for name, spec in self.specs.items()})

    def loss(self, module: School, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The school's loss."""
        return module({name: part for name, part in batch.items() if name in Targets._fields})

    def validate(self, module: School, place: Place) -> dict[str, float]:
        """Each net's figures on the held-out games."""
        figures = super().validate(module.teacher, place)
        for name in self.specs:
            figures |= _of(name, super().validate(module.nets[name], place))
        return figures

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged teacher to `path`, and its students into the folder beside."""
        others = tuple(f"_{name}" for name in self.specs)
        theirs = {name: value for name, value in figures.items() if not name.endswith(others)}
        self.write(path, _part(arrays, TEACHER), self.spec, counters, theirs)
        (path.parent / STUDENTS).mkdir(exist_ok=True)
        for name, spec in self.specs.items():
            ending = f"_{name}"
            theirs = {key.removesuffix(ending): value for key, value in figures.items() if key.endswith(ending)}
            self.write(path.parent / STUDENTS / f"{name}.safetensors", _part(arrays, name), spec, counters, theirs)


def _of(student: str, figures: Mapping) -> dict:
    """A student's figures under names that tell whose they are."""
    return {f"{name}_{student}": value for name, value in figures.items()}


def _part(arrays: Mapping[str, np.ndarray], net: str) -> dict[str, np.ndarray]:
    """One net's arrays of the school's."""
    start = f"nets.{net}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def lesson(config: Together, student: NetSpec) -> Lesson:
    """What a student learns from the games, and what from its teacher."""
    games = loss_weights(config, student)
    if games.policy is not None:
        games = dataclasses.replace(games, policy=config.hard_weight)
    return games, teacher_weights(config, student)


def together(config: Together, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised` does."""
    if config.threads:
        torch.set_num_threads(config.threads)
    with parallel.joined(device_name(config)):
        sources = {TEACHER: config.net} | {student_name(student): student for student in config.students}
        nets = {name: fresh_or_loaded(source, config.features, config.seed) for name, source in sources.items()}
        stage = TogetherStage(config, nets)
        for name, net in nets.items():
            settle(net, sources[name], config, stage)
        specs = {name: dataclasses.asdict(net.spec) for name, net in nets.items()}
        described = {"options": plain(config), "specs": specs}
        return Trainer(config.run, stage.school, stage, loop_config(config), described=described, began=began).run()
