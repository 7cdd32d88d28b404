"""What stands around every point, kept up move by move: the code of its 3x3 square, and a state for each point.

A point's state is 3 bits: empty, edge, or a stone's colour with the liberties of its chain, 1, 2 or more. The code of a point
holds the states of its eight neighbours, those beside it in the lower 12 bits, the diagonal ones above::

    4 0 5
    1 . 2      field i of a code stands in the bits 3 i to 3 i + 2
    6 3 7

States are Black's view: `swapped` gives White's. From a code alone it follows whether a move there is legal (but for ko) and
whether it fills an eye. Knows no weights and no pattern dictionary.
"""

from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.kernels import find_liberties, play
from goengine.board.state import BLACK, EDGE, EMPTY, PASS, SIZE, STRIDE
from goengine.core.jit import inlined_kernel, kernel

FREE, WALL = 0, 4  # states of empty points and of the edge; a stone: its liberties up to 3, and 4 more for White's
MOST_LIBERTIES = 3  # that are told apart
FIELDS = 8
_1 = np.uint64(1)
_OWN_FIELDS = np.uint32(0o11111111)  # the lowest bit of every field

# By the lower and by the upper half of a code, for Black to move.
BREATHES, WALLED, EYE_EDGE, HOSTILE = 1, 2, 4, 3


class Surroundings(NamedTuple):
    """For a board of P padded points."""

    state: np.ndarray  # uint8[P]
    code: np.ndarray  # uint32[P]    of points on the board; elsewhere it means nothing
    changed: np.ndarray  # uint16[P + 1]  empty points whose code has changed since the list was emptied; some have stones now
    listed: np.ndarray  # uint8[P]     1: is in that list
    count: np.ndarray  # int64[2]      of the list; of stones that the last move captured
    captured: np.ndarray  # uint16[P]  these stones' points
    found: np.ndarray  # uint64[4]     liberties of a chain


def new_surroundings(size: int) -> Surroundings:
    """Room for a board of this size."""
    p = coords.padded(size)
    return Surroundings(
        np.zeros(p, np.uint8),
        np.zeros(p, np.uint32),
        np.zeros(p + 1, np.uint16),  # one more: `_tell` writes behind the list before it knows whether it grows
        np.zeros(p, np.uint8),
        np.zeros(2, np.int64),
        np.zeros(p, np.uint16),
        np.zeros(4, np.uint64),
    )


@inlined_kernel
def swapped(code):
    """A code with the colours exchanged: stones, whose lower two bits are not both 0, change their third bit."""
    stones = (code | (code >> np.uint32(1))) & _OWN_FIELDS
    return code ^ (stones << np.uint32(2))


@inlined_kernel
def _tell(around, p, field, change, count):
    """Change a neighbour's state in a point's code, and list the point if it is empty. Returns the length of the list.

    No branch: whether a point is empty, and listed already, cannot be foreseen.
    """
    around.code[p] ^= change << np.uint32(3 * field)
    new = np.uint8((around.state[p] | around.listed[p]) == 0)
    around.changed[count] = p
    around.listed[p] |= new
    return count + np.uint64(new)


@inlined_kernel
def _set_state(around, p, s, state):
    """A point's state is another one now."""
    change = np.uint32(around.state[p] ^ state)
    around.state[p] = state
    count = np.uint64(around.count[0])
    count = _tell(around, p - s, 3, change, count)
    count = _tell(around, p - _1, 2, change, count)
    count = _tell(around, p + _1, 1, change, count)
    count = _tell(around, p + s, 0, change, count)
    count = _tell(around, p - s - _1, 7, change, count)
    count = _tell(around, p - s + _1, 6, change, count)
    count = _tell(around, p + s - _1, 5, change, count)
    count = _tell(around, p + s + _1, 4, change, count)
    around.count[0] = count


@inlined_kernel
def _free(around, p, s):
    """A stone is gone."""
    _set_state(around, p, s, np.uint8(FREE))
    if around.listed[p] == 0:
        around.listed[p] = 1
        around.changed[around.count[0]] = p
        around.count[0] += 1


@kernel
def chain_state(board, p, found):
    """The state of the stones of the chain at p."""
    liberties = find_liberties(board, p, MOST_LIBERTIES, found)
    return np.uint8(liberties if board.color[p] == BLACK else liberties + 4)


@kernel
def _set_chain(board, around, p, s, state):
    """Give all stones of the chain at p that state."""
    q = p
    while True:
        if around.state[q] != state:
            _set_state(around, q, s, state)
        q = np.uint64(board.next[q])
        if q == p:
            return


@kernel
def survey(board, around):
    """Look at a whole board anew; nothing is listed as changed or captured."""
    size = board.info[SIZE]
    s = np.uint64(board.info[STRIDE])
    around.count[:] = 0
    for p in range(around.state.size):
        around.listed[p] = 0
        around.state[p] = WALL if board.color[p] == EDGE else FREE
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1))
        for _ in range(size):
            p += _1
            if board.color[p] != EMPTY and around.state[p] == FREE:
                state = chain_state(board, p, around.found)
                q = p
                while True:
                    around.state[q] = state
                    q = np.uint64(board.next[q])
                    if q == p:
                        break
    for row in range(size):
        p = np.uint64((row + 1) * (size + 1))
        for _ in range(size):
            p += _1
            around.code[p] = _code_at(around.state, p, s)


@inlined_kernel
def _code_at(state, p, s):
    return (
        np.uint32(state[p - s])
        | np.uint32(state[p - _1]) << np.uint32(3)
        | np.uint32(state[p + _1]) << np.uint32(6)
        | np.uint32(state[p + s]) << np.uint32(9)
        | np.uint32(state[p - s - _1]) << np.uint32(12)
        | np.uint32(state[p - s + _1]) << np.uint32(15)
        | np.uint32(state[p + s - _1]) << np.uint32(18)
        | np.uint32(state[p + s + _1]) << np.uint32(21)
    )


@inlined_kernel
def forget_changes(around):
    """Empty the list of changed points."""
    for i in range(around.count[0]):
        around.listed[around.changed[i]] = 0
    around.count[0] = 0


@inlined_kernel
def play_around(board, around, point, color):
    """Play a legal move or pass of ``color`` on the board, and keep up what is around. Suicide is none of these moves."""
    around.count[1] = 0
    if point == PASS:
        play(board, point, color)
        return
    p, s = np.uint64(point), np.uint64(board.info[STRIDE])
    own, theirs = np.uint8(0 if color == BLACK else 4), np.uint8(4 if color == BLACK else 0)
    # The states before the move tell which chains join, which die, and which lose a liberty.
    s0, s1, s2, s3 = around.state[p - s], around.state[p - _1], around.state[p + _1], around.state[p + s]
    dying = theirs + np.uint8(1)
    captures = s0 == dying or s1 == dying or s2 == dying or s3 == dying
    if captures:
        _list_captured(board, around, p, s, dying)
    play(board, point, color)
    if captures:
        _take_off(around, s)
    _place(board, around, p, s, own, (s0, s1, s2, s3))
    _press(board, around, p - s, s, theirs, s0)
    _press(board, around, p - _1, s, theirs, s1)
    _press(board, around, p + _1, s, theirs, s2)
    _press(board, around, p + s, s, theirs, s3)
    if captures:
        _relieve(board, around, s, color)


@inlined_kernel
def _is_stone(state, base):
    """Whether a state is that of a stone; base: 0 for Black's, 4 for White's."""
    return np.uint8(state - base - np.uint8(1)) < 3


@inlined_kernel
def _place(board, around, p, s, own, before):
    """Give the new stone its state, and the chains that it joins the same one. before: the states beside it."""
    joins = _is_stone(before[0], own) or _is_stone(before[1], own) or _is_stone(before[2], own) or _is_stone(before[3], own)
    if joins:
        state = chain_state(board, p, around.found)
        _set_state(around, p, s, state)
        for n in (p - s, p - _1, p + _1, p + s):
            if _is_stone(around.state[n], own) and around.state[n] != state:
                _set_chain(board, around, p, s, state)
                return
        return
    free = np.uint8(around.state[p - s] == FREE) + np.uint8(around.state[p - _1] == FREE)
    free += np.uint8(around.state[p + _1] == FREE) + np.uint8(around.state[p + s] == FREE)
    _set_state(around, p, s, np.uint8(own + min(free, np.uint8(MOST_LIBERTIES))))


@inlined_kernel
def _press(board, around, n, s, theirs, before):
    """A hostile chain beside the new stone has lost the liberty there; before: its state until then."""
    if before == theirs + np.uint8(2):
        if around.state[n] == before:  # else it has been met at another side of the stone
            _set_chain(board, around, n, s, np.uint8(theirs + np.uint8(1)))
    elif before == theirs + np.uint8(3):
        _refresh_chain(board, around, n, s)


@kernel
def _relieve(board, around, s, color):
    """The chains around captured stones have new liberties."""
    for i in range(around.count[1]):
        q = np.uint64(around.captured[i])
        for n in (q - s, q - _1, q + _1, q + s):
            if board.color[n] == color and around.state[n] & np.uint8(3) != MOST_LIBERTIES:
                _refresh_chain(board, around, n, s)


@kernel
def _take_off(around, s):
    """The captured stones are gone."""
    for i in range(around.count[1]):
        _free(around, np.uint64(around.captured[i]), s)


@kernel
def recall_captured(board, around, before, color):
    """List what the last move captured, after `survey`: stones of ``color``, to move now, that are on the board ``before`` it
    (colours by point) and gone since.
    """
    taken = np.int64(0)
    for p in range(before.size):
        if before[p] == color and board.color[p] == EMPTY:
            around.captured[taken] = p
            taken += 1
    around.count[1] = taken


@kernel
def _list_captured(board, around, p, s, dying):
    """List the stones of all chains beside a point that have that state."""
    taken = np.int64(0)
    for n in (p - s, p - _1, p + _1, p + s):
        if around.state[n] == dying:
            taken = _note_captured(board, around, n, taken)
    around.count[1] = taken


@kernel
def _refresh_chain(board, around, n, s):
    state = chain_state(board, n, around.found)
    if state != around.state[n]:
        _set_chain(board, around, n, s, state)


@kernel
def _note_captured(board, around, n, taken):
    """List the stones of a chain that the coming move captures, unless they are listed. Returns the number of all."""
    for i in range(taken):
        if around.captured[i] == n:
            return taken
    q = n
    while True:
        around.captured[taken] = q
        taken += 1
        q = np.uint64(board.next[q])
        if q == n:
            return taken


# -- what a code tells --


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """By the lower 12 bits of a code: 1 if a move lives by it, 2 if all beside it is own or edge, 4 if some is edge; by the
    upper ones: how many of the diagonal points are hostile. For Black to move."""
    beside, diagonal = np.zeros(4096, np.uint8), np.zeros(4096, np.uint8)
    for half in range(4096):
        states = [(half >> 3 * i) & 7 for i in range(4)]
        lives = any(state in (FREE, 2, 3, 5) for state in states)  # a liberty, a chain that has another, a capture
        walled = all(state in (1, 2, 3, WALL) for state in states)
        beside[half] = lives * BREATHES + walled * WALLED + (WALL in states) * EYE_EDGE
        diagonal[half] = sum(state > WALL for state in states)
    return beside, diagonal


_BESIDE, _DIAGONAL = _tables()


@inlined_kernel
def is_sensible(code):
    """Whether Black, to move, may play at an empty point of this code, but for ko, and fills no eye of his by it.

    As `is_legal` without suicide, and `fills_eye`, of `goengine.board.kernels`.
    """
    beside = _BESIDE[code & np.uint32(4095)]
    if beside & np.uint8(BREATHES) == 0:
        return False
    if beside & np.uint8(WALLED) == 0:
        return True
    at_edge = np.uint8(beside & np.uint8(EYE_EDGE) != 0)
    return _DIAGONAL[code >> np.uint32(12)] + at_edge >= 2
