"""When two positions are the same for a book: turned and mirrored boards are, other players to move or another ko are not.

Knows points as policy indices; knows neither values nor files.
"""

from typing import NamedTuple

import numpy as np

from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.board.state import PASSES

NO_KO = -1


class Place(NamedTuple):
    """A position as a book knows it, in the one of its eight views that comes first."""

    stones: bytes  # N * N colours by index
    to_play: int
    passes: int  # in a row, just before
    ko: int  # index that simple ko forbids, or NO_KO


class Views(NamedTuple):
    """A position's place, and the symmetries that carry the position there: several where it is symmetric itself."""

    place: Place
    symmetries: tuple[int, ...]


def views(position: Position) -> Views:
    """The place of a position."""
    size = position.size
    colors = position.game.board.color[coords.points(size)]
    stones = [colors[row].tobytes() for row in symmetry.gather(size)[:, :-1]]
    ko = coords.to_index(position.ko, size) if position.ko else NO_KO
    kos = [ko if ko == NO_KO else symmetry.index(ko, s, size) for s in range(symmetry.COUNT)]
    first = min(zip(stones, kos, strict=True))
    same = tuple(s for s in range(symmetry.COUNT) if (stones[s], kos[s]) == first)
    return Views(Place(first[0], position.to_play, int(position.game.status[PASSES]), first[1]), same)


def to_place(point: int, s: int, size: int) -> int:
    """The index, in the place, of a point of the position that symmetry s carries there."""
    return symmetry.index(coords.to_index(point, size), s, size)


def from_place(index: int, s: int, size: int) -> int:
    """The point of the position whose index in the place is this one."""
    return coords.from_index(symmetry.index(index, symmetry.inverse(s), size), size)


def is_first_view(stones: np.ndarray, size: int) -> bool:
    """Whether uint8[N * N] is the one of its views that comes first."""
    return bool(min(stones[row].tobytes() for row in symmetry.gather(size)[:, :-1]) == stones.tobytes())
