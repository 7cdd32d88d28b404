"""Cases that are data: text files with diagrams in, facts out, as the README.txt beside them explains."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, EMPTY, WHITE

COLORS = {"X": BLACK, "O": WHITE, ".": EMPTY}
Lines = list[list[str]]  # the words of each line


def cases(folder: Path) -> Iterator:
    """All cases of all files of a folder, as pytest parameters: the lines of one case, without blank ones."""
    for path in sorted(folder.glob("*.txt")):
        if path.name == "README.txt":
            continue
        for text in path.read_text().split("== ")[1:]:
            name, *lines = text.splitlines()
            yield pytest.param([line.split() for line in lines if line.strip()], id=f"{path.stem}: {name}")


def divided(lines: Lines) -> tuple[str, Lines]:
    """(the diagram, the other lines) of a case."""
    rows = [line for line in lines if set(line) <= set(COLORS)]
    return "\n".join(" ".join(row) for row in rows), [line for line in lines if line not in rows]


def points(position: Position, words: list[str]) -> list[int]:
    """The points of these vertices; `-` alone is none."""
    return [] if words == ["-"] else [coords.from_gtp(word, position.size) for word in words]


def names(position: Position, found) -> set[str]:
    """The vertices of points."""
    return {coords.to_gtp(int(p), position.size) for p in found}
