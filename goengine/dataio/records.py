"""Games as data: `GameRecord`, one game in readable form, and `GamePack`, many games in arrays and in one file.

Stages meet in packs on disk: whatever reads records writes a pack, training reads it. A pack is a zip of plain numpy
arrays (the `.npz` layout, nothing pickled) with a version; it is written beside its place and renamed, and checked at
the door. Points are policy indices here: row * N + column from the top left corner, N * N for a pass
(`goengine.board.coords`). Does not know SGF (`goengine.dataio.sgf` makes records) nor nets, and does not judge moves by the
rules (`goengine.board.replay`).
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from goengine.board.coords import MAX_SIZE, MIN_SIZE
from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.ranks.scale import LOWEST, PROFESSIONAL, Server, parse_rank, rank_name, server_of

BLACK, WHITE = 1, 2
BLACK_WINS, WHITE_WINS, DRAW, NO_RESULT = 1, -1, 0, 2
# How a game ended.
UNKNOWN, SCORE, RESIGNATION, TIME, FORFEIT = range(5)

FORMAT = "goengine games"
VERSION = 1
MAX_RULES = 256  # different texts of rules in a pack


class Edit(NamedTuple):
    """Stones that are put on the board or taken off between moves. Points are policy indices."""

    ply: int  # moves before it
    black: tuple[int, ...] = ()
    white: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    to_play: int = 0  # who is to play then; 0: as before

    @property
    def changes_board(self) -> bool:
        """Whether it does more than say who is to play."""
        return bool(self.black or self.white or self.empty)


@dataclass(frozen=True)
class GameRecord:
    """One game. Colours are 1 (Black) and 2 (White), points are policy indices."""

    size: int
    moves: tuple[tuple[int, int], ...]  # (colour, index); size * size is a pass
    komi: float = 0.0
    rules: str = ""  # as the source writes it (`goengine.board.rules.from_sgf_text`)
    black_setup: tuple[int, ...] = ()  # stones on the board before the first move
    white_setup: tuple[int, ...] = ()
    to_play: int = BLACK  # who is to make the first move
    handicap: int = 0
    outcome: int = NO_RESULT  # BLACK_WINS, WHITE_WINS, DRAW or NO_RESULT
    margin: float | None = None  # Black's points minus White's with komi, where the game was counted
    ending: int = UNKNOWN
    black: str = ""  # names of the players
    white: str = ""
    black_rank: str = ""
    white_rank: str = ""
    date: str = ""
    black_bot: bool = False  # whether a known program played that side
    white_bot: bool = False
    place: str = ""  # where it was played or taken from: a server, a collection
    source: str = ""  # the game's id where it comes from
    fault: str = ""  # why the moves end before the source does, if they do
    edits: tuple[Edit, ...] = ()  # set-up between moves, in order; packs do not keep it
    names_komi: bool = field(default=False, compare=False)  # whether the source says something of komi

    def year(self) -> int:
        """The year in the date, or 0."""
        return int(self.date[:4]) if self.date[:4].isascii() and self.date[:4].isdigit() else 0

    def day(self) -> int:
        """The date as YYYYMMDD, with 0 for a month or day that is not told; 0 if the year is unknown."""
        found = re.match(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", self.date)
        return 0 if found is None else int(found[1]) * 10_000 + int(found[2] or 0) * 100 + int(found[3] or 0)

    def ranks(self) -> tuple[float, float]:
        """Black's and White's rank on the scale of `goengine.ranks.scale`, nan where none is known."""
        found = (parse_rank(self.black_rank), parse_rank(self.white_rank))
        black, white = (math.nan if rank is None else rank.value for rank in found)
        return black, white

    def handicap_stones(self) -> int:
        """What the record calls a handicap, where Black has so many stones before White's first: set up, or played."""
        if self.white_setup:
            return 0
        first_white = next((i for i, (color, _) in enumerate(self.moves) if color == WHITE), len(self.moves))
        return self.handicap if len(self.black_setup) + first_white >= max(2, self.handicap) else 0


def source_key(source: str) -> int:
    """The number that stands for a source's id in a pack: 64 bits of its BLAKE2b digest; 0 for no id."""
    return int.from_bytes(hashlib.blake2b(source.encode(), digest_size=8).digest(), "big") if source else 0


# name -> (dtype, what its length is: games G, G + 1, moves M, breaks K, setup stones S)
_ARRAYS = {
    "moves": (np.uint16, "M"),
    "offsets": (np.int64, "G+1"),
    "breaks": (np.int64, "K"),
    "first": (np.uint8, "G"),
    "size": (np.uint8, "G"),
    "komi2": (np.int16, "G"),
    "rules": (np.uint8, "G"),
    "handicap": (np.uint8, "G"),
    "outcome": (np.int8, "G"),
    "margin": (np.float32, "G"),
    "ending": (np.uint8, "G"),
    "year": (np.int16, "G"),
    "source": (np.uint64, "G"),
    "setup": (np.uint16, "S"),
    "setup_color": (np.uint8, "S"),
    "setup_offsets": (np.int64, "G+1"),
    "black_rank": (np.float32, "G"),
    "white_rank": (np.float32, "G"),
    "server": (np.uint8, "G"),
    "bots": (np.uint8, "G"),
    "day": (np.int32, "G"),
}


def unknown_players(games: int) -> dict[str, np.ndarray]:
    """The arrays of a pack that tell of players, for so many games of whose players nothing is known: packs of before 2026-11
    have none of them.
    """
    unknown = np.full(games, np.nan, np.float32)
    nothing = {name: np.zeros(games, _ARRAYS[name][0]) for name in ("server", "bots", "day")}
    return {"black_rank": unknown, "white_rank": unknown.copy(), **nothing}


@dataclass(frozen=True)
class GamePack:
    """Many games in arrays. G games, M moves, S setup stones; game g has the moves [offsets[g], offsets[g + 1])."""

    moves: np.ndarray  # uint16[M]        policy indices
    offsets: np.ndarray  # int64[G + 1]
    breaks: np.ndarray  # int64[K]        places in `moves` (ascending) where the same side moves as in the move before
    first: np.ndarray  # uint8[G]         colour of the first move
    size: np.ndarray  # uint8[G]
    komi2: np.ndarray  # int16[G]         komi in half points
    rules: np.ndarray  # uint8[G]         place in `rule_names`
    handicap: np.ndarray  # uint8[G]
    outcome: np.ndarray  # int8[G]        BLACK_WINS, WHITE_WINS, DRAW, NO_RESULT
    margin: np.ndarray  # float32[G]      Black's points minus White's, nan where not counted
    ending: np.ndarray  # uint8[G]
    year: np.ndarray  # int16[G]          0 if unknown
    source: np.ndarray  # uint64[G]       see `source_key`
    setup: np.ndarray  # uint16[S]        policy indices
    setup_color: np.ndarray  # uint8[S]
    setup_offsets: np.ndarray  # int64[G + 1]
    black_rank: np.ndarray  # float32[G]  on the scale of `goengine.ranks.scale`, nan if unknown
    white_rank: np.ndarray  # float32[G]
    server: np.ndarray  # uint8[G]        a `Server`: whose ranks they are
    bots: np.ndarray  # uint8[G]          1: Black is a program, 2: White is, 3: both are
    day: np.ndarray  # int32[G]           date as YYYYMMDD, 0 for what is unknown
    rule_names: tuple[str, ...] = ("",)
    note: str = field(default="", compare=False)  # where the games come from

    def __len__(self) -> int:
        return len(self.size)

    @property
    def komi(self) -> np.ndarray:
        """float32[G]"""
        return self.komi2.astype(np.float32) / 2

    def lengths(self) -> np.ndarray:
        """int64[G]: moves of each game."""
        return np.diff(self.offsets)

    def colors(self) -> np.ndarray:
        """uint8[M]: who makes each move."""
        place = np.arange(len(self.moves), dtype=np.int64)
        flips = np.zeros(len(self.moves) + 1, np.uint8)
        flips[self.breaks] = 1
        total = np.cumsum(flips[:-1], dtype=np.int64)
        starts = np.repeat(self.offsets[:-1], self.lengths())
        parity = place - starts + total - (total[starts] if len(total) else total)
        first = np.repeat(self.first, self.lengths())
        return np.where(parity % 2 == 0, first, 3 - first).astype(np.uint8)

    def game(self, g: int) -> GameRecord:
        """Game ``g`` in readable form (names and ids are not kept, ranks are whole ones)."""
        a, b = int(self.offsets[g]), int(self.offsets[g + 1])
        breaks = set(self.breaks[np.searchsorted(self.breaks, a) : np.searchsorted(self.breaks, b)].tolist())
        moves, color = [], int(self.first[g])
        for place, index in enumerate(self.moves[a:b].tolist(), a):
            if place > a and place not in breaks:
                color = 3 - color
            moves.append((color, index))
        c, d = self.setup_offsets[g : g + 2].tolist()
        stones = list(zip(self.setup_color[c:d].tolist(), self.setup[c:d].tolist(), strict=True))
        margin = float(self.margin[g])
        return GameRecord(
            size=int(self.size[g]),
            moves=tuple(moves),
            komi=int(self.komi2[g]) / 2,
            rules=self.rule_names[self.rules[g]],
            black_setup=tuple(p for color, p in stones if color == BLACK),
            white_setup=tuple(p for color, p in stones if color == WHITE),
            to_play=int(self.first[g]),
            handicap=int(self.handicap[g]),
            outcome=int(self.outcome[g]),
            margin=None if math.isnan(margin) else margin,
            ending=int(self.ending[g]),
            date=_date_text(int(self.day[g])) or (f"{self.year[g]:04d}" if self.year[g] else ""),
            black_rank=_rank_text(float(self.black_rank[g])),
            white_rank=_rank_text(float(self.white_rank[g])),
            black_bot=bool(self.bots[g] & 1),
            white_bot=bool(self.bots[g] & 2),
            place=Server(int(self.server[g])).name.lower() if self.server[g] else "",
        )

    def select(self, games: Sequence[int] | np.ndarray) -> GamePack:
        """A pack of these games, in this order."""
        games = np.asarray(games, np.int64)
        places, offsets = _ranges(self.offsets, games)
        stones, setup_offsets = _ranges(self.setup_offsets, games)
        broken = np.zeros(len(self.moves), bool)
        broken[self.breaks] = True
        arrays = {name: getattr(self, name)[games] for name, (_, length) in _ARRAYS.items() if length == "G"}
        return GamePack(
            moves=self.moves[places],
            offsets=offsets,
            breaks=np.flatnonzero(broken[places]),
            setup=self.setup[stones],
            setup_color=self.setup_color[stones],
            setup_offsets=setup_offsets,
            rule_names=self.rule_names,
            note=self.note,
            **arrays,
        )

    @staticmethod
    def build(records: Iterable[GameRecord], note: str = "") -> GamePack:
        """A pack of these records. Raises RecordError if one does not fit (size, point, komi)."""
        builder = PackBuilder()
        for record in records:
            builder.add(record)
        return builder.pack(note)

    @staticmethod
    def concat(packs: Sequence[GamePack]) -> GamePack:
        """One pack of all games, in order."""
        names = tuple(dict.fromkeys(name for pack in packs for name in pack.rule_names))
        arrays = {
            name: np.concatenate([np.zeros(0, dtype), *(getattr(pack, name) for pack in packs)])
            for name, (dtype, length) in _ARRAYS.items()
            if length in ("G", "M", "S") and name != "rules"
        }
        if len(names) > MAX_RULES:
            raise RecordError(f"{len(names)} rule texts in the packs, at most {MAX_RULES} are kept; pack them anew from SGF")
        codes = [np.array([names.index(name) for name in pack.rule_names], np.uint8)[pack.rules] for pack in packs]
        starts = np.cumsum([0] + [len(pack.moves) for pack in packs])
        stones = np.cumsum([0] + [len(pack.setup) for pack in packs])
        zero = [np.zeros(1, np.int64)]
        return GamePack(
            offsets=np.concatenate(zero + [pack.offsets[1:] + s for pack, s in zip(packs, starts, strict=False)]),
            setup_offsets=np.concatenate(zero + [pack.setup_offsets[1:] + s for pack, s in zip(packs, stones, strict=False)]),
            breaks=np.concatenate([np.zeros(0, np.int64)] + [pack.breaks + s for pack, s in zip(packs, starts, strict=False)]),
            rules=np.concatenate([np.zeros(0, np.uint8), *codes]),
            rule_names=names,
            note="; ".join(dict.fromkeys(pack.note for pack in packs if pack.note)),
            **arrays,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name: with the names of the rules everything that the pack holds, but for its note."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray], rules: object, note: str = "") -> GamePack:
        """A pack of what `arrays` gave and the list of its rules' names. Raises RecordError, saying what is wrong with it."""
        arrays = {**unknown_players(len(arrays["size"])), **arrays} if "size" in arrays else arrays
        for name, (dtype, _) in _ARRAYS.items():
            if name not in arrays or arrays[name].dtype != dtype or arrays[name].ndim != 1:
                raise RecordError(f"array '{name}' is missing or not a list of {np.dtype(dtype).name}")
        if not isinstance(rules, list) or not rules or not all(isinstance(name, str) for name in rules):
            raise RecordError("the list of rules is missing")
        pack = GamePack(**{name: arrays[name] for name in _ARRAYS}, rule_names=tuple(rules), note=note)
        if reason := pack.fault():
            raise RecordError(reason)
        return pack

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pack beside ``path`` and rename it into place."""
        meta = {"format": FORMAT, "version": VERSION, "rules": list(self.rule_names), "note": self.note}
        write_arrays(path, self.arrays(), meta)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> GamePack:
        """Read and check a pack. Raises RecordError, naming the file and what is wrong with it."""
        arrays, meta = read_arrays(path, FORMAT, VERSION)
        try:
            return GamePack.from_arrays(arrays, meta.get("rules"), str(meta.get("note", "")))
        except RecordError as error:
            raise RecordError(f"{path}: {error}") from None

    def fault(self) -> str:
        """What is wrong with the arrays, or an empty text: lengths, ranges, and every point on its board."""
        games = len(self.size)
        lengths = {"G": games, "G+1": games + 1, "M": len(self.moves), "K": len(self.breaks), "S": len(self.setup)}
        for name, (_, length) in _ARRAYS.items():
            if len(getattr(self, name)) != lengths[length]:
                return f"array '{name}' has {len(getattr(self, name))} elements, not {lengths[length]}"
        for name, total in (("offsets", len(self.moves)), ("setup_offsets", len(self.setup))):
            offsets = getattr(self, name)
            if offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < 0).any():
                return f"'{name}' does not ascend from 0 to {total}"
        ranges = (
            ("size", MIN_SIZE, MAX_SIZE),
            ("first", BLACK, WHITE),
            ("setup_color", BLACK, WHITE),
            ("outcome", WHITE_WINS, NO_RESULT),
            ("ending", UNKNOWN, FORFEIT),
            ("rules", 0, len(self.rule_names) - 1),
            ("server", 0, max(Server)),
            ("bots", 0, 3),
            ("day", 0, 9999_99_99),
        )
        for name, low, high in ranges:
            values = getattr(self, name)
            if len(values) and not (values.min() >= low and values.max() <= high):
                return f"'{name}' has a value outside {low} .. {high}"
        for name in ("black_rank", "white_rank"):
            ranks = getattr(self, name)[~np.isnan(getattr(self, name))]
            if not ((ranks >= LOWEST) & (ranks <= PROFESSIONAL + 1)).all():
                return f"'{name}' has a value outside {LOWEST:g} .. {PROFESSIONAL + 1:g}"
        points = self.size.astype(np.int64) ** 2
        if (self.moves > np.repeat(points, self.lengths())).any():
            return "a move is off its board"
        if (self.setup >= np.repeat(points, np.diff(self.setup_offsets))).any():
            return "a setup stone is off its board"
        if len(self.breaks) and (self.breaks[0] < 0 or self.breaks[-1] >= len(self.moves) or (np.diff(self.breaks) <= 0).any()):
            return "'breaks' does not ascend within the moves"
        return ""


def _rank_text(value: float) -> str:
    return "" if math.isnan(value) else rank_name(value)


def _date_text(day: int) -> str:
    """YYYYMMDD as a date of an SGF file, without the month or day if they are 0; empty for 0."""
    year, month, date = day // 10_000, day // 100 % 100, day % 100
    return "" if not year else f"{year:04d}" + (f"-{month:02d}" + (f"-{date:02d}" if date else "") if month else "")


def _ranges(offsets: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of all elements of these items, one after the other, and the items' new offsets."""
    lengths = offsets[items + 1] - offsets[items]
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(ends[-1]) - np.repeat(ends[:-1] - offsets[items], lengths)
    return places, ends


class PackBuilder:
    """Collects records, and makes a pack of them."""

    def __init__(self) -> None:
        self._moves, self._breaks, self._setup, self._setup_color = array("H"), array("q"), array("H"), array("B")
        self._offsets, self._setup_offsets = array("q", [0]), array("q", [0])
        self._games: list[tuple[Any, ...]] = []
        self._rules: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._games)

    def add(self, record: GameRecord) -> None:
        """Append a game. Raises RecordError, and leaves the pack as it was, if it does not fit."""
        row = self._row(record)
        start = len(self._moves)
        previous = 3 - row[0]
        for place, (color, index) in enumerate(record.moves, start):
            if color == previous:
                self._breaks.append(place)
            previous = color
            self._moves.append(index)
        for color, stones in ((BLACK, record.black_setup), (WHITE, record.white_setup)):
            self._setup.extend(stones)
            self._setup_color.extend([color] * len(stones))
        self._offsets.append(len(self._moves))
        self._setup_offsets.append(len(self._setup))
        self._games.append(row)

    def _row(self, record: GameRecord) -> tuple[Any, ...]:
        """The game's numbers in the order of `_PER_GAME`."""
        size, name = record.size, f"game '{record.source}'"
        if not MIN_SIZE <= size <= MAX_SIZE:
            raise RecordError(f"{name}: size {size} is not in {MIN_SIZE} .. {MAX_SIZE}")
        if not math.isfinite(record.komi) or abs(record.komi) > 10_000:
            raise RecordError(f"{name}: komi {record.komi} cannot be kept")
        for color, index in record.moves:
            if not 0 <= index <= size * size or color not in (BLACK, WHITE):
                raise RecordError(f"{name}: move ({color}, {index}) is not on a board of size {size}")
        if not all(0 <= index < size * size for index in record.black_setup + record.white_setup):
            raise RecordError(f"{name}: a setup stone is off the board")
        if any(edit.changes_board for edit in record.edits):
            raise RecordError(f"{name}: stones are set up between moves, which cannot be kept")
        if len(self._rules) == MAX_RULES and record.rules not in self._rules:
            raise RecordError(f"{name}: more than {MAX_RULES} different rule texts in one pack")
        return (
            record.moves[0][0] if record.moves else record.to_play,
            size,
            round(record.komi * 2),
            self._rules.setdefault(record.rules, len(self._rules)),
            max(0, min(record.handicap, 255)),
            record.outcome,
            math.nan if record.margin is None else record.margin,
            record.ending,
            record.year(),
            source_key(record.source),
            *record.ranks(),
            int(server_of(record.place)),
            record.black_bot + 2 * record.white_bot,
            record.day(),
        )

    def pack(self, note: str = "") -> GamePack:
        """The pack of everything added so far."""
        columns = list(zip(*self._games, strict=True)) or [()] * len(_PER_GAME)
        return GamePack(
            moves=np.array(self._moves, np.uint16),
            offsets=np.array(self._offsets, np.int64),
            breaks=np.array(self._breaks, np.int64),
            setup=np.array(self._setup, np.uint16),
            setup_color=np.array(self._setup_color, np.uint8),
            setup_offsets=np.array(self._setup_offsets, np.int64),
            rule_names=tuple(self._rules) or ("",),
            note=note,
            **{name: np.array(c, _ARRAYS[name][0]) for name, c in zip(_PER_GAME, columns, strict=True)},
        )


_PER_GAME = tuple(name for name in (f.name for f in fields(GamePack)) if _ARRAYS.get(name, ("", ""))[1] == "G")
