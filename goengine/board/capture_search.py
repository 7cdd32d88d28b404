"""Who captures whom in a small region: an exhaustive search of local play, with passes for the defender.

The attacker wants a chain off the board; the defender may pass whenever it likes, so a seki is no capture. Simple ko holds and
nobody has ko threats: who takes a ko first has won it. Knows boards; no other rules, and not whose turn it is in the game.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.kernels import fills_eye, find_liberties, is_legal, play
from goengine.board.state import (
    CAPTURED_BLACK,
    CAPTURED_WHITE,
    EMPTY,
    KO,
    PASS,
    STRIDE,
    ZOBRIST_TO_PLAY,
    Board,
    board_at,
    copy_board,
    new_boards,
)
from goengine.core.jit import kernel

SURVIVES, UNKNOWN, CAPTURED = range(3)

DEPTH = 48  # plies of one line
MOVES = 24  # points of a region that are tried at one ply
TABLE = 1 << 15  # places of the transposition table
LARGE = 7  # stones: who captures so many at once has room for two eyes, however the attacker plays inside
_1 = np.uint64(1)


class CaptureScratch(NamedTuple):
    """Working memory of the search for one board size."""

    boards: Board  # every array with a leading axis [DEPTH]
    moves: np.ndarray  # uint16[DEPTH, MOVES]  moves at each ply
    count: np.ndarray  # int64[DEPTH]   how many of them
    tried: np.ndarray  # int64[DEPTH]   how many of them were tried
    best: np.ndarray  # int64[DEPTH]    the best outcome so far for the side to move at each ply
    key: np.ndarray  # uint64[DEPTH]    key of the position at each ply
    table_key: np.ndarray  # uint64[TABLE]
    table_value: np.ndarray  # int8[TABLE]
    liberties: np.ndarray  # uint64[2]


def new_capture_scratch(size: int) -> CaptureScratch:
    """Working memory for boards of this size."""
    counters = (np.zeros(DEPTH, np.int64) for _ in range(3))
    tables = np.zeros(TABLE, np.uint64), np.zeros(TABLE, np.int8)
    moves, keys, liberties = np.zeros((DEPTH, MOVES), np.uint16), np.zeros(DEPTH, np.uint64), np.zeros(2, np.uint64)
    return CaptureScratch(new_boards(size, DEPTH), moves, *counters, keys, *tables, liberties)


@kernel
def search_capture(board, target, first, region, budget, scratch):
    """Whether the chain of stone ``target`` can be captured when colour ``first`` moves first: SURVIVES, UNKNOWN or CAPTURED.

    ``region`` (uint8[P]) is 1 on all points where either side may play; a liberty of the chain outside it is safe.
    UNKNOWN if more than ``budget`` positions would have to be looked at, or a line grows too deep.
    """
    defender = np.int64(board.color[target])
    scratch.table_key[:] = 0
    copy_board(board_at(scratch.boards, 0), board)
    verdict = _open_ply(scratch, 0, target, defender, first, region)
    if verdict >= 0:
        return verdict
    ply, looked = 0, 0
    while True:
        turn = first if ply % 2 == 0 else 3 - first
        wanted = SURVIVES if turn == defender else CAPTURED
        if scratch.best[ply] == wanted or scratch.tried[ply] == scratch.count[ply]:
            verdict = scratch.best[ply]
            _remember(scratch, ply, verdict)
            if ply == 0:
                return verdict
            ply -= 1
            _better(scratch, ply, verdict, SURVIVES if 3 - turn == defender else CAPTURED)
            continue
        looked += 1
        if looked > budget:
            return UNKNOWN
        move = np.int64(scratch.moves[ply, scratch.tried[ply]])
        scratch.tried[ply] += 1
        if ply + 1 == DEPTH:
            _better(scratch, ply, UNKNOWN, wanted)
            continue
        below = board_at(scratch.boards, ply + 1)
        copy_board(below, board_at(scratch.boards, ply))
        verdict = _play(below, move, turn, target, defender)
        if verdict < 0:
            verdict = _open_ply(scratch, ply + 1, target, defender, 3 - turn, region)
        if verdict < 0:
            ply += 1
        else:
            _better(scratch, ply, verdict, wanted)


@kernel
def _better(scratch, ply, verdict, wanted):
    """Keep the verdict if the side to move at this ply, which wants ``wanted``, likes it better than what it has."""
    if (verdict > scratch.best[ply]) == (wanted == CAPTURED):
        scratch.best[ply] = verdict


@kernel
def _play(board, move, color, target, defender):
    """Play a move or a pass. Returns what that decides at once, else -1."""
    if move == PASS:
        board.info[KO] = 0
        return -1
    prisoners = board.info[CAPTURED_BLACK] + board.info[CAPTURED_WHITE]
    play(board, move, color)
    if board.color[target] != defender:
        return CAPTURED
    taken = board.info[CAPTURED_BLACK] + board.info[CAPTURED_WHITE] - prisoners
    return SURVIVES if color == defender and taken >= LARGE else -1


@kernel
def _open_ply(scratch, ply, target, defender, turn, region):
    """Look at the position of a ply. Returns what is known of it, or -1 with its moves listed."""
    board = board_at(scratch.boards, ply)
    if _has_liberty_outside(board, target, region):
        return SURVIVES
    key = board.hash[0] ^ ZOBRIST_TO_PLAY[turn] ^ np.uint64(board.info[KO] * 0x9E3779B97F4A7C15)
    for above in range(ply):
        if scratch.key[above] == key:
            return SURVIVES  # a position that comes back is no capture
    place = np.int64(key & np.uint64(TABLE - 1))
    if scratch.table_key[place] == key:
        return np.int64(scratch.table_value[place])
    scratch.key[ply] = key
    scratch.tried[ply] = 0
    count = 0
    moves = scratch.moves[ply]
    for p in range(region.size):
        if region[p] and board.color[p] == EMPTY and not fills_eye(board, p, turn) and is_legal(board, p, turn, False):
            if count == MOVES - 1:
                return UNKNOWN
            moves[count] = p
            count += 1
    _urgent_first(scratch, board, moves, count, target, turn)
    if turn == defender:
        moves[count] = PASS  # tried last
        count += 1
        scratch.best[ply] = CAPTURED
    else:
        scratch.best[ply] = SURVIVES  # with no move left the attacker has failed
    scratch.count[ply] = count
    return -1


@kernel
def _urgent_first(scratch, board, moves, count, target, turn):
    """Sort the moves: captures, then liberties of the target, then the others, which seldom decide anything by themselves."""
    place = 0
    for wanted in (2, 1):
        for i in range(place, count):
            if _urgency(scratch, board, moves[i], target, turn) == wanted:
                moves[i], moves[place] = moves[place], moves[i]
                place += 1


@kernel
def _urgency(scratch, board, move, target, turn):
    """2 for a move that captures, 1 for one next to the target's chain, else 0."""
    s, p = np.uint64(board.info[STRIDE]), np.uint64(move)
    found = 0
    for n in (p - s, p - _1, p + _1, p + s):
        if board.color[n] == 3 - turn and find_liberties(board, n, 2, scratch.liberties) == 1:
            return 2
        if board.chain[n] == board.chain[target]:
            found = 1
    return found


@kernel
def _has_liberty_outside(board, target, region):
    """Whether the chain of stone ``target`` has a liberty that is not in the region."""
    s = np.uint64(board.info[STRIDE])
    p = start = np.uint64(target)
    while True:
        for n in (p - s, p - _1, p + _1, p + s):
            if board.color[n] == EMPTY and region[n] == 0:
                return True
        p = np.uint64(board.next[p])
        if p == start:
            return False


@kernel
def _remember(scratch, ply, verdict):
    """Keep the verdict on the position of a ply for when it is met again."""
    place = np.int64(scratch.key[ply] & np.uint64(TABLE - 1))
    scratch.table_key[place] = scratch.key[ply]
    scratch.table_value[place] = verdict
