"""Many games side by side, and the places of points on planes: what kernels of search, self-play and training share."""

import numpy as np

from goengine.board.state import Board, Game, new_game
from goengine.core.jit import inlined_kernel


def new_games(size: int, count: int, capacity: int) -> Game:
    """``count`` games as one, as every array of a call from Python costs time: each array has a leading dimension.

    `game_at` picks one. The search keeps the leaves' games first, then the root's, then a scratch one.
    """
    one = new_game(size, capacity)

    def stack(array: np.ndarray) -> np.ndarray:
        return np.repeat(array[None], count, axis=0)

    return Game(Board(*(stack(a) for a in one.board)), *(stack(a) for a in one[1:]))


@inlined_kernel
def game_at(games, i):
    """The i-th of stacked games, as views."""
    b = games.board
    board = Board(b.color[i], b.chain[i], b.next[i], b.stones[i], b.pseudo[i], b.empties[i], b.slot[i], b.info[i], b.hash[i])
    return Game(board, games.recent[i], games.past[i], games.hashes[i], games.movers[i], games.touched[i], games.status[i])


@inlined_kernel
def row_column(point, size):
    """(row, column) of an on-board point, as `goengine.board.coords.row_column` gives it."""
    return point // (size + 1) - 1, point % (size + 1) - 1


@inlined_kernel
def policy_index(point, size, side):
    """Index of a point of a board of ``size`` on planes of ``side`` x ``side``; the pass is last."""
    row, column = point // (size + 1) - 1, point % (size + 1) - 1
    return side * side if point == 0 else row * side + column
