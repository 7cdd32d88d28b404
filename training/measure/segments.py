"""How well the board is divided: for each class the points that are rightly in it, by all that are or should be (IoU).

Knows classes of points and of stones; not who names them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from goengine.nets.owners_head import POINTS, STONES
from training.data.final_owners import SEKI

UNKNOWN = -100  # the class of what is not asked about: of empty points among stones, of stones whose point nobody owns


def point_classes(owner: np.ndarray) -> np.ndarray:
    """Labels of the player to move (int8, see `final_owners.SEKI`) -> int64 classes in the order of POINTS."""
    return np.where(owner > 0, 0, np.where(owner < 0, 1, 2)).astype(np.int64)


def stone_classes(owner: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Labels, and where the two sides have stones (bool) -> int64 classes in the order of STONES, UNKNOWN elsewhere."""
    kept = owner.astype(np.int64) * (own.astype(np.int64) - other.astype(np.int64))
    return np.select([kept == SEKI, kept > 0, kept < 0], [2, 0, 1], UNKNOWN).astype(np.int64)


@dataclass
class Confusion:
    """Counts of (right class, said class)."""

    names: Sequence[str]
    counts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros((len(self.names), len(self.names)), np.int64)

    def add(self, right: np.ndarray, said: np.ndarray) -> None:
        """Arrays of classes; points whose right class is UNKNOWN do not count."""
        known = right != UNKNOWN
        np.add.at(self.counts, (right[known], said[known]), 1)

    def iou(self) -> dict[str, float]:
        """By class; NaN for one that is neither there nor said."""
        both = np.diag(self.counts)
        either = self.counts.sum(0) + self.counts.sum(1) - both
        with np.errstate(invalid="ignore"):
            return dict(zip(self.names, (both / either).tolist(), strict=True))


def new_confusions() -> tuple[Confusion, Confusion]:
    """Of points and of stones."""
    return Confusion(POINTS), Confusion(STONES)
