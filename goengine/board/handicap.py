"""Where handicap stones go: the fixed points of the Go Text Protocol, and a free placement for any number.

Knows the board's size and nothing of what stands on it.
"""

from goengine.board import coords


class HandicapError(ValueError):
    """A number of handicap stones that this board has no placement for."""


def most_fixed(size: int) -> int:
    """The largest number of stones with fixed points: 9 on odd boards from 9, 4 on 7x7 and even boards from 8, else 0."""
    if size < 7:
        return 0
    return 9 if size % 2 and size >= 9 else 4


def fixed_points(size: int, count: int) -> list[int]:
    """The fixed handicap points, in the order of the protocol. Raises HandicapError if there are none for `count`."""
    if not 2 <= count <= most_fixed(size):
        raise HandicapError(f"{count} stones have no fixed places on {size}x{size} (at most {most_fixed(size)})")
    line = 3 if size >= 13 else 2  # the fourth line from 13x13 on, the third below
    low, middle, high = line, size // 2, size - 1 - line  # columns from the left, rows from below
    corners = [(low, low), (high, high), (low, high), (high, low)]
    sides = [(low, middle), (high, middle), (middle, low), (middle, high)]
    places = corners[: min(count, 4)]
    if count >= 6:
        places += sides[:2]
    if count >= 8:
        places += sides[2:]
    if count in (5, 7, 9):
        places.append((middle, middle))
    return [coords.point(size - 1 - row, column, size) for column, row in places]


def free_points(size: int, count: int) -> list[int]:
    """Exactly `count` points: the fixed ones where there are such, then always the point farthest from all others.

    Raises HandicapError if `count` is not 2 to N * N - 1.
    """
    if not 2 <= count < size * size:
        raise HandicapError(f"{count} is not from 2 to {size * size - 1}")
    fixed = min(count, most_fixed(size))
    chosen = fixed_points(size, fixed) if fixed >= 2 else []
    while len(chosen) < count:
        chosen.append(_farthest(size, chosen))
    return chosen


def _farthest(size: int, chosen: list[int]) -> int:
    """The free point with the greatest distance to the chosen ones; the edge counts as near."""
    taken = [coords.row_column(p, size) for p in chosen]

    def room(place: tuple[int, int]) -> tuple[float, int]:
        row, column = place
        edge = min(row, column, size - 1 - row, size - 1 - column)
        nearest = min(((row - r) ** 2 + (column - c) ** 2 for r, c in taken), default=size * size)
        return min(nearest, 2.0 * (edge + 1) ** 2), -(row * size + column)

    places = {(row, column) for row in range(size) for column in range(size)} - set(taken)
    return coords.point(*max(places, key=room), size)
