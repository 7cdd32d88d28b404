"""The eight symmetries of the square, for planes, policies, flat arrays of points and single points.

A symmetry is a number s in 0..7: if s & 4 the board is transposed (row and column change places), then if s & 2 each
row is reversed (left and right), then if s & 1 the rows are (top and bottom). 0 changes nothing. Knows no rules and no
feature set; a feature set must not hold anything that a symmetry changes.
"""

from functools import cache

import numpy as np

from goengine.board import coords

COUNT = 8


@cache
def gather(size: int) -> np.ndarray:
    """Tables for policies: int32[8, N*N+1], read-only. new[i] = old[gather(size)[s, i]]; the pass stays last."""
    board = np.arange(size * size, dtype=np.int32).reshape(size, size)
    table = np.full((COUNT, size * size + 1), size * size, np.int32)
    for s in range(COUNT):
        table[s, :-1] = planes(board, s).ravel()
    table.setflags(write=False)
    return table


@cache
def scatter(size: int) -> np.ndarray:
    """Where an index goes: int32[8, N*N+1], read-only. new[scatter(size)[s, i]] = old[i]."""
    table = np.argsort(gather(size), axis=1).astype(np.int32)
    table.setflags(write=False)
    return table


@cache
def _composition() -> np.ndarray:
    """int[8, 8]: the symmetry that does the first, then the second. A 2x2 board tells all eight apart."""
    tables = gather(2)
    names = {tables[s].tobytes(): s for s in range(COUNT)}
    return np.array([[names[tables[first][tables[second]].tobytes()] for second in range(COUNT)] for first in range(COUNT)])


def compose(first: int, second: int) -> int:
    """The symmetry that does `first`, then `second`."""
    return int(_composition()[first, second])


def inverse(s: int) -> int:
    """The symmetry that undoes s."""
    return int(np.flatnonzero(_composition()[s] == 0)[0])


INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])  # inverse(s) for all s, as an array for use with batches


def planes(array: np.ndarray, s: int) -> np.ndarray:
    """Planes [..., N, N] seen through s. A view where numpy can give one."""
    if s & 4:
        array = array.swapaxes(-1, -2)
    if s & 2:
        array = array[..., ::-1]
    if s & 1:
        array = array[..., ::-1, :]
    return array


def policy(array: np.ndarray, s: int) -> np.ndarray:
    """A policy [..., N*N+1] seen through s; the pass stays last."""
    return array[..., gather(_size(array.shape[-1] - 1))[s]]


def flat(array: np.ndarray, s: int) -> np.ndarray:
    """An array by point [..., N*N], such as ownership, seen through s."""
    return array[..., gather(_size(array.shape[-1]))[s, :-1]]


def planes_by_row(array: np.ndarray, symmetries: np.ndarray) -> np.ndarray:
    """Planes [B, C, N, N], row b seen through symmetries[b]. A new array."""
    moved = np.empty_like(array)
    for row, s in enumerate(symmetries.tolist()):  # strided copies are several times faster than one gather by index
        moved[row] = planes(array[row], s)
    return moved


def policy_by_row(array: np.ndarray, symmetries: np.ndarray) -> np.ndarray:
    """A policy [B, N*N+1], row b seen through symmetries[b]. A new array."""
    return np.take_along_axis(array, gather(_size(array.shape[-1] - 1))[symmetries], axis=1)


def flat_by_row(array: np.ndarray, symmetries: np.ndarray) -> np.ndarray:
    """An array by point [B, N*N], row b seen through symmetries[b]. A new array."""
    return np.take_along_axis(array, gather(_size(array.shape[-1]))[symmetries, :-1], axis=1)


def index(i: int, s: int, size: int) -> int:
    """The policy index to which s carries index i."""
    return int(scatter(size)[s, i])


def point(p: int, s: int, size: int) -> int:
    """The point to which s carries point p; a pass stays a pass."""
    return coords.from_index(index(coords.to_index(p, size), s, size), size)


def _size(points: int) -> int:
    """N of N * N points. Raises ValueError if the number is no square."""
    size = round(points**0.5)
    if size * size != points:
        raise ValueError(f"{points} is not the number of points of a square board")
    return size
