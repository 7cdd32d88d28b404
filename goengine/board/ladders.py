"""Ladders: can a chain short of liberties be captured by one atari after the other?

The reading is exact for pure ladders: the attacker may only put the chain in atari, the defender may extend or capture a
neighbouring chain that is itself in atari. It is bounded: a query that plays more than its budget of moves counts as an
escape, and so does one deeper than `DEPTH`. Does not know whose turn it is in the game, nor superko.

`goengine.board.plain_ladders` reads the same tree move by move on copies of the board, and answers the same to the last bit,
the bounds included. Here moves are taken back instead (all that they overwrite is logged), and those whose outcome the
liberties around them tell are counted and not played.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.kernels import find_liberties_here, is_legal
from goengine.board.state import EMPTY, KO, KO_COLOR, STRIDE, Board, copy_array
from goengine.core.jit import inlined_kernel, kernel

DEPTH = 160  # plies; a ladder across 19x19 and back off a breaker stays below
BUDGET = 200  # moves played in one query
MOVES = 12  # candidate moves kept at one ply
UNKNOWN, ESCAPED, CAPTURED = -1, 0, 1
_1, _2, _3, _4, _5 = (np.uint64(k) for k in range(1, 6))


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


# Moves that can be taken back. The parts of `cells` follow each other as the fields of a board do.


@inlined_kernel
def _write(cells, log, used, place, value):
    """Overwrite a cell and log what stood there. Returns the entries of the log."""
    log[used] = np.uint32((place << np.uint64(16)) | np.uint64(cells[place]))
    cells[place] = value
    return used + _1


@inlined_kernel
def _take_back(scratch, mark):
    """Undo all that was logged since the log had ``mark`` entries."""
    log, cells = scratch.log, scratch.cells
    used = np.uint64(scratch.used[0])
    while used > np.uint64(mark):
        used -= _1
        entry = np.uint64(log[used])
        cells[entry >> np.uint64(16)] = entry & np.uint64(0xFFFF)
    scratch.used[0] = mark


@inlined_kernel
def _play(scratch, p, color):
    """Play a legal move of ``color`` that is no suicide, as `kernels.play` does it, and log it."""
    size, s = np.uint64(scratch.board.color.size), np.uint64(scratch.board.info[STRIDE])
    scratch.used[0] = _play_in(scratch.cells, scratch.log, np.uint64(scratch.used[0]), size, s, p, color)


@kernel
def _play_in(cells, log, used, size, s, p, color):
    """See `_play`; ``size`` is the number of padded points, ``s`` the stride. Returns the entries of the log."""
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
        attackers = attacking == (ply % 2 == 0)
        wanted = CAPTURED if attackers else ESCAPED
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
            played += 1
            if attackers:
                verdict = UNKNOWN
                answer = scratch.extension[ply] ^ move
                if _liberties_after(scratch, target, answer, move) >= 3:
                    if played >= budget or ply + 2 >= DEPTH:
                        break
                    played += 1
                    verdict = ESCAPED
            else:
                verdict = _extension_result(scratch, target, move) if move == scratch.extension[ply] else UNKNOWN
            if verdict == UNKNOWN:
                scratch.mark[ply] = scratch.used[0]
                _play(scratch, move, 3 - defender if attackers else defender)
                ply += 1
                verdict = _open_ply(scratch, ply, target, not attackers)
                if verdict == UNKNOWN:
                    continue
                ply -= 1
                _take_back(scratch, scratch.mark[ply])
            if verdict != wanted:
                continue
            if ply == 0:
                return verdict == CAPTURED, first
        # Hand the verdict up to the nearest ply whose side to move did not want it.
        while True:
            ply -= 1
            _take_back(scratch, scratch.mark[ply])
            if verdict != (CAPTURED if attacking == (ply % 2 == 0) else ESCAPED):
                break
            if ply == 0:
                return verdict == CAPTURED, first
    _take_back(scratch, base)
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
    _play(scratch, np.uint64(atari), attacker)
    captured, _ = _read(target, False, scratch, budget)
    _take_back(scratch, base)
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
    _play(scratch, np.uint64(defence), np.int64(scratch.board.color[target]))
    captured, _ = _read(target, True, scratch, budget)
    _take_back(scratch, base)
    return not captured
