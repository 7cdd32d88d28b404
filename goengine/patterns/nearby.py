"""What a move has to do with the one before it: the features of the fast policies that concern a few points only.

Features are numbered through::

    0            the move matches some response pattern
    1            it saves stones that the last move put in atari
    2 ..   9     it is beside the last move, straight or diagonally: one for each of the eight fields
    10 .. 8201   a place of stones that the last move captured, by their shape: nakade and its like
    8202 ..      the response patterns: the diamond around the last move, with the place of this move in it

as in Silver et al., Nature 529 (2016), Extended Data Table 4. Features of 3x3 squares come behind these. Knows no weights.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.kernels import find_liberties
from goengine.board.state import BLACK, EDGE, EMPTY, NONE, PASS, STRIDE
from goengine.core.jit import inlined_kernel, kernel
from goengine.patterns.dictionary import Dictionary, look_up, new_dictionary
from goengine.patterns.keys import DIAMOND, PATTERN, diamond_around, fold_diamond, forms, response_key, shape_key
from goengine.patterns.surroundings import FIELDS

RESPONSE, SAVES, BESIDE = 0, 1, 2
SHAPES = 8192  # room for captured shapes
CAPTURED = BESIDE + FIELDS
ANSWERS = CAPTURED + SHAPES
MOST_CAPTURED = 9  # stones of a captured shape; larger ones are no nakade
_ROOM = 256
_1 = np.uint64(1)


class Known(NamedTuple):
    """The patterns that have a feature."""

    shapes: Dictionary
    diamonds: Dictionary  # around the last move, as they stand on the board: rows of `answers`
    answers: np.ndarray  # int32[rows + 1, 12]  by row + 1 and field: the number of the response pattern, or -1


class Nearby(NamedTuple):
    """Pairs (point, feature) of a position; count[0] of them."""

    point: np.ndarray  # uint16[256]
    feature: np.ndarray  # int32[256]
    count: np.ndarray  # int64[1]
    found: np.ndarray  # uint64[4]


def new_known(shapes: np.ndarray, answers: np.ndarray) -> Known:
    """For the keys of shapes and of responses (uint64[n] each). Row 0 is for diamonds that have no response pattern.

    Raises ValueError if a key is there twice.
    """
    diamonds, _ = forms(np.unique(answers & PATTERN), DIAMOND)
    rows = np.full((len(diamonds) + 1, DIAMOND), -1, np.int32)
    _find_rows(diamonds, new_dictionary(answers), rows)
    return Known(new_dictionary(shapes), new_dictionary(diamonds), rows)


@kernel
def _find_rows(diamonds, numbers, rows):
    """Write the number of each response pattern into all rows whose diamond has it."""
    for i in range(diamonds.size):
        least, which = fold_diamond(diamonds[i])
        for field in range(DIAMOND):
            rows[i + 1, field] = look_up(numbers, response_key(least, which, field))


def new_nearby() -> Nearby:
    """Room for one position's pairs."""
    return Nearby(np.zeros(_ROOM, np.uint16), np.zeros(_ROOM, np.int32), np.zeros(1, np.int64), np.zeros(4, np.uint64))


@inlined_kernel
def step_to(field, s):
    """The way from a point to a field of the diamond around it; s: the stride."""
    if field < 4:
        return s if field == 3 else -s if field == 0 else 2 * field - 3
    if field < 8:
        return (s if field >= 6 else -s) + (1 if field & 1 else -1)
    return 2 * (s if field == 11 else -s if field == 8 else 2 * field - 19)


@inlined_kernel
def _add(near, p, feature):
    i = near.count[0]
    if i < _ROOM:
        near.point[i], near.feature[i] = p, feature
        near.count[0] = i + 1


@kernel
def find_nearby(board, around, last, color, known, near):
    """List the pairs for ``color`` to move after the opponent's move ``last``, which `play_around` has just played."""
    near.count[0] = 0
    if last == PASS or last == NONE:
        return
    find_urgent(board, around, last, color, known, near)
    s = np.int64(board.info[STRIDE])
    diamond = diamond_around(around.state, around.code, np.uint64(last), np.uint64(s), color == BLACK)
    row = look_up(known.diamonds, diamond) + 1
    for field in range(DIAMOND):
        if (diamond >> np.uint64(3 * field)) & np.uint64(7) != 0:
            continue  # no empty point
        p = last + step_to(field, s)
        if field < FIELDS:
            _add(near, p, BESIDE + field)
        number = known.answers[row, field]
        if number >= 0:
            _add(near, p, RESPONSE)
            _add(near, p, ANSWERS + number)


@inlined_kernel
def find_urgent(board, around, last, color, known, near):
    """List the pairs that few positions have at all: places of captured stones, and moves that save some."""
    near.count[0] = 0
    if around.count[1] > 0:
        _find_captured(board, around, known, near)
    s, p = np.uint64(board.info[STRIDE]), np.uint64(last)
    atari = np.uint8(1 if color == BLACK else 5)
    state = around.state
    if state[p - s] == atari or state[p - _1] == atari or state[p + _1] == atari or state[p + s] == atari:
        _find_saving(board, around, last, color, near)


@kernel
def _find_captured(board, around, known, near):
    count = around.count[1]
    if count > MOST_CAPTURED:
        return
    s = board.info[STRIDE]
    for i in range(count):
        number = look_up(known.shapes, shape_key(around.captured, count, around.captured[i], s))
        if number >= 0:
            _add(near, around.captured[i], CAPTURED + number)


@kernel
def _find_saving(board, around, last, color, near):
    """Moves that save a chain beside the last move whose only liberty is left: by running, or by taking what holds it."""
    s = np.uint64(board.info[STRIDE])
    p = np.uint64(last)
    atari = np.uint8(1 if color == BLACK else 5)
    begin = near.count[0]
    for n in (p - s, p - _1, p + _1, p + s):
        if around.state[n] != atari:
            continue
        find_liberties(board, n, 1, near.found)
        exit_ = near.found[0]
        if _has_way_out(board, around, n, exit_, color):
            _save(near, begin, exit_)
        _find_takes(board, around, n, 6 - atari, near, begin)


@inlined_kernel
def _save(near, begin, p):
    """List a saving move once."""
    for i in range(begin, near.count[0]):
        if near.point[i] == p:
            return
    _add(near, p, SAVES)


@kernel
def _find_takes(board, around, stone, hostile, near, begin):
    """The liberties of hostile chains in atari around the chain of a stone."""
    s = np.uint64(board.info[STRIDE])
    p = stone
    while True:
        for n in (p - s, p - _1, p + _1, p + s):
            if around.state[n] == hostile:
                find_liberties(board, n, 1, near.found)
                _save(near, begin, near.found[0])
        p = np.uint64(board.next[p])
        if p == stone:
            return


@kernel
def _has_way_out(board, around, stone, exit_, color):
    """Whether the chain of a stone, in atari, has at least two liberties after a move at its last one."""
    s = np.uint64(board.info[STRIDE])
    chain = board.chain[stone]
    free = 0
    for n in (exit_ - s, exit_ - _1, exit_ + _1, exit_ + s):
        other = board.color[n]
        if other == EMPTY:
            free += 1
        elif other == EDGE or board.chain[n] == chain:
            continue
        else:
            liberties = around.state[n] & np.uint8(3)
            if other == color:
                free += np.int64(liberties) - 1  # its liberties may be counted twice: seldom, and by one
            elif liberties == 1:
                return True
    return free >= 2
