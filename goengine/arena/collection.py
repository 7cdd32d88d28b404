"""All games of a match in one compressed SGF collection, for keeping: hundreds of small files become one.

Knows the names of a match folder's files. `goengine.dataio.sgf.iterate_games` reads a collection back.
"""

import lzma
import os
from pathlib import Path

from goengine.arena.log import GAMES, parse_lines, sgf_name
from goengine.core.files import replacing

ENDING = ".sgfs.xz"


def check_name(path: Path) -> None:
    """Raises ValueError if the file's name does not say what it is."""
    if not path.name.endswith(ENDING):
        raise ValueError(f"--collection {path}: the name of a compressed collection ends in {ENDING}")


def game_files(folder: Path) -> list[Path]:
    """The SGF files of a match folder, in the order of the games; of a tournament's folder those of all its matches."""
    return sorted(folder.rglob("game-*.sgf"))


def write_collection(folder: Path, path: Path) -> int:
    """Write the games of ``folder`` into one file, beside its place and renamed. Returns how many games there are.

    Raises OSError if a file cannot be read or written, and ValueError if a game that was played has no SGF file (as in a
    folder whose games were moved into a collection): the file, which may hold that game, then stays as it is.
    """
    games = game_files(folder)
    missing = _missing(folder)
    if missing:
        raise ValueError(f"{path} was not written: {len(missing)} games have no SGF file, the first {missing[0]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        with lzma.open(beside, "wb", preset=9) as out:
            for game in games:
                out.write(game.read_bytes().strip() + b"\n")
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
    return len(games)


def _missing(folder: Path) -> list[Path]:
    """The SGF files that belong to lines of the folder's matches and are not there."""
    played = {log.parent / sgf_name(n) for log in folder.rglob(GAMES) for n in parse_lines(log.read_bytes())[0]}
    return sorted(path for path in played if not path.exists())
