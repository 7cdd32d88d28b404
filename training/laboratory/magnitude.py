"""The classic experiment: how many single weights can go, and what does training bring back?

Weights below alpha standard deviations of their layer are cut (Han et al., Learning both weights and connections for efficient
neural networks, 2015), each time of the whole net, and the rest is trained on while these stay 0. The net becomes no faster:
a CPU multiplies by 0 as well. Layers of few weights, which give the net's answers, may be spared: one of 64 weights keeps 2 at
alpha 2, and a policy that hangs on these learns nothing any more. PUBLISHED has the figures of
Sasaki et al.
"""

import dataclasses
from typing import NamedTuple

from training.laboratory.prune_options import PruneOptions
from training.stages.pruned import PrunedStage, Result, finished, retrained, shares_removed, small_weights, source_of

# alpha -> (share removed, accuracy after training), both in per cent
PUBLISHED = {0.5: (48.9, 91.66), 2.6: (99.5, 87.08)}
HEADER = ("alpha", "removed", "top-1 cut", "top-1 trained", "value error cut", "trained", "published: removed", "accuracy")


class Cut(NamedTuple):
    """One alpha: share of weights removed by layer and in all ('all'), and what training did."""

    alpha: float
    removed: dict[str, float]
    result: Result


def run(config: PruneOptions) -> list[Cut] | None:
    """Cut and train for each alpha. None: stopped by a signal, everything is saved."""
    source = source_of(config.weights)
    teacher = source if config.teacher is None else source_of(config.teacher, "--teacher")
    cuts = []
    for alpha in sorted(config.alphas):
        module = source.module()
        masks = small_weights(module, alpha, config.spared)
        ours = dataclasses.replace(config, run=config.run / f"alpha-{alpha:g}")
        result = finished(ours.run)
        if result is None:
            stage = PrunedStage(ours, module.train(), teacher, masks)
            stage.card |= {"pruned_from": source.meta.sha256, "alpha": alpha, "removed": shares_removed(masks)["all"]}
            bound = {"net": source.meta.sha256, "teacher": teacher.meta.sha256}
            result = retrained(ours, stage, module, str(config.weights), bound)
        if result is None:
            return None
        cuts.append(Cut(alpha, shares_removed(masks), result))
    return cuts


def rows(cuts: list[Cut], whole: dict[str, float]) -> list[list[str]]:
    """Lines of the table, the whole net first; columns as in HEADER."""
    lines = [["-", "0.0%", *_pair(whole, whole, "top1", ".2%"), *_pair(whole, whole, "value_mse", ".3f"), "", ""]]
    for alpha, removed, result in cuts:
        known = PUBLISHED.get(alpha)
        published = [f"{known[0]} %", f"{known[1]} %"] if known else ["", ""]
        figures = result.before, result.after
        top, value = _pair(*figures, "top1", ".2%"), _pair(*figures, "value_mse", ".3f")
        lines.append([f"{alpha:g}", f"{removed['all']:.1%}", *top, *value, *published])
    return lines


def layers(cuts: list[Cut]) -> list[list[str]]:
    """Lines of the share removed by layer: a column for each alpha."""
    names = cuts[0].removed if cuts else {}
    return [[name, *(f"{cut.removed[name]:.1%}" for cut in cuts)] for name in names]


def _pair(before: dict[str, float], after: dict[str, float], name: str, form: str) -> list[str]:
    return [f"{figures[name]:{form}}" if name in figures else "-" for figures in (before, after)]
