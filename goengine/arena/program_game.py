"""One game between two programs that stand ready: moves, clocks, and who has lost because of what it did.

Starts and ends no processes (`goengine.arena.programs`).
"""

from __future__ import annotations

import math
import shlex
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from goengine.arena.dead_stones import Dead, dead_stones
from goengine.arena.fixtures import GameOutcome, Reason, Side, other
from goengine.arena.gtp_player import letter
from goengine.arena.referee import Referee
from goengine.arena.timing import MatchClock, TimeControl
from goengine.board import coords
from goengine.gtp.controller import CommandFailed, Controller, ControllerError, Ended, NoAnswer

_STDERR_LINES = 3  # of a program that failed, kept with the game


@dataclass(frozen=True)
class ProgramSettings:
    """How programs are driven."""

    clock: TimeControl | None = None
    dead: Dead = "agreement"
    judge: str = ""  # 'a', 'b' or a command line; `dead_stones` says what for
    parallel: int = 1
    patience: float = 300.0  # seconds for a move where no clock runs, and for every other answer
    start_patience: float = 120.0  # seconds until a program answers for the first time
    reuse: bool = False  # the same process for game after game, instead of a new one with another seed
    stop_when_decided: bool = False

    def __post_init__(self) -> None:
        if self.dead == "judge" and not self.judge:
            raise ValueError("dead stones by a judge need one: a, b, or the command line of a program")
        if self.judge not in ("", "a", "b") and shutil.which((shlex.split(self.judge) or [""])[0]) is None:
            raise ValueError(f"the judge '{self.judge}' is neither a, b nor a program that can be started")

    def config(self) -> dict[str, Any]:
        """What results depend on, as `match.json` keeps it."""
        clock = self.clock.text if self.clock else None
        settings = {name: getattr(self, name) for name in ("dead", "judge", "reuse", "patience", "stop_when_decided")}
        return {"clock": clock} | settings


class Failure(Exception):
    """A program has lost its game by itself."""

    def __init__(self, side: Side, reason: Reason, detail: str):
        super().__init__(detail)
        self.side, self.reason, self.detail = side, reason, detail


class ProgramGame:
    """A game that both programs have been told the beginning of. ``hire`` starts the judge, if one is needed."""

    def __init__(
        self,
        referee: Referee,
        programs: Mapping[Side, Controller],
        settings: ProgramSettings,
        hire: Callable[[str], Controller] = Controller,
    ):
        self.referee, self._programs, self._settings, self._hire = referee, programs, settings, hire
        self._clock = MatchClock(settings.clock)
        self.seconds: dict[Side, float] = {"a": 0.0, "b": 0.0}  # thinking time
        self._told_time = {
            side: settings.clock is not None and program.knows("time_left") for side, program in programs.items()
        }

    def play(self, stopped: Callable[[], bool]) -> GameOutcome | None:
        """Play to the end. Returns None if `stopped()`; raises Failure where a program fails."""
        referee = self.referee
        while not (state := referee.state()):
            if stopped():
                return None
            side, color = referee.to_move, referee.position.to_play
            vertex = self._generate(side, color)
            if vertex.lower() == "resign":
                return referee.lost_by(side, "resignation")
            self._take(side, vertex)
            self._tell(other(side), color, coords.to_gtp(referee.moves[-1], referee.terms.size))
        if state == "decided":
            return referee.decided()
        return self._count() if state == "passes" else referee.limit_reached()

    def _generate(self, side: Side, color: int) -> str:
        """The program's move, in time."""
        program, longest = self._programs[side], self._clock.longest(side)
        left = self._clock.time_left(side)
        if left is not None and self._told_time[side]:
            try:
                program.ask(f"time_left {letter(color)} {_seconds(left[0], program)} {left[1]}")
            except CommandFailed:
                self._told_time[side] = False
            except ControllerError as error:
                raise self._failure(side, error) from None
        begin = time.monotonic()
        try:
            vertex = program.ask(f"genmove {letter(color)}", self._settings.patience if longest is None else longest)
        except ControllerError as error:
            raise self._failure(side, error) from None
        finally:
            seconds = time.monotonic() - begin
            self.seconds[side] += seconds
        if not self._clock.spend(side, seconds):
            raise Failure(
                side, "timeout", f"{seconds:.2f} s for move {len(self.referee.moves) + 1}, of {longest:.2f} s at most"
            )
        return vertex

    def _take(self, side: Side, vertex: str) -> None:
        """Play what the program answered."""
        number = len(self.referee.moves) + 1
        try:
            point = coords.from_gtp(vertex, self.referee.terms.size)
        except ValueError as error:
            raise Failure(side, "garbage", f"move {number}: {str(error)[:200]}") from None
        why = self.referee.play(point)
        if why:
            raise Failure(side, "illegal move", f"move {number}, {vertex.upper()}: {why}")

    def _tell(self, side: Side, color: int, vertex: str) -> None:
        """Tell a program its opponent's move."""
        try:
            self._programs[side].ask(f"play {letter(color)} {vertex}")
        except ControllerError as error:
            raise self._failure(side, error) from None

    def _count(self) -> GameOutcome:
        position, settings = self.referee.position, self._settings
        seed = self.referee.fixture.seed
        dead, note = dead_stones(position, self._programs, settings.dead, settings.judge, seed, self._hire)
        return self.referee.count(dead, detail=note)

    def _failure(self, side: Side, error: ControllerError) -> Failure:
        """What a broken conversation means. A refused command is rubbish, too: all that are asked are legal here."""
        reason: Reason = "timeout" if isinstance(error, NoAnswer) else "died" if isinstance(error, Ended) else "garbage"
        return Failure(side, reason, with_stderr(error, self._programs[side]))


def _seconds(left: float, program: Controller) -> str:
    """Seconds as a program reads them: whole ones are GTP; who knows KataGo's time settings takes parts, too."""
    if program.knows("kata-time_settings"):
        return f"{math.floor(100 * left) / 100:g}"
    return str(int(left) or math.ceil(left))


def with_stderr(error: Exception, program: Controller | None) -> str:
    """The complaint, with the last lines of the program's stderr but for those which it quotes."""
    said = program.complaints.splitlines()[-_STDERR_LINES:] if program else []
    lines = [line for line in said if line not in str(error)]
    return f"{error}" + (f" (on its stderr: {' | '.join(lines)})" if lines else "")
