"""From the likelihood of moves under some ranks to a rank with an interval.

The moves of a player are not independent: who has misread a fight plays on in it, and has habits. So the log-likelihood, which
adds up over moves as if they were, is divided by a temperature; and as no player is the mean player of his rank, what comes
out is blurred by a spread that no number of moves makes smaller. Both are fitted on games of known ranks (`calibration`).
Knows numbers only.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from goengine.ranks.scale import HIGHEST, LOWEST

KNOTS: Final = np.array([-29, -25, -21, -17, -13, -10, -7, -4, -1, 2, 5, 7, 9], np.float64)  # ranks that the net is asked about
RANKS: Final = np.arange(LOWEST, HIGHEST + 0.5)  # 30k, 29k ... 9d
PRIORS: Final = ("flat", "server")
_SERVER_MEAN, _SERVER_SPREAD = -5.0, 7.5  # stones: about how the players of a server are spread, 6k in the middle


@dataclass(frozen=True)
class Calibration:
    """What was fitted. temperature: moves for which one counts; spread: stones."""

    temperature: float = 1.5
    spread: float = 1.5


@dataclass(frozen=True)
class Estimate:
    """A rank as a number on the scale of `goengine.ranks.scale`: the median, and the interval that holds it so often."""

    rank: float
    low: float
    high: float
    moves: int
    games: int


@cache
def spline() -> np.ndarray:
    """float64[RANKS, KNOTS]: values at the knots to values at all ranks, by the natural cubic spline through them."""
    gaps = np.diff(KNOTS)
    count = len(KNOTS)
    bends, jumps = np.eye(count), np.zeros((count, count))
    for i in range(1, count - 1):
        bends[i, i - 1 : i + 2] = gaps[i - 1], 2 * (gaps[i - 1] + gaps[i]), gaps[i]
        jumps[i, i - 1 : i + 2] = 6 / gaps[i - 1], -6 / gaps[i - 1] - 6 / gaps[i], 6 / gaps[i]
    second = np.linalg.solve(bends, jumps)  # of values at the knots: second derivatives there
    place = np.clip(np.searchsorted(KNOTS, RANKS, side="right") - 1, 0, count - 2)
    gap, b = gaps[place], (RANKS - KNOTS[place]) / gaps[place]
    a, unit = 1 - b, np.eye(count)
    curved = ((a**3 - a)[:, None] * second[place] + (b**3 - b)[:, None] * second[place + 1]) * (gap**2 / 6)[:, None]
    return a[:, None] * unit[place] + b[:, None] * unit[place + 1] + curved


def prior(name: str) -> np.ndarray:
    """float64[RANKS]: 'flat', or how the players of a 'server' are spread. Raises ValueError for another name."""
    if name not in PRIORS:
        raise ValueError(f"there is no prior '{name}'; possible: {', '.join(PRIORS)}")
    weights = np.ones(len(RANKS)) if name == "flat" else np.exp(-0.5 * ((RANKS - _SERVER_MEAN) / _SERVER_SPREAD) ** 2)
    return weights / weights.sum()


def posterior(curve: np.ndarray, before: np.ndarray, calibration: Calibration) -> np.ndarray:
    """float64[RANKS]: how likely each rank is. curve: log-likelihood of all moves [KNOTS]; before: the prior [RANKS]."""
    said = np.log(before) + spline() @ (curve - curve.max()) / calibration.temperature
    weights = np.exp(said - said.max())
    if calibration.spread > 0:
        blur = np.exp(-0.5 * ((RANKS[:, None] - RANKS[None, :]) / calibration.spread) ** 2)
        weights = (blur / blur.sum(axis=0)) @ weights
    return np.asarray(weights / weights.sum())


def quantile(weights: np.ndarray, share: float) -> float:
    """The rank below which so much lies; each rank's weight is spread over the stone around it."""
    edges = np.concatenate([[0.0], np.cumsum(weights)])
    return float(np.interp(share, edges / edges[-1], np.concatenate([RANKS - 0.5, [RANKS[-1] + 0.5]])))


def estimate(weights: np.ndarray, interval: float, moves: int, games: int) -> Estimate:
    """The median and the interval in the middle of the weights. interval: the share it is to hold."""
    tail = (1 - interval) / 2
    low, middle, high = (min(HIGHEST, max(LOWEST, quantile(weights, share))) for share in (tail, 0.5, 1 - tail))
    return Estimate(middle, low, high, moves, games)
