"""Ladders: can a chain short of liberties be captured by one atari after the other?

The reading is exact for pure ladders: the attacker may only put the chain in atari, the defender may extend or capture a
neighbouring chain that is itself in atari. It is bounded: a query that plays more than its budget of moves counts as an
escape, and so does one deeper than `DEPTH`. Does not know whose turn it is in the game, nor superko.

`goengine.board.plain_ladders` reads the same tree move by move on copies of the board, and answers the same to the last bit,
the bounds included. Here moves are taken back instead (`goengine.board.logged_moves`), and those whose outcome the liberties
around them tell are counted and not played.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.kernels import find_liberties_here, is_legal
from goengine.board.logged_moves import play_logged, take_back
from goengine.board.state import EMPTY, STRIDE, Board, copy_array
from goengine.core.jit import inlined_kernel, kernel

DEPTH = 160  # plies; a ladder across 19x19 and back off a breaker stays below
BUDGET = 200  # moves played in one query
MOVES = 12  # candidate moves kept at one ply
UNKNOWN, ESCAPED, CAPTURED = -1, 0, 1
_1 = np.uint64(1)


class LadderScratch(NamedTuple):
    """Working memory of the reader for one board size, and the position that it reads (`begin_reading`)."""

    board: Board  # colours to pseudo-liberties and info are views of `cells`; the rest is empty
    cells: np.ndarray  # uint16[5P + 8]     all that a move of a ladder may overwrite
    log: np.ndarray  # uint32[...]        place in `cells` << 16 | what stood there
    used: np.ndarray  # int64[1]           entries of the log
    mark: np.ndarray  # int64[DEPTH]       entries before the move made at each ply
    moves: np.ndarray  # uint64[DEPTH, 12]  moves still to try at each ply, the best last
    count: np.ndarray  # int64[DEPTH]       how many of them
    extension: (
        np.ndarray
    )  # uint64[DEPTH]      the defender's extension until captures are listed, then 0; the attacker's two moves, xor
    found: np.ndarray  # uint64[8]          liberties of a chain
    near: np.ndarray  # uint64[8]          liberties of another one


def new_ladder_scratch(size: int) -> LadderScratch:
    """Working memory for boards of this size."""
    p = padded(size)
    cells = np.zeros(5 * p + 8, np.uint16)
    color, chain, following, stones, pseudo = (cells[k * p : (k + 1) * p] for k in range(5))
    board = Board(color, chain, following, stones, pseudo, cells[:0], cells[:0], cells[5 * p :], np.zeros(0, np.uint64))
    most = DEPTH * (64 + 7 * size * size)  # a move relabels and removes each stone at most once
    plies = [np.zeros(DEPTH, np.int64) for _ in range(2)]
    return LadderScratch(
        board,
        cells,
        np.zeros(most, np.uint32),
        np.zeros(1, np.int64),
        plies[0],
        np.zeros((DEPTH, MOVES), np.uint64),
        plies[1],
        np.zeros(DEPTH, np.uint64),
        np.zeros(8, np.uint64),
        np.zeros(8, np.uint64),
    )


@kernel
def begin_reading(board, scratch):
    """Read ladders of this position from now on. It is copied: the board may change afterwards."""
    copy = scratch.board
    for p in range(board.color.size):
        copy.color[p] = board.color[p]
        copy.chain[p] = board.chain[p]
        copy.next[p] = board.next[p]
        copy.stones[p] = board.stones[p]
        copy.pseudo[p] = board.pseudo[p]
    copy_array(copy.info, board.info)
    scratch.used[0] = 0


# What the liberties around a move tell without playing it.


@inlined_kernel
def _liberties_after(scratch, target, move, taken):
    """Liberties of the chain of stone ``target`` after it extends to ``move``, up to 3, as if nothing were captured.

    ``move`` is one of the chain's liberties and ``taken`` its only other one, where the attacker will have played; 0 if it has
    none. What either move captures can only add to them: a chain that loses its last liberty at ``taken`` adds none here.
    """
    board, found = scratch.board, scratch.found
    color, chain, s = board.color[target], board.chain[target], np.uint64(board.info[STRIDE])
    around = (move - s, move - _1, move + _1, move + s)
    count = np.uint64(0)
    for n in around:
        if board.color[n] == EMPTY and n != taken:
            found[count] = n
            count += _1
    if count >= np.uint64(3):
        return np.int64(3)
    for n in around:
        if board.color[n] != color or board.chain[n] == chain:
            continue
        for i in range(find_liberties_here(board, n, 5, scratch.near)):
            liberty = scratch.near[i]
            if liberty == move or liberty == taken:
                continue
            if (count > np.uint64(0) and found[0] == liberty) or (count > _1 and found[1] == liberty):
                continue
            found[count] = liberty
            count += _1
            if count == np.uint64(3):
                return np.int64(3)
    return np.int64(count)


@inlined_kernel
def _captures_at(board, move, attacker):
    """Whether a stone at ``move`` takes the last liberty of a chain of ``attacker``."""
    s = np.uint64(board.info[STRIDE])
    around = (move - s, move - _1, move + _1, move + s)
    for n in around:
        if board.color[n] == attacker:
            chain, met = board.chain[n], np.uint64(0)
            for m in around:
                met += np.uint64(board.chain[m] == chain)
            if np.uint64(board.pseudo[chain]) == met:
                return True
    return False


@inlined_kernel
def _extension_result(scratch, target, move):
    """What comes of extending a chain in atari to its last liberty: ESCAPED, CAPTURED at the next move, or UNKNOWN."""
    free = _liberties_after(scratch, target, move, np.uint64(0))
    if free >= 3:
        return ESCAPED
    if free == 1 and not _captures_at(scratch.board, move, 3 - np.int64(scratch.board.color[target])):
        return CAPTURED
    return UNKNOWN


# The candidates of both sides.


@inlined_kernel
def _empty_neighbours(board, p):
    s = np.uint64(board.info[STRIDE])
    return (
        np.int64(board.color[p - s] == EMPTY)
        + np.int64(board.color[p - _1] == EMPTY)
        + np.int64(board.color[p + _1] == EMPTY)
        + np.int64(board.color[p + s] == EMPTY)
    )


@inlined_kernel
def _list_attacks(scratch, ply, target):
    """List the attacker's candidates against a chain with the two liberties in ``found``, the likelier one last."""
    board = scratch.board
    attacker = 3 - np.int64(board.color[target])
    a, b = scratch.found[0], scratch.found[1]
    # Taking the liberty beside more empty points leaves the defender the poorer one.
    if _empty_neighbours(board, a) > _empty_neighbours(board, b):
        a, b = b, a
    count = 0
    for move in (a, b):
        if is_legal(board, np.int64(move), attacker, False):
            scratch.moves[ply, count] = move
            count += 1
    scratch.extension[ply] = a ^ b  # either move's other liberty, for who knows the one
    scratch.count[ply] = count


@inlined_kernel
def _list_captures(scratch, moves, target, last):
    """Write the captures that may save a chain in atari at ``last``, but not ``last`` itself. Returns their number."""
    board, found = scratch.board, scratch.found
    defender = np.int64(board.color[target])
    attacker = 3 - defender
    s = np.uint64(board.info[STRIDE])
    count = 0
    p = start = np.uint64(target)
    while True:
        for n in (p - s, p - _1, p + _1, p + s):
            if board.color[n] == attacker and board.pseudo[board.chain[n]] <= 4 and count < MOVES - 1:
                if find_liberties_here(board, n, 2, found) == 1:
                    count = _add(board, moves, count, found[0], defender, last)
        p = np.uint64(board.next[p])
        if p == start:
            return count


@inlined_kernel
def _add(board, moves, count, move, defender, last):
    """Append a capturing move unless it is listed, illegal or the extension itself. Returns the new count."""
    if move == last or not is_legal(board, np.int64(move), defender, False):
        return count
    for i in range(count):
        if moves[i] == move:
            return count
    moves[count] = move
    return count + 1


@inlined_kernel
def _open_ply(scratch, ply, target, attacking):
    """Look at the chain with one side to move. Returns CAPTURED, ESCAPED, or UNKNOWN with the ply's candidates listed."""
    board, found = scratch.board, scratch.found
    free = find_liberties_here(board, target, 3, found)
    if attacking:
        if free >= 3:
            return ESCAPED
        if free == 1:
            captures = is_legal(board, np.int64(found[0]), 3 - np.int64(board.color[target]), False)
            return CAPTURED if captures else ESCAPED
        _list_attacks(scratch, ply, target)
        return ESCAPED if scratch.count[ply] == 0 else UNKNOWN
    if free >= 2:
        return ESCAPED
    last = found[0]
    scratch.extension[ply] = scratch.moves[ply, 0] = last
    scratch.count[ply] = np.int64(is_legal(board, np.int64(last), np.int64(board.color[target]), False))
    return UNKNOWN


@inlined_kernel
def _more_captures(scratch, ply, target):
    """Once the defender's extension has failed or is illegal: list the captures in its place."""
    last = scratch.extension[ply]
    if last != 0:
        scratch.extension[ply] = 0
        scratch.count[ply] = _list_captures(scratch, scratch.moves[ply], target, last)


@inlined_kernel
def _wanted(attacking, ply):
    """The verdict that the side to move at a ply is after."""
    return CAPTURED if attacking == (ply % 2 == 0) else ESCAPED


@inlined_kernel
def _foreseen(scratch, ply, target, move, attackers):
    """What comes of a candidate as far as liberties tell it without playing it, or UNKNOWN."""
    extension = scratch.extension[ply]
    if attackers:
        return ESCAPED if _liberties_after(scratch, target, extension ^ move, move) >= 3 else UNKNOWN
    return _extension_result(scratch, target, move) if move == extension else UNKNOWN


@inlined_kernel
def _hand_up(scratch, ply, attacking, verdict):
    """Hand a verdict up from a ply to the nearest one whose side to move did not want it. Returns that, -1 if there is none."""
    while True:
        ply -= 1
        take_back(scratch, scratch.mark[ply])
        if verdict != _wanted(attacking, ply):
            return ply
        if ply == 0:
            return -1


@kernel
def _read(target, attacking, scratch, budget):
    """Depth-first search, one side to move. Returns (captured, the first move that decides it or 0).

    At every ply one side needs a single good move: the attacker one that captures, the defender one that escapes.
    """
    base = scratch.used[0]
    verdict = _open_ply(scratch, 0, target, attacking)
    if verdict != UNKNOWN:
        return verdict == CAPTURED, np.uint64(0)
    defender = np.int64(scratch.board.color[target])
    ply, played = 0, 0
    first = np.uint64(0)
    while True:
        attackers, wanted = attacking == (ply % 2 == 0), _wanted(attacking, ply)
        if scratch.count[ply] == 0 and not attackers:
            _more_captures(scratch, ply, target)
        if scratch.count[ply] == 0:  # every candidate failed: the side to move at this ply loses
            verdict = CAPTURED - wanted
            if ply == 0:
                return verdict == CAPTURED, np.uint64(0)
        else:
            if played >= budget or ply + 1 >= DEPTH:
                break
            scratch.count[ply] -= 1
            move = scratch.moves[ply, scratch.count[ply]]
            if ply == 0:
                first = move
            verdict = _foreseen(scratch, ply, target, move, attackers)
            if attackers and verdict == ESCAPED:  # the answer counts, too
                played += 1
                if played >= budget or ply + 2 >= DEPTH:
                    break
            played += 1
            if verdict == UNKNOWN:
                scratch.mark[ply] = scratch.used[0]
                play_logged(scratch, move, 3 - defender if attackers else defender)
                ply += 1
                verdict = _open_ply(scratch, ply, target, not attackers)
                if verdict == UNKNOWN:
                    continue
                ply -= 1
                take_back(scratch, scratch.mark[ply])
            if verdict != wanted:
                continue
            if ply == 0:
                return verdict == CAPTURED, first
        ply = _hand_up(scratch, ply, attacking, verdict)
        if ply < 0:
            return verdict == CAPTURED, first
    take_back(scratch, base)
    return False, first


@inlined_kernel
def ladder_capture(target, scratch, budget):
    """Whether the attacker, to move, captures the chain of stone ``target`` (at most two liberties) in a ladder.

    Returns (captured, move): the atari that works, or 0 where the chain can be taken at once or not at all.
    """
    return _read(target, True, scratch, budget)


@inlined_kernel
def atari_captures(target, atari, scratch, budget):
    """Whether this one atari by the attacker captures the chain of stone ``target``, which has two liberties."""
    board = scratch.board
    attacker = 3 - np.int64(board.color[target])
    if not is_legal(board, atari, attacker, False):
        return False
    base = scratch.used[0]
    play_logged(scratch, np.uint64(atari), attacker)
    captured, _ = _read(target, False, scratch, budget)
    take_back(scratch, base)
    return captured


@inlined_kernel
def ladder_escape(target, scratch, budget):
    """Whether the defender, to move, saves the chain of stone ``target``, which is in atari.

    Returns (saved, move that saves it or 0).
    """
    captured, move = _read(target, False, scratch, budget)
    return not captured, move


@kernel
def defences(target, moves, scratch):
    """Write the moves that may save the chain of stone ``target``, which is in atari, into ``moves`` (uint64[MOVES]).

    These are the extension and the captures of neighbours in atari. Returns their number.
    """
    board = scratch.board
    find_liberties_here(board, target, 1, scratch.found)
    last = scratch.found[0]
    count = _list_captures(scratch, moves, target, last)
    if is_legal(board, np.int64(last), np.int64(board.color[target]), False):
        moves[count] = last
        count += 1
    return count


@kernel
def defence_escapes(target, defence, scratch, budget):
    """Whether this one legal move by the defender saves the chain of stone ``target``, which is in atari."""
    base = scratch.used[0]
    play_logged(scratch, np.uint64(defence), np.int64(scratch.board.color[target]))
    captured, _ = _read(target, True, scratch, budget)
    take_back(scratch, base)
    return not captured
