"""What a page may ask of the engine: JSON in, frozen values out; whatever is wrong is named.

Knows names, types and ranges of fields; neither the board's contents nor the search. Imports nothing slow: the server checks
with it, and the engine's process reads with it what the server passed on.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from goengine.player.engine_options import MAX_LEVEL
from goengine.player.rank_style import parse_profile

MAX_MOVES: Final = 10_000
MAX_VISITS: Final = 100_000
MAX_SECONDS: Final = 3600.0
MAX_MESSAGE: Final = 1 << 18  # bytes: 10,000 moves take half of it
CLOCKS: Final = ("none", "absolute", "byoyomi", "canadian", "fischer")
COLORS: Final = ("B", "W")

_VERTEX = re.compile(r"[A-HJ-Za-hj-z](?:[1-9]|1[0-9]|2[0-5])")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_REQUIRED: Final = object()


class RequestError(ValueError):
    """Something that cannot be asked; the message says why, `id` for which request, where that is known."""

    def __init__(self, message: str, id: str = "") -> None:
        super().__init__(message)
        self.id = id


@dataclass(frozen=True, kw_only=True)
class Game:
    """A game as the page has it: stones, moves, who begins. Vertices are GTP's, such as D4 or pass."""

    size: int
    rules: str  # a preset, or what an SGF file says in RU
    komi: float
    handicap: int
    black: tuple[str, ...]  # stones before the first move
    white: tuple[str, ...]
    first: str  # B or W
    moves: tuple[tuple[str, str], ...]  # (B or W, vertex)


@dataclass(frozen=True, kw_only=True)
class ClockState:
    """A time control and what the colour to move has left of it, in seconds, periods or stones."""

    kind: str = "none"
    main: float = 0.0
    period: float = 0.0
    stones: int = 1
    increment: float = 0.0
    left_main: float = 0.0
    left_period: float = 0.0
    left_stones: int = 1


@dataclass(frozen=True, kw_only=True)
class MoveRequest:
    """A move for a colour, by a level or a rank ("": none), or a number of visits, or seconds, or a clock."""

    game: Game
    color: str
    net: str
    level: int
    rank: str
    visits: int | None
    time: float | None
    clock: ClockState


@dataclass(frozen=True, kw_only=True)
class AnalyzeRequest:
    """An analysis of the game's last position, with reports on the way."""

    game: Game
    net: str
    visits: int


@dataclass(frozen=True, kw_only=True)
class CountRequest:
    """The score of the last position; ``dead`` None: the engine says which stones are dead."""

    game: Game
    net: str
    dead: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class ReviewRequest:
    """All positions of a game."""

    game: Game
    net: str
    visits: int


@dataclass(frozen=True, kw_only=True)
class CancelRequest:
    """Give up what was asked under this id."""


Request = MoveRequest | AnalyzeRequest | CountRequest | ReviewRequest | CancelRequest


def read_message(text: str | bytes) -> tuple[str, str, Request]:
    """(id, type, request) of a message. Raises RequestError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not JSON: {str(error)[:100]}") from None
    if not isinstance(data, dict):
        raise RequestError("a message must be a JSON object")
    id = data.get("id")
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise RequestError("'id' must be 1 to 40 letters, digits, points, hyphens or underscores")
    try:
        return id, *read_request({key: value for key, value in data.items() if key != "id"})
    except RequestError as error:
        raise RequestError(str(error), id) from None


def read_request(data: dict[str, Any]) -> tuple[str, Request]:
    """(type, request). Raises RequestError."""
    fields = _Fields(data, "the message")
    kind = fields.text("type", 20)
    if kind not in _READERS:
        raise RequestError(f"unknown type {_shown(kind)}; possible: {', '.join(_READERS)}")
    request = _READERS[kind](fields)
    fields.end()
    return kind, request


class _Fields:
    """The fields of an object, each taken once."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict):
            raise RequestError(f"{where} must be an object, not {_shown(data)}")
        self._data, self._where = dict(data), where

    def take(self, name: str, default: object = _REQUIRED) -> Any:
        """The value, whatever it is."""
        if name in self._data:
            return self._data.pop(name)
        if default is _REQUIRED:
            raise RequestError(f"{self._where} lacks '{name}'")
        return default

    def end(self) -> None:
        """Raises RequestError if something is left."""
        if self._data:
            raise RequestError(f"{self._where} has an unknown field {_shown(next(iter(self._data)))}")

    def text(self, name: str, most: int, default: object = _REQUIRED) -> str:
        value = self.take(name, default)
        if not isinstance(value, str) or len(value) > most:
            raise RequestError(f"'{name}' must be a text of at most {most} characters, not {_shown(value)}")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: object = _REQUIRED) -> str:
        value = self.take(name, default)
        if value not in choices:
            raise RequestError(f"'{name}' must be one of {', '.join(choices)}, not {_shown(value)}")
        return str(value)

    def whole(self, name: str, least: int, most: int, default: object = _REQUIRED) -> Any:
        """An int in the range, or the default as it is."""
        if name not in self._data and default is not _REQUIRED:
            return default
        value = self.take(name)
        if value is None and default is None:
            return None
        if type(value) is not int or not least <= value <= most:
            raise RequestError(f"'{name}' must be a whole number from {least} to {most}, not {_shown(value)}")
        return value

    def number(self, name: str, least: float, most: float, default: object = _REQUIRED) -> Any:
        """A float in the range, or the default as it is."""
        if name not in self._data and default is not _REQUIRED:
            return default
        value = self.take(name)
        if value is None and default is None:
            return None
        if type(value) not in (int, float) or not math.isfinite(value) or not least <= value <= most:
            raise RequestError(f"'{name}' must be a number from {least:g} to {most:g}, not {_shown(value)}")
        return float(value)

    def members(self, name: str, most: int, default: object = _REQUIRED) -> list[Any]:
        value = self.take(name, default)
        if not isinstance(value, list) or len(value) > most:
            raise RequestError(f"'{name}' must be a list of at most {most}, not {_shown(value)}")
        return value

    def vertices(self, name: str, size: int) -> tuple[str, ...]:
        return tuple(_vertex(value, size) for value in self.members(name, size * size, []))


def _game(data: object) -> Game:
    fields = _Fields(data, "'game'")
    size = fields.whole("size", 2, 25)
    moves = fields.members("moves", MAX_MOVES)
    game = Game(
        size=size,
        rules=fields.text("rules", 100, "chinese"),
        komi=fields.number("komi", -1000, 1000, 7.5),
        handicap=fields.whole("handicap", 0, size * size, 0),
        black=fields.vertices("black", size),
        white=fields.vertices("white", size),
        first=fields.choice("first", COLORS, "B"),
        moves=tuple(_move(move, size) for move in moves),
    )
    fields.end()
    return game


def _move(data: object, size: int) -> tuple[str, str]:
    if not isinstance(data, list) or len(data) != 2 or data[0] not in COLORS:
        raise RequestError(f"a move must be [color, vertex] such as ['B', 'D4'], not {_shown(data)}")
    return data[0], "pass" if data[1] == "pass" else _vertex(data[1], size)


def _vertex(value: object, size: int) -> str:
    if not isinstance(value, str) or not _VERTEX.fullmatch(value):
        raise RequestError(f"{_shown(value)} is no vertex such as D4")
    if "ABCDEFGHJKLMNOPQRSTUVWXYZ".index(value[0].upper()) >= size or int(value[1:]) > size:
        raise RequestError(f"{value} is not on a {size}x{size} board")
    return value


def _clock(data: object) -> ClockState:
    fields = _Fields(data, "'clock'")
    kind = fields.choice("kind", CLOCKS, "none")
    times = {name: fields.number(name, 0, 1e6, 0.0) for name in ("main", "period", "increment", "left_main", "left_period")}
    counts = {name: fields.whole(name, 1, 1000, 1) for name in ("stones", "left_stones")}
    fields.end()
    return ClockState(kind=kind, **times, **counts)


def _move_request(fields: _Fields) -> MoveRequest:
    rank, level = _rank(fields), fields.whole("level", 1, MAX_LEVEL, MAX_LEVEL)
    if rank and level != MAX_LEVEL:
        raise RequestError(f"'rank' {rank} and 'level' {level} exclude each other")
    return MoveRequest(
        game=_game(fields.take("game")),
        color=fields.choice("color", COLORS),
        net=fields.text("net", 200, ""),
        level=level,
        rank=rank,
        visits=fields.whole("visits", 1, MAX_VISITS, None),
        time=fields.number("time", 0, MAX_SECONDS, None),
        clock=_clock(fields.take("clock", {})),
    )


def _rank(fields: _Fields) -> str:
    rank = fields.text("rank", 20, "")
    try:
        if rank:
            parse_profile(rank)
    except ValueError as error:
        raise RequestError(f"'rank': {error}") from None
    return rank


def _analyze_request(fields: _Fields) -> AnalyzeRequest:
    return AnalyzeRequest(game=_game(fields.take("game")), net=fields.text("net", 200, ""), visits=_visits(fields))


def _count_request(fields: _Fields) -> CountRequest:
    game = _game(fields.take("game"))
    dead = fields.take("dead", None)
    found = None if dead is None else _Fields({"dead": dead}, "the message").vertices("dead", game.size)
    return CountRequest(game=game, net=fields.text("net", 200, ""), dead=found)


def _review_request(fields: _Fields) -> ReviewRequest:
    return ReviewRequest(game=_game(fields.take("game")), net=fields.text("net", 200, ""), visits=_visits(fields))


def _visits(fields: _Fields) -> int:
    return int(fields.whole("visits", 1, MAX_VISITS))


_READERS: dict[str, Callable[[_Fields], Request]] = {
    "move": _move_request,
    "analyze": _analyze_request,
    "count": _count_request,
    "review": _review_request,
    "cancel": lambda fields: CancelRequest(),
}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
