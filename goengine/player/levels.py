"""Playing below full strength, smoothly and without absurd moves.

A level limits the visits and then draws the move at random: by what the policy and the search think of it, the flatter the
lower the level. Left out are moves that the search saw to lose more than the level allows, and moves that the policy thinks
next to impossible. Passing and resigning are judged as at full strength.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from goengine.player.engine_options import MAX_LEVEL
from goengine.search.report import MoveInfo

WEAKEST_VISITS, STRONGEST_VISITS = 1, 400  # of levels 1 and 19
WEAKEST_TEMPERATURE, STRONGEST_TEMPERATURE = 4.0, 0.1
LEAST_PRIOR = 1e-4  # below it a move is absurd, such as filling an own eye
WEAKEST_LOSS, STRONGEST_LOSS = 0.40, 0.01  # in value, of [-1, 1]
WEAKEST_POINTS, STRONGEST_POINTS = 12.0, 0.5  # in score, where the score is proven


@dataclass(frozen=True)
class Strength:
    """What a level means."""

    visits: int
    temperature: float
    value_loss: float
    score_loss: float


def strength(level: int) -> Strength | None:
    """The limits of a level; None for full strength."""
    if level >= MAX_LEVEL:
        return None
    share = (level - 1) / (MAX_LEVEL - 2)

    def between(weak: float, strong: float) -> float:
        return float(weak * (strong / weak) ** share)

    return Strength(
        visits=round(between(WEAKEST_VISITS, STRONGEST_VISITS)),
        temperature=between(WEAKEST_TEMPERATURE, STRONGEST_TEMPERATURE),
        value_loss=between(WEAKEST_LOSS, STRONGEST_LOSS),
        score_loss=between(WEAKEST_POINTS, STRONGEST_POINTS),
    )


def draw(moves: Sequence[MoveInfo], limits: Strength, score_proven: bool, generator: np.random.Generator) -> MoveInfo:
    """One of the moves, visited or not (the first is the best). Raises ValueError if there is none."""
    if not moves:
        raise ValueError("there is no move to draw from")
    best = moves[0]

    def sound(m: MoveInfo) -> bool:
        if not m.visits:
            return m.prior >= LEAST_PRIOR
        return best.value - m.value <= limits.value_loss and (not score_proven or best.score - m.score <= limits.score_loss)

    allowed = [m for m in moves if sound(m)] or [best]
    total = sum(m.visits for m in allowed) or 1
    weights = np.array([m.visits / total + m.prior for m in allowed], np.float64) + 1e-9
    weights = (weights / weights.max()) ** (1.0 / limits.temperature)
    return allowed[int(generator.choice(len(allowed), p=weights / weights.sum()))]
