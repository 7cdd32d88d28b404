"""All moves of a position with their features: what the linear policies are trained on, and how the tree policy speaks.

Features behind those of `nearby` (A response patterns, S squares, D diamonds)::

    ANSWERS + A ..   squares: the 3x3 code around the move                         both policies
    ... + S          the move leaves its chain with one liberty: self-atari        the tree policy alone, as all below
    ... + 1          distance to the last move, 17 of them; then to the one before it, 17 more
    ... + 34         diamonds: the twelve points around the move

as in Silver et al., Nature 529 (2016), Extended Data Table 4. Knows no weights.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.kernels import find_liberties, ko_point
from goengine.board.state import BLACK, EMPTIES, EMPTY, NONE, PASS, STRIDE
from goengine.core.jit import kernel
from goengine.patterns.dictionary import Dictionary, look_up
from goengine.patterns.keys import diamond_around
from goengine.patterns.nearby import ANSWERS, Known, Nearby, find_nearby, new_nearby
from goengine.patterns.surroundings import is_sensible, swapped

DISTANCES = 17  # max(|dx| + |dy|, up to 17) of them
EXTRAS = 1 + 2 * DISTANCES  # self-atari and distances
SQUARE, SELF_ATARI, TO_LAST, TO_EARLIER, DIAMOND = range(5)  # columns of Candidates.own


class Patterns(NamedTuple):
    """The patterns that have a feature, and where the features of each kind begin."""

    known: Known
    squares: Dictionary  # as they stand on the board
    diamonds: Dictionary  # around a move, likewise; empty for the rollout policy
    begin: np.ndarray  # int64[3]  squares, self-atari, diamonds


class Candidates(NamedTuple):
    """The moves of one position: count[0] of them, legal but for superko, none filling an eye."""

    point: np.ndarray  # uint16[P]
    own: np.ndarray  # int32[P, 5]  features of the move itself, -1 where there is none; see SQUARE and so on
    near: Nearby  # features that few moves have
    slot: np.ndarray  # int16[P]    by point: place of the move, -1 for none
    square: np.ndarray  # int32[2, P]  numbers of the squares of points, for Black and White to move
    count: np.ndarray  # int64[1]


def new_candidates(size: int) -> Candidates:
    """Room for a board of this size."""
    p = padded(size)
    own, slot = np.full((p, 5), -1, np.int32), np.full(p, -1, np.int16)
    return Candidates(np.zeros(p, np.uint16), own, new_nearby(), slot, np.full((2, p), -1, np.int32), np.zeros(1, np.int64))


@kernel
def number_squares(board, around, patterns, candidates):
    """Number the squares that have changed, and empty the list of changes; after `survey` list all points first."""
    for i in range(around.count[0]):
        p = around.changed[i]
        around.listed[p] = 0
        if board.color[p] == EMPTY:
            code = around.code[p]
            candidates.square[0, p] = look_up(patterns.squares, np.uint64(code))
            candidates.square[1, p] = look_up(patterns.squares, np.uint64(swapped(code)))
    around.count[0] = 0


@kernel
def find_candidates(board, around, last, color, patterns, candidates):
    """List the moves of ``color`` after the opponent's ``last``, with the features of the rollout policy."""
    side = np.int64(color != BLACK)
    count, ko = 0, ko_point(board, color)
    for i in range(board.info[EMPTIES]):
        p = np.int64(board.empties[i])
        code = around.code[p] if side == 0 else swapped(around.code[p])
        if p == ko or not is_sensible(code):
            candidates.slot[p] = -1
            continue
        square = candidates.square[side, p]
        candidates.point[count], candidates.slot[p] = p, count
        candidates.own[count, SQUARE] = patterns.begin[0] + square if square >= 0 else -1
        count += 1
    candidates.count[0] = count
    find_nearby(board, around, last, color, patterns.known, candidates.near)


@kernel
def add_tree_features(board, around, last, earlier, color, patterns, candidates):
    """Add what the tree policy knows beyond the rollout policy; ``earlier``: the move before ``last``."""
    s = board.info[STRIDE]
    for i in range(candidates.count[0]):
        p = np.uint64(candidates.point[i])
        own = candidates.own[i]
        own[SELF_ATARI] = patterns.begin[1] if is_self_atari(board, around, p, color, candidates.near.found) else -1
        own[TO_LAST] = _distance_feature(np.int64(p), last, s, patterns.begin[1] + 1)
        own[TO_EARLIER] = _distance_feature(np.int64(p), earlier, s, patterns.begin[1] + 1 + DISTANCES)
        diamond = diamond_around(around.state, around.code, p, np.uint64(s), color == BLACK)
        number = look_up(patterns.diamonds, diamond)
        own[DIAMOND] = patterns.begin[2] + number if number >= 0 else -1


@kernel
def _distance_feature(p, q, s, begin):
    """The Manhattan distance of two points as a feature, -1 where there is no other point."""
    if q == PASS or q == NONE:
        return np.int64(-1)
    distance = abs(p // s - q // s) + abs(p % s - q % s)
    return begin + min(max(distance, 1), DISTANCES) - 1


@kernel
def is_self_atari(board, around, point, color, found):
    """Whether a legal move leaves its own chain with one liberty. Captures of more than one stone are counted as safe."""
    s = np.uint64(board.info[STRIDE])
    own = np.uint8(0 if color == BLACK else 4)
    exit_ = np.uint64(0)  # the one liberty found so far
    for n in (point - s, point - np.uint64(1), point + np.uint64(1), point + s):
        state = around.state[n]
        if state == 0:
            if exit_ != 0 and exit_ != n:
                return False
            exit_ = n
        elif state == 4:
            continue
        elif state & np.uint8(4) == own:
            count = find_liberties(board, n, 3, found)
            for i in range(count):
                if found[i] != point:
                    if exit_ != 0 and exit_ != found[i]:
                        return False
                    exit_ = found[i]
        elif state & np.uint8(3) == 1:
            if board.stones[board.chain[n]] > 1:
                return False
            if exit_ != 0 and exit_ != n:
                return False
            exit_ = n
    return True


@kernel
def logits(candidates, columns, weights, out):
    """out[i] = the sum of the weights of candidate i's features; ``columns`` of `Candidates.own` are used."""
    for i in range(candidates.count[0]):
        total = np.float32(0)
        for c in range(columns):
            feature = candidates.own[i, c]
            if feature >= 0:
                total += weights[feature]
        out[i] = total
    near = candidates.near
    for i in range(near.count[0]):
        slot = candidates.slot[near.point[i]]
        if slot >= 0:
            out[slot] += weights[near.feature[i]]


def layout(answers: int, squares: int) -> np.ndarray:
    """`Patterns.begin` for so many response patterns and squares."""
    begin = ANSWERS + answers
    return np.array([begin, begin + squares, begin + squares + EXTRAS], np.int64)
