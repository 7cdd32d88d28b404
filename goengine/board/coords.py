"""The only converter between the ways to name a point. Knows no rules and no board contents.

Conventions, for a board of ``size`` N:

===========  ==========================================  =============================================
name         what                                        example on 19x19, the upper right star point
===========  ==========================================  =============================================
row, column  0 .. N-1 from the top left corner           row 3, column 15
index        row * N + column; pass is N * N             72
point        place on the padded one-dimensional board   (3 + 1) * 20 + 15 + 1 = 96; pass is 0
GTP vertex   column letter without I, row from below     Q16; pass
SGF point    column letter, row letter from the top      pd; pass is empty (or tt up to 19x19)
===========  ==========================================  =============================================

The padded board has a row of edge points above and below and one column of them between the rows; it shares that column
between the right end of a row and the left end of the next. Its stride is N + 1, so the neighbours of a point p are p - 1,
p + 1, p - (N + 1) and p + (N + 1). Point 0 is an edge point and therefore free to stand for a pass.
"""

from functools import cache

import numpy as np

MIN_SIZE = 2
MAX_SIZE = 25
PASS = 0
NONE = -1

_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def stride(size: int) -> int:
    """Distance on the padded board between a point and the one below it."""
    return size + 1


def padded(size: int) -> int:
    """Number of points of the padded board, edge included."""
    return (size + 1) * (size + 2) + 1


def point(row: int, column: int, size: int) -> int:
    """The point at (row, column), both counted from 0 at the top left corner."""
    return (row + 1) * (size + 1) + column + 1


def row_column(p: int, size: int) -> tuple[int, int]:
    """(row, column) of an on-board point."""
    return p // (size + 1) - 1, p % (size + 1) - 1


def on_board(p: int, size: int) -> bool:
    """Whether ``p`` names a real point (not the edge, not a pass)."""
    row, column = row_column(p, size)
    return 0 <= row < size and 0 <= column < size


@cache
def points(size: int) -> np.ndarray:
    """The padded points in index order: int32[N*N], read-only."""
    rows, columns = np.divmod(np.arange(size * size), size)
    table = ((rows + 1) * (size + 1) + columns + 1).astype(np.int32)
    table.setflags(write=False)
    return table


def to_index(p: int, size: int) -> int:
    """Policy index of a point; a pass is N * N."""
    if p == PASS:
        return size * size
    row, column = row_column(p, size)
    return row * size + column


def to_indices(points: np.ndarray, size: int) -> np.ndarray:
    """As `to_index` for an array of points."""
    return np.where(points == PASS, size * size, (points // (size + 1) - 1) * size + points % (size + 1) - 1)


def from_index(index: int, size: int) -> int:
    """Point of a policy index; N * N is a pass."""
    if index == size * size:
        return PASS
    return point(*divmod(index, size), size)


def to_gtp(p: int, size: int) -> str:
    """GTP vertex such as ``D4``, or ``pass``."""
    if p == PASS:
        return "pass"
    row, column = row_column(p, size)
    return f"{_COLUMNS[column]}{size - row}"


def from_gtp(text: str, size: int) -> int:
    """Point of a GTP vertex, in either case. Raises ValueError that names the vertex if it is none on this board."""
    name = text.upper()
    if name == "PASS":
        return PASS
    column = _COLUMNS.find(name[:1]) if name else -1
    digits = name[1:]
    if column < 0 or not (digits.isascii() and digits.isdigit() and len(digits) <= 2):
        raise ValueError(f"'{text}' is not a vertex")
    row = size - int(digits)
    if not (0 <= row < size and column < size):
        raise ValueError(f"vertex '{text}' is outside the {size}x{size} board")
    return point(row, column, size)


def to_sgf(p: int, size: int) -> str:
    """SGF point such as ``pd``; a pass is the empty string."""
    if p == PASS:
        return ""
    row, column = row_column(p, size)
    return chr(97 + column) + chr(97 + row)


def from_sgf(text: str, size: int) -> int:
    """Point of an SGF move value. Empty, and ``tt`` up to 19x19, is a pass. Raises ValueError if it is off the board."""
    if text == "" or (text == "tt" and size <= 19):
        return PASS
    if len(text) != 2:
        raise ValueError(f"'{text}' is not an SGF point")
    column, row = ord(text[0]) - 97, ord(text[1]) - 97
    if not (0 <= row < size and 0 <= column < size):
        raise ValueError(f"SGF point '{text}' is outside the {size}x{size} board")
    return point(row, column, size)
