"""How well a net predicts recorded games: next move and result.

Knows the figures and how they are averaged. Takes any function from planes and globals to predictions, so that the
trainer's own net and a shipped one on another backend are measured alike. Positions are shown as they were played:
no symmetry, the game's own rules.
"""

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from goengine.core.array_file import RecordError
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluator
from goengine.features import FeatureSet
from training.data.sampling import Draw, Games, Targets
from training.data.stream import Sampler


class Predictions(NamedTuple):
    """For B positions, float32, for the player to move."""

    policy: np.ndarray  # [B, M * M + 1] logits
    value: np.ndarray  # [B] in [-1, 1]
    score: np.ndarray  # [B] points


Predict = Callable[[np.ndarray, np.ndarray], Predictions]


@dataclass(frozen=True)
class Figures:
    """Means over the measured positions; a target that no game has gives NaN."""

    positions: int
    top1: float  # the move played had the highest logit
    top5: float  # it was among the five highest
    cross_entropy: float  # of the move played, in nats
    value_mse: float  # against the result, both in [-1, 1]: 1 is what a constant 0 gets
    value_right: float  # share of positions whose winner was named
    score_error: float  # mean absolute, points, counted games

    counted: int  # positions of games with a score
    judged: int  # positions of games with a result

    def as_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)


_TOLD = {
    "policy": frozenset({"top1", "top5", "cross_entropy"}),
    "value": frozenset({"value_mse", "value_right"}),
    "score": frozenset({"score_error"}),
}


def metrics_for(heads: Set[str]) -> frozenset[str]:
    """Names of the figures that say something of a net that tells this (`NetSpec.outputs`)."""
    return frozenset().union(*(names for head, names in _TOLD.items() if head in heads))


def _sums(targets: Targets, found: Predictions) -> np.ndarray:
    """Numerators and denominators of the figures over one batch: float64[9]."""
    logits = found.policy.astype(np.float64)
    rows = np.arange(len(logits))
    chosen = logits[rows, targets.policy]
    rank = (logits > chosen[:, None]).sum(1) + (
        (logits == chosen[:, None]) & (np.arange(logits.shape[1]) < targets.policy[:, None])
    ).sum(1)
    highest = logits.max(1)
    entropy = highest + np.log(np.exp(logits - highest[:, None]).sum(1)) - chosen
    weight = targets.value_weight
    error = (found.value - targets.value) ** 2
    right = np.sign(found.value) == np.sign(targets.value)
    points = np.abs(found.score - targets.score) * targets.score_weight
    return np.array(
        [
            len(rows),
            (rank < 1).sum(),
            (rank < 5).sum(),
            entropy.sum(),
            (error * weight).sum(),
            (right * weight).sum(),
            weight.sum(),
            points.sum(),
            targets.score_weight.sum(),
        ]
    )


def measure(
    predict: Predict,
    games: Games,
    features: FeatureSet,
    *,
    positions: int | None = None,
    batch: int = 256,
    seed: int = 0,
) -> Figures:
    """Figures of `predict` on that many positions drawn without repetition (all of them in order if None)."""
    return measure_with(predict, *as_played(games, features, positions, seed), batch)


def as_played(games: Games, features: FeatureSet, positions: int | None, seed: int = 0) -> tuple[Sampler, int]:
    """(sampler, number of samples) that shows positions as they were played, each once: so many, or all in order if None.

    Not those in which a program is to move. Raises RecordError if there are no others.
    """
    chosen = None if not games.bots.any() else np.flatnonzero(~by_programs(games))
    if chosen is not None and not len(chosen):
        raise RecordError("all moves of the games are those of programs; there is nothing to measure")
    there = games.moves.size if chosen is None else len(chosen)
    count = there if positions is None else min(positions, there)
    draw = Draw(seed, symmetries=0, shuffle=int(count < there), vary=0.0)
    return Sampler(games, features, draw, chosen=chosen), count


def by_programs(games: Games) -> np.ndarray:
    """bool[positions]: whether a program is to move."""
    found: np.ndarray = (np.repeat(games.bots, np.diff(games.start)) & games.colors) != 0
    return found


def measure_with(predict: Predict, sampler: Sampler, count: int, batch: int) -> Figures:
    """As `measure`, with a sampler made before: it compiles only once."""
    sums = np.zeros(9)
    for first in range(0, count, batch):
        targets = sampler.batch(first, min(batch, count - first))
        sums += _sums(targets, predict(targets.planes, targets.globals))
    with np.errstate(invalid="ignore", divide="ignore"):
        over = sums / sums[0]
        means = [float(value) for value in (*over[1:4], *(sums[4:6] / sums[6]), sums[7] / sums[8])]
    return Figures(int(sums[0]), *means, counted=int(sums[8]), judged=int(sums[6]))


def combine(parts: Sequence[Figures]) -> Figures:
    """Figures over several sets of positions together."""
    base = {
        "top1": "positions",
        "top5": "positions",
        "cross_entropy": "positions",
        "value_mse": "judged",
        "value_right": "judged",
        "score_error": "counted",
    }
    totals = {name: sum(getattr(part, name) for part in parts) for name in ("positions", "counted", "judged")}
    means = {}
    for name, count in base.items():
        present = [part for part in parts if getattr(part, count)]
        means[name] = (
            sum(getattr(part, name) * getattr(part, count) for part in present) / totals[count] if present else math.nan
        )
    return Figures(**totals, **means)


def by_size(parts: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """The figures that are told of each board size, as top1_9, where there are several; parts: all figures by size."""
    if len(parts) < 2:
        return {}
    told = ("top1", "value_mse")
    return {f"{name}_{size}": part[name] for size, part in parts.items() for name in told if name in part}


def from_evaluator(evaluator: Evaluator) -> Predict:
    """An evaluator of the engine as a function to `Predictions`."""

    def predict(planes: np.ndarray, values: np.ndarray) -> Predictions:
        keys = np.full(len(planes), NOT_CACHED)
        found = evaluator.evaluate(Batch(planes.astype(np.float32), values, keys))
        return Predictions(found.policy, found.value, found.score)

    return predict
