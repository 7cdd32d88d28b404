"""The texts in an SGF file's root, as programs and servers really write them: size, komi, result.

Knows one value at a time; nothing of trees and moves (`goengine.dataio.sgf`) and of encodings (`goengine.dataio.sgf_text`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable

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
        raise SgfError(f"board size {text[:20]} is not square; only square boards can be played")
    if not coords.MIN_SIZE <= size <= coords.MAX_SIZE:
        raise SgfError(f"board size {text[:20]} is not in {coords.MIN_SIZE} .. {coords.MAX_SIZE}")
    return size


_NUMBER = re.compile(r"(?<!\d)([-+]?(?:\d{1,6}(?:[.,]\d{0,8})?|[.,]\d{1,8}))(?!\d)(?:\s+(1)/(2)|\s*(½))?")


def _number(text: str) -> float | None:
    """The first number in a text; `5 1/2`, `5½` and `6,5` are numbers too."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    whole, half = float(match[1].replace(",", ".")), 0.5 if match[2] or match[4] else 0.0
    return whole - half if match[1].startswith("-") else whole + half


def parse_komi(text: str, fox: bool = False) -> float | None:
    """Points of komi from KM as they are written; None where it says no number.

    fox: the file is known to come from the Fox server, which writes hundredths of a point (`650` is 6.5, `50` is 0.5) or, under
    Chinese rules, hundredths of a stone, each worth two points (`375` is 7.5; `350`, too, as KataGo reads it).
    """
    try:
        komi = float(text)
    except ValueError:
        komi = _number(text)
    if komi is None or not math.isfinite(komi):
        return None
    if fox and abs(komi) >= _FOX_UNIT:
        komi /= 100
        if abs(komi) % 1 in (0.25, 0.75) or abs(komi) == 3.5:
            komi *= 2
    return komi + 0.0  # no -0


_FOX_UNIT = 50  # from here on a number on Fox is one of hundredths: no game there has a komi of 50 points


def fox_even_komi(rules: str) -> float:
    """The komi of an even game on Fox, which writes 0 where it is the usual one: results there show halves of points."""
    return 7.5 if "chinese" in rules.lower() else 6.5


def is_from_fox(programs: Iterable[str], properties: Collection[str]) -> bool:
    """Whether a root is one that the Fox server or its client writes: it names itself in AP, or uses its own keys TC and TT."""
    names = " ".join(programs).lower()
    return "foxwq" in names or "yuanyu" in names or {"TC", "TT"} <= set(properties)


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
