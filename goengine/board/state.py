"""The board and the game as NamedTuples of arrays: what they hold, how they are made, cleared and copied.

The layout, for size N with stride N + 1 and P = (N + 1)(N + 2) + 1 padded points (see `goengine.board.coords`)::

    color   E E E E E E      chain   0 0 0 0 0 0       a chain is named by one of its points;
            E . X O . E              0 0 7 8 0 0       empty and edge points belong to chain 0, whose
            . X O . E ...            0 7 8 0 0 ...     counters take nonsense that nobody reads

That dummy chain is what makes `play` fast: a neighbour's pseudo-liberties are counted down without asking what it is.

Does not know how stones are played (`goengine.board.kernels`) or what a rule set is.
"""

from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.core.jit import kernel

EMPTY, BLACK, WHITE, EDGE = 0, 1, 2, 3
PASS, NONE = coords.PASS, coords.NONE

# Places in Board.info.
SIZE, STRIDE, KO, EMPTIES, CAPTURED_BLACK, CAPTURED_WHITE, KO_COLOR = range(7)
# Places in Game.status.
TO_PLAY, PLY, HASHES, PASSES = range(4)

RECENT = 8  # moves and boards that a Game remembers, enough for every feature set
CAPACITY = 2048  # positions a Game can remember for superko; the oldest are forgotten beyond that

# Zobrist keys, fixed for ever because hashes reach files: [colour - 1, point], a key per size, one per side to play.
_words = np.random.Generator(np.random.PCG64(20260101))
ZOBRIST = _words.integers(1, 2**64, (2, coords.padded(coords.MAX_SIZE)), np.uint64, endpoint=False)
ZOBRIST_SIZE = _words.integers(1, 2**64, coords.MAX_SIZE + 1, np.uint64, endpoint=False)
ZOBRIST_TO_PLAY = _words.integers(1, 2**64, 3, np.uint64, endpoint=False)


class Board(NamedTuple):
    """Stones and what is kept up to date about them. No past."""

    color: np.ndarray  # uint8[P]    EMPTY, BLACK, WHITE or EDGE
    chain: np.ndarray  # uint16[P]   the point that names this stone's chain; 0 for empty and edge points
    next: np.ndarray  # uint16[P]    next stone of the same chain, in a circle
    stones: np.ndarray  # uint16[P]  by chain: its number of stones
    pseudo: np.ndarray  # uint16[P]  by chain: pairs (stone, empty neighbour)
    empties: np.ndarray  # uint16[P] the empty points, in no order; info[EMPTIES] of them
    slot: np.ndarray  # uint16[P]    place of an empty point in `empties`
    info: (
        np.ndarray
    )  # int64[8]     see SIZE, STRIDE, KO (forbidden point or 0), EMPTIES, CAPTURED_*, KO_COLOR (whom it is forbidden)
    hash: np.ndarray  # uint64[1]    Zobrist hash of the stones and the size


class Game(NamedTuple):
    """A board with the part of its past that features and superko need."""

    board: Board
    recent: np.ndarray  # int32[8]    last moves, the latest first; PASS or NONE
    past: np.ndarray  # uint8[8, P]   colours before the last move, before the one before it, ...
    hashes: np.ndarray  # uint64[capacity]  hash of every position so far, the present one last
    movers: np.ndarray  # uint8[capacity]   who was to play in each of them
    touched: np.ndarray  # uint8[P]   1 where a stone has ever stood: elsewhere no position can recur
    status: np.ndarray  # int64[8]    see TO_PLAY, PLY, HASHES, PASSES (consecutive, at the end)


def new_board(size: int) -> Board:
    """An empty board. Raises ValueError if the size is not 2 to 25."""
    if not coords.MIN_SIZE <= size <= coords.MAX_SIZE:
        raise ValueError(f"board size {size} is not in {coords.MIN_SIZE} .. {coords.MAX_SIZE}")
    p = coords.padded(size)
    words = [np.zeros(p, np.uint16) for _ in range(6)]
    board = Board(np.zeros(p, np.uint8), *words, np.zeros(8, np.int64), np.zeros(1, np.uint64))
    clear_board(board, size)
    return board


def new_boards(size: int, count: int) -> Board:
    """Room for `count` boards in one: every array has a leading axis [count]. `board_at` takes one out."""
    p = coords.padded(size)
    words = [np.zeros((count, p), np.uint16) for _ in range(6)]
    return Board(np.zeros((count, p), np.uint8), *words, np.zeros((count, 8), np.int64), np.zeros((count, 1), np.uint64))


@kernel
def board_at(boards, place):
    """One of the boards of `new_boards`; it shares their memory."""
    return Board(
        boards.color[place],
        boards.chain[place],
        boards.next[place],
        boards.stones[place],
        boards.pseudo[place],
        boards.empties[place],
        boards.slot[place],
        boards.info[place],
        boards.hash[place],
    )


def new_game(size: int, capacity: int = CAPACITY) -> Game:
    """A game at its beginning, Black to play."""
    p = coords.padded(size)
    game = Game(
        new_board(size),
        np.full(RECENT, NONE, np.int32),
        np.zeros((RECENT, p), np.uint8),
        np.zeros(capacity, np.uint64),
        np.zeros(capacity, np.uint8),
        np.zeros(p, np.uint8),
        np.zeros(8, np.int64),
    )
    start_game(game, BLACK)
    return game


@kernel
def clear_board(board, size):
    """Make ``board``, whose arrays fit ``size``, an empty board."""
    stride = size + 1
    board.info[:] = 0
    board.info[SIZE] = size
    board.info[STRIDE] = stride
    board.color[:] = EDGE
    board.chain[:] = 0
    board.hash[0] = ZOBRIST_SIZE[size]
    count = 0
    for row in range(size):
        for column in range(size):
            p = (row + 1) * stride + column + 1
            board.color[p] = EMPTY
            board.empties[count] = p
            board.slot[p] = count
            count += 1
    board.info[EMPTIES] = count


@kernel
def copy_array(target, source):
    """Copy a one-dimensional array into another of at least its length."""
    for i in range(source.size):
        target[i] = source[i]


@kernel
def copy_board(target, source):
    """Copy every array of ``source`` into ``target``; both have the same size."""
    for p in range(source.color.size):
        target.color[p] = source.color[p]
        target.chain[p] = source.chain[p]
        target.next[p] = source.next[p]
        target.stones[p] = source.stones[p]
        target.pseudo[p] = source.pseudo[p]
        target.empties[p] = source.empties[p]
        target.slot[p] = source.slot[p]
    copy_array(target.info, source.info)
    target.hash[0] = source.hash[0]


@kernel
def start_game(game, to_play):
    """Make the board as it stands the beginning of a game: no past, ``to_play`` to move."""
    game.recent[:] = NONE
    game.status[:] = 0
    game.status[TO_PLAY] = to_play
    game.status[HASHES] = 1
    game.hashes[0] = game.board.hash[0]
    game.movers[0] = to_play
    for p in range(game.touched.size):
        stone = game.board.color[p]
        game.touched[p] = stone == BLACK or stone == WHITE
        for ply in range(RECENT):
            game.past[ply, p] = stone


@kernel
def copy_game(target, source):
    """Copy ``source`` into ``target``; both have the same size, and the target's capacity holds the source's hashes."""
    copy_board(target.board, source.board)
    copy_array(target.recent, source.recent)
    for ply in range(RECENT):
        copy_array(target.past[ply], source.past[ply])
    count = source.status[HASHES]
    copy_array(target.hashes, source.hashes[:count])
    copy_array(target.movers, source.movers[:count])
    copy_array(target.touched, source.touched)
    copy_array(target.status, source.status)
