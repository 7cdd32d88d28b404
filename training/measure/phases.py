"""Where in a game a net's value is right: its error by the number of moves played, and at the end of resigned games.

A resignation shows in the last positions of a game: who resigned made no more move, and the move before often decided the game.
If a value has learned this instead of the board, it shows here. Takes values that were computed for something else; knows no
nets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goengine.dataio.records import NO_RESULT
from training.data.stream import Sampler
from training.measure.evaluate import Predict, Predictions

WIDTH = 50  # moves of a bucket
LAST = 10  # moves before the end of a resigned game


@dataclass(frozen=True)
class GamePhase:
    """The value's error over some positions with a result."""

    name: str
    positions: int
    value_mse: float  # against the result, both in [-1, 1]
    value_right: float  # share of positions whose winner was named


class RecordingEvaluator:
    """A `Predict` that keeps the values it gave, in order."""

    def __init__(self, predict: Predict):
        self._predict = predict
        self._values: list[np.ndarray] = []

    def __call__(self, planes: np.ndarray, values: np.ndarray) -> Predictions:
        found = self._predict(planes, values)
        self._values.append(found.value)
        return found

    def values(self) -> np.ndarray:
        """All values so far."""
        return np.concatenate([np.zeros(0, np.float32), *self._values])


class Outcomes(NamedTuple):
    """How the games of some samples went on; arrays with an entry per sample."""

    ply: np.ndarray  # moves played before
    left: np.ndarray  # moves still to come
    result: np.ndarray  # float64 in [-1, 1] for the player to move
    known: np.ndarray  # whether there is a result
    resigned: np.ndarray  # whether the game was not counted


def outcomes(sampler: Sampler, count: int) -> Outcomes:
    """The outcomes of the samples 0 .. count - 1."""
    games = sampler.games
    game, ply = sampler.places(0, count)
    sign = np.where(games.colors[games.start[game] + ply] == 1, 1.0, -1.0)
    result, margin = games.result[game].astype(np.float64), games.margin[game]
    known, resigned = result != NO_RESULT, np.isnan(margin)
    result = sign * np.where(resigned, result, np.sign(margin))
    return Outcomes(ply, np.diff(games.start)[game] - ply, result, known, resigned)


def phases(sampler: Sampler, values: np.ndarray) -> list[GamePhase]:
    """Phases that have positions, of the samples 0, 1, ... whose values these are, for the player to move."""
    ply, left, result, known, resigned = outcomes(sampler, len(values))
    length = f"{LAST} moves before the end"
    chosen: list[tuple[str, Callable[[], np.ndarray]]] = [
        (f"moves {first}-{first + WIDTH - 1}", lambda first=first: ply // WIDTH == first // WIDTH)
        for first in range(0, int(ply.max(initial=-1)) + 1, WIDTH)
    ]
    chosen.append((f"not counted, {length}", lambda: resigned & (left <= LAST)))
    chosen.append((f"not counted, {LAST} moves earlier", lambda: resigned & (left > LAST) & (left <= 2 * LAST)))
    chosen.append((f"counted, {length}", lambda: ~resigned & (left <= LAST)))
    found = []
    for name, where in chosen:
        rows = np.flatnonzero(known & where())
        if len(rows):
            error = (values[rows] - result[rows]) ** 2
            right = np.sign(values[rows]) == np.sign(result[rows])
            found.append(GamePhase(name, len(rows), float(error.mean()), float(right.mean())))
    return found
