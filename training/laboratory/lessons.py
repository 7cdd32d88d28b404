"""What teaches best: one small net trained alone and by distillation in several ways, on the same positions for as many steps.

The ways are those of `training.stages.distillation`: softened policies, hints, a teacher asked once or through all symmetries.
Each lies in a folder of its own in the run's, so that a run that was stopped goes on.
"""

import dataclasses

from goengine.nets import weights_file
from training.core.command_options import DistillOptions
from training.laboratory.lessons_options import LESSONS, WORDS, Lesson, LessonsOptions
from training.stages.pruned import Result, finished, retrained
from training.stages.supervised import DistillStage, GamesStage, fresh_or_loaded

HEADER = ("lesson", "samples", "top-1", "cross-entropy", "value error")


def run(config: LessonsOptions) -> dict[Lesson, Result] | None:
    """Train the net in each way. None: stopped by a signal, everything is saved."""
    teacher = weights_file.load(config.teacher)
    names = {field.name for field in dataclasses.fields(DistillOptions)}
    plainly = DistillOptions(**{name: value for name, value in vars(config).items() if name in names})
    results: dict[Lesson, Result] = {}
    for lesson in config.lessons:
        changes = LESSONS[lesson]
        ours = dataclasses.replace(plainly, run=config.run / lesson, **(changes or {}))
        if (result := finished(ours.run)) is None:
            module = fresh_or_loaded(config.net, config.features, config.seed)
            hint = ours.hint_weight, ours.hint_share
            stage = GamesStage(ours, module) if changes is None else DistillStage(ours, module, teacher, hint)
            result = retrained(ours, stage, module, config.net, {"teacher": teacher.meta.sha256})
        if result is None:
            return None
        results[lesson] = result
    return results


def rows(results: dict[Lesson, Result]) -> list[list[str]]:
    """Lines of the table; columns as in HEADER."""
    forms = {"top1": ".2%", "cross_entropy": ".3f", "value_mse": ".3f"}
    return [
        [WORDS[lesson], str(samples), *(f"{after[name]:{form}}" if name in after else "-" for name, form in forms.items())]
        for lesson, (_, after, samples) in results.items()
    ]
