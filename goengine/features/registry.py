"""The one table of feature sets. A net's spec names its set; the set says how many planes and globals it has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from goengine.features import agz17, lee, zero, zero_ranked


@dataclass(frozen=True)
class FeatureSet:
    """How a position is encoded.

    ``encode(game, rules, scratch, planes, values)`` is a kernel. It writes every cell of ``planes`` [planes, M, M] (float32
    or uint8; the board of size N fills the top left of M >= N) and of ``values`` float32[globals], for the player to move.
    ``new_scratch(size)`` makes the working memory that it needs; one per thread.
    """

    name: str
    planes: int
    globals: int
    encode: Callable[..., None]
    new_scratch: Callable[[int], Any]

    def encode_one(self, game, rules, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Encode a single game: (float32[planes, N, N], float32[globals]). Slow; for tests and tools."""
        planes = np.zeros((self.planes, size, size), np.float32)
        values = np.zeros(self.globals, np.float32)
        self.encode(game, rules, self.new_scratch(size), planes, values)
        return planes, values


_SETS = {
    feature_set.name: feature_set
    for feature_set in (
        FeatureSet("zero", zero.PLANES, zero.GLOBALS, zero.encode, zero.new_scratch),
        FeatureSet(zero_ranked.NAME, zero_ranked.PLANES, zero_ranked.GLOBALS, zero_ranked.encode, zero_ranked.new_scratch),
        FeatureSet("agz17", agz17.PLANES, agz17.GLOBALS, agz17.encode, agz17.new_scratch),
        FeatureSet("lee48", lee.PLANES, lee.GLOBALS, lee.encode, lee.new_scratch),
        FeatureSet("lee49", lee.PLANES_WITH_COLOR, lee.GLOBALS, lee.encode_with_color, lee.new_scratch),
    )
}


def names() -> tuple[str, ...]:
    """Names of all feature sets."""
    return tuple(_SETS)


def get(name: str) -> FeatureSet:
    """The feature set of that name. Raises KeyError that lists the names if there is none."""
    if name not in _SETS:
        raise KeyError(f"no feature set '{name}'; there are: {', '.join(_SETS)}")
    return _SETS[name]
