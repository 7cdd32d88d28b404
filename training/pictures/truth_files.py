"""Pictures with known positions, as a folder holds them: index.tsv, and a file of truth for each picture (docs/formats.md)."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine.board.state import BLACK, EMPTY, WHITE
from goengine.core.files import read_outside
from training.core.checkpoint import RunError

SIGNS = {".": EMPTY, "X": BLACK, "O": WHITE}
MAX_FILE = 1 << 20  # bytes of a file of truth
COLUMNS = ("name", "file", "kind")


@dataclass(frozen=True, eq=False)
class KnownPicture:
    """A picture whose position is known."""

    name: str
    file: Path
    kind: str
    corners: np.ndarray  # float64[4, 2]  as in `BoardReading`
    stones: np.ndarray  # int8[rows, columns]


def known_pictures(folder: Path) -> Iterator[KnownPicture]:
    """All pictures of a folder. Raises RunError if a file is missing or cannot be understood."""
    index = folder / "index.tsv"
    try:
        lines = read_outside(index, MAX_FILE).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{index}: cannot be read ({error}); a folder of known pictures has an index.tsv") from error
    rows = csv.DictReader(lines, delimiter="\t")
    if missing := set(COLUMNS) - set(rows.fieldnames or ()):
        raise RunError(f"{index}: its first line lacks the column {min(missing)}")
    for row in rows:
        corners, stones = read_truth(folder / "truth" / f"{row['name']}.txt")
        yield KnownPicture(row["name"], folder / row["file"], row["kind"], corners, stones)


def read_truth(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(corners, stones) of a file of truth. Raises RunError if it cannot be read or understood."""
    try:
        lines = read_outside(path, MAX_FILE).decode("utf-8").splitlines()
        told = dict(line.split(" ", 1) for line in lines if line[:1].islower() and " " in line)
        columns, rows = (int(word) for word in told["board"].split())
        corners = np.array([[float(value) for value in pair.split(",")] for pair in told["corners"].split()])
        drawn = [line for line in lines if line and set(line) <= SIGNS.keys()]
        stones = np.array([[SIGNS[sign] for sign in line] for line in drawn], np.int8)
    except (OSError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise RunError(f"{path}: is no truth of a picture ({error})") from error
    if stones.shape != (rows, columns) or corners.shape != (4, 2):
        raise RunError(
            f"{path}: has {stones.shape} signs and {len(corners)} corners for a board of {rows} rows, {columns} columns"
        )
    return corners, stones
