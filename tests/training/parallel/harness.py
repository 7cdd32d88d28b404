"""A server and its workers as threads of one process: everything but Ray."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from goengine.dataio.records import GamePack
from tests.training.conftest import random_record
from training.core.command_options import SupervisedOptions
from training.core.worker_options import of_a_worker
from training.parallel.cluster import step_rule
from training.parallel.messages import Gradient, Weights
from training.parallel.server import ParameterServer
from training.parallel.stragglers import Straggler
from training.parallel.worker import GradientWorker
from training.stages import supervised

SMALL: dict[str, Any] = {
    "net": "b2c16",
    "batch": 16,
    "steps": 6,
    "optimizer": "muon",
    "rate": 0.02,
    "threads": 1,
    "device": "cpu",
    "half": False,
    "log_every": 2,
    "validation_positions": 32,
}


def small_games(folder: Path, size: int = 5, games: int = 20) -> Path:
    """A pack of random games."""
    path = folder / f"games-{size}.npz"
    if not path.exists():
        GamePack.build(random_record(size, seed) for seed in range(games) if seed % 5).save(path)
    return path


def options(folder: Path, run: str = "run", **changes: Any) -> SupervisedOptions:
    """Options of a small supervised run."""
    pack = small_games(folder, changes.pop("size", 5))
    values = {"data": (pack,), "validation": pack, "run": folder / run, "parallel": "async", **SMALL, **changes}
    return SupervisedOptions(**values)


class Together:
    """A run of a server, and workers that come and go, in threads."""

    def __init__(self, config: Any, make: Callable[[Any], Any] = supervised.setup):
        self.config, self._make = config, make
        self.server = ParameterServer(make(config), step_rule(config))
        self.complete: bool | None = None
        self.error: Exception | None = None
        self.workers: list[threading.Thread] = []
        self._running = threading.Thread(target=self._run, daemon=True)
        self._running.start()

    def _run(self) -> None:
        try:
            self.complete = self.server.run()
        except Exception as error:  # noqa: BLE001 (looked at by the test)
            self.error = error

    def worker(self, name: str, straggler: Straggler = Straggler(), server: Any = None) -> threading.Event:  # noqa: B008
        """Let one work. Returns the event that ends it."""
        stop = threading.Event()
        found = GradientWorker(name, self._make(of_a_worker(self.config)), server or self.server, straggler)
        thread = threading.Thread(target=found.work, args=(stop,), daemon=True)
        thread.start()
        self.workers.append(thread)
        return stop

    def ended(self) -> bool | None:
        """Wait for the end. Returns whether the run is complete; raises what the run raised."""
        for thread in (self._running, *self.workers):
            thread.join(120)
            assert not thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.complete


def gradient(server: ParameterServer, weights: Weights, value: float = 0.0, **changes: Any) -> Gradient:
    """A gradient at these weights, of equal entries."""
    flat = server._flat
    values = np.full(flat.weights, value, np.float32)
    present, statistics = np.ones(len(flat.parameters), bool), weights.values[flat.weights :]
    return Gradient(weights.server, weights.step, values, present, statistics, 1.0, {})._replace(**changes)


def fates(server: ParameterServer) -> Mapping[str, int]:
    """What became of gradients."""
    return dict(server.ledger.fates)
