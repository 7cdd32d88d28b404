"""Any two programs that speak GTP as players of a match: processes, clocks, and what becomes of a game when one misbehaves.

Whatever a program does (hang, die, write rubbish, break the rules, overrun its clock) ends in a recorded result, never in a
match that stands still. A net in such a match is the command `goengine gtp` of this interpreter. Judges no moves itself
(`goengine.arena.referee`).
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from goengine.arena.dead_stones import PATIENCE
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Play, Side, other
from goengine.arena.gtp_player import set_up, tell_clock
from goengine.arena.players import NetPlayer, Player
from goengine.arena.program_game import Failure, ProgramGame, ProgramSettings, with_stderr
from goengine.arena.referee import Referee
from goengine.arena.timing import TimeControl
from goengine.gtp.controller import CommandFailed, Controller, ControllerError, NoAnswer

SIDES: tuple[Side, Side] = ("a", "b")
_ALIVE_SECONDS = 10.0  # for a program to show that it is there, after its opponent has failed
_QUIT_SECONDS = 2.0  # for a program to end by itself after a game
_POLL_SECONDS = 0.2


class _NoStart(Exception):
    """A game that cannot begin."""


def command_of(player: Player, seed: int, clock: TimeControl | None) -> list[str]:
    """The command line of a player; `{seed}` in a program's is replaced."""
    if isinstance(player, NetPlayer):
        if clock is not None and player.seconds is None:
            seconds = clock.move if clock.move is not None or player.visits is not None else 1.0
            player = replace(player, seconds=seconds)  # with neither time nor visits it would take its usual number of visits
        return list(player.command(seed=seed))
    return [word.replace("{seed}", str(seed)) for word in player.command]


def play_programs(players: Mapping[Side, Player], settings: ProgramSettings) -> Play:
    """The way to play a match between programs; `settings.parallel` games run at the same time."""

    def play(
        fixtures: Sequence[Fixture], terms: GameSetup, on_played: Callable[[GameOutcome], None], should_stop: Callable[[], bool]
    ) -> None:
        stop = threading.Event()
        todo = deque(fixtures)
        results: queue.Queue[GameOutcome] = queue.Queue()
        tables = [ProgramPair(players, terms, settings, stop) for _ in range(min(settings.parallel, len(todo)))]
        with ThreadPoolExecutor(max(1, len(tables))) as pool:
            try:
                workers = [pool.submit(_work, table, todo, results, stop) for table in tables]
                while not (all(worker.done() for worker in workers) and results.empty()):
                    played = None
                    with suppress(queue.Empty):
                        played = results.get(timeout=_POLL_SECONDS)
                    if played is not None:
                        on_played(played)
                    if should_stop():
                        return
                    for worker in workers:
                        if worker.done():
                            worker.result()  # raises what went wrong in it
            finally:
                stop.set()
                for table in tables:
                    table.close()

    return play


def _work(table: ProgramPair, todo: deque[Fixture], results: queue.Queue[GameOutcome], stop: threading.Event) -> None:
    """Play games until none is left."""
    try:
        while not stop.is_set():
            try:
                fixture = todo.popleft()
            except IndexError:
                return
            played = table.play(fixture)
            if played is not None:
                results.put(played)
    finally:
        table.close()


class ProgramPair:
    """Where two programs play one game after the other."""

    def __init__(self, players: Mapping[Side, Player], terms: GameSetup, settings: ProgramSettings, stop: threading.Event):
        self._players, self._terms, self._settings, self._stop = players, terms, settings, stop
        self._programs: dict[Side, Controller] = {}
        self._judge: Controller | None = None
        self._names: dict[Side, str] = {}
        self._lock = threading.Lock()

    def close(self, patience: float = 0.0) -> None:
        """End both programs, which have so many seconds to do it themselves, and a judge at once."""
        for side in SIDES:
            self._end(side, patience)
        with self._lock:
            judge, self._judge = self._judge, None
        if judge is not None:
            judge.close(0.0)

    def play(self, fixture: Fixture) -> GameOutcome | None:
        """Play one game. None if the match was stopped meanwhile."""
        referee = Referee(fixture, self._terms, stop_when_decided=self._settings.stop_when_decided)
        game = None
        try:
            for side in SIDES:
                self._prepare(side, referee)
            game = ProgramGame(referee, dict(self._programs), self._settings, self._hire)
            played = game.play(self._stop.is_set)
        except _NoStart as error:
            played = referee.void(detail=str(error))
        except Failure as failure:
            played = self._lost(referee, failure)
        sound = played is not None and played.reason in ("score", "resignation", "move limit")
        if not (sound and self._settings.reuse):
            self.close(_QUIT_SECONDS if sound else 0.0)
        if self._stop.is_set() or played is None:
            return None
        return replace(played, names=dict(self._names), seconds=dict(game.seconds) if game else {})

    def _prepare(self, side: Side, referee: Referee) -> None:
        """A program that stands before the position after the opening. Raises _NoStart if it does not."""
        try:
            if side not in self._programs:
                self._start(side, referee.fixture.seed)
            set_up(self._programs[side], referee.position)
            tell_clock(self._programs[side], self._clock_for(side))
        except ControllerError as error:
            detail = with_stderr(error, self._programs.get(side))
            self._end(side, 0.0)
            raise _NoStart(f"player {side} did not get ready: {detail}") from None

    def _clock_for(self, side: Side) -> TimeControl | None:
        """What a program is told of the clock: nothing, where it was started with its seconds per move."""
        clock, player = self._settings.clock, self._players[side]
        own = isinstance(player, NetPlayer) and clock is not None and clock.move is not None
        return None if own else clock

    def _start(self, side: Side, seed: int) -> None:
        settings = self._settings
        program = Controller(command_of(self._players[side], seed, settings.clock), timeout=settings.patience)
        with self._lock:
            self._programs[side] = program
        if self._stop.is_set():
            raise NoAnswer("the match was stopped")
        name = program.ask("name", settings.start_patience)
        with suppress(CommandFailed):
            name = f"{name} {program.ask('version')}".strip()
        self._names[side] = name[:100]
        if program.knows("set_random_seed"):
            with suppress(CommandFailed):
                program.ask(f"set_random_seed {seed}")

    def _hire(self, command: str) -> Controller:
        """A judge, whom `close` ends like the players. Raises ControllerError if it cannot be started."""
        judge = Controller(command, timeout=PATIENCE)
        with self._lock:
            self._judge = judge
        if self._stop.is_set():
            judge.close(0.0)
        return judge

    def _end(self, side: Side, patience: float) -> None:
        with self._lock:
            program = self._programs.pop(side, None)
        if program is not None:
            program.close(0.0 if self._stop.is_set() else patience)

    def _lost(self, referee: Referee, failure: Failure) -> GameOutcome:
        """The game of a program that failed: the other has won if it is still there."""
        winner = other(failure.side)
        try:
            self._programs[winner].ask("protocol_version", _ALIVE_SECONDS)
        except CommandFailed:
            pass  # it answers
        except (ControllerError, KeyError) as error:
            return referee.void(detail=f"both failed. {failure.side}: {failure.reason}, {failure.detail}; {winner}: {error}")
        return referee.lost_by(failure.side, failure.reason, detail=failure.detail)
