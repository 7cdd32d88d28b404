"""The self-test of a run: every part of it once, on a small board, before anything long.

Knows which parts a run has, and in which order they need each other: the packages and the device, the kernels, a worker that
plays, a step of learning, a published net that the worker takes up. They are the run's own programs in a folder that is removed
afterwards. The first part that fails ends it, and is named with its reason.
"""

import contextlib
import dataclasses
import io
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from goengine.core import machine
from goengine.core.options import Seconds
from goengine.core.stopping import told_to_stop
from goengine.nets import devices
from goengine.zero import run_folder
from training.core.checkpoint import RunError
from training.core.worker_options import alone
from training.stages.supervised import fresh_or_loaded
from training.zero import division, learner
from training.zero.processes import ProcessGroup, WatchedProcess
from training.zero.publishing import Story, publish_net
from training.zero.zero_options import ZeroOptions

SIZE, VISITS, GAMES, BATCH = 5, 4, 10, 16
WORKER, AT_ONCE = "t1", 16  # name of the worker, and games that it plays at once
KERNELS_SECONDS, GAMES_SECONDS, NET_SECONDS = 600.0, 180.0, 90.0  # after which a part has failed
_POLL_SECONDS = 0.1

Say = Callable[[str], None]


class _Stopped(Exception):
    """A signal asked for the end."""


def run(config: ZeroOptions, say: Say) -> bool:
    """Test what the run needs. Returns False if a signal stopped it. Raises RunError if a part fails.

    config: of the run, with its defaults resolved. Called in the main thread.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="goengine-self-test-") as folder, told_to_stop() as stop:
        try:
            _Test(config, Path(folder) / "run", say, stop).run()
        except _Stopped:
            return False
    say(f"self-test: passed in {time.monotonic() - began:.0f} s")
    return True


class _Test:
    """The parts, in a run folder of its own."""

    def __init__(self, config: ZeroOptions, folder: Path, say: Say, stop: threading.Event):
        self.asked, self.config, self.folder = config, _small(config, folder), folder
        self._say, self._stop = say, stop

    def run(self) -> None:
        """All parts in order. Raises RunError if one fails, _Stopped after a signal."""
        with self._part("packages and device"):
            self._compute()
        with self._part("kernels"):
            self._compile()
        folder = self.folder / run_folder.STATUS
        options = ["--run", str(self.folder), "--name", WORKER, "--games", str(AT_ONCE), "--device", self.config.device]
        worker = _process(WORKER, folder, "worker", *options, "--attached")
        with contextlib.ExitStack() as stack:
            with self._part(f"{GAMES} games on {SIZE}x{SIZE}"):
                self._publish()
                stack.enter_context(ProcessGroup([worker], self._say))
                self._wait(worker, lambda: self._status().games >= GAMES, GAMES_SECONDS)
            with self._part("a step of learning"):
                self._learn()
            newest = run_folder.newest(self.folder)
            with self._part("a published net, loaded and played"):
                self._wait(worker, lambda: newest is not None and self._status().net == newest.name, NET_SECONDS)

    @contextlib.contextmanager
    def _part(self, name: str) -> Iterator[None]:
        """Say how long it took, or why it failed."""
        began = time.monotonic()
        try:
            yield
        except _Stopped:
            raise
        except Exception as error:
            why = devices.failure(error, self.config.device) or str(error) or type(error).__name__
            raise RunError(
                f"self-test: {name}: failed after {time.monotonic() - began:.1f} s: {why} (--no-self-test leaves the test out)"
            ) from error
        self._say(f"self-test: {name}: {time.monotonic() - began:.1f} s")

    def _compute(self) -> None:
        """Multiply on each device that is played on, and compare with the CPU."""
        versions = ", ".join(f"{name} {version}" for name in machine.PACKAGES if (version := machine.installed(name)))
        self._say(f"self-test: {versions}")
        ones = torch.ones(64, 64)
        for number in range(max(1, division.here().gpus)):
            place = devices.torch_device(division.worker_device(self.config.device, number, division.here().gpus))
            if not torch.equal((ones.to(place) @ ones.to(place)).cpu(), ones @ ones):
                raise RunError(f"{place} computes wrong sums; look at nvidia-smi and the driver")

    def _compile(self) -> None:
        """The kernels of self-play, in a process of its own: what workers start with is in the cache then."""
        options = ["--net", "uniform", "--sizes", str(SIZE), "--games", "4", "--visits", str(VISITS), "--seconds", "0.1"]
        self.folder.parent.mkdir(exist_ok=True)
        process = _process("kernels", self.folder.parent, "bench", *options)
        with ProcessGroup([process], self._say):
            self._wait(process, lambda: process.process is not None and process.process.poll() == 0, KERNELS_SECONDS)

    def _publish(self) -> None:
        """The net that the run begins or goes on with, as the first of the test's run."""
        there = (self.asked.run / run_folder.CONFIG).exists() and run_folder.newest(self.asked.run)
        net = str(there.folder / run_folder.WEIGHTS) if there else self.asked.net
        module = fresh_or_loaded(net, self.asked.features, self.asked.seed)
        run_folder.create(self.folder, [SIZE], module.spec.features, {})
        publish_net(self.folder, module, module.spec, self.config.boards(0.0), Story(), graph=self.config.exports)

    def _learn(self) -> None:
        """A step on the worker's games; its net is published."""
        first = run_folder.newest(self.folder)
        assert first is not None
        config = dataclasses.replace(self.config, net=str(first.folder / run_folder.WEIGHTS))
        with contextlib.redirect_stderr(io.StringIO()):  # people wait for the run's own lines
            if not learner.learn(config, self.folder):
                raise _Stopped
        arrays = learner.weights_file.load(self.folder / run_folder.LEARNER / run_folder.WEIGHTS).arrays
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise RunError("a weight is not a number after one step")

    def _status(self) -> run_folder.Status:
        return run_folder.read_status(self.folder, WORKER)

    def _wait(self, process: WatchedProcess, happened: Callable[[], bool], seconds: float) -> None:
        """Wait for something that a process does. Raises RunError if that ends before, or the time is over."""
        end = time.monotonic() + seconds
        while not happened():
            if self._stop.wait(_POLL_SECONDS):
                raise _Stopped
            code = None if process.process is None else process.process.poll()
            if code is not None and not happened():
                raise RunError(f"its process ended with status {code}: {process.last_words()}")
            if time.monotonic() > end:
                raise RunError(f"not done after {seconds:.0f} s; its process last said: {process.last_words() or 'nothing'}")


def _process(name: str, folder: Path, *command: str) -> WatchedProcess:
    """A process of self-play with one thread, whose output goes into `folder`."""
    words = (sys.executable, "-m", "selfplay", *command)
    return WatchedProcess(name, words, folder / f"{name}.log", environment=division.ONE_THREAD)


def _small(config: ZeroOptions, folder: Path) -> ZeroOptions:
    """The run's options for one step on a small board."""
    return dataclasses.replace(
        alone(config),
        run=folder,
        size=str(SIZE),
        visits=str(VISITS),
        batch=BATCH,
        window=10 * BATCH,
        first_rows=BATCH,
        uses=100.0,
        steps=1,
        budget=None,
        data=(),
        data_share=None,
        validation=None,
        validation_positions=BATCH,
        compile=False,  # takes a minute
        anchor="",
        cluster="",
        rate_games=0,
        save_every=Seconds(3600),
        validate_every=Seconds(3600),
    )
