"""Matches between two nets without a protocol: games in lock step, in one process or in several side by side.

`play_in_process` deals the fixtures out; `goengine.arena.batched_games` plays them. Each further process loads its own nets and
has a share of the games. The result of a fixture does not depend on who plays it, nor on what is played beside it.
"""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from goengine.arena.batched_games import BatchedGames, NetQueue, NetStats
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Play, Side
from goengine.arena.live_game import limits_of
from goengine.arena.players import NetPlayer
from goengine.core.machine import usable_cores
from goengine.evaluators.base import Evaluator, EvaluatorError

SEATS, MOST_SEATS = 32, 64  # games at once in a process: enough for batches in which a net is near its fastest
_LOOK_EVERY = 0.2  # seconds between two questions whether to stop, while all processes are at work
_PATIENCE = 5.0  # seconds for a process to end by itself


class LockStepError(RuntimeError):
    """The games cannot be played here; the message says why."""


def play_in_process(
    players: Mapping[Side, NetPlayer],
    *,
    games_at_once: int | None = None,
    workers: int | None = None,
    groups: int | None = None,
    evaluators: Mapping[Side, Evaluator] | None = None,
    stats: NetStats | None = None,
) -> Play:
    """A `Play` for two nets.

    games_at_once: of all processes together; None: SEATS in each, or more with few leaves. workers: processes; None: one per
    core, each with one thread for its nets; with 1 the games are played in this process, and nets have the threads that their
    players want. groups: see `BatchedGames`; None: 2 where a net is not on the CPU. evaluators: instead of the players' own
    nets, in this process. stats: is filled in. Raises ValueError if a player needs a clock; `Play` raises EvaluatorError if a
    net cannot be loaded and LockStepError if a process fails.
    """
    for player in players.values():
        limits_of(player)
    count = 1 if evaluators is not None else usable_cores() if workers is None else workers
    total = stats if stats is not None else NetStats()
    if count < 1 or (games_at_once is not None and games_at_once < 1):
        raise ValueError(f"workers and games at once must be at least 1, not {count} and {games_at_once}")

    def play(
        fixtures: Sequence[Fixture], terms: GameSetup, on_played: Callable[[GameOutcome], None], should_stop: Callable[[], bool]
    ) -> None:
        processes = min(count, -(-len(fixtures) // 2))  # a pair each, at least
        seats = _usual_seats(players) if games_at_once is None else -(-games_at_once // max(1, processes))
        seats = min(seats, -(-len(fixtures) // max(1, processes)))
        if not fixtures:
            return
        if processes == 1:
            _play_here(_Job(players, terms, seats, groups), evaluators, fixtures, on_played, should_stop, total)
        else:
            single = {side: replace(player, threads=1) for side, player in players.items()}
            _Pool(_Job(single, terms, seats, groups), processes).play(fixtures, on_played, should_stop, total)

    return play


def _usual_seats(players: Mapping[Side, NetPlayer]) -> int:
    """Games at once in a process: the more, the fewer leaves each gives to a batch."""
    return max(SEATS, min(MOST_SEATS, 128 // min(player.params.leaves for player in players.values())))


def _usual_groups(nets: Mapping[Side, NetQueue]) -> int:
    """On a CPU trees and nets share the cores, and one group makes the larger batches."""
    return 1 if all(net.traits.device.startswith("cpu") for net in nets.values()) else 2


def _nets(players: Mapping[Side, NetPlayer], evaluators: Mapping[Side, Evaluator] | None, size: int) -> dict[Side, NetQueue]:
    """Each player's net for that board size; one for both where they have the same."""
    a, b = players["a"], players["b"]
    if evaluators is not None:
        first = NetQueue(evaluators["a"], a.symmetries)
        same = evaluators["a"] is evaluators["b"] and a.symmetries == b.symmetries
        return {"a": first, "b": first if same else NetQueue(evaluators["b"], b.symmetries)}
    first = NetQueue(a.load(size), a.symmetries)
    same = a.source == b.source and a.symmetries == b.symmetries
    return {"a": first, "b": first if same else NetQueue(b.load(size), b.symmetries)}


@dataclass(frozen=True)
class _Job:
    """What a process is told at its start."""

    players: Mapping[Side, NetPlayer]
    terms: GameSetup
    seats: int
    groups: int | None

    def batched_games(self, nets: Mapping[Side, NetQueue]) -> BatchedGames:
        """Where its games are played, by these nets."""
        return BatchedGames(self.players, nets, self.terms, self.seats, self.groups or _usual_groups(nets))


def _play_here(
    job: _Job,
    evaluators: Mapping[Side, Evaluator] | None,
    fixtures: Sequence[Fixture],
    on_played: Callable[[GameOutcome], None],
    should_stop: Callable[[], bool],
    stats: NetStats,
) -> None:
    """Play the fixtures in this process, with these evaluators or the players' own nets."""
    nets = _nets(job.players, evaluators, job.terms.size)
    batched, waiting = job.batched_games(nets), deque(fixtures)
    try:
        while (waiting or batched.playing) and not should_stop():
            while waiting and batched.playing < job.seats:
                batched.seat(waiting.popleft())
            for played in batched.step():
                on_played(played)
    finally:
        stats.add(batched.stats)
        if evaluators is None:
            for net in nets.values():
                net.close()


def _work(connection: Connection, job: _Job) -> None:
    """A process: takes fixtures until it gets None, plays them, sends each game as it ends and its `Stats` at last.

    What goes wrong is sent as an exception.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who dealt the games out ends the process
    try:
        nets = _nets(job.players, None, job.terms.size)
        batched = job.batched_games(nets)
        more = True
        while more or batched.playing:
            while more and (not batched.playing or connection.poll()):
                fixture = connection.recv()
                if fixture is None:
                    more = False
                else:
                    batched.seat(fixture)
            for played in batched.step():
                connection.send(played)
        connection.send(batched.stats)
    except (EOFError, BrokenPipeError):
        pass  # nobody waits for the games any more
    except EvaluatorError as error:
        connection.send(error)
    except Exception as error:  # noqa: BLE001  the other end says it aloud; not every exception can be sent as it is
        connection.send(LockStepError(f"a process that played games failed: {type(error).__name__}: {error}"))


@dataclass
class _Worker:
    """A process and what it is playing."""

    process: BaseProcess
    connection: Connection
    playing: int = 0
    told_end: bool = False
    done: bool = field(default=False)


def _ended(worker: _Worker) -> LockStepError:
    worker.process.join(_PATIENCE)
    return LockStepError(
        f"a process that played games ended with status {worker.process.exitcode}; the games recorded so far are good"
    )


class _Pool:
    """Processes that play one list of fixtures."""

    def __init__(self, job: _Job, processes: int):
        self.job = job
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of libraries, not the threads
        self.workers = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, job), daemon=True)
            process.start()
            theirs.close()
            self.workers.append(_Worker(process, ours))

    def play(
        self,
        fixtures: Sequence[Fixture],
        on_played: Callable[[GameOutcome], None],
        should_stop: Callable[[], bool],
        stats: NetStats,
    ) -> None:
        """Deal the fixtures out in order and call back for each game; returns when all are played, or told to stop."""
        waiting = deque(fixtures)
        try:
            self._deal(waiting)
            while not all(worker.done for worker in self.workers) and not should_stop():
                by_connection: dict[Any, _Worker] = {worker.connection: worker for worker in self.workers if not worker.done}
                for connection in wait(list(by_connection), _LOOK_EVERY):
                    self._receive(by_connection[connection], on_played, stats)
                self._deal(waiting)
        finally:
            self._end()

    def _deal(self, waiting: deque[Fixture]) -> None:
        """Fill the seats, the emptiest process first; tell those that wait for no more that nothing will come."""
        while waiting:
            free = [worker for worker in self.workers if worker.playing < self.job.seats and not worker.done]
            if not free:
                return
            worker = min(free, key=lambda worker: worker.playing)
            self._send(worker, waiting.popleft())
            worker.playing += 1
        for worker in self.workers:
            if not worker.told_end and not worker.done:
                self._send(worker, None)
                worker.told_end = True

    def _send(self, worker: _Worker, message: Fixture | None) -> None:
        """Tell a process something. Raises LockStepError if it has ended."""
        try:
            worker.connection.send(message)
        except OSError:
            raise _ended(worker) from None

    def _receive(self, worker: _Worker, on_played: Callable[[GameOutcome], None], stats: NetStats) -> None:
        """One message of a process. Raises what the process raised."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):  # a process that has not read all it was sent resets the connection
            raise _ended(worker) from None
        if isinstance(message, GameOutcome):
            worker.playing -= 1
            on_played(message)
        elif isinstance(message, NetStats):
            stats.add(message)
            worker.done = True
        else:
            raise message

    def _end(self) -> None:
        """End all processes; those still at work lose their games."""
        for worker in self.workers:
            worker.connection.close()
            if not worker.done:
                worker.process.terminate()
        end = time.monotonic() + _PATIENCE
        for worker in self.workers:
            worker.process.join(max(0.1, end - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
