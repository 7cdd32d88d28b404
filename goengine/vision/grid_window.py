"""How many lines a grid has, and which of its sides are edges of the board: the likeliest window of lines.

A net says of each crossing of a grid, and of those around it, how probable it is that there is one, and that the board's edge
runs through it. Each window of lines then has a likelihood; boards of the usual sizes have a bonus. Knows no pictures.
"""

from itertools import product
from typing import Final, NamedTuple

import numpy as np

from goengine.vision.board_picture import Edges

USUAL: Final = (9, 13, 19)
UNUSUAL: Final = 10.0  # what a square board of another size costs, in units of log likelihood
PART: Final = 16.0  # what a part of a board costs
DOUBT: Final = 0.06  # probabilities are kept so far from 0 and 1
TYPICAL: Final = 0.75  # probability of a crossing to which the median is raised or lowered
WEIGHT: Final = 0.5  # of each crossing, as neighbours err together
LEAST, MOST = 3, 25  # lines


class Window(NamedTuple):
    """Lines added to the left, above, to the right and below (less than 0: taken away), and the sides that are edges."""

    left: int
    top: int
    right: int
    bottom: int
    edges: Edges

    @property
    def moved(self) -> bool:
        return bool(self.left or self.top or self.right or self.bottom)


class _Sums:
    """Sums over rectangles of a table."""

    def __init__(self, table: np.ndarray):
        self._sums = np.zeros((table.shape[0] + 1, table.shape[1] + 1))
        self._sums[1:, 1:] = table.cumsum(0).cumsum(1)

    def over(self, top: int, left: int, bottom: int, right: int) -> float:
        """Of rows top to bottom - 1, columns left to right - 1."""
        sums = self._sums
        return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def likeliest(crossing: np.ndarray, edge: np.ndarray, around: int) -> Window:
    """The likeliest window of a grid.

    crossing, edge: probabilities float[rows + 2 * around, columns + 2 * around] of a grid and of so many lines around it.
    """
    usual = float(np.median(crossing[around:-around, around:-around]))  # in a blurred picture the net is less sure of all
    there = np.clip(crossing * (TYPICAL / max(usual, 0.1)), DOUBT, 1 - DOUBT)
    border = np.clip(edge, DOUBT, 1 - DOUBT)
    inside = _Sums(WEIGHT * (np.log(there) - np.log(1 - there)))
    gains = _Sums(WEIGHT * (np.log(border) - np.log(1 - border)))
    height, width = crossing.shape
    moves = range(-around, around + 1)
    best, found = -np.inf, Window(0, 0, 0, 0, Edges())
    for left, top, right, bottom in product(moves, repeat=4):
        ends = (around - top, around - left, height - around + bottom, width - around + right)
        rows, columns = ends[2] - ends[0], ends[3] - ends[1]
        if not LEAST <= min(rows, columns) <= max(rows, columns) <= MOST:
            continue
        by_side = [gains.over(*side) for side in _borders(*ends)]
        edges = [gain > 0 for gain in by_side]
        if all(edges) and rows != columns:  # boards are square: what is not is a part, and goes on where an edge is least sure
            edges[int(np.argmin(by_side))] = False
        score = inside.over(*ends) + sum(gain for gain, real in zip(by_side, edges, strict=True) if real)
        score -= PART if not all(edges) else 0.0 if rows in USUAL else UNUSUAL
        if score > best:
            best, found = score, Window(left, top, right, bottom, Edges(*edges))
    return found


def _borders(top: int, left: int, bottom: int, right: int) -> tuple[tuple[int, int, int, int], ...]:
    """The outer lines of a rectangle as rectangles: top, right, bottom, left."""
    return (
        (top, left, top + 1, right),
        (top, right - 1, bottom, right),
        (bottom - 1, left, bottom, right),
        (top, left, bottom, left + 1),
    )
