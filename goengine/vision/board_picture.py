"""What is known of a board in a picture: where it lies, how large it is, what stands on its crossings.

The renderer of training pictures states the truth in this form and a reader answers in it. Pixels count from 0; (0, 0) is the
middle of the first pixel, x goes right and y goes down, as in OpenCV.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Edges(NamedTuple):
    """Which sides of what is shown are edges of the board; the others go on outside of the picture or diagram."""

    top: bool = True
    right: bool = True
    bottom: bool = True
    left: bool = True


@dataclass(frozen=True, eq=False)
class BoardReading:
    """A board, or the part of one that is shown, as its picture lies: row 0 is at the top.

    Raises ValueError if the arrays do not belong together.
    """

    corners: np.ndarray  # float32[4, 2]  x, y of the outer crossings: top left, top right, bottom right, bottom left
    stones: np.ndarray  # int8[rows, columns]  EMPTY, BLACK or WHITE of goengine.board.state
    confidence: np.ndarray  # float32[rows, columns]  probability of what `stones` says
    edges: Edges = Edges()
    last_move: tuple[int, int] | None = None  # row and column of a stone that is marked as the last one
    found: float = 1.0  # probability that there is a board at all

    def __post_init__(self) -> None:
        if self.corners.shape != (4, 2):
            raise ValueError(f"corners: expected 4 points with x and y, got an array of shape {self.corners.shape}")
        if self.stones.ndim != 2 or self.confidence.shape != self.stones.shape:
            raise ValueError(f"stones {self.stones.shape} and confidence {self.confidence.shape} are not of one board")

    @property
    def rows(self) -> int:
        return int(self.stones.shape[0])

    @property
    def columns(self) -> int:
        return int(self.stones.shape[1])

    @property
    def whole(self) -> bool:
        """Whether all four sides are edges."""
        return all(self.edges)
