"""The texts in an SGF file's root, as programs and servers really write them: encoding, size, komi, result.

Knows one value at a time; nothing of trees and moves (`goengine.dataio.sgf`).
"""

from __future__ import annotations

import codecs
import re

from goengine.board import coords
from goengine.dataio.records import (
    BLACK_WINS,
    DRAW,
    FORFEIT,
    NO_RESULT,
    RESIGNATION,
    SCORE,
    TIME,
    UNKNOWN,
    WHITE_WINS,
    GameRecord,
)


class SgfError(ValueError):
    """A game that cannot be read; the message names the file (and the game in it) and the reason."""


def parse_size(text: str) -> int:
    """Board size from SZ; 19 where there is none."""
    if not text:
        return 19
    width, _, height = text.partition(":")
    try:
        size = int(width)
        square = not height or int(height) == size
    except ValueError:
        raise SgfError(f"board size '{text[:20]}' is not a number") from None
    if not square:
        raise SgfError(f"board size {text[:20]} is not square")
    if not coords.MIN_SIZE <= size <= coords.MAX_SIZE:
        raise SgfError(f"board size {text[:20]} is not in {coords.MIN_SIZE} .. {coords.MAX_SIZE}")
    return size


_NUMBER = re.compile(r"(-?\d{1,6}(?:[.,]\d{0,8})?)(?:\s+(1)/(2))?")


def _number(text: str) -> float | None:
    """The first number in a text; `5 1/2` and `6,5` are numbers too."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    return float(match[1].replace(",", ".")) + (0.5 if match[2] else 0.0)


def parse_komi(text: str) -> float:
    """Points of komi from KM, 0 where it says nothing.

    Some servers write hundredths (`750`), some count a lead in stones as Chinese rules do, half of the points (`3.75`,
    `375`).
    """
    komi = _number(text) or 0.0
    if abs(komi) >= 100:
        komi /= 100
    if abs(komi) % 1 in (0.25, 0.75):
        komi *= 2
    return komi


_RESULT = re.compile(r"([BWDbwd])(?:lack|hite|raw)?\s*(?:\+|$)\s*(.*)", re.DOTALL)
_WORDS = {"r": RESIGNATION, "resign": RESIGNATION, "t": TIME, "time": TIME, "f": FORFEIT, "forfeit": FORFEIT}


def parse_result(text: str) -> tuple[int, float | None, int]:
    """Outcome, margin (Black's points minus White's) and ending from RE; NO_RESULT where it tells no winner."""
    text = text.strip()
    if text == "0" or text.lower() in ("draw", "jigo", "d") or text[:2].upper() == "D+":
        return DRAW, 0.0, SCORE
    match = _RESULT.fullmatch(text)
    if match and match[1].upper() != "D":
        outcome = BLACK_WINS if match[1].upper() == "B" else WHITE_WINS
        how = match[2].strip().lower()
        if how in _WORDS:
            return outcome, None, _WORDS[how]
        points = _number(how) if how[:1].isdigit() else None
        return (outcome, None, UNKNOWN) if points is None else (outcome, outcome * points, SCORE)
    if text[:1] in ("黑", "黒", "흑", "白", "백"):
        outcome = WHITE_WINS if text[0] in ("白", "백") else BLACK_WINS
        if "中" in text or "불계" in text:
            return outcome, None, RESIGNATION
        points = _number(text)
        if points is None:
            return outcome, None, UNKNOWN
        return outcome, outcome * points * (2 if "子" in text else 1), SCORE
    return NO_RESULT, None, UNKNOWN


# -- encodings --

_ENCODINGS = {
    codecs.lookup(name).name
    for name in (
        "utf-8", "ascii", "latin-1", "iso8859-15", "cp1252", "gb2312", "gbk", "gb18030", "big5",
        "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "koi8-r", "cp1251", "cp1250", "iso8859-2", "iso8859-5",
    )
}  # fmt: skip
_CHARSET = re.compile(rb"CA\s*\[([^\]]{1,40})\]")


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8: as it claims to be encoded if that is true, else the encoding that fits.

    This comes before parsing because the second byte of a Chinese character can be a bracket or a backslash.
    """
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace").encode("utf-8", "replace")
    if data.isascii():
        return data
    claim = _CHARSET.search(data[:10_000])
    try:
        claimed = codecs.lookup(claim[1].decode("ascii").strip()).name if claim else "iso8859-1"
    except (LookupError, ValueError):
        claimed = "iso8859-1"
    # Latin-1 is what the standard assumes where nothing is said, but files without CA are mostly UTF-8 or GB18030.
    trusted = claimed in _ENCODINGS and claimed != "iso8859-1"
    for name in (claimed, "utf-8", "gb18030") if trusted else ("utf-8", "gb18030"):
        try:
            return data.decode(name).encode("utf-8")
        except UnicodeError:
            continue
    return data.decode("latin-1").encode("utf-8")


def format_result(record: GameRecord) -> str:
    """The value of RE, empty if nothing is known."""
    if record.outcome == DRAW:
        return "0"
    if record.outcome == NO_RESULT:
        return ""
    winner = "B+" if record.outcome == BLACK_WINS else "W+"
    if record.ending == SCORE and record.margin is not None:
        return f"{winner}{abs(record.margin):g}"
    return winner + {RESIGNATION: "R", TIME: "T", FORFEIT: "F"}.get(record.ending, "")
