"""How stones are played: legality, moves, captures, chains, eyes.

Points are unsigned inside the kernels: numba then leaves out its test for negative indices, which is worth a factor of two.
Knows no past, so no superko (`goengine.board.game_kernels`), does not score and does not read ahead (`goengine.board.scoring`,
`goengine.board.ladders`).
"""

import numpy as np

from goengine.board.state import (
    CAPTURED_BLACK,
    EDGE,
    EMPTIES,
    EMPTY,
    KO,
    KO_COLOR,
    PASS,
    STRIDE,
    ZOBRIST,
)
from goengine.core.jit import inlined_kernel, kernel

_1 = np.uint64(1)


@inlined_kernel
def ko_point(board, color):
    """The point that simple ko forbids ``color``, or 0."""
    return board.info[KO] if board.info[KO_COLOR] == color else np.int64(0)


@inlined_kernel
def is_legal(board, point, color, suicide):
    """Whether ``color`` may play ``point`` as far as this board tells: empty, no simple ko, no suicide unless allowed.

    Ko forbids its point only to the side whose stone was taken: who took it may fill it. Single-stone suicide is never legal. A
    pass always is. Does not check superko.
    """
    if point == PASS:
        return True
    p = np.uint64(point)
    if board.color[p] != EMPTY or (point == board.info[KO] and color == board.info[KO_COLOR]):
        return False
    s = np.uint64(board.info[STRIDE])
    n0, n1, n2, n3 = p - s, p - _1, p + _1, p + s
    k0, k1, k2, k3 = board.color[n0], board.color[n1], board.color[n2], board.color[n3]
    if k0 == EMPTY or k1 == EMPTY or k2 == EMPTY or k3 == EMPTY:
        return True
    if suicide and (k0 == color or k1 == color or k2 == color or k3 == color):
        return True
    c0, c1 = np.uint64(board.chain[n0]), np.uint64(board.chain[n1])
    c2, c3 = np.uint64(board.chain[n2]), np.uint64(board.chain[n3])
    pseudo = board.pseudo
    pseudo[c0] -= _1
    pseudo[c1] -= _1
    pseudo[c2] -= _1
    pseudo[c3] -= _1
    # A neighbour of our colour must keep a liberty, or one of the other colour must lose its last.
    legal = (
        (k0 != EDGE and (k0 == color) == (pseudo[c0] != 0))
        or (k1 != EDGE and (k1 == color) == (pseudo[c1] != 0))
        or (k2 != EDGE and (k2 == color) == (pseudo[c2] != 0))
        or (k3 != EDGE and (k3 == color) == (pseudo[c3] != 0))
    )
    pseudo[c0] += _1
    pseudo[c1] += _1
    pseudo[c2] += _1
    pseudo[c3] += _1
    return legal


@kernel
def _merge(board, a, b):
    """Join two chains; the smaller one is relabelled. Returns the name that stays."""
    if board.stones[a] < board.stones[b]:
        a, b = b, a
    p = b
    while True:
        board.chain[p] = a
        p = np.uint64(board.next[p])
        if p == b:
            break
    board.next[a], board.next[b] = board.next[b], board.next[a]
    board.stones[a] += board.stones[b]
    board.pseudo[a] += board.pseudo[b]
    return a


@kernel
def _remove(board, chain, color):
    """Take a chain of ``color`` off the board."""
    s = np.uint64(board.info[STRIDE])
    count = np.uint64(board.info[EMPTIES])
    h = board.hash[0]
    p = chain
    while True:
        board.color[p] = EMPTY
        board.chain[p] = 0
        board.pseudo[board.chain[p - s]] += _1
        board.pseudo[board.chain[p - _1]] += _1
        board.pseudo[board.chain[p + _1]] += _1
        board.pseudo[board.chain[p + s]] += _1
        h ^= ZOBRIST[color - 1, p]
        board.empties[count] = p
        board.slot[p] = count
        count += _1
        p = np.uint64(board.next[p])
        if p == chain:
            break
    board.info[CAPTURED_BLACK + color - 1] += board.stones[chain]
    board.info[EMPTIES] = count
    board.hash[0] = h


@inlined_kernel
def _put(board, p, s, color):
    """Put a stone on an empty point, as a chain of its own."""
    chain, pseudo = board.chain, board.pseudo
    pseudo[chain[p - s]] -= _1
    pseudo[chain[p - _1]] -= _1
    pseudo[chain[p + _1]] -= _1
    pseudo[chain[p + s]] -= _1
    colors = board.color
    colors[p] = color
    chain[p] = p
    board.next[p] = p
    board.stones[p] = 1
    pseudo[p] = (
        np.uint64(colors[p - s] == EMPTY)
        + np.uint64(colors[p - _1] == EMPTY)
        + np.uint64(colors[p + _1] == EMPTY)
        + np.uint64(colors[p + s] == EMPTY)
    )
    board.hash[0] ^= ZOBRIST[color - 1, p]
    last = np.uint64(board.info[EMPTIES]) - _1
    moved = board.empties[last]
    hole = board.slot[p]
    board.empties[hole] = moved
    board.slot[moved] = hole
    board.info[EMPTIES] = last


@inlined_kernel
def _join(board, own, n, color):
    """Join the chain ``own`` with the one at its neighbour ``n`` if that has the same colour. Returns its name."""
    if board.color[n] == color and np.uint64(board.chain[n]) != own:
        return _merge(board, np.uint64(board.chain[n]), own)
    return own


@inlined_kernel
def _capture(board, n, color):
    """Take the chain of ``color`` at ``n`` off if it has lost its last liberty. Returns its number of stones, or 0."""
    chain = np.uint64(board.chain[n])
    if board.color[n] != color or board.pseudo[chain] != 0:
        return np.uint64(0)
    _remove(board, chain, color)
    return np.uint64(board.stones[chain])


@kernel
def _only_liberty(board, p, s):
    """The liberty of a single stone that has one."""
    for n in (p - s, p - _1, p + _1):
        if board.color[n] == EMPTY:
            return n
    return p + s


@inlined_kernel
def play(board, point, color):
    """Play a move or a pass of ``color``. Assumes that it is legal (`is_legal`); suicide takes the own chain off."""
    board.info[KO] = 0
    if point == PASS:
        return
    p = np.uint64(point)
    s = np.uint64(board.info[STRIDE])
    opponent = 3 - color
    _put(board, p, s, color)
    own = _join(board, p, p - s, color)
    own = _join(board, own, p - _1, color)
    own = _join(board, own, p + _1, color)
    own = _join(board, own, p + s, color)
    captured = _capture(board, p - s, opponent)
    captured += _capture(board, p - _1, opponent)
    captured += _capture(board, p + _1, opponent)
    captured += _capture(board, p + s, opponent)
    if captured == _1 and board.stones[own] == 1 and board.pseudo[own] == 1:
        board.info[KO] = _only_liberty(board, p, s)
        board.info[KO_COLOR] = opponent
    elif board.pseudo[own] == 0:
        _remove(board, own, color)


@kernel
def hash_after(board, point, color):
    """The hash that the board would have after ``color`` plays ``point``; captures and suicide are counted in."""
    if point == PASS:
        return board.hash[0]
    p = np.uint64(point)
    s = board.info[STRIDE]
    opponent = 3 - color
    h = board.hash[0] ^ ZOBRIST[color - 1, p]
    lives = False
    for d in (-s, -1, 1, s):
        n = np.uint64(point + d)
        if board.color[n] == EMPTY:
            lives = True
        elif board.color[n] == color or board.color[n] == opponent:
            board.pseudo[board.chain[n]] -= _1
    for d in (-s, -1, 1, s):
        n = np.uint64(point + d)
        chain = board.chain[n]
        if board.color[n] == color and board.pseudo[chain] != 0:
            lives = True
        elif board.color[n] == opponent and board.pseudo[chain] == 0:
            lives = True
            if _first_of_chain(board, point, d, s):
                h ^= _chain_hash(board, chain, opponent)
    if not lives:
        h ^= ZOBRIST[color - 1, p]
        for d in (-s, -1, 1, s):
            n = np.uint64(point + d)
            if board.color[n] == color and _first_of_chain(board, point, d, s):
                h ^= _chain_hash(board, board.chain[n], color)
    for d in (-s, -1, 1, s):
        n = np.uint64(point + d)
        if board.color[n] == color or board.color[n] == opponent:
            board.pseudo[board.chain[n]] += _1
    return h


@kernel
def _first_of_chain(board, point, direction, s):
    """Whether no neighbour of ``point`` in an earlier direction belongs to the same chain as this one."""
    chain = board.chain[point + direction]
    for d in (-s, -1, 1, s):
        if d == direction:
            return True
        if board.chain[point + d] == chain:
            return False
    return True


@kernel
def _chain_hash(board, chain, color):
    """The Zobrist keys of all stones of a chain, joined."""
    start = np.uint64(chain)
    h = np.uint64(0)
    p = start
    while True:
        h ^= ZOBRIST[color - 1, p]
        p = np.uint64(board.next[p])
        if p == start:
            return h


@kernel
def fills_eye(board, point, color):
    """Whether ``point`` is an eye of ``color`` that playouts must not fill.

    All neighbours are own stones or edge, and the other colour holds fewer than two of the diagonal points, or none at the
    edge of the board.
    """
    p = np.uint64(point)
    s = np.uint64(board.info[STRIDE])
    k0, k1, k2, k3 = board.color[p - s], board.color[p - _1], board.color[p + _1], board.color[p + s]
    if k0 & k1 & k2 & k3 & color == 0:  # EDGE has the bits of both colours: only own stones and edge pass
        return False
    opponent = 3 - color
    at_edge = k0 == EDGE or k1 == EDGE or k2 == EDGE or k3 == EDGE
    hostile = (
        np.int64(board.color[p - s - _1] == opponent)
        + np.int64(board.color[p - s + _1] == opponent)
        + np.int64(board.color[p + s - _1] == opponent)
        + np.int64(board.color[p + s + _1] == opponent)
    )
    return hostile + np.int64(at_edge) < 2


@inlined_kernel
def find_liberties_here(board, chain, limit, found):
    """As `find_liberties`, spliced into its caller: for inner loops, where to pass a Board costs as much as the walk."""
    s = np.uint64(board.info[STRIDE])
    start = np.uint64(board.chain[chain])
    left = np.int64(board.pseudo[start])
    count = 0
    p = start
    while left > 0:
        for n in (p - s, p - _1, p + _1, p + s):
            if board.color[n] == EMPTY:
                left -= 1
                known = False
                for i in range(count):
                    if found[i] == n:
                        known = True
                        break
                if not known:
                    found[count] = n
                    count += 1
                    if count == limit:
                        return count
        p = np.uint64(board.next[p])
        if p == start:
            break
    return count


@kernel
def find_liberties(board, chain, limit, found):
    """Count the liberties of a chain up to ``limit`` and write the first ``limit`` of them into ``found`` (uint64[>= limit]).

    ``chain`` is its name or any of its stones. The walk ends as soon as all pseudo-liberties are seen.
    """
    return find_liberties_here(board, chain, limit, found)
