"""The set ``zero``: what KataGo's paper found worth its price (arXiv 1902.10565, appendix A), with ladders read exactly.

======  =====================================================  ===================================================
planes  meaning                                                note
======  =====================================================  ===================================================
0       on the board
1, 2    own stones, the opponent's stones
3-5     stones of chains with 1, 2, 3 liberties                both colours
6       empty points forbidden by ko or superko
7-11    the last move, the one before it, ... five moves       a pass leaves its plane empty
12, 13  own, opponent's stones that a ladder captures          in atari: even if they move first; else if attacked
14      moves that capture a chain of two liberties            the atari that starts a working ladder
15      moves that save an own chain in atari
16, 17  pass-alive stones and territory, own, opponent's       Benson 1976
======  =====================================================  ===================================================

Globals: 0-4 whether each of the last five moves was a pass; 5 komi and, under territory scoring, the balance of prisoners,
for the player to move, / 20; 6 positional, 7 situational superko; 8 suicide allowed; 9 territory scoring; 10 seki taxed,
11 groups taxed; 12 the rules have a button, taken or not; 13 the last move was a pass.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.game_kernels import breaks_superko
from goengine.board.kernels import find_liberties, ko_point
from goengine.board.ladders import (
    BUDGET,
    LadderScratch,
    atari_captures,
    begin_reading,
    ladder_capture,
    ladder_escape,
    new_ladder_scratch,
)
from goengine.board.rules import KO_POSITIONAL, KO_SIMPLE, KO_SITUATIONAL
from goengine.board.scoring import BensonScratch, benson, new_benson_scratch
from goengine.board.stacked import row_column
from goengine.board.state import (
    BLACK,
    CAPTURED_BLACK,
    CAPTURED_WHITE,
    EMPTY,
    NONE,
    PASS,
    PASSES,
    SIZE,
    TO_PLAY,
    WHITE,
)
from goengine.core.jit import inlined_kernel, kernel

PLANES = 18
GLOBALS = 14
HISTORY = 5


class ZeroScratch(NamedTuple):
    """Working memory of `encode` for one board size."""

    ladder: LadderScratch
    benson: BensonScratch
    alive: np.ndarray  # uint8[P]    a colour's pass-alive area
    liberties: np.ndarray  # uint16[P]  by chain: liberties, counted once per position
    found: np.ndarray  # uint64[8]


def new_scratch(size: int) -> ZeroScratch:
    """Working memory for boards of this size."""
    p = (size + 1) * (size + 2) + 1
    zeros = [np.zeros(p, dtype) for dtype in (np.uint8, np.uint16)]
    return ZeroScratch(new_ladder_scratch(size), new_benson_scratch(size), *zeros, np.zeros(8, np.uint64))


@kernel
def encode(game, rules, scratch, planes, values):
    """See `goengine.features.FeatureSet`."""
    encode_without_ladders(game, rules, scratch, planes, values)
    _encode_ladders(game.board, game.status[TO_PLAY], scratch, planes)


@kernel
def encode_without_ladders(game, rules, scratch, planes, values):
    """All but planes 12 to 15, which stay zero."""
    clear_planes(planes)
    encode_stones(game, rules, scratch, planes)
    encode_moves(game, planes)
    _encode_alive(game, rules, scratch, planes)
    encode_globals(game, rules, values)


@kernel
def clear_planes(planes):
    """Zero everywhere."""
    for c in range(planes.shape[0]):
        for row in range(planes.shape[1]):
            for column in range(planes.shape[2]):
                planes[c, row, column] = 0


@kernel
def _count_liberties(board, scratch):
    """Fill ``scratch.liberties`` for every chain in one pass over the empty points: each adds one to every chain around."""
    size = board.info[SIZE]
    s = np.uint64(size + 1)
    one = np.uint64(1)
    liberties = scratch.liberties
    for p in range(liberties.size):
        liberties[p] = 0
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1) + 1)
        for _ in range(size):
            if board.color[p] == EMPTY:
                a, b = board.chain[p - s], board.chain[p - one]
                c, d = board.chain[p + one], board.chain[p + s]
                liberties[a] += one
                if b != a:
                    liberties[b] += one
                if c != a and c != b:
                    liberties[c] += one
                if d != a and d != b and d != c:
                    liberties[d] += one
            p += one


@kernel
def encode_stones(game, rules, scratch, planes):
    """Planes 0 to 6. Counts the liberties of all chains into ``scratch.liberties``."""
    board = game.board
    size = board.info[SIZE]
    own = game.status[TO_PLAY]
    ko = ko_point(board, own)
    _count_liberties(board, scratch)
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1) + 1)
        for column in range(size):
            planes[0, row, column] = 1
            stone = board.color[p]
            if stone == EMPTY:
                if p == ko or (rules.ko != KO_SIMPLE and game.touched[p] and breaks_superko(game, np.int64(p), own, rules.ko)):
                    planes[6, row, column] = 1
            else:
                planes[1 if stone == own else 2, row, column] = 1
                free = np.int64(scratch.liberties[board.chain[p]])
                if free <= 3:
                    planes[2 + free, row, column] = 1
            p += np.uint64(1)


@kernel
def encode_moves(game, planes):
    """Planes 7 to 11."""
    size = game.board.info[SIZE]
    for ply in range(HISTORY):
        p = np.int64(game.recent[ply])
        if p != PASS and p != NONE:
            row, column = row_column(p, size)
            planes[7 + ply, row, column] = 1


@kernel
def _encode_alive(game, rules, scratch, planes):
    board = game.board
    size = board.info[SIZE]
    own = game.status[TO_PLAY]
    for color in (BLACK, WHITE):
        if benson(board, color, scratch.alive, rules.suicide != 0, scratch.benson) == 0:
            continue
        plane = 16 if color == own else 17
        for row in range(size):
            for column in range(size):
                planes[plane, row, column] = scratch.alive[(row + 1) * (size + 1) + column + 1] != 0


@kernel
def encode_globals(game, rules, values):
    """All global values."""
    color = game.status[TO_PLAY]
    for ply in range(HISTORY):
        values[ply] = game.recent[ply] == PASS
    info = game.board.info
    balance = -rules.komi
    if rules.scoring == 1:
        balance += info[CAPTURED_WHITE] - info[CAPTURED_BLACK]
    values[5] = (balance if color == BLACK else -balance) / 20.0
    values[6] = rules.ko == KO_POSITIONAL
    values[7] = rules.ko == KO_SITUATIONAL
    values[8] = rules.suicide != 0
    values[9] = rules.scoring == 1
    values[10] = rules.tax == 1
    values[11] = rules.tax == 2
    values[12] = rules.button != 0
    values[13] = game.status[PASSES] >= 1


@inlined_kernel
def _encode_ladders(board, own, scratch, planes):
    """Planes 12 to 15: read every chain in atari or with two liberties once, at the stone that names it."""
    size = board.info[SIZE]
    reading = False
    for p in range(size + 2, board.color.size - size - 1):
        if board.chain[p] == p and scratch.liberties[p] <= 2:
            if not reading:
                begin_reading(board, scratch.ladder)
                reading = True
            _encode_ladder(board, own, p, scratch, planes)


@inlined_kernel
def _encode_ladder(board, own, chain, scratch, planes):
    size = board.info[SIZE]
    stone = np.int64(board.color[chain])
    if scratch.liberties[chain] == 1:
        saved, move = ladder_escape(chain, scratch.ladder, BUDGET)
        if saved and stone == own:
            mark(planes, 15, np.int64(move), size)
        captured = not saved
    else:
        captured, move = ladder_capture(chain, scratch.ladder, BUDGET)
        if captured and stone != own:
            mark(planes, 14, np.int64(move), size)
            _mark_other_atari(board, chain, np.int64(move), scratch, planes)
    if captured:
        plane = 12 if stone == own else 13
        p = chain
        while True:
            mark(planes, plane, p, size)
            p = np.int64(board.next[p])
            if p == chain:
                break


@inlined_kernel
def mark(planes, plane, p, size):
    """Write 1 at a point of a plane."""
    row, column = row_column(p, size)
    planes[plane, row, column] = 1


@inlined_kernel
def _mark_other_atari(board, chain, working, scratch, planes):
    """Mark the chain's other liberty too where that atari works as well."""
    found = scratch.found
    find_liberties(board, chain, 2, found)
    other = np.int64(found[1]) if np.int64(found[0]) == working else np.int64(found[0])
    if atari_captures(chain, other, scratch.ladder, BUDGET):
        mark(planes, 14, other, board.info[SIZE])
