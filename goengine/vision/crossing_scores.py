"""What a detector says of each crossing of a straightened board, and of the lines around it.

Knows the detector's answers and where the crossings are; no pictures.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.vision.default_boxes import BLACK_STONE, CROSSING, WHITE_STONE
from goengine.vision.detection import Answer
from goengine.vision.views import straight_grid

KINDS: Final = (BLACK_STONE, WHITE_STONE, CROSSING)
NEAR: Final = 0.4  # crossings: how far from its crossing a box may lie
SPANS: Final = (0.55, 1.7)  # crossings: width and height that a box may have
THERE: Final = 0.35  # mean sureness of the points of a line: below, there is no line


@dataclass(frozen=True)
class CrossingScores:
    """kinds float32 [rows,columns,3]: probabilities in the order of KINDS; sides float32 [rows,columns,4]: that the board ends
    to the left, above, to the right, below."""

    kinds: np.ndarray
    sides: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """float32 [rows,columns]: how sure it is that there is a crossing, whatever stands on it."""
        found: np.ndarray = self.kinds.max(axis=2)
        return found


def crossing_scores(answer: Answer, rows: int, columns: int, margin: float, around: int) -> CrossingScores:
    """Of a straightened board and of so many lines ``around`` it, which a view with this margin shows."""
    cell, left, top = straight_grid(rows, columns, margin)
    places = (answer.boxes[:, :2] - (left, top)) / cell
    nearest = np.round(places)
    spans = answer.boxes[:, 2:] / cell
    fits = (np.abs(places - nearest) < NEAR).all(axis=1) & (spans > SPANS[0]).all(axis=1) & (spans < SPANS[1]).all(axis=1)
    column, row = (nearest.T + around).astype(np.int64)
    height, width = rows + 2 * around, columns + 2 * around
    fits &= (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = (row * width + column)[fits]
    scores = answer.classes[fits][:, KINDS]
    kinds = np.zeros((height * width, len(KINDS)), np.float32)
    np.maximum.at(kinds, index, scores)
    weight, sides = np.zeros(height * width), np.zeros((height * width, 4))
    sure = scores.max(axis=1).astype(np.float64)
    np.add.at(weight, index, sure)
    np.add.at(sides, index, answer.sides[fits] * sure[:, None])
    sides /= np.maximum(weight, 1e-6)[:, None]
    return CrossingScores(kinds.reshape(height, width, -1), sides.reshape(height, width, 4).astype(np.float32))


def lines_to_add(scores: CrossingScores) -> tuple[int, int, int, int]:
    """Lines to add to the left, above, to the right, below of a board of which one more line on each side was looked at; -1
    where its outer line is none."""
    there = scores.there
    inner_rows, inner_columns = there[:, 1:-1], there[1:-1, :]
    lines = (inner_columns[:, :2].T, inner_rows[:2], inner_columns[:, :-3:-1].T, inner_rows[:-3:-1])
    left, top, right, bottom = (1 if line[0].mean() >= THERE else -1 if line[1].mean() < THERE else 0 for line in lines)
    return left, top, right, bottom
