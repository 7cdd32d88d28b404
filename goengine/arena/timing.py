"""Time control of a match: what may be asked for, the clocks of a game, and what a program is told of them.

Counts wall time that callers measure; drives no programs. The kinds and their meaning are those of `goengine.search.clock`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from goengine.arena.fixtures import Side
from goengine.search.clock import TimeLeft, TimeSettings, spent

GRACE = 0.5  # seconds that a move may take beyond the clock: for pipes, and for a machine that does other things too

_FORMS = (
    "main=60 (seconds for all moves), main=60 byo=5x10 (then 5 periods of 10 s), main=60 canadian=25/300 (then 25 moves in "
    "every 300 s), main=60 inc=5 (and 5 s for every move), or move=5"
)


@dataclass(frozen=True)
class TimeControl:
    """Both players' time. ``move``: seconds for each move, by itself; nothing is saved up."""

    settings: TimeSettings = TimeSettings()
    move: float | None = None
    grace: float = GRACE

    @staticmethod
    def parse(text: str) -> TimeControl:
        """The control that a text such as `main=60 byo=5x10 grace=0.2` names. Raises ValueError that says what is possible."""
        try:
            words = dict(word.split("=") for word in re.split(r"[\s,]+", text.strip()))
            values = {key: [float(number) for number in re.split("[x/]", value)] for key, value in words.items()}
            return _control(values)
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"the clock '{text}' makes no sense ({error}); possible: {_FORMS}; grace=0.5 besides") from None

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        s = self.settings
        rest = {
            "byoyomi": f" byo={s.stones}x{s.period:g}",
            "canadian": f" canadian={s.stones}/{s.period:g}",
            "fischer": f" inc={s.increment:g}",
        }
        shown = f"move={self.move:g}" if self.move is not None else f"main={s.main:g}{rest.get(s.kind, '')}"
        return shown + (f" grace={self.grace:g}" if self.grace != GRACE else "")

    def commands(self) -> list[str]:
        """Ways to tell a program, the most exact one first."""
        s = self.settings
        if self.move is not None:
            return (
                [f"time_settings 0 {self.move:.0f} 1"]
                if self.move == int(self.move)
                else [
                    f"kata-time_settings byoyomi 0 {self.move:g} 1",
                    f"kgs-time_settings byoyomi 0 {self.move:g} 1",
                    f"time_settings 0 {max(1, int(self.move))} 1",
                ]
            )
        numbers = {"byoyomi": f"{s.main:g} {s.period:g} {s.stones}", "canadian": f"{s.main:g} {s.period:g} {s.stones}"}
        exact = f"{s.kind} {numbers.get(s.kind, f'{s.main:g}')}" + (f" {s.increment:g}" if s.kind == "fischer" else "")
        plain = {"canadian": f"{s.main:.0f} {s.period:.0f} {s.stones}", "byoyomi": f"{s.main:.0f} {s.period:.0f} 1"}
        commands = [f"kata-time_settings {exact}"]
        commands += [f"kgs-time_settings {exact}"] if s.kind != "fischer" else []
        return [*commands, f"time_settings {plain.get(s.kind, f'{s.main:.0f} 0 0')}"]


def _control(values: dict[str, list[float]]) -> TimeControl:
    """Raises KeyError, ValueError or IndexError where the values make no control."""
    grace = values.pop("grace", [GRACE])[0]
    if grace < 0:
        raise ValueError("grace must not be negative")
    keys = frozenset(values)
    if keys == {"move"}:
        if not 0 < values["move"][0] < 1e7:
            raise ValueError("a move needs some time")
        return TimeControl(move=values["move"][0], grace=grace)
    main = values["main"][0] if "main" in keys else 0.0
    if keys <= {"main", "byo"} and "byo" in keys:
        count, period = values["byo"]
        settings = TimeSettings(kind="byoyomi", main=main, period=period, stones=int(count))
    elif keys <= {"main", "canadian"} and "canadian" in keys:
        count, period = values["canadian"]
        settings = TimeSettings(kind="canadian", main=main, period=period, stones=int(count))
    elif keys == {"main", "inc"}:
        settings = TimeSettings(kind="fischer", main=main, increment=values["inc"][0])
    elif keys == {"main"}:
        settings = TimeSettings(kind="absolute", main=main)
    else:
        raise ValueError(f"{' '.join(sorted(keys)) or 'nothing'} does not go together")
    if not 0 < max(settings.main, settings.period) < 1e7 or (settings.kind in ("byoyomi", "canadian") and not settings.period):
        raise ValueError("there must be some time")
    return TimeControl(settings, grace=grace)


class MatchClock:
    """The clocks of one game. Without a control no move is too slow."""

    def __init__(self, control: TimeControl | None):
        self.control = control
        settings = control.settings if control else TimeSettings()
        start = TimeLeft(settings.main, settings.period, settings.stones)
        self.left: dict[Side, TimeLeft] = {"a": start, "b": start}

    def longest(self, side: Side) -> float | None:
        """Seconds after which this side has lost, grace included; None without a limit."""
        if self.control is None:
            return None
        return self._until_flag(self.control, side) + self.control.grace

    def spend(self, side: Side, seconds: float) -> bool:
        """Count a move. Returns whether it was in time; the grace is not taken from the next move."""
        if self.control is None:
            return True
        if seconds > self._until_flag(self.control, side) + self.control.grace:
            return False
        if self.control.move is None:
            self.left[side] = spent(self.control.settings, self.left[side], seconds)
        return True

    def time_left(self, side: Side) -> tuple[float, int] | None:
        """Seconds and stones (or periods) for `time_left`; None where it would say nothing."""
        if self.control is None or self.control.move is not None:
            return None
        left, kind = self.left[side], self.control.settings.kind
        if kind in ("byoyomi", "canadian") and left.main < 1:  # less than GTP can say is no main time
            return left.period, left.stones
        return left.main, 0

    def _until_flag(self, control: TimeControl, side: Side) -> float:
        left = self.left[side]
        if control.move is not None:
            return control.move
        kind = control.settings.kind
        if kind == "byoyomi":
            return left.main + left.period * left.stones
        return left.main + (left.period if kind == "canadian" else 0.0)
