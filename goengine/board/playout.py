"""Uniform random playouts: moves that fill no eye, until nobody has one. Fast, and blind.

They measure the board's speed and estimate who owns what where no net is trusted. Games without a search, by whatever policy,
consider the same moves.
"""

import numpy as np

from goengine.board.game_kernels import breaks_superko
from goengine.board.kernels import fills_eye, is_legal, play
from goengine.board.random import below
from goengine.board.state import BLACK, EMPTIES, EMPTY, PASS, SIZE, STRIDE, TO_PLAY, WHITE, copy_board
from goengine.core.jit import inlined_kernel, kernel

_1 = np.uint64(1)


@inlined_kernel
def random_move(board, color, generator):
    """A legal move that fills no own eye: the first one in the list of empty points from a random place on; else PASS."""
    count = np.uint64(board.info[EMPTIES])
    if count == 0:
        return np.int64(PASS)
    start = below(generator, count)
    i = start
    while True:
        p = board.empties[i]
        if not fills_eye(board, p, color) and is_legal(board, p, color, False):
            return np.int64(p)
        i += _1
        if i == count:
            i = np.uint64(0)
        if i == start:
            return np.int64(PASS)


@kernel
def sensible_moves(game, rules, mask):
    """Write 1 into ``mask`` (uint8[N*N + 1], policy order) for each sensible move of the player to move, else 0.

    Sensible is what the rules allow, superko included, is no suicide and fills no own eye; the pass only where nothing else is.
    """
    board, color = game.board, game.status[TO_PLAY]
    mask[:] = 0
    any_move = False
    size = board.info[SIZE]
    index = 0
    for row in range(size):
        point = (row + 1) * (size + 1) + 1
        for _ in range(size):
            if board.color[point] == EMPTY and not fills_eye(board, point, color) and is_legal(board, point, color, False):
                if not breaks_superko(game, point, color, rules.ko):
                    mask[index] = 1
                    any_move = True
            index += 1
            point += 1
    mask[index] = not any_move


@kernel
def playout(board, color, generator, max_moves):
    """Play on at random from ``color``'s turn until both pass or ``max_moves`` are played. Returns the number of moves."""
    passes = 0
    for moves in range(max_moves):
        p = random_move(board, color, generator)
        play(board, p, color)
        passes = passes + 1 if p == PASS else 0
        if passes == 2:
            return moves + 1
        color = 3 - color
    return max_moves


@kernel
def settled_owner(board, point):
    """The owner of a point where a playout has ended: its stone, or the colour of the stones around it; else EMPTY."""
    stone = board.color[point]
    if stone != EMPTY:
        return stone
    s = board.info[STRIDE]
    around = board.color[point - s] & board.color[point - 1] & board.color[point + 1] & board.color[point + s]
    return around if around == BLACK or around == WHITE else np.uint8(EMPTY)


@kernel
def playouts(board, scratch, color, generator, count, owned):
    """Run ``count`` playouts from ``board`` (on ``scratch``) and add up who owns each point.

    ``owned`` is int64[N*N] in index order: +1 for each playout in which Black ends with the point, -1 for White.
    Returns Black's area minus White's, summed over the playouts.
    """
    size = board.info[SIZE]
    total = 0
    for _ in range(count):
        copy_board(scratch, board)
        playout(scratch, color, generator, 3 * size * size)
        total += add_owners(scratch, owned)
    return total


@kernel
def add_owners(board, owned):
    """Where a playout has ended: count who owns each point, in ``owned`` as above. Returns Black's area minus White's."""
    size = board.info[SIZE]
    total, index = 0, 0
    for row in range(size):
        for column in range(size):
            owner = settled_owner(board, (row + 1) * (size + 1) + column + 1)
            balance = np.int64(owner == BLACK) - np.int64(owner == WHITE)
            owned[index] += balance
            total += balance
            index += 1
    return total
