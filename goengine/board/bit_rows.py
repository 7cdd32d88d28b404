"""Points of a board as bits, one word for each row: floods that spread along whole rows at once.

Rows are numbered 1 to N as on the padded board; rows 0 and N + 1 stay empty, so that every row has one above and one below.
Knows colours alone: no chains, no moves.
"""

import numpy as np

from goengine.board.state import EMPTY, SIZE
from goengine.core.jit import inlined_kernel, kernel

OPEN, OUTSIDE, OWN, FREE = range(4)  # rows of `new_bit_rows`
_1 = np.uint32(1)


def new_bit_rows(size: int) -> np.ndarray:
    """Room for four sets of points, uint32[4, N + 2]."""
    return np.zeros((4, size + 2), np.uint32)


@kernel
def find_small_regions(board, color, suicide, rows):
    """Find the regions around ``color`` in which every point that an eye asks for is next to ``color``.

    A region is a connected part of all that is not of ``color``. An eye asks for the empty points, or for all where ``suicide``
    is legal. Their points are written into ``rows[OPEN]``. Returns whether there are any.
    """
    size = board.info[SIZE]
    _pack(board, color, rows)
    full = np.uint32((1 << size) - 1)
    for row in range(1, size + 1):
        own = rows[OWN, row]
        beside = (own << _1) | (own >> _1) | rows[OWN, row - 1] | rows[OWN, row + 1]
        free = full & ~own
        rows[OPEN, row] = free
        rows[OUTSIDE, row] = (free if suicide else rows[FREE, row]) & ~beside
    _flood(rows, size)
    some = np.uint32(0)
    for row in range(1, size + 1):
        rows[OPEN, row] &= ~rows[OUTSIDE, row]
        some |= rows[OPEN, row]
    return some != 0


@kernel
def _pack(board, color, rows):
    """Write the stones of ``color`` into ``rows[OWN]`` and the empty points into ``rows[FREE]``."""
    size = board.info[SIZE]
    for row in range(1, size + 1):
        start = np.uint64(row * (size + 1) + 1)
        own, free = np.uint32(0), np.uint32(0)
        for column in range(size):
            stone = board.color[start + np.uint64(column)]
            own |= np.uint32(stone == color) << np.uint32(column)
            free |= np.uint32(stone == EMPTY) << np.uint32(column)
        rows[OWN, row] = own
        rows[FREE, row] = free


@kernel
def _flood(rows, size):
    """Let ``rows[OUTSIDE]`` grow within ``rows[OPEN]`` until it is made of whole regions."""
    changed = True
    while changed:
        changed = False
        for row in range(1, size + 1):
            changed = _spread(rows, row) or changed
        if changed:
            changed = False
            for row in range(size, 0, -1):
                changed = _spread(rows, row) or changed


@inlined_kernel
def _spread(rows, row):
    """Let one row take in what its neighbours and its own points reach. Returns whether it grew."""
    room, old = rows[OPEN, row], rows[OUTSIDE, row]
    new = room & (old | rows[OUTSIDE, row - 1] | rows[OUTSIDE, row + 1])
    while True:
        grown = new | (room & ((new << _1) | (new >> _1)))
        if grown == new:
            break
        new = grown
    rows[OUTSIDE, row] = new
    return new != old
