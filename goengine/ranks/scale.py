"""Ranks on one scale of numbers, read from the texts of game records.

One step is one stone. Kyu ranks run from 30k = -29 to 1k = 0, dan ranks from 1d = 1 to 9d = 9, professionals lie just above:
1p = 9.1 to 9p = 9.9. The numbers are those that the game's own server gave: a KGS 6d, a Fox 9d and a Tygem 9d are not equally
strong, so the server is kept beside the rank and goes to a net with it. KGS is the reference: without a server, a rank is
taken as one of KGS.

What texts are read as (`parse_rank`):

=====================================  ==========================================================================
text                                   reading
=====================================  ==========================================================================
5k, 5 kyu, 5K, 5級, 5级, 5급, ５ｋ      the rank; full-width digits and letters count as the others do
3d, 3 dan, 3段, 三段, 初段, 3단         the same; 初 is 1
1p, 9 pro, 9d pro, プロ九段, 职业九段     a professional
5k*, 3d+, 3d-                          the rank: servers so mark how sure or how near to the next one it is
5k?, 30k?                              the rank, and `uncertain`
5k (1830), 3d [2412]                   the rank; a rating beside it is left out
5.3k, 2.7d                             the rank with its fraction
31k to 50k                             30k, the weakest of the scale, and `uncertain`
10d to 12d                             9d, the strongest of the scale, and `uncertain`
NR, -, ?, unranked, guest, nothing     None
2345, 1500?                            None: a rating by itself says nothing without its system
0k, 0d, 51k, 13d, 10p                  None: no such rank
5k/3d, 5k 3d, other words              None: contradictory, or no rank
=====================================  ==========================================================================
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

LOWEST, HIGHEST = -29.0, 9.0  # 30k, 9d
PROFESSIONAL = 9.0  # above this number ranks are professionals'
WEAKEST_KYU, STRONGEST_DAN = 50, 12  # that texts name; beyond the scale they count as its ends
LONGEST_TEXT = 40
BANDS = ("30k-20k", "19k-15k", "14k-10k", "9k-5k", "4k-1k", "1d-2d", "3d-4d", "5d-6d", "7d-9d", "pro")
_FIRST = (-29, -18, -13, -8, -3, 1, 3, 5, 7)  # the lowest number of each band

_KYU = r"k|kyu|kyus|kyuu|gup|geup|級|级|急|급|кю"
_DAN = r"d|dan|dans|段|단|дан"
_PRO = r"p|pro|プロ|프로|职业|職業|professional|p\s*dan|d(?:an)?\s*p(?:ro)?|段\s*(?:プロ|职业|職業|pro)|단\s*프로"
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,3})?"
_BEFORE = re.compile(
    rf"(?P<pro>pro|プロ|프로|职业|職業)?\s*(?P<number>{_NUMBER})\s*[-.]?\s*(?P<unit>{_PRO}|{_KYU}|{_DAN})(?P<marks>[\s?*+-]*)"
)
_BESIDE = re.compile(r"[(\[{<]\s*[0-9]{1,5}(?:\.[0-9]+)?\s*[?±]?\s*[)\]}>]")  # a rating beside the rank
_NUMERALS = {"初": "1", "一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9"}
_CHINESE = re.compile(r"[初一二三四五六七八九十]{1,3}(?=\s*[段級级])")


class RankError(ValueError):
    """A rank that was asked for and is none; the message says what one looks like."""


class Server(IntEnum):
    """Whose ranks they are. The order is that of a net's inputs: append only."""

    UNKNOWN = 0
    KGS = 1
    FOX = 2
    TYGEM = 3
    NNGS = 4  # and other servers of the nineties, such as IGS


_SERVERS = (
    (Server.KGS, ("kgs", "gokgs", "kiseido")),
    (Server.FOX, ("fox", "野狐")),
    (Server.TYGEM, ("tygem", "弈城", "東洋", "东洋", "타이젬")),
    (Server.NNGS, ("nngs", "igs", "pandanet")),
)


@dataclass(frozen=True)
class Rank:
    """A rank as a record gives it. value: on the scale; uncertain: the server, or this reading, was not sure of it."""

    value: float
    uncertain: bool = False

    @property
    def professional(self) -> bool:
        """Whether it is a professional's."""
        return self.value > PROFESSIONAL

    def __str__(self) -> str:
        return rank_name(self.value) + ("?" if self.uncertain else "")


def kyu(number: float) -> float:
    """The number on the scale: 1 -> 0, 30 -> -29."""
    return 1.0 - number


def parse_rank(text: str) -> Rank | None:
    """The rank in a text of a game record, None if it names none; the module says which texts are read how."""
    text = unicodedata.normalize("NFKC", text[: LONGEST_TEXT + 1]).strip().lower()
    if not text or len(text) > LONGEST_TEXT:
        return None
    text = _BESIDE.sub(" ", _CHINESE.sub(_chinese_number, text)).strip()
    match = _BEFORE.fullmatch(text)
    if match is None:
        return None
    return _rank(float(match["number"]), match["unit"], bool(match["pro"]), "?" in match["marks"])


def _rank(number: float, unit: str, professional: bool, uncertain: bool) -> Rank | None:
    """The rank of a number and a unit, None if there is no such rank."""
    if re.fullmatch(_KYU, unit):
        if professional or not 1 <= number <= WEAKEST_KYU:
            return None
        return Rank(max(LOWEST, kyu(number)), uncertain or kyu(number) < LOWEST)
    if professional or not re.fullmatch(_DAN, unit):
        return Rank(PROFESSIONAL + number / 10, uncertain) if 1 <= number <= 9 and number == int(number) else None
    if not 1 <= number <= STRONGEST_DAN:
        return None
    return Rank(min(HIGHEST, number), uncertain or number > HIGHEST)


def _chinese_number(match: re.Match[str]) -> str:
    """十八 -> 18, 二十 -> 20, 九 -> 9; what is no number stays as it is."""
    before, ten, after = match[0].partition("十")
    if not ten:
        return _NUMERALS.get(before, match[0])
    if not {before, after} <= {"", *_NUMERALS} - {"初"}:
        return match[0]
    return str(10 * int(_NUMERALS.get(before, "1")) + int(_NUMERALS.get(after, "0")))


def rank_value(text: str) -> float:
    """The number of a rank that a person asks for, 30k to 9d.

    Raises RankError if it is uncertain, a professional's, beyond the scale or none at all.
    """
    rank = parse_rank(text)
    if rank is None or rank.uncertain or rank.professional:
        why = (
            "is none" if rank is None else "is a professional's" if rank.professional else "is not certain, or beyond the scale"
        )
        raise RankError(f"rank '{text[:LONGEST_TEXT]}' {why}; expected 30k to 1k or 1d to 9d, such as 12k or 3d")
    return rank.value


def rank_name(value: float) -> str:
    """The nearest whole rank of a number: -4.2 -> '5k', 3 -> '3d', 9.3 -> '3p'. Beyond the scale its end.

    Raises ValueError if it is not a number.
    """
    if math.isnan(value):
        raise ValueError("no rank: not a number")
    if value > PROFESSIONAL + 0.05:
        return f"{min(9, max(1, round(10 * (value - PROFESSIONAL))))}p"
    whole = math.floor(min(HIGHEST, max(LOWEST, value)) + 0.5)
    return f"{whole}d" if whole >= 1 else f"{1 - whole}k"


def band(value: float) -> str:
    """The band of BANDS that a number belongs to. Raises ValueError if it is not a number."""
    if rank_name(value).endswith("p"):
        return BANDS[-1]
    whole = math.floor(min(HIGHEST, max(LOWEST, value)) + 0.5)
    return BANDS[sum(whole >= first for first in _FIRST) - 1]


def server_of(*texts: str) -> Server:
    """The server that a record's texts (its source, place or program) name; the first that is known, else UNKNOWN."""
    for text in texts:
        lower = unicodedata.normalize("NFKC", text).lower()
        for server, names in _SERVERS:
            if any(name in lower for name in names):
                return server
    return Server.UNKNOWN
