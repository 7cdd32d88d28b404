"""A worker: plays with the newest net of a run folder and writes the games there.

Knows when to look for a net, when a shard is full, and what to say of itself. Games happen in `selfplay.boards`, files
are described by `goengine.zero`. Any number of workers may play into one folder, from any machine that sees it; none knows
of the others or of the learner.
"""

import dataclasses
import platform
import re
import secrets
import threading
import time
import zlib
from pathlib import Path
from types import TracebackType

import numpy as np

from goengine.core.lock import FileLock, LockHeldError
from goengine.core.progress import Progress
from goengine.evaluators.base import Evaluator, EvaluatorError
from goengine.evaluators.load import load
from goengine.zero import run_folder
from goengine.zero.run_folder import PublishedNet, RunFolderError, Status
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import ShardBuilder
from selfplay.boards import Boards
from selfplay.finished import FinishedGame
from selfplay.lockstep import SelfPlayStats
from selfplay.worker_options import WorkerOptions

LOOK_SECONDS = 2.0  # between two looks for a newer net
SHARD_SECONDS, SHARD_GAMES = 30.0, 256  # a shard is written at whichever comes first,
SOONER = 0.1  # or, early in a worker's life, after this share of its age: learning should not wait for it
NAME_SECONDS = 30.0  # that a restarted worker waits for its name, as the worker before it may still be ending
_SAY_SECONDS = 60.0  # between two lines where there is no terminal


class Worker:
    """A worker of a run; `play` does the work. Use it as a context manager.

    Raises RunFolderError if the folder is no run of this version, or a worker of this name is at work there.
    """

    def __init__(self, options: WorkerOptions):
        self.options, self.run = options, options.run
        self.name = options.name or re.sub(r"[^\w.-]", "-", platform.node() or "worker", flags=re.ASCII)
        self.config = run_folder.read_config(self.run)
        self._lock = hold_name(self.run, self.name, NAME_SECONDS if options.attached else 0.0)
        run_folder.remove_halves(self.run, self.name)
        self._before = run_folder.read_status(self.run, self.name)  # by earlier processes
        self._began = time.monotonic()
        self._written = _Mark(self._began, SelfPlayStats())
        self._counter_at_start = run_folder.next_shard_path(self.run, self.name).stem
        self._seed = secrets.randbits(62) if options.seed is None else options.seed
        self.net: PublishedNet | None = None  # that plays
        self._looked_at = -1  # number of the newest net that was tried
        self._evaluator: Evaluator | None = None
        self.boards = Boards(games=options.games, new_seed=self._new_seed, threads=options.threads)
        self._seeds = 0  # that were taken
        self._builders: dict[tuple[str, int], ShardBuilder] = {}  # by net and board size, as the next
        self._settings: dict[tuple[str, int], SelfPlayParams] = {}
        self.games = 0  # of this process
        self._positions = 0  # in these

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lock.release()
        self.boards.close()
        if self._evaluator is not None:
            self._evaluator.close()

    def play(self, stop: threading.Event) -> None:
        """Play until told to stop, or as many games as asked for; the games that are over are written, others are lost.

        Raises RunFolderError if the newest net cannot be for this run, EvaluatorError if the first one cannot be played or the
        device fails, OSError if the folder cannot be written.
        """
        with Progress(self.name, self.options.once, every=_SAY_SECONDS) as bar:
            looked = -LOOK_SECONDS
            try:
                while not stop.is_set() and not self._enough():
                    if time.monotonic() - looked >= LOOK_SECONDS:
                        self._look(bar)
                        looked = time.monotonic()
                    if self.net is None:
                        stop.wait(LOOK_SECONDS)
                        continue
                    for game in self.boards.step():
                        self._take(game)
                    if self._due():
                        self._write()
                    bar.update(self.games, self.summary())
            finally:
                for game in self.boards.take_ended():
                    self._take(game)
                self._write()

    def summary(self) -> str:
        """How it goes, in a few words."""
        if self.net is None:
            return "waits for a net"
        stats = self.boards.stats
        speed = stats.evaluations / max(stats.seconds, 1e-9)
        return f"{self.games:,} games, {speed:,.0f} evaluations/s, net {self.net.name} busy {100 * stats.busy:.0f} %"

    # -- nets --

    def _look(self, bar: Progress) -> None:
        """Go on with the newest net, if that is another one."""
        found = run_folder.newest(self.run)
        if found is None or found.number == self._looked_at:
            return
        self._looked_at = found.number
        try:
            evaluator = self._load(found)
        except EvaluatorError as error:
            if self.net is None:
                raise
            bar.message(f"{self.name}: {error}; goes on with net {self.net.name}")
            return
        self._use(evaluator, found)
        komi = ", ".join(f"{board.settings.komi:g}" for board in found.boards)
        device = self._evaluator.traits.device
        bar.message(f"{self.name}: plays with net {found.name} on {device}, {found.settings.visits} visits, komi {komi}")

    def _load(self, net: PublishedNet) -> Evaluator:
        """The evaluator, called as the net is. Raises RunFolderError if it cannot be for this run or this device."""
        options = self.options
        evaluator = load(net.file_for(options.device), device=options.device, precision="auto", threads=options.threads)
        sizes, wanted = (run_folder.words(found) for found in (net.sizes, self.config["sizes"]))
        if evaluator.features != self.config["features"] or sizes != wanted:
            evaluator.close()
            raise RunFolderError(
                f"{net.folder}: a net for the features {evaluator.features} and size {sizes}; the run is for "
                f"{self.config['features']} and size {wanted}: remove that net, or take another --run folder"
            )
        evaluator.traits = dataclasses.replace(evaluator.traits, name=net.name)
        return evaluator

    def _use(self, evaluator: Evaluator, net: PublishedNet) -> None:
        """Play with this net from now on."""
        self._settings |= {(net.name, board.settings.size): board.settings for board in net.boards}
        before = self._evaluator
        self.boards.use(evaluator, net.boards)
        if before is None:
            self._written = _Mark(time.monotonic(), SelfPlayStats())
        self._evaluator, self.net = evaluator, net
        if before is not None:
            before.close()

    def _new_seed(self) -> int:
        """A new seed for each worker, for each of its processes that has written something, and for each table."""
        words = [self._seed, zlib.crc32(self.name.encode()), zlib.crc32(self._counter_at_start.encode()), self._seeds]
        self._seeds += 1
        return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])

    # -- games --

    def _enough(self) -> bool:
        return self.options.once is not None and self.games >= self.options.once

    def _take(self, game: FinishedGame) -> None:
        """Keep a finished game with the others of its size and of the net that it began with."""
        key = game.net, game.record.size
        if key not in self._builders:
            self._builders[key] = ShardBuilder(game.record.size, game.net, self._settings[key].to_json())
        self._builders[key].add(game)
        self.games += 1
        self._positions += len(game.kind)

    def _due(self) -> bool:
        """Whether it is time for a shard."""
        waiting = sum(map(len, self._builders.values()))
        now = time.monotonic()
        patience = min(SHARD_SECONDS, max(LOOK_SECONDS, SOONER * (now - self._began)))
        return waiting >= SHARD_GAMES or (waiting > 0 and now - self._written.time >= patience)

    def _write(self) -> None:
        """A shard for each net and board size with finished games, and what this worker has done."""
        if not self._builders:
            return
        for key in list(self._builders):
            builder = self._builders.pop(key)
            try:
                builder.shard().save(run_folder.next_shard_path(self.run, self.name))
            except OSError:
                self._builders[key] = builder  # to be tried again; what was saved before it is saved
                raise
        run_folder.write_status(self.run, self.name, self._status())
        self._written = _Mark(time.monotonic(), self.boards.stats)

    def _status(self) -> Status:
        """What this worker has done, over all its processes, and lately."""
        now, then, before = self.boards.stats, self._written.stats, self._before
        seconds = max(now.seconds - then.seconds, 1e-9)
        return Status(
            games=before.games + now.games,
            positions=before.positions + self._positions,
            evaluations=before.evaluations + now.evaluations,
            seconds=round(before.seconds + now.seconds, 2),
            net_seconds=round(before.net_seconds + now.net_seconds, 2),
            net=self.net.name,
            device=self._evaluator.traits.device,
            given_up=before.given_up + now.given_up,
            falsely=before.falsely + now.falsely,
            games_per_minute=round(60 * (now.games - then.games) / seconds, 1),
            evaluations_per_second=round((now.evaluations - then.evaluations) / seconds, 1),
            busy=round((now.net_seconds - then.net_seconds) / seconds, 4),
            time=time.time(),
        )


@dataclasses.dataclass(frozen=True)
class _Mark:
    """When a shard was written, and what had been done by then."""

    time: float
    stats: SelfPlayStats


def hold_name(run: Path, name: str, patience: float) -> FileLock:
    """A lock that keeps others from using this name.

    Raises RunFolderError if another worker still has it after so many seconds.
    """
    run_folder.next_shard_path(run, name)  # judges the name
    try:
        return FileLock(run / run_folder.STATUS / f".{name}.lock", patience)
    except LockHeldError:
        raise RunFolderError(f"{run}: a worker '{name}' is at work there; give this one another --name") from None
