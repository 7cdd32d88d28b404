"""SGF files as texts: their encoding, and the games of a collection. One reader for everything that reads SGF.

Knows bytes and brackets; nothing of nodes and properties (`goengine.dataio.sgf_tree`).
"""

from __future__ import annotations

import codecs
import contextlib
import io
import lzma
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from goengine.core.files import open_outside
from goengine.dataio.sgf_values import SgfError

MAX_GAME_BYTES: Final = 16_000_000
MAX_COLLECTION_BYTES: Final = 2_000_000_000  # uncompressed
MAX_DECODED_BYTES: Final = 64_000_000  # a file up to this length is decoded as a whole; a longer one must be ASCII or UTF-8

# -- encodings --

_ENCODINGS = {
    codecs.lookup(name).name
    for name in (
        "utf-8", "ascii", "latin-1", "iso8859-15", "cp1252", "gb2312", "gbk", "gb18030", "big5",
        "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "koi8-r", "cp1251", "cp1250", "iso8859-2", "iso8859-5",
    )
}  # fmt: skip
_CHARSET = re.compile(rb"CA\s*\[([^\]]{1,40})\]")
# UTF-32 before UTF-16, whose mark its own begins with.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Wide characters without a mark: the first bracket, and the zeros of its neighbours.
_UNMARKED = (
    (re.compile(rb"(?:\s\0\0\0)*\(\0\0\0"), "utf-32-le"), (re.compile(rb"(?:\0\0\0\s)*\0\0\0\("), "utf-32-be"),
    (re.compile(rb"(?:\s\0)*\(\0"), "utf-16-le"), (re.compile(rb"(?:\0\s)*\0\("), "utf-16-be"),
)  # fmt: skip


def _wide_encoding(start: bytes) -> str:
    """UTF-16 or UTF-32 where a text begins like one, or an empty text."""
    marked = (name for mark, name in _MARKS if start.startswith(mark))
    return next(marked, "") or next((name for pattern, name in _UNMARKED if pattern.match(start)), "")


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8: as it claims to be encoded if that is true, else the encoding that fits.

    This comes before parsing because the second byte of a Chinese character can be a bracket or a backslash.
    """
    found = _decoded(data)
    return data.decode("latin-1").encode("utf-8") if found is None else found


def _decoded(data: bytes, exact: bool = False) -> bytes | None:
    """As `as_utf8`; None where no encoding fits but Latin-1, in which every text would be one.

    exact: None, too, where the text is UTF-8 but for some characters.
    """
    if wide := _wide_encoding(data[:1000]):
        return data.decode(wide, "replace").encode("utf-8", "replace")
    if data.isascii():
        return data
    claim = _CHARSET.search(data[:10_000])
    try:
        claimed = codecs.lookup(claim[1].decode("ascii").strip()).name if claim else "iso8859-1"
    except (LookupError, ValueError):
        claimed = "iso8859-1"
    # Latin-1 is what the standard assumes where nothing is said, but files without CA are mostly UTF-8 or GB18030.
    trusted = claimed in _ENCODINGS and claimed != "iso8859-1"
    for name in (claimed, "utf-8") if trusted else ("utf-8",):
        with contextlib.suppress(UnicodeError):
            return data.decode(name).encode("utf-8")
    # Names are cut at a number of bytes, and half a character takes the bracket behind it along if it is read as GB18030.
    repaired = data.decode("utf-8", "replace")
    if 2 * repaired.count("\N{REPLACEMENT CHARACTER}") < len(repaired) - len(repaired.encode("ascii", "ignore")):
        return None if exact else repaired.encode("utf-8")
    with contextlib.suppress(UnicodeError):
        return data.decode("gb18030").encode("utf-8")
    return None


# -- collections --

# Everything up to a bracket of the tree, to a value that does not end in this line, or to the end. The end must match too:
# else the search would begin again at every byte.
_PIECES = re.compile(rb"(?:[^\[()]++|\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\])*+([()\[]|\Z)", re.DOTALL)
_GAME_START = re.compile(rb"\s*\(\s*;\s*(?:GM|FF|CA|SZ|AP|KM|RU|PB|EV|GN|US|PC|DT)\[")


def games_of_file(path: str | os.PathLike[str]) -> Iterator[bytes | SgfError]:
    """The text of every game in a file, which may be compressed (`.xz`), in UTF-8; an SgfError for one that is too long.

    Raises OSError, EOFError, LZMAError or SgfError where the file cannot be read (further).
    """
    path = Path(path)
    with open_outside(path, MAX_COLLECTION_BYTES) as outside, _unpacked(outside, path) as source:
        lines, whole = _as_lines(source, outside, path)
        for game in _split_games(lines):
            yield game if whole or isinstance(game, SgfError) else as_utf8(game)


def _unpacked(outside: BinaryIO, path: Path) -> BinaryIO:
    return lzma.open(outside) if path.suffix == ".xz" else outside


def _as_lines(source: BinaryIO, outside: BinaryIO, path: Path) -> tuple[BinaryIO, bool]:
    """(the source in an encoding whose line breaks and brackets can be found by their bytes, whether all of it is UTF-8)."""
    head = source.read(MAX_DECODED_BYTES + 1)
    if len(head) <= MAX_DECODED_BYTES:
        # Where nothing fits the games may be in several encodings: each is decoded by itself.
        decoded = _decoded(head, exact=True)
        return io.BytesIO(head if decoded is None else decoded), decoded is not None
    if _wide_encoding(head[:1000]):
        raise SgfError(f"longer than {MAX_DECODED_BYTES} bytes, in an encoding that is read as a whole; convert it to UTF-8")
    del head
    outside.seek(0)
    return _unpacked(outside, path), False


def _split_games(source: BinaryIO) -> Iterator[bytes | SgfError]:
    """The texts of the games in a collection, line by line, so that a large one needs no memory.

    A game ends where its brackets close, or, if it is damaged, where a line looks like the beginning of another.
    """
    game, depth, total, in_value = _Game(), 0, 0, False
    while line := source.readline(MAX_GAME_BYTES):
        total += len(line)
        if total > MAX_COLLECTION_BYTES:
            raise SgfError(f"longer than {MAX_COLLECTION_BYTES} bytes")
        if game.length and _GAME_START.match(line):
            yield game.end()
            depth, in_value = 0, False
        offset, start = (1, 0) if in_value else (0, 0)
        for piece in _PIECES.finditer(b"[" + line if in_value else line):
            if piece[1] == b"(":
                depth += 1
            elif piece[1] == b")":
                depth -= 1
                if depth == 0:
                    end = piece.end() - offset
                    game.add(line[start:end])
                    yield game.end()
                    start = end
                depth = max(depth, 0)
            else:
                in_value = piece[1] == b"[" and depth > 0
                break
        if depth > 0:
            game.add(line[start:])
    if game.length:
        yield game.end()


class _Game:
    """The text of a game as it is collected; what is too long is not kept."""

    def __init__(self) -> None:
        self.length = 0
        self._text = bytearray()

    def add(self, text: bytes) -> None:
        self.length += len(text)
        if self.length <= MAX_GAME_BYTES:
            self._text += text
        else:
            self._text.clear()

    def end(self) -> bytes | SgfError:
        """What was collected, or the reason why it is not used; then the next game may come."""
        text, length = bytes(self._text), self.length
        self.length = 0
        self._text.clear()
        return SgfError(f"too long: {length} bytes, at most {MAX_GAME_BYTES} are read") if length > MAX_GAME_BYTES else text
