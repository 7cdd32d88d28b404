"""The options of `python -m training lessons`. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from goengine.core.options import option
from training.core.command_options import DistillOptions

Lesson = Literal["alone", "taught", "plain", "warm", "hot", "hints", "views", "views-hints"]
# What each lesson changes in the options of `distill`; None: there is no teacher.
LESSONS: Final[Mapping[Lesson, dict[str, Any] | None]] = {
    "alone": None,
    "taught": {},
    "plain": {"soft_weight": 0.0},
    "warm": {"temperature": 2.0},
    "hot": {"temperature": 8.0},
    "hints": {"hint_weight": 1.0},
    "views": {"teacher_views": 8},
    "views-hints": {"teacher_views": 8, "hint_weight": 1.0},
}
WORDS: Final[Mapping[Lesson, str]] = {
    "alone": "alone, without a teacher",
    "taught": "taught, softened policy at temperature 4",
    "plain": "taught, no softened policy",
    "warm": "taught, at temperature 2",
    "hot": "taught, at temperature 8",
    "hints": "taught, with hints",
    "views": "taught by the mean of eight views",
    "views-hints": "taught by the mean of eight views, with hints",
}


@dataclass(frozen=True, kw_only=True)
class LessonsOptions(DistillOptions):
    """Compare ways of distillation: one net, the same first weights and the same positions, each time taught in another way."""

    lessons: tuple[Lesson, ...] = option(tuple(LESSONS), "which ways; each goes on from the other options of this command")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.lessons)) < len(self.lessons) or not self.lessons:
            raise ValueError("--lessons: name some, each once")
        if self.validation is None:
            raise ValueError("--validation is needed: games that are only measured")
        if self.steps is None or self.budget is not None:
            raise ValueError("--steps says how long each lesson is; time would give some more positions than others")
