"""Moves that can be taken back: all that they overwrite is logged, and no board is copied.

The scratch of a caller has these fields. ``board``: its arrays are views of ``cells`` (uint16[5P + 8]), the fields of a board
one after the other: colours, chains, next stones, stones, pseudo-liberties, the info. ``log`` (uint32[...]): place in `cells`
<< 16 with what stood there. ``used`` (int64[1]): entries of the log. `goengine.board.kernels.play` says what a move does; the
hash, the prisoners and the list of empty points are left out here.
"""

import numpy as np

from goengine.board.state import EMPTY, KO, KO_COLOR, STRIDE
from goengine.core.jit import inlined_kernel, kernel

_1, _2, _3, _4, _5 = (np.uint64(k) for k in range(1, 6))


@inlined_kernel
def _write(cells, log, used, place, value):
    """Overwrite a cell and log what stood there. Returns the entries of the log."""
    log[used] = np.uint32((place << np.uint64(16)) | np.uint64(cells[place]))
    cells[place] = value
    return used + _1


@inlined_kernel
def take_back(scratch, mark):
    """Undo all that was logged since the log had ``mark`` entries."""
    log, cells = scratch.log, scratch.cells
    used = np.uint64(scratch.used[0])
    while used > np.uint64(mark):
        used -= _1
        entry = np.uint64(log[used])
        cells[entry >> np.uint64(16)] = entry & np.uint64(0xFFFF)
    scratch.used[0] = mark


@inlined_kernel
def play_logged(scratch, p, color):
    """Play a legal move of ``color`` that is no suicide, as `kernels.play` does it, and log it."""
    size, s = np.uint64(scratch.board.color.size), np.uint64(scratch.board.info[STRIDE])
    scratch.used[0] = _play_in(scratch.cells, scratch.log, np.uint64(scratch.used[0]), size, s, p, color)


@kernel
def _play_in(cells, log, used, size, s, p, color):
    """See `play_logged`; ``size`` is the number of padded points, ``s`` the stride. Returns the entries of the log."""
    chains, following, stones, pseudo, info = size, _2 * size, _3 * size, _4 * size, _5 * size
    used = _write(cells, log, used, info + np.uint64(KO), 0)
    free = np.uint64(0)
    for n in (p - s, p - _1, p + _1, p + s):
        place = pseudo + np.uint64(cells[chains + n])
        used = _write(cells, log, used, place, np.uint64(cells[place]) - _1)
        free += np.uint64(cells[n] == EMPTY)
    used = _write(cells, log, used, p, color)
    used = _write(cells, log, used, chains + p, p)
    used = _write(cells, log, used, following + p, p)
    used = _write(cells, log, used, stones + p, 1)
    used = _write(cells, log, used, pseudo + p, free)
    own = p
    for n in (p - s, p - _1, p + _1, p + s):
        if cells[n] == color and np.uint64(cells[chains + n]) != own:
            own, used = _merge(cells, log, used, size, np.uint64(cells[chains + n]), own)
    captured = np.uint64(0)
    for n in (p - s, p - _1, p + _1, p + s):
        chain = np.uint64(cells[chains + n])
        if cells[n] == 3 - color and cells[pseudo + chain] == 0:
            captured += np.uint64(cells[stones + chain])
            used = _remove(cells, log, used, size, s, chain)
    if captured == _1 and cells[stones + own] == 1 and cells[pseudo + own] == 1:
        for n in (p - s, p - _1, p + _1, p + s):
            if cells[n] == EMPTY:
                used = _write(cells, log, used, info + np.uint64(KO), n)
        used = _write(cells, log, used, info + np.uint64(KO_COLOR), 3 - color)
    return np.int64(used)


@kernel
def _merge(cells, log, used, size, a, b):
    """Join two chains as `kernels` does it. Returns the name that stays, and the entries of the log."""
    chains, following, stones, pseudo = size, _2 * size, _3 * size, _4 * size
    if cells[stones + a] < cells[stones + b]:
        a, b = b, a
    p = b
    while True:
        used = _write(cells, log, used, chains + p, a)
        p = np.uint64(cells[following + p])
        if p == b:
            break
    after_a, after_b = cells[following + a], cells[following + b]
    used = _write(cells, log, used, following + a, after_b)
    used = _write(cells, log, used, following + b, after_a)
    used = _write(cells, log, used, stones + a, cells[stones + a] + cells[stones + b])
    used = _write(cells, log, used, pseudo + a, cells[pseudo + a] + cells[pseudo + b])
    return a, used


@kernel
def _remove(cells, log, used, size, s, chain):
    """Take a chain off the board. Returns the entries of the log."""
    chains, following, pseudo = size, _2 * size, _4 * size
    p = chain
    while True:
        used = _write(cells, log, used, p, EMPTY)
        used = _write(cells, log, used, chains + p, 0)
        for n in (p - s, p - _1, p + _1, p + s):
            place = pseudo + np.uint64(cells[chains + n])
            used = _write(cells, log, used, place, np.uint64(cells[place]) + _1)
        p = np.uint64(cells[following + p])
        if p == chain:
            return used
