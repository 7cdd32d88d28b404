"""How long to think: the six kinds of time control, what is left for each colour, and how much of it a move may take.

Each colour's time is counted down by our own thinking and overwritten by the controller's `time_left`, because some controllers
never send it. A move never gets more than what is left less a margin for lag, so time alone cannot lose a game.
Reads no real clock: callers bring the seconds. The meaning of the GTP commands follows gogui and KGS.
"""

import math
from dataclasses import dataclass, replace

from goengine.board.state import BLACK, WHITE
from goengine.search.params import Limits

KINDS = ("none", "absolute", "byoyomi", "canadian", "fischer", "fischer-capped")
_NUMBERS = {"none": 0, "absolute": 1, "byoyomi": 3, "canadian": 3, "fischer": 2, "fischer-capped": 4}

LAG = 0.5  # seconds kept back on every move for the way to the controller; of a short period at most a quarter
_LONGER = 4.0  # times the usual time for a move that the search is unsure of
_LARGEST_SHARE = 0.25  # of the time left that one move may take


LEAST_SECONDS, MOST_SECONDS = 1e-3, 1e9  # of any time that is not 0: what lies beyond is a mistake
MOST_STONES = 10**6


def check_seconds(seconds: float) -> None:
    """Raises ValueError if this is no time that a clock could show."""
    if seconds < 0:
        raise ValueError("times must not be negative")
    if seconds != 0 and not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(f"times must be 0 or from {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds, not {seconds:g}")


@dataclass(frozen=True, kw_only=True)
class TimeSettings:
    """A time control. Raises ValueError if the kind is unknown or a number makes no sense."""

    kind: str = "none"
    main: float = 0.0  # seconds
    period: float = 0.0  # byoyomi: of one period; canadian: for `stones` moves
    stones: int = 1  # byoyomi: periods; canadian: moves in a period
    increment: float = 0.0  # fischer: seconds added after a move
    main_limit: float = float("inf")  # fischer-capped: the clock never shows more
    move_limit: float = float("inf")  # fischer-capped: nor may a move take more

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown time control '{self.kind}'; possible: {', '.join(KINDS)}")
        for seconds in (self.main, self.period, self.increment):
            check_seconds(seconds)
        if not self.main <= self.main_limit:
            raise ValueError(f"the limit of the clock, {self.main_limit:g} s, is below the main time, {self.main:g} s")
        if self.stones > MOST_STONES:
            raise ValueError(f"at most {MOST_STONES} stones or periods are possible")
        if self.kind in ("byoyomi", "canadian") and self.stones < 1:
            raise ValueError(f"{self.kind} needs at least one {'period' if self.kind == 'byoyomi' else 'stone'}")


def from_gtp(main: float, period: float, stones: int) -> TimeSettings:
    """The three numbers of `time_settings`: overtime without stones means no limit, none at all means absolute."""
    if period > 0 and stones == 0:
        return TimeSettings()
    if period <= 0:
        return TimeSettings(kind="absolute", main=main)
    return TimeSettings(kind="canadian", main=main, period=period, stones=stones)


def from_words(words: list[str]) -> TimeSettings:
    """A kind and its numbers as in `kgs-time_settings` and `kata-time_settings`: `byoyomi 600 30 5`, `fischer 60 5`.

    A negative limit of `fischer-capped` means none. Raises ValueError that says what is wrong.
    """
    kind = words[0] if words else ""
    if kind not in KINDS:
        raise ValueError(f"unknown time control '{kind}'; possible: {', '.join(KINDS)}")
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError as error:
        raise ValueError(f"time settings must be numbers: {' '.join(words[1:])}") from error
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"time settings must be finite: {' '.join(words[1:])}")
    if len(numbers) != _NUMBERS[kind]:
        raise ValueError(f"time control {kind} takes {_NUMBERS[kind]} numbers, not {len(numbers)}")
    if kind in ("byoyomi", "canadian"):
        return TimeSettings(kind=kind, main=numbers[0], period=numbers[1], stones=int(numbers[2]))
    if kind == "fischer-capped":
        cap, longest = (number if number >= 0 else float("inf") for number in numbers[2:])
        return TimeSettings(kind=kind, main=numbers[0], increment=numbers[1], main_limit=cap, move_limit=longest)
    if kind == "fischer":
        return TimeSettings(kind=kind, main=numbers[0], increment=numbers[1])
    return TimeSettings(kind=kind, main=numbers[0]) if numbers else TimeSettings()


@dataclass(frozen=True)
class TimeLeft:
    """What one colour has left."""

    main: float  # seconds of main time
    period: float = 0.0  # seconds left in the present period of overtime
    stones: int = 0  # periods, or moves in the present period, left


@dataclass(frozen=True)
class Allotment:
    """Seconds for a move; both are None without a limit. ``longest`` is for a search that is unsure."""

    normal: float | None
    longest: float | None


def spent(settings: TimeSettings, left: TimeLeft, seconds: float) -> TimeLeft:
    """What is left after a move that took so long. Who has overstepped is left with the last period, or with no time."""
    over, main = max(0.0, seconds - left.main), max(0.0, left.main - seconds)
    if settings.kind.startswith("fischer"):
        return replace(left, main=min(settings.main_limit, main + settings.increment))
    if settings.kind == "byoyomi" and main == 0.0:
        lost = int(over // settings.period) if settings.period > 0 else 0
        return TimeLeft(0.0, settings.period, max(1, left.stones - lost))
    if settings.kind == "canadian" and main == 0.0:
        stones = left.stones - 1
        if stones <= 0:
            return TimeLeft(0.0, settings.period, settings.stones)
        return TimeLeft(0.0, max(0.0, left.period - over), stones)
    return replace(left, main=main)


class Clock:
    """Both colours' time under one control."""

    def __init__(self, settings: TimeSettings | None = None, lag: float = LAG):
        self.lag = lag
        self.set(settings or TimeSettings())

    def set(self, settings: TimeSettings) -> None:
        """Another control; both clocks start anew."""
        self.settings = settings
        self.restart()

    def restart(self) -> None:
        """A new game under the same control."""
        start = TimeLeft(self.settings.main, self.settings.period, self.settings.stones)
        self.left = {BLACK: start, WHITE: start}

    def time_left(self, color: int, seconds: float, stones: int) -> None:
        """The controller's `time_left`: without stones main time is left, with them it is overtime (or periods).

        Raises ValueError, and changes nothing, if no clock could show that.
        """
        seconds = max(0.0, seconds)
        if seconds > MOST_SECONDS or stones > MOST_STONES:
            raise ValueError(f"a clock shows at most {MOST_SECONDS:g} seconds and {MOST_STONES} stones or periods")
        if stones <= 0 or self.settings.kind not in ("byoyomi", "canadian"):
            self.left[color] = TimeLeft(seconds, self.settings.period, self.settings.stones)
        else:
            self.left[color] = TimeLeft(0.0, seconds, stones)

    def spend(self, color: int, seconds: float) -> None:
        """Count a move of that colour that took so long."""
        self.left[color] = spent(self.settings, self.left[color], seconds)

    def allot(self, color: int, ply: int, size: int) -> Allotment:
        """Time for the next move of that colour at ply ``ply`` of a game on this size."""
        kind, left = self.settings.kind, self.left[color]
        if kind == "none":
            return Allotment(None, None)
        moves = moves_to_come(ply, size)
        if kind == "byoyomi":
            return self._with_overtime(left.main, self._less_lag(left.period), moves)
        if kind == "canadian":
            share = self._less_lag(left.period) / max(1, left.stones)
            return self._with_overtime(left.main, share, moves, reserve=self._less_lag(left.period))
        if kind == "absolute":
            return self._from_main(left.main, 0.0, moves)
        return self._fischer(left.main, moves)

    def limits(self, color: int, ply: int, size: int, visits: int | None = None) -> Limits:
        """As limits of a search; ``visits`` is a further limit. It stops early on a clear move where that saves time."""
        time = self.allot(color, ply, size)
        return Limits(visits=visits, seconds=time.normal, max_seconds=time.longest, early_stop=self.can_save(color))

    def can_save(self, color: int) -> bool:
        """Whether time that a move leaves unused helps a later one: not so in a period that is whole again after each move."""
        left = self.left[color]
        if self.settings.kind in ("byoyomi", "canadian") and left.main <= 0:
            return self.settings.kind == "canadian" and left.stones > 1
        return self.settings.kind != "none"

    def _less_lag(self, seconds: float) -> float:
        """What can be used of a period: all but the lag, which takes at most a quarter of it."""
        return max(0.0, seconds - min(self.lag, 0.25 * seconds))

    def _from_main(self, main: float, increment: float, moves: int) -> Allotment:
        """A share of what is left, for that many moves to come."""
        usable = max(0.0, main - self.lag)
        normal = min(usable, usable / moves + 0.8 * increment)
        longest = min(usable, _LONGER * normal, max(normal, _LARGEST_SHARE * usable))
        return Allotment(normal, longest)

    def _fischer(self, main: float, moves: int) -> Allotment:
        """Main time that grows; what a cap would throw away is used, and no move takes longer than its limit."""
        settings = self.settings
        basic = self._from_main(main, settings.increment, moves)
        usable = max(0.0, main - self.lag)
        wasted = max(0.0, main + settings.increment - settings.main_limit)
        cap = min(usable, self._less_lag(settings.move_limit) if settings.move_limit < float("inf") else usable)
        normal = min(cap, max(basic.normal, wasted))
        return Allotment(normal, min(cap, max(normal, basic.longest)))

    def _with_overtime(self, main: float, overtime: float, moves: int, reserve: float | None = None) -> Allotment:
        """Main time, and ``overtime`` seconds for each move after it; a single move may take up to ``reserve`` of those."""
        if main <= 0:
            reserve = overtime if reserve is None else reserve
            longest = min(_LONGER * overtime, max(overtime, _LARGEST_SHARE * reserve))
            return Allotment(overtime, longest)
        # A move may run from main time into overtime, as that is whole again for the next one, or shared by the next ones.
        all_of_it = max(0.0, main - self.lag) + overtime
        normal = min(all_of_it, max(overtime, main / moves))
        return Allotment(normal, min(all_of_it, _LONGER * normal))


def moves_to_come(ply: int, size: int) -> int:
    """How many moves of its own a player should reckon with: games last about 0.7 N^2 plies, and never seem to end soon."""
    points = size * size
    return max(int(0.35 * points - ply / 2), int(0.1 * points) + 4)
