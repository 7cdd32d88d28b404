"""A position as coloured text for a terminal (`goengine.board.picture` draws it as SVG).

Knows colours and lines; asks a `Position` only for its stones. No game logic.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, EMPTY

_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Palette:
    """How a terminal is told a colour (escape sequences), and the symbols of stones."""

    wood: str
    line: str
    mark: str
    stones: tuple[str, str]  # Black's, White's
    last: tuple[str, str]  # the same for the last move
    reset: str


COLOURS = Palette(
    wood="\033[48;2;214;168;98m",
    line="\033[38;2;96;66;28m",
    mark="\033[38;2;170;20;20m",
    stones=("\033[38;2;16;16;16m●", "\033[38;2;250;250;250m●"),
    last=("\033[38;2;16;16;16m◉", "\033[38;2;250;250;250m◉"),
    reset="\033[0m",
)
PLAIN = Palette(wood="", line="", mark="", stones=("X", "O"), last=("#", "@"), reset="")


def star_points(size: int) -> set[tuple[int, int]]:
    """(row, column) of the points that a board marks with dots."""
    if size < 7:
        return {(size // 2, size // 2)} if size % 2 else set()
    edge = 3 if size >= 13 else 2
    lines = {edge, size - 1 - edge}
    if size % 2 == 0:
        return {(row, column) for row in lines for column in lines}
    middle = size // 2
    cross = {(row, column) for row in lines for column in lines} | {(middle, middle)}
    return cross | ({(middle, line) for line in lines} | {(line, middle) for line in lines} if size >= 13 else set())


def palette_of(stream: TextIO) -> Palette:
    """Colours for a terminal that has them and round stones, plain letters elsewhere and where NO_COLOR is set.

    https://no-color.org
    """
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return PLAIN
    try:
        "".join((*COLOURS.stones, *COLOURS.last)).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN
    return COLOURS


def terminal(position: Position, palette: Palette, marks: Mapping[int, str] | None = None) -> str:
    """The board as lines of text, the last move marked. ``marks`` puts single characters on empty points (of a hint, say)."""
    size = position.size
    letters = "   " + "".join(f" {letter}" for letter in _COLUMNS[:size])
    lines = [letters]
    for row in range(size):
        cells = "".join(_cell(position, palette, row, column, marks or {}) for column in range(size))
        lines.append(f"{size - row:2} {palette.wood}{cells} {palette.reset} {size - row}")
    return "\n".join([*lines, letters])


def _cell(position: Position, palette: Palette, row: int, column: int, marks: Mapping[int, str]) -> str:
    point = coords.point(row, column, position.size)
    stone = position.color(point)
    if stone != EMPTY:
        return " " + (palette.last if point == position.last_move else palette.stones)[stone - BLACK]
    if point in marks:
        return f" {palette.mark}{marks[point]}"
    return f" {palette.line}{'+' if (row, column) in star_points(position.size) else '.'}"
