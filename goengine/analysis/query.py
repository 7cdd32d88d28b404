"""Lines of KataGo's JSON protocol to `Query` and `Action`. Checks everything, runs nothing.

The messages are our own; the ``field`` of each is KataGo's.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from goengine.analysis import fields
from goengine.analysis.game import GameLine
from goengine.analysis.settings import MOST_VISITS, SettingError, Settings, changed
from goengine.board import coords
from goengine.board.rules import Rules, RulesError
from goengine.board.state import BLACK, WHITE
from goengine.search.params import Restriction

MOST_MOVES: Final = 10_000
MOST_KOMI: Final = 400.0
MOST_PRIORITY: Final = 2**62
MOST_DEPTH: Final = 10**9
_LONGEST: Final = 200  # letters of a client's text in a message
_COLORS: Final = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}
_KNOWN: Final = frozenset(fields.QUERY) | frozenset(fields.ACTION)
INCLUDES: Final = tuple(name for name in fields.QUERY if name.startswith("include"))
_RESTRICTION: Final = "expected a list of objects with player, moves and untilDepth"
_PAIRS: Final = 'expected a list of pairs such as ["B","D4"]'


class QueryError(ValueError):
    """A line that cannot be answered; ``field`` and ``id`` as the error line names them, where they are known."""

    def __init__(self, message: str, field: str | None = None, id: str | None = None):
        super().__init__(message)
        self.field, self.id = field, id


@dataclass(frozen=True)
class Action:
    """A line with an ``action``. ``turns``: None for all."""

    data: dict[str, Any]
    name: str
    terminate_id: str | None = None
    turns: frozenset[int] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Query:
    """Positions of one game to analyse."""

    id: str
    game: GameLine
    turns: tuple[int, ...]  # in order, none twice
    priorities: Mapping[int, int]  # by turn; the others have 0 or that of all
    priority: int
    settings: Settings
    includes: frozenset[str]
    restrictions: tuple[Restriction, ...]
    report_every: float | None
    report_first: float | None
    warnings: tuple[tuple[str, str], ...]  # (field, message)

    def priority_of(self, turn: int) -> int:
        """The priority of a turn."""
        return self.priorities.get(turn, self.priority)


def shown(value: object) -> str:
    """A client's value as text for a message, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def parse(line: bytes, settings: Settings) -> Query | Action:
    """The query or action of a line. Raises QueryError."""
    data = _object(line)
    id = data.get("id")
    if not isinstance(id, str):
        raise QueryError("a query needs an id, which is a string")
    try:
        return _action(data) if isinstance(data.get("action"), str) else _Reader(data, settings).query()
    except QueryError as error:
        error.id = id
        raise


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line.decode("utf-8"), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        raise QueryError("the line is not UTF-8") from None
    except RecursionError:
        raise QueryError("the line is nested too deeply") from None
    except ValueError as error:
        raise QueryError(f"the line is not JSON ({error}): {shown(line.decode('utf-8', 'replace'))}") from None
    if not isinstance(data, dict):
        raise QueryError(f"expected a JSON object, not {shown(data)}")
    return data


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:_LONGEST]} is too large")
    return value


def _action(data: dict[str, Any]) -> Action:
    name = data["action"]
    if name not in fields.ACTIONS:
        raise QueryError(f"there is no action '{shown(name)}'; possible: {', '.join(fields.ACTIONS)}", "action")
    if name not in ("terminate", "terminate_all"):
        return Action(data, name)
    wanted = data.get("terminateId") if name == "terminate" else None
    if name == "terminate" and not isinstance(wanted, str):
        raise QueryError("expected the id of the queries to end, a string", "terminateId")
    turns = data.get("turnNumbers")
    if "turnNumbers" in data and not _is_whole_list(turns):
        raise QueryError("expected a list of whole numbers", "turnNumbers")
    return Action(data, name, wanted, None if turns is None else frozenset(turns))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_whole_list(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_whole, value))


class _Reader:
    """Reads the fields of one query."""

    def __init__(self, data: dict[str, Any], settings: Settings):
        self.data, self.settings = data, settings
        self.warnings: list[tuple[str, str]] = []

    def query(self) -> Query:
        """The whole query. Raises QueryError at the first field that is wrong."""
        self.size = self._size()
        game = self._game()
        turns, priorities = self._turns(len(game.moves))
        rules = self._rules()
        self._override()
        game = dataclasses.replace(game, rules=rules, handicap_by_moves=self.settings.handicap_by_moves)
        self._limits()
        includes = frozenset(name for name in INCLUDES if self._flag(name))
        every = self._number("reportDuringSearchEvery", 0.001, 1e6)
        first = self._number("firstReportDuringSearchAfter", 0.001, 1e6)
        if "priority" in self.data and "priorities" in self.data:
            raise QueryError("priority and priorities exclude each other", "priority")
        priority = self._whole("priority", -MOST_PRIORITY, MOST_PRIORITY)
        restrictions = self._restrictions()
        self._warn_unused()
        self._check(game)
        return Query(
            id=self.data["id"],
            game=game,
            turns=turns,
            priorities=priorities,
            priority=priority or 0,
            settings=self.settings,
            includes=includes,
            restrictions=restrictions,
            report_every=every,
            report_first=first,
            warnings=tuple(self.warnings),
        )

    # -- single values --

    def _whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number, None where the field is missing."""
        if name not in self.data:
            return None
        value = self.data[name]
        if not _is_whole(value) or not low <= value <= high:
            raise QueryError(f"expected a whole number from {low} to {high}, not {shown(value)}", name)
        return int(value)

    def _number(self, name: str, low: float, high: float) -> float | None:
        if name not in self.data:
            return None
        value = self.data[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise QueryError(f"expected a number from {low:g} to {high:g}, not {shown(value)}", name)
        return float(value)

    def _flag(self, name: str) -> bool:
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            raise QueryError(f"expected true or false, not {shown(value)}", name)
        return value

    def _color(self, value: object, name: str) -> int:
        color = _COLORS.get(value.lower()) if isinstance(value, str) else None
        if color is None:
            raise QueryError(f"expected a player, B or W, not {shown(value)}", name)
        return color

    def _point(self, value: object, name: str, *, may_pass: bool = True) -> int:
        if not isinstance(value, str):
            raise QueryError(f"expected a point such as D4, not {shown(value)}", name)
        try:
            point = _place(value, self.size)
        except ValueError:
            raise QueryError(f"'{shown(value)}' is no point of the {self.size}x{self.size} board", name) from None
        if point == coords.PASS and not may_pass:
            raise QueryError("no stone can stand on a pass", name)
        return point

    def _pairs(self, name: str, *, may_pass: bool) -> tuple[tuple[int, int], ...]:
        """(colour, point) of each pair."""
        pairs = self.data.get(name, [])
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise QueryError(_PAIRS, name)
        if len(pairs) > MOST_MOVES:
            raise QueryError(f"at most {MOST_MOVES} are taken, not {len(pairs)}", name)
        return tuple((self._color(color, name), self._point(point, name, may_pass=may_pass)) for color, point in pairs)

    # -- the game --

    def _size(self) -> int:
        for name in ("boardXSize", "boardYSize"):
            if self._whole(name, coords.MIN_SIZE, coords.MAX_SIZE) is None:
                raise QueryError(f"expected a whole number from {coords.MIN_SIZE} to {coords.MAX_SIZE}", name)
        width, height = self.data["boardXSize"], self.data["boardYSize"]
        if width != height:
            raise QueryError(f"the board must be square, not {width}x{height}: no net here knows others", "boardYSize")
        return int(width)

    def _game(self) -> GameLine:
        if "moves" not in self.data:
            raise QueryError(f"{_PAIRS}; an empty one if nothing was played", "moves")
        stones = self._pairs("initialStones", may_pass=False)
        moves = self._pairs("moves", may_pass=True)
        first = self._color(self.data["initialPlayer"], "initialPlayer") if "initialPlayer" in self.data else None
        return GameLine(size=self.size, stones=stones, moves=moves, first=first)

    def _check(self, game: GameLine) -> None:
        """Raises QueryError where stones cannot stand or a move is illegal."""
        try:
            game.begin()
        except ValueError as error:
            raise QueryError(str(error), "initialStones") from None
        try:
            game.at(len(game.moves))
        except ValueError as error:
            raise QueryError(str(error), "moves") from None

    def _turns(self, last: int) -> tuple[tuple[int, ...], dict[int, int]]:
        """(turns in order, their own priorities)."""
        wanted = self.data.get("analyzeTurns", [last])
        if not _is_whole_list(wanted):
            raise QueryError("expected a list of whole numbers", "analyzeTurns")
        wrong = next((turn for turn in wanted if not 0 <= turn <= last), None)
        if wrong is not None:
            raise QueryError(f"there is no turn {shown(wrong)}: there are 0 to {last}", "analyzeTurns")
        if "priorities" not in self.data:
            return tuple(sorted(set(wanted))), {}
        given = self.data["priorities"]
        if not _is_whole_list(given) or any(abs(number) > MOST_PRIORITY for number in given):
            raise QueryError("expected a list of whole numbers between -2^62 and 2^62", "priorities")
        if "analyzeTurns" not in self.data:
            raise QueryError("they go with analyzeTurns, which is missing", "priorities")
        if len(given) != len(wanted):
            raise QueryError(f"{len(given)} priorities do not fit {len(wanted)} turns", "priorities")
        return tuple(sorted(set(wanted))), dict(zip(wanted, given, strict=True))

    def _rules(self) -> Rules:
        rules = self._written_rules()
        komi = self._number("komi", -MOST_KOMI, MOST_KOMI)
        if komi is not None:
            if not (2 * komi).is_integer():
                raise QueryError(f"expected a whole or half number, not {komi:g}", "komi")
            rules = rules.with_komi(komi)
        if "whiteHandicapBonus" in self.data:
            try:
                rules = rules.with_rule("whiteHandicapBonus", self.data["whiteHandicapBonus"])
            except RulesError as error:
                raise QueryError(shown(str(error)), "whiteHandicapBonus") from None
        return rules

    def _written_rules(self) -> Rules:
        value = self.data.get("rules")
        if not isinstance(value, str | dict):
            raise QueryError("expected the name of rules, such as chinese, or an object with the single rules", "rules")
        try:
            if isinstance(value, str):
                return Rules.parse(value)
            single = {key: part for key, part in value.items() if key != "komi"}
            rules = Rules.parse(json.dumps(single))
            komi = value.get("komi", rules.komi)
            if isinstance(komi, bool) or not isinstance(komi, int | float) or not (2 * komi == int(2 * komi)):
                raise RulesError(f"komi {shown(komi)} is no whole or half number")
            return rules.with_komi(komi)
        except (RulesError, OverflowError) as error:
            raise QueryError(shown(str(error)), "rules") from None

    # -- how to search --

    def _override(self) -> None:
        values = self.data.get("overrideSettings", {})
        if not isinstance(values, dict):
            raise QueryError("expected an object of settings", "overrideSettings")
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
        try:
            found = changed(self.settings, texts)
        except SettingError as error:
            raise QueryError(str(error), "overrideSettings") from None
        self.settings = found.settings
        if found.unknown:
            names = shown(",".join(found.unknown))
            self.warnings.append(("overrideSettings", f"Unknown config params: {names}"))

    def _limits(self) -> None:
        visits = self._whole("maxVisits", 1, MOST_VISITS)
        length = self._whole("analysisPVLen", 1, 1000)
        params = self.settings.params
        fpu = self._number("rootFpuReductionMax", 0.0, 2.0)
        temperature = self._number("rootPolicyTemperature", 0.01, 100.0)
        if fpu is not None:
            params = params.with_(root_fpu_reduction=fpu)
        if temperature is not None:
            params = params.with_(root_policy_temperature=temperature)
        self.settings = dataclasses.replace(
            self.settings,
            params=params,
            visits=self.settings.visits if visits is None else visits,
            pv_length=self.settings.pv_length if length is None else length,
        )

    def _restrictions(self) -> tuple[Restriction, ...]:
        if "allowMoves" in self.data and "avoidMoves" in self.data:
            raise QueryError("allowMoves and avoidMoves exclude each other", "allowMoves")
        name = "allowMoves" if "allowMoves" in self.data else "avoidMoves"
        entries = self.data.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise QueryError(_RESTRICTION, name)
        found = tuple(self._restriction(entry, name) for entry in entries)
        if name == "allowMoves" and len({r.color for r in found}) < len(found):
            raise QueryError("at most one entry for each player is taken", name)
        return found

    def _restriction(self, entry: dict[str, Any], name: str) -> Restriction:
        if not {"player", "moves", "untilDepth"} <= entry.keys() or not isinstance(entry["moves"], list):
            raise QueryError(_RESTRICTION, name)
        depth = entry["untilDepth"]
        if not _is_whole(depth) or not 1 <= depth <= MOST_DEPTH:
            raise QueryError(f"untilDepth must be a whole number from 1 to {MOST_DEPTH}, not {shown(depth)}", name)
        color = self._color(entry["player"], name)
        points = frozenset(self._point(point, name) for point in entry["moves"])
        return Restriction(color=color, points=points, depth=depth, allow=name == "allowMoves")

    def _warn_unused(self) -> None:
        if self.settings.warn_unused:
            for name in self.data:
                if name not in _KNOWN:
                    self.warnings.append((name, "there is no such field; it is left out of account"))


def _place(text: str, size: int) -> int:
    """The point of a vertex, or of "(x,y)" from the upper left corner. Raises ValueError."""
    name = text.strip()
    if not name.startswith("("):
        return coords.from_gtp(name, size)
    x, _, y = name.removeprefix("(").removesuffix(")").partition(",")
    parts = x.strip(), y.strip()
    if not name.endswith(")") or not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        raise ValueError(name)
    column, row = map(int, parts)
    if not (column < size and row < size):
        raise ValueError(name)
    return coords.point(row, column, size)
