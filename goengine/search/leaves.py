"""Leaves of a search on their way to an evaluator and back. Knows the arrays that it reads; no tree."""

from dataclasses import dataclass

import numpy as np

from goengine.evaluators.base import Batch
from goengine.features import FeatureSet

RAMP = 4  # at most one leaf under way for this many visits of the root: else a small tree chooses without results


@dataclass
class Leaves:
    """Leaves under way, with the arrays that an evaluator reads. Made for one board size and one feature set."""

    nodes: np.ndarray  # int32[k]
    keys: np.ndarray  # uint64[k]
    planes: np.ndarray  # float32[k, C, N, N]
    values: np.ndarray  # float32[k, G]
    count: int = 0

    @property
    def batch(self) -> Batch:
        """The leaves as the evaluator takes them: views of the first `count` rows."""
        n = self.count
        return Batch(self.planes[:n], self.values[:n], self.keys[:n])

    def room(self, count: int) -> "Leaves | None":
        """Views of the next ``count`` free rows, or None if there are not that many."""
        rows = slice(self.count, self.count + count)
        if rows.stop > len(self.nodes):
            return None
        return Leaves(self.nodes[rows], self.keys[rows], self.planes[rows], self.values[rows])


def new_leaves(size: int, features: FeatureSet, count: int) -> Leaves:
    """Room for ``count`` leaves."""
    return Leaves(
        np.zeros(count, np.int32),
        np.zeros(count, np.uint64),
        np.zeros((count, features.planes, size, size), np.float32),
        np.zeros((count, features.globals), np.float32),
    )
