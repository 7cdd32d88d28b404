"""Positions to draw: games of the rollout policy, broken off anywhere; scattered stones; empty and crowded boards."""

import functools

import numpy as np

from goengine.board.random import new_generator
from goengine.board.state import BLACK, EMPTY, NONE, WHITE, new_board
from goengine.patterns.rollout import Factors, new_flow, play_rollout
from goengine.patterns.shipped_policies import read_policy


@functools.cache
def _factors() -> Factors:
    return read_policy("rollout").factors()


def played(size: int, moves: int, rng: np.random.Generator) -> np.ndarray:
    """int8[size, size] after so many moves of the rollout policy, or fewer where the game ends before."""
    board, flow = new_board(size), new_flow(size)
    play_rollout(board, flow, _factors(), NONE, BLACK, new_generator(int(rng.integers(1 << 62))), moves)
    rows = board.color[size + 2 : size + 2 + size * (size + 1)].reshape(size, size + 1)
    return rows[:, :size].astype(np.int8)


def scattered(rows: int, columns: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """int8[rows, columns] of stones that no game put there, on about this share of the crossings."""
    black = rng.random() if rng.random() < 0.3 else 0.5
    drawn = rng.random((rows, columns))
    return np.where(drawn < share * black, BLACK, np.where(drawn < share, WHITE, EMPTY)).astype(np.int8)


def draw(size: int, rng: np.random.Generator) -> np.ndarray:
    """int8[size, size] of some position: of a game mostly, from its opening to its end."""
    kind = rng.random()
    if kind < 0.05:
        return np.zeros((size, size), np.int8)
    if kind < 0.17:
        return scattered(size, size, float(rng.choice([0.02, 0.1, 0.4, 0.75, 0.95, 1.0])), rng)
    most = 1.6 if rng.random() < 0.35 else 0.9  # of the crossings, in moves
    stones = played(size, int(rng.uniform(0, most) * size * size) + 1, rng)
    if rng.random() < 0.15:  # a block where all stones lie dense
        _crowd(stones, rng)
    turned = np.rot90(stones, int(rng.integers(4)))
    return np.ascontiguousarray(turned.T if rng.random() < 0.5 else turned)


def _crowd(stones: np.ndarray, rng: np.random.Generator) -> None:
    """Fill a rectangle of a position, in place."""
    size = len(stones)
    height, width = rng.integers(2, size + 1, 2)
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    stones[top : top + height, left : left + width] = scattered(int(height), int(width), 0.97, rng)
