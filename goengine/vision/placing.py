"""Boards of a picture as positions: where a part lies on its board, whose turn it is, and the same as a game record.

Knows readings and records; no pixels.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.board import coords
from goengine.board.state import BLACK, WHITE
from goengine.dataio.records import GameRecord
from goengine.vision.board_picture import BoardReading

USUAL: Final = 19  # lines of the board of which a part is shown
COMMON: Final = (9, 13, 19)  # lines of boards that are taken for whole even where an edge was not seen
LARGEST: Final = 25


class PlacingError(ValueError):
    """A board that no position can be made of; the message says why."""


@dataclass(frozen=True, eq=False)
class PlacedBoard:
    """A reading on its board: ``stones`` int8 [size,size], row 0 at the top; row, column: where what is shown begins."""

    reading: BoardReading
    stones: np.ndarray
    row: int
    column: int
    to_play: int
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.stones)

    @property
    def last_move(self) -> int | None:
        """The point of the stone that is marked as the last one."""
        if self.reading.last_move is None:
            return None
        row, column = self.reading.last_move
        return coords.point(self.row + row, self.column + column, self.size)

    def points(self, color: int) -> tuple[int, ...]:
        """Points of a colour's stones."""
        return tuple(coords.point(int(row), int(column), self.size) for row, column in np.argwhere(self.stones == color))

    def record(self, komi: float = 7.5, rules: str = "Chinese") -> GameRecord:
        """The position as a game without moves."""
        black, white = (
            tuple(int(row) * self.size + int(column) for row, column in np.argwhere(self.stones == color))
            for color in (BLACK, WHITE)
        )
        return GameRecord(
            size=self.size, moves=(), komi=komi, names_komi=True, rules=rules,
            black_setup=black, white_setup=white, to_play=self.to_play,
        )  # fmt: skip


def placed(reading: BoardReading, to_play: int = 0, size: int | None = None) -> PlacedBoard:
    """A reading on its board. to_play: 0 where nobody says: then the other colour than the marked last stone's, else by the
    number of stones. size: of the board of which a part is shown. Raises PlacingError."""
    lines, edges, notes = _size(reading, size)
    row, row_note = _start(reading.rows, lines, edges[0], edges[1], "above or below")
    column, column_note = _start(reading.columns, lines, edges[2], edges[3], "to the left or right")
    stones = np.zeros((lines, lines), np.int8)
    stones[row : row + reading.rows, column : column + reading.columns] = reading.stones
    told = tuple(note for note in (*notes, row_note, column_note) if note)
    return PlacedBoard(reading, stones, row, column, to_play or _turn(reading), told)


def _size(reading: BoardReading, size: int | None) -> tuple[int, tuple[bool, bool, bool, bool], list[str]]:
    """(lines of the board, whether what is shown begins at its top, ends at its bottom, begins at its left, ends at its right,
    notes)."""
    rows, columns, edges = reading.rows, reading.columns, reading.edges
    ends = (edges.top, edges.bottom, edges.left, edges.right)
    if size is not None:
        if max(rows, columns) > size:
            raise PlacingError(f"{columns} x {rows} lines were found, more than a board of {size} has")
        return size, ends, []
    if rows == columns and (rows in COMMON[1:] or all(ends) or (rows == COMMON[0] and sum(ends) >= 3)):
        return rows, (True, True, True, True), []
    spanned = {count for count, both in ((rows, all(ends[:2])), (columns, all(ends[2:]))) if both}
    if len(spanned) == 2:
        raise PlacingError(f"a board of {columns} x {rows} lines: only square ones can be played; --size places it as a part")
    lines = spanned.pop() if spanned else USUAL
    if max(rows, columns) > lines:
        lines = max(rows, columns)
    if lines > LARGEST:
        raise PlacingError(f"{columns} x {rows} lines were found; the largest board has {LARGEST}")
    return lines, ends, [f"a part of {columns} x {rows} lines, placed on a board of {lines}"]


def _start(shown: int, lines: int, first: bool, last: bool, where: str) -> tuple[int, str]:
    """(where what is shown begins, a note if that is a guess)."""
    if shown == lines or first:
        return 0, ""
    if last:
        return lines - shown, ""
    return (lines - shown) // 2, f"no edge of the board is seen {where}: placed in the middle"


def _turn(reading: BoardReading) -> int:
    """Whose turn it is, as far as a picture tells."""
    if reading.last_move is not None:
        color = int(reading.stones[reading.last_move])
        if color in (BLACK, WHITE):
            return BLACK + WHITE - color
    black, white = int((reading.stones == BLACK).sum()), int((reading.stones == WHITE).sum())
    return WHITE if black > white else BLACK
