"""The games of a file as they are reviewed: texts in UTF-8, and back in the encoding that the file had.

Knows files, encodings and pictures of boards; no reviews.
"""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goengine.core.files import read_outside
from goengine.dataio.sgf_text import MAX_DECODED_BYTES, as_utf8, games_of_file
from goengine.dataio.sgf_tree import main_line
from goengine.dataio.sgf_values import SgfError
from goengine.vision.door import is_picture_file
from goengine.vision.from_picture import sgf_of_picture

_CLAIM = re.compile(rb"CA\s*\[([^\]]{1,40})\]")
_COMMON = ("utf-8", "utf-8-sig", "gb18030", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


@dataclass(frozen=True)
class GameText:
    """A game of a file. ``number`` from 1; 0 for the only one. ``encoding`` gives the file's own bytes; "" = none does."""

    text: bytes
    encoding: str
    number: int = 0

    def encode(self, text: bytes) -> bytes:
        """A changed text as it is written: in the file's encoding where that can be, else in UTF-8, and the file says so."""
        if self.encoding and self.encoding != "utf-8":
            try:
                return text.decode("utf-8").encode(self.encoding)
            except UnicodeError:
                pass
        return text if self.encoding == "utf-8" else _CLAIM.sub(b"CA[UTF-8]", text, count=1)


def encoding_of(data: bytes, text: bytes) -> str:
    """The encoding in which ``text``, which is UTF-8, is ``data``; "" where none is exact."""
    if data == text:
        return "utf-8"
    claim = _CLAIM.search(data[:10_000])
    names = [*([claim[1].decode("ascii", "replace").strip()] if claim else []), *_COMMON]
    for name in names:
        try:
            if text.decode("utf-8").encode(codecs.lookup(name).name) == data:
                return name
        except (UnicodeError, LookupError, ValueError):
            continue
    return ""


def games_of(path: str | os.PathLike[str]) -> Iterator[GameText | SgfError]:
    """The games of a file, one at a time; an SgfError for one that is too long.

    A file of one game keeps what stands around it. A picture of a board is read, and is a game without moves.
    Raises as `goengine.dataio.sgf_text.games_of_file`.
    """
    path = Path(path)
    if is_picture_file(path):
        yield GameText(sgf_of_picture(path), "utf-8")
        return
    games = games_of_file(path)
    first, second = next(games, None), next(games, None)
    if first is None:
        raise SgfError("no SGF data found")
    encoding, whole = "", b""
    if path.suffix != ".xz" and path.stat().st_size <= MAX_DECODED_BYTES:
        data = read_outside(path, MAX_DECODED_BYTES)
        whole = as_utf8(data)
        encoding = encoding_of(data, whole)
    if second is None:
        yield GameText(whole, encoding) if encoding and not isinstance(first, SgfError) else _game(first, "", 0)
        return
    yield _game(first, encoding, 1)
    yield _game(second, encoding, 2)
    for number, game in enumerate(games, 3):
        yield _game(game, encoding, number)


def _game(game: bytes | SgfError, encoding: str, number: int) -> GameText | SgfError:
    return game if isinstance(game, SgfError) else GameText(game, encoding, number)


def comments_of(text: bytes) -> dict[int, str]:
    """The comments of the main line by the number of moves before and in their node. Raises SgfError."""
    from sgfmill import sgf_grammar

    found: dict[int, str] = {}
    moves = 0
    for node in main_line(text):
        moves += sum(key in ("B", "W") for key in node)
        for value in node.get("C", ()):
            comment = sgf_grammar.text_value(value).decode("utf-8", "replace")
            found[moves] = f"{found[moves]}\n\n{comment}" if moves in found else comment
    return found
