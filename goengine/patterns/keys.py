"""Patterns as numbers, alike for all eight symmetries: 3x3 squares, diamonds of twelve points, shapes of captured stones.

All are seen by the player to move: own stones have the states of Black's in `surroundings`. A diamond is the 3x3 square without
its centre and the four points two steps away; its fields are those of a code and, in bits 24 to 35, the far points::

        8
      4 0 5
    9 1 . 2 10
      6 3 7
        11

Knows no dictionary and no weights.
"""

import numpy as np

from goengine.core.jit import inlined_kernel, kernel
from goengine.core.mix import mix
from goengine.patterns.surroundings import WALL, swapped

SQUARE, DIAMOND = 8, 12  # fields
PATTERN = np.uint64((1 << 36) - 1)  # the part of a response's or a diamond's name that is the pattern
_1 = np.uint64(1)
_PLACES = np.array([(-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1), (-2, 0), (0, -2), (0, 2), (2, 0)])


def _maps() -> np.ndarray:
    """[8, 12]: by symmetry, the field to which each field moves."""
    places = [tuple(place) for place in _PLACES.tolist()]
    found = []
    for s in range(8):
        moved = []
        for row, column in places:
            row, column = (column, row) if s & 4 else (row, column)
            moved.append(places.index((-row if s & 1 else row, -column if s & 2 else column)))
        found.append(moved)
    return np.array(found, np.uint8)


MAPS = _maps()


@kernel
def _moved(pattern, s, fields):
    """A pattern of so many fields through symmetry s."""
    out = np.uint64(0)
    for i in range(fields):
        field = (pattern >> np.uint64(3 * i)) & np.uint64(7)
        out |= field << np.uint64(3 * MAPS[s, i])
    return out


def forms(patterns: np.ndarray, fields: int) -> tuple[np.ndarray, np.ndarray]:
    """(all forms of these patterns, each once; the place of each among the patterns): uint64[m], int64[m].

    With them a pattern is found as it stands on the board: folding it first takes longer than all else that a move costs.
    """
    found = np.zeros((len(patterns), 8), np.uint64)
    _unfold(np.ascontiguousarray(patterns), fields, found)
    every, first = np.unique(found, return_index=True)
    return every, first // 8


@kernel
def _unfold(patterns, fields, found):
    for i in range(patterns.size):
        for s in range(8):
            found[i, s] = _moved(patterns[i], s, fields)


@kernel
def square_key(code):
    """The least of the eight forms of a 3x3 code, as the player to move sees it: a name for all of them."""
    least = np.uint64(code)
    for s in range(1, 8):
        least = min(least, _moved(np.uint64(code), s, SQUARE))
    return np.uint32(least)


@inlined_kernel
def diamond_around(state, code, p, s, mine):
    """The diamond around a point, as the player to move sees it. mine: whether that is Black."""
    whole = np.uint64(code[p])
    up = np.uint64(WALL) if state[p - s] == WALL else np.uint64(state[p - s - s])
    left = np.uint64(WALL) if state[p - _1] == WALL else np.uint64(state[p - _1 - _1])
    right = np.uint64(WALL) if state[p + _1] == WALL else np.uint64(state[p + _1 + _1])
    down = np.uint64(WALL) if state[p + s] == WALL else np.uint64(state[p + s + s])
    far = up | left << np.uint64(3) | right << np.uint64(6) | down << np.uint64(9)
    if not mine:
        whole = np.uint64(swapped(code[p]))
        stones = (far | (far >> _1)) & np.uint64(0o1111)
        far ^= stones << np.uint64(2)
    return whole | far << np.uint64(24)


@kernel
def fold_diamond(diamond):
    """(the least of its eight forms, a bit for each symmetry that gives it)."""
    least, which = diamond, np.int64(1)
    for s in range(1, 8):
        moved = _moved(diamond, s, DIAMOND)
        if moved < least:
            least, which = moved, np.int64(0)
        if moved == least:
            which |= np.int64(1) << s
    return least, which


@kernel
def response_key(least, which, field):
    """The name of a folded diamond with one of its points, given as a field of the diamond before it was folded."""
    place = np.uint8(DIAMOND)
    for s in range(8):
        if which >> s & 1:
            place = min(place, MAPS[s, field])
    return least | np.uint64(place) << np.uint64(36)


@kernel
def diamond_key(diamond):
    """The name of a diamond around a move; never that of a response."""
    least, _ = fold_diamond(diamond)
    return least | np.uint64(15) << np.uint64(36)


@kernel
def shape_key(captured, count, point, s):
    """The name of a point among the places of captured stones: their shape and the point in it, whatever its symmetry.

    ``captured``: points; s: the board's stride.
    """
    row, column = np.int64(point) // s, np.int64(point) % s
    least = np.uint64(0xFFFFFFFFFFFFFFFF)
    for sym in range(8):
        total = np.uint64(0)
        for i in range(count):
            dy, dx = np.int64(captured[i]) // s - row, np.int64(captured[i]) % s - column
            if sym & 4:
                dy, dx = dx, dy
            dy, dx = (-dy if sym & 1 else dy), (-dx if sym & 2 else dx)
            total += mix(np.uint64(0), np.uint64((dy + 32) * 64 + dx + 32))
        least = min(least, total)
    return least
