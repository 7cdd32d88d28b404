"""Putting stones and whole lists of moves on a board: for records, positions from diagrams, and their checks.

Knows the board's kernels; not the rules beyond them (simple ko; suicide as told; no superko), and no files.
"""

import numpy as np

from goengine.board.coords import MAX_SIZE, points
from goengine.board.kernels import is_legal, play
from goengine.board.state import CAPTURED_BLACK, CAPTURED_WHITE, EMPTY, PASS, SIZE
from goengine.core.jit import kernel

# index_points[size][index]: the padded point of a policy index, the pass included.
INDEX_POINTS = {size: np.append(points(size), np.int32(PASS)) for size in range(2, MAX_SIZE + 1)}


@kernel
def put_stones(board, stones, colors):
    """Put stones on an empty or partly filled board, all at once.

    ``stones`` int32[K] points, ``colors`` uint8[K]. Returns -1, or the place in ``stones`` of the first that cannot
    stand: it is off the board, on another stone, or takes the last liberty of a chain. The board is then half done.
    """
    for i in range(stones.size):
        p = stones[i]
        if p <= board.info[SIZE] or p >= board.color.size or board.color[p] != EMPTY:
            return i
        play(board, p, colors[i])
        if board.color[p] == EMPTY or board.info[CAPTURED_BLACK] + board.info[CAPTURED_WHITE] != 0:
            return i
    return -1


@kernel
def play_all(board, moves, colors, suicide):
    """Play moves (int32[M] points, uint8[M] colours) while they are legal on the board; superko is not looked at.

    Returns how many were played: M, or the place of the first illegal one.
    """
    for i in range(moves.size):
        if not is_legal(board, moves[i], colors[i], suicide):
            return i
        play(board, moves[i], colors[i])
    return moves.size
