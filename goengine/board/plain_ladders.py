"""Ladders read the plain way, each move on a copy of the board: what `goengine.board.ladders` is compared with.

The same questions, the same order of candidates and the same bounds, so that the answers are equal to the last bit. The tests
compare them, and `goengine bench` says how much faster the other one is. Nothing else should call this.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.kernels import find_liberties, is_legal, play
from goengine.board.ladders import DEPTH, MOVES
from goengine.board.state import EMPTY, STRIDE, Board, board_at, copy_board, new_boards
from goengine.core.jit import kernel

_1 = np.uint64(1)


class PlainLadderScratch(NamedTuple):
    """Working memory of the reader for one board size."""

    boards: Board  # every array with a leading axis [DEPTH]
    moves: np.ndarray  # uint64[DEPTH, 12]  moves still to try at each ply, the best last
    count: np.ndarray  # int64[DEPTH]       how many of them
    found: np.ndarray  # uint64[8]          liberties of a chain


def new_plain_ladder_scratch(size: int) -> PlainLadderScratch:
    """Working memory for boards of this size."""
    boards = new_boards(size, DEPTH)
    return PlainLadderScratch(boards, np.zeros((DEPTH, MOVES), np.uint64), np.zeros(DEPTH, np.int64), np.zeros(8, np.uint64))


@kernel
def _empty_neighbours(board, p):
    s = np.uint64(board.info[STRIDE])
    return (
        np.int64(board.color[p - s] == EMPTY)
        + np.int64(board.color[p - _1] == EMPTY)
        + np.int64(board.color[p + _1] == EMPTY)
        + np.int64(board.color[p + s] == EMPTY)
    )


@kernel
def _attacks(board, target, moves, found):
    """Write the attacker's candidates against a chain of two liberties, the likelier one last. Returns their number."""
    attacker = 3 - np.int64(board.color[target])
    count = 0
    a, b = found[0], found[1]
    # Taking the liberty beside more empty points leaves the defender the poorer one.
    if _empty_neighbours(board, a) > _empty_neighbours(board, b):
        a, b = b, a
    for move in (a, b):
        if is_legal(board, np.int64(move), attacker, False):
            moves[count] = move
            count += 1
    return count


@kernel
def _defences(board, target, moves, found):
    """Write the defender's candidates for a chain in atari at ``found[0]``: captures first, the extension last."""
    defender = np.int64(board.color[target])
    attacker = 3 - defender
    s = np.uint64(board.info[STRIDE])
    last = found[0]
    count = 0
    p = start = np.uint64(target)
    while True:
        for n in (p - s, p - _1, p + _1, p + s):
            if board.color[n] == attacker and board.pseudo[board.chain[n]] <= 4 and count < MOVES - 1:
                if find_liberties(board, n, 2, found) == 1:
                    count = _add(board, moves, count, found[0], defender, last)
        p = np.uint64(board.next[p])
        if p == start:
            break
    if is_legal(board, np.int64(last), defender, False):
        moves[count] = last
        count += 1
    return count


@kernel
def _add(board, moves, count, move, defender, last):
    """Append a capturing move unless it is listed, illegal or the extension itself. Returns the new count."""
    if move == last or not is_legal(board, np.int64(move), defender, False):
        return count
    for i in range(count):
        if moves[i] == move:
            return count
    moves[count] = move
    return count + 1


@kernel
def _open_ply(board, scratch, ply, target, attacking):
    """Look at the chain with one side to move. Returns 1 captured, 0 escaped, or -1 with the ply's candidates listed."""
    found = scratch.found
    free = find_liberties(board, target, 3, found)
    if attacking:
        if free >= 3:
            return 0
        if free == 1:
            captures = is_legal(board, np.int64(found[0]), 3 - np.int64(board.color[target]), False)
            return np.int64(captures)
        scratch.count[ply] = _attacks(board, target, scratch.moves[ply], found)
        return 0 if scratch.count[ply] == 0 else -1
    if free >= 2:
        return 0
    scratch.count[ply] = _defences(board, target, scratch.moves[ply], found)
    return 1 if scratch.count[ply] == 0 else -1


@kernel
def _read(board, target, attacking, scratch, budget):
    """Depth-first search from ``board``, one side to move. Returns (captured, the first move that decides it or 0).

    At every ply one side needs a single good move: the attacker one that captures, the defender one that escapes.
    """
    copy_board(board_at(scratch.boards, 0), board)
    verdict = _open_ply(board, scratch, 0, target, attacking)
    if verdict >= 0:
        return verdict == 1, np.uint64(0)
    ply = 0
    played = 0
    first = np.uint64(0)
    while True:
        here = board_at(scratch.boards, ply)
        attacker_turn = attacking == (ply % 2 == 0)
        if scratch.count[ply] == 0:  # every candidate failed: the side to move at this ply loses
            verdict = 0 if attacker_turn else 1
        elif played >= budget or ply + 1 >= DEPTH:
            return False, first
        else:
            scratch.count[ply] -= 1
            move = scratch.moves[ply, scratch.count[ply]]
            if ply == 0:
                first = move
            played += 1
            below = board_at(scratch.boards, ply + 1)
            copy_board(below, here)
            defender = np.int64(here.color[target])
            play(below, np.int64(move), 3 - defender if attacker_turn else defender)
            ply += 1
            verdict = _open_ply(below, scratch, ply, target, not attacker_turn)
            if verdict < 0:
                continue
        # Hand the verdict up to the nearest ply whose side to move still hopes for another.
        while ply > 0:
            ply -= 1
            wanted = 1 if attacking == (ply % 2 == 0) else 0
            if verdict != wanted and scratch.count[ply] > 0:
                break
            if ply == 0:
                won = verdict == wanted
                return verdict == 1, first if won else np.uint64(0)
        if ply == 0 and scratch.count[0] == 0:
            return verdict == 1, np.uint64(0)


@kernel
def ladder_capture(board, target, scratch, budget):
    """Whether the attacker, to move, captures the chain of stone ``target`` (at most two liberties) in a ladder.

    Returns (captured, move): the atari that works, or 0 where the chain can be taken at once or not at all.
    """
    return _read(board, target, True, scratch, budget)


@kernel
def atari_captures(board, target, atari, scratch, budget):
    """Whether this one atari by the attacker captures the chain of stone ``target``, which has two liberties."""
    attacker = 3 - np.int64(board.color[target])
    if not is_legal(board, atari, attacker, False):
        return False
    after = board_at(scratch.boards, DEPTH - 1)
    copy_board(after, board)
    play(after, atari, attacker)
    captured, _ = _read(after, target, False, scratch, budget)
    return captured


@kernel
def ladder_escape(board, target, scratch, budget):
    """Whether the defender, to move, saves the chain of stone ``target``, which is in atari.

    Returns (saved, move that saves it or 0).
    """
    captured, move = _read(board, target, False, scratch, budget)
    return not captured, move
