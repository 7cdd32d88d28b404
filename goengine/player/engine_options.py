"""What one may set about a player: strength, time, pondering, resignation. The one place of these defaults.

Knows names, types and ranges, and how a value is written as text; imports neither numpy nor the search, because a command line
and GTP's parameter commands need it before those are loaded.
"""

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any

from goengine.player.rank_style import parse_profile

MAX_LEVEL = 20
AUTOMATIC = "auto"
DEFAULT_SECONDS = 3.0  # for a move when nobody set visits, time or a clock: an engine without a limit would never answer


class OptionError(ValueError):
    """An option that does not exist, or a value that it cannot have."""


@dataclass(frozen=True)
class EngineOptions:
    """The settings of a player. Raises OptionError if a value is out of range."""

    visits: int | None = None  # at most this many per move; None = as many as the time allows
    time: float | None = None  # seconds per move while no clock runs
    level: int = MAX_LEVEL  # 1 (weakest) to 20 (full strength)
    ponder: bool = False  # think in the opponent's time
    ponder_time: float = 120.0  # seconds after which pondering rests, so that a forgotten engine falls silent
    resign: bool = True
    resign_winrate: float = 0.05  # below this chance, several turns in a row
    resign_turns: int = 3
    resign_min_move: int | None = None  # None = by board size, see goengine.player.endgame
    lag: float = 0.5  # seconds kept back on each move for the way to the controller
    analysis_wide_root_noise: float = 0.0  # 0.04 makes an analysis look at more moves, 1 at all of them; play is as without
    book: str = "auto"  # of openings: auto (the engine's own, with its own nets), shipped (with any net), none, or a file
    playouts: int = 300  # random playouts for one map of who owns what, while no net is trusted with that
    rank: str | None = None  # play as people of this rank do: 12k, 3d, or a profile of KataGo's such as rank_5k
    rank_net: str = AUTOMATIC  # the net that knows ranks; auto: the one that comes with the engine
    human_move_prop: float = 1.0  # with a rank: the share of moves that are people's; the others are the search's
    human_lambda: float | None = None  # of piKL, in value: what a move may lose; None = as tuned for the rank
    human_ignore_pass: bool = True  # with a rank: passes are judged, not drawn

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise OptionError(f"{name} must be from {low:g} to {high:g}, not {str(value)[:20]}")
        if self.rank is None:
            return
        if self.level != MAX_LEVEL:
            raise OptionError(
                f"rank {self.rank[:40]} and level {self.level} exclude each other: a rank plays people's moves, a level "
                f"weakens the engine's; set rank to none or level to {MAX_LEVEL}"
            )
        try:
            parse_profile(self.rank)
        except ValueError as error:
            raise OptionError(str(error)) from None

    def with_text(self, name: str, text: str) -> "EngineOptions":
        """The same options with one set from text; `none` unsets what may be None. Raises OptionError."""
        if name not in KINDS:
            raise OptionError(f"unknown parameter '{name}'; possible: {', '.join(KINDS)}")
        changes: dict[str, Any] = {name: _from_text(name, text)}
        return dataclasses.replace(self, **changes)

    def text(self, name: str) -> str:
        """The value as text: what `with_text` reads. Raises OptionError if there is no such option."""
        if name not in KINDS:
            raise OptionError(f"unknown parameter '{name}'; possible: {', '.join(KINDS)}")
        value = getattr(self, name)
        if value is None or isinstance(value, str | bool):
            return value if isinstance(value, str) else str(value).lower()
        return f"{value:.10g}"


_RANGES = (
    ("visits", 1, 10**9),
    ("time", 0.0, 10**7),
    ("level", 1, MAX_LEVEL),
    ("ponder_time", 0.0, 10**7),
    ("resign_winrate", 0.0, 0.5),
    ("resign_turns", 1, 1000),
    ("resign_min_move", 0, 10**6),
    ("lag", 0.0, 60.0),
    ("analysis_wide_root_noise", 0.0, 5.0),
    ("playouts", 10, 100_000),
    ("human_move_prop", 0.0, 1.0),
    ("human_lambda", 0.0, 1e9),
)


def _kind(annotation: object) -> tuple[type, bool]:
    """(type, whether None is possible) of a field."""
    if isinstance(annotation, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        return members[0], True
    return annotation, False  # type: ignore[return-value]


KINDS: dict[str, tuple[type, bool]] = {
    field.name: _kind(typing.get_type_hints(EngineOptions)[field.name]) for field in dataclasses.fields(EngineOptions)
}


def _from_text(name: str, text: str) -> bool | int | float | str | None:
    kind, optional = KINDS[name]
    plain = text.strip().lower()
    if optional and plain in ("none", ""):
        return None
    if kind is str:
        return text.strip()
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[plain]
        return int(plain) if kind is int else float(plain)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "an integer", float: "a number"}[kind]
        raise OptionError(f"{name} must be {wanted}{' or none' if optional else ''}, not '{text[:40]}'") from None
