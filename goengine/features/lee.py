"""The sets ``lee48`` and ``lee49``: what AlphaGo's policy and value net saw (Nature 529, 2016, Extended Data Table 2).

======  ==============================================  ========================================================
planes  meaning                                         note
======  ==============================================  ========================================================
0       on the board                                    the paper's plane of ones; first, as in every set
1-3     own stones, the opponent's, empty points
4-11    turns since the stone was played                both colours; a pass is a turn; 8: older, or set up
12-19   liberties of the chain on the point             both colours
20-27   opponent's stones that a move here captures     none of these planes where it captures nothing
28-35   own stones that are then left in atari          the chain that the move makes, or removes by suicide
36-43   liberties of the chain that a move here makes   none of these planes after suicide
44      moves that capture in a ladder                  the atari on a chain of two liberties
45      moves that escape from a ladder                 every one that saves an own chain in atari
46      sensible moves                                  legal, and no own eye is filled (`fills_eye`)
47      zero everywhere
48      one everywhere if Black is to play              ``lee49`` only, for the value net
======  ==============================================  ========================================================

Eight planes stand for the numbers 1, 2, ..., 7 and 8 or more. The paper says so of liberties only. Of captures, programs
after it have counted 0 to 7 too (RocAlphaGo), whose first plane marks the legal moves that capture nothing; nothing is lost
without it, because planes 36 to 43 mark the legal moves. Legal means by the rules in force, superko included, in planes 20 to
46. No global values: the nets of the paper knew one komi and one set of rules, and so do those that see these planes.

Moves are not tried on the board: what each would make is put together from lists of the liberties around it.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.game_kernels import game_is_legal
from goengine.board.kernels import fills_eye
from goengine.board.ladders import (
    BUDGET,
    MOVES,
    LadderScratch,
    atari_captures,
    begin_reading,
    defence_escapes,
    defences,
    new_ladder_scratch,
)
from goengine.board.stacked import row_column
from goengine.board.state import BLACK, EDGE, EMPTY, NONE, PASS, SIZE, STRIDE, TO_PLAY
from goengine.core.jit import inlined_kernel, kernel

PLANES = 48
PLANES_WITH_COLOR = 49
GLOBALS = 0

_MOST = 8  # the last plane of eight stands for this many and more
_LISTED = _MOST + 1  # liberties kept of a chain: a move takes one of them, and the rest must still tell 8 from fewer
_TURNS, _LIBERTIES, _CAPTURED, _ATARI, _AFTER = 4, 12, 20, 28, 36  # first planes of eight
_LADDER_CAPTURE, _LADDER_ESCAPE, _SENSIBLE = 44, 45, 46
_1 = np.uint64(1)


class LeeScratch(NamedTuple):
    """Working memory of the kernels for one board size."""

    ladder: LadderScratch
    count: np.ndarray  # uint8[P]      by chain: its liberties, at most 9
    listed: np.ndarray  # uint16[P, 9]  by chain: that many of them
    legal: np.ndarray  # uint8[P]      by empty point: the player to move may play there
    free: np.ndarray  # uint16[P]     by point: the last move tried of whose chain it is a liberty
    met: np.ndarray  # uint16[P]     by chain: the last move tried beside it that joins or captures it
    moves: np.ndarray  # uint64[12]    defences of a chain in atari


def new_scratch(size: int) -> LeeScratch:
    """Working memory for boards of this size."""
    p = padded(size)
    listed = np.zeros((p, _LISTED), np.uint16)
    free, met = np.zeros(p, np.uint16), np.zeros(p, np.uint16)
    return LeeScratch(
        new_ladder_scratch(size), np.zeros(p, np.uint8), listed, np.zeros(p, np.uint8), free, met, np.zeros(MOVES, np.uint64)
    )


@kernel
def encode(game, rules, scratch, planes, values):
    """The set ``lee48``. See `goengine.features.FeatureSet`."""
    for c in range(planes.shape[0]):
        for row in range(planes.shape[1]):
            for column in range(planes.shape[2]):
                planes[c, row, column] = 0
    _list_liberties(game.board, scratch)
    _encode_points(game, scratch, planes)
    _encode_turns(game, planes)
    _encode_moves(game, rules, scratch, planes)
    _encode_ladders(game.board, game.status[TO_PLAY], scratch, planes)


@kernel
def encode_with_color(game, rules, scratch, planes, values):
    """The set ``lee49``."""
    encode(game, rules, scratch, planes, values)
    if game.status[TO_PLAY] == BLACK:
        size = game.board.info[SIZE]
        for row in range(size):
            for column in range(size):
                planes[PLANES, row, column] = 1


@kernel
def _list_liberties(board, scratch):
    """Fill ``count`` and ``listed`` in one pass over the empty points: each is added to the chains around it."""
    size = board.info[SIZE]
    s = np.uint64(size + 1)
    count, listed = scratch.count, scratch.listed
    for p in range(count.size):
        count[p] = 0
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1) + 1)
        for _ in range(size):
            if board.color[p] == EMPTY:
                for n in (p - s, p - _1, p + _1, p + s):
                    chain = np.uint64(board.chain[n])
                    known = np.uint64(count[chain])
                    # Points come in order: a chain that has this one has it last.
                    if known < _LISTED and (known == 0 or listed[chain, known - _1] != p):
                        listed[chain, known] = p
                        count[chain] = known + _1
            p += _1


@inlined_kernel
def _mark_number(planes, first, row, column, number):
    """Mark the plane of eight that stands for ``number``; none for 0."""
    if number > 0:
        planes[first - 1 + min(number, _MOST), row, column] = 1


@kernel
def _encode_points(game, scratch, planes):
    """Planes 0 to 3 and 12 to 19; and every stone as an old one."""
    board = game.board
    size = board.info[SIZE]
    own = game.status[TO_PLAY]
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1) + 1)
        for column in range(size):
            planes[0, row, column] = 1
            stone = board.color[p]
            if stone == EMPTY:
                planes[3, row, column] = 1
            else:
                planes[1 if stone == own else 2, row, column] = 1
                _mark_number(planes, _LIBERTIES, row, column, np.int64(scratch.count[board.chain[p]]))
                planes[_TURNS + _MOST - 1, row, column] = 1
            p += _1


@kernel
def _encode_turns(game, planes):
    """Stones of the last seven moves are not old. A point that has been played twice counts from the later move."""
    size = game.board.info[SIZE]
    for ply in range(_MOST - 1):
        p = np.int64(game.recent[ply])
        if p != PASS and p != NONE:
            row, column = row_column(p, size)
            if planes[_TURNS + _MOST - 1, row, column] == 1:  # else captured since, or seen already
                planes[_TURNS + _MOST - 1, row, column] = 0
                planes[_TURNS + ply, row, column] = 1


@kernel
def _encode_moves(game, rules, scratch, planes):
    """Planes 20 to 43 and 46: what each legal move does."""
    board = game.board
    size = board.info[SIZE]
    own = game.status[TO_PLAY]
    for p in range(scratch.free.size):
        scratch.free[p] = scratch.met[p] = 0
    for row in range(size):
        p = (row + 1) * (size + 1)
        for column in range(size):
            p += 1
            if board.color[p] != EMPTY:
                continue
            legal = game_is_legal(game, p, own, rules)
            scratch.legal[p] = legal
            if not legal:
                continue
            captured, stones, liberties = _try(board, p, own, scratch)
            _mark_number(planes, _CAPTURED, row, column, captured)
            _mark_number(planes, _AFTER, row, column, liberties)
            if liberties <= 1:
                _mark_number(planes, _ATARI, row, column, stones)
            planes[_SENSIBLE, row, column] = not fills_eye(board, p, own)


@inlined_kernel
def _try(board, point, own, scratch):
    """What a move on an empty point would do: (stones captured, stones of the own chain, its liberties).

    Liberties are exact up to 7; suicide has none. Own chains must be met before the captured ones, whose stones become
    liberties of all of them.
    """
    p = np.uint64(point)
    s = np.uint64(board.info[STRIDE])
    free, met = scratch.free, scratch.met
    free[p] = p  # not a liberty once it is played
    captured, stones, liberties = 0, 1, 0
    for n in (p - s, p - _1, p + _1, p + s):
        chain = np.uint64(board.chain[n])
        if board.color[n] == EMPTY:
            if free[n] != p:
                free[n] = p
                liberties += 1
        elif board.color[n] == own and met[chain] != p:
            met[chain] = p
            stones += np.int64(board.stones[chain])
            for i in range(scratch.count[chain]):
                q = np.uint64(scratch.listed[chain, i])
                if free[q] != p:
                    free[q] = p
                    liberties += 1
    for n in (p - s, p - _1, p + _1, p + s):
        chain = np.uint64(board.chain[n])
        if board.color[n] == 3 - own and scratch.count[chain] == 1 and met[chain] != p:
            met[chain] = p
            captured += np.int64(board.stones[chain])
            liberties += _vacated(board, chain, p, own, met)
    return captured, stones, liberties


@inlined_kernel
def _vacated(board, captured, p, own, met):
    """How many stones of a captured chain stand beside the chain that the move at ``p`` makes."""
    s = np.uint64(board.info[STRIDE])
    count = 0
    q = captured
    while True:
        for n in (q - s, q - _1, q + _1, q + s):
            if n == p or (board.color[n] == own and met[board.chain[n]] == p):
                count += 1
                break
        q = np.uint64(board.next[q])
        if q == captured:
            return count


@kernel
def _encode_ladders(board, own, scratch, planes):
    """Planes 44 and 45: each chain is read once, at the stone that names it."""
    begin_reading(board, scratch.ladder)
    size = board.info[SIZE]
    for row in range(size):
        p = (row + 1) * (size + 1)
        for _ in range(size):
            p += 1
            stone = board.color[p]
            if stone == EMPTY or stone == EDGE or board.chain[p] != p:
                continue
            if stone == own and scratch.count[p] == 1:
                _encode_escapes(board, p, scratch, planes)
            elif stone != own and scratch.count[p] == 2:
                _encode_captures(board, p, scratch, planes)


@kernel
def _encode_captures(board, chain, scratch, planes):
    """Mark the working ataris on an opponent's chain of two liberties."""
    for i in range(2):
        p = np.int64(scratch.listed[chain, i])
        if scratch.legal[p] and atari_captures(chain, p, scratch.ladder, BUDGET):
            _mark(planes, _LADDER_CAPTURE, p, board.info[SIZE])


@kernel
def _encode_escapes(board, chain, scratch, planes):
    """Mark the moves that save an own chain in atari."""
    for i in range(defences(chain, scratch.moves, scratch.ladder)):
        p = np.int64(scratch.moves[i])
        if scratch.legal[p] and defence_escapes(chain, p, scratch.ladder, BUDGET):
            _mark(planes, _LADDER_ESCAPE, p, board.info[SIZE])


@kernel
def _mark(planes, plane, p, size):
    row, column = row_column(p, size)
    planes[plane, row, column] = 1
