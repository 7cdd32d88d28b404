"""A number for every 3x3 square, the same for its eight forms, small enough that a table of them stays in the cache.

As indices, the 2^24 codes would take 64 MB of factors. Here the lower half of a code, the four points beside the centre, is
turned into the least of its forms, and the upper half, the diagonal points, is turned along::

    index = (number of the lower half's least form) * 4096 + upper half, turned

which leaves 666 * 4096 indices. A lower half that is symmetric itself may turn in several ways and takes any of them: all
forms of a square must be entered in a table, though most of them fall on the same index. Knows no weights.
"""

import numpy as np

from goengine.core.jit import inlined_kernel
from goengine.patterns.keys import MAPS

_HALF = 4096
_FIELDS = 4  # of a half


def _turned(first: int) -> np.ndarray:
    """uint16[8, 4096]: halves of codes through the symmetries; first: the half's first field, 0 or 4."""
    halves = np.arange(_HALF)
    turned = np.zeros((8, _HALF), np.uint16)
    for s in range(8):
        for field in range(_FIELDS):
            there = int(MAPS[s, first + field]) - first
            turned[s] |= (((halves >> 3 * field) & 7) << 3 * there).astype(np.uint16)
    return turned


def _ways() -> tuple[np.ndarray, int]:
    """(uint16[4096]: by lower half, 8 * the number of its least form + the symmetry that leads there; how many there are)."""
    turned = _turned(0)
    least, number = np.unique(turned.min(axis=0), return_inverse=True)
    return (8 * number + turned.argmin(axis=0)).astype(np.uint16), len(least)


_WAY, CLASSES = _ways()
_TURNED = _turned(_FIELDS)
INDICES = CLASSES * _HALF


@inlined_kernel
def square_index(code):
    """The index of a code (uint32), as uint64."""
    way = np.uint64(_WAY[np.uint64(code & np.uint32(4095))])
    upper = np.uint64(_TURNED[way & np.uint64(7), np.uint64(code >> np.uint32(12))])
    return ((way >> np.uint64(3)) << np.uint64(12)) | upper
