"""What server and workers tell each other."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np


class Weights(NamedTuple):
    """The net as it stands, and what a worker must know of the run."""

    server: str  # which life of the server: after a restart it is another one
    step: int
    progress: float  # share of the run that is done
    values: np.ndarray  # float32[W+S], as `training.parallel.flat` lays them out
    batch: Mapping[str, np.ndarray] | None = None  # to learn from, where the server draws the batches and has one
    known: bool = True  # False: the worker must join (again)
    ended: bool = False  # the run is over, or stops


class Gradient(NamedTuple):
    """What a worker has found on one batch."""

    server: str  # of the weights that it is the gradient at
    step: int
    values: np.ndarray  # float32[W]
    present: np.ndarray  # bool[P], which parameters have one
    statistics: np.ndarray  # float32[S], of the norms, after this batch
    loss: float
    figures: Mapping[str, float]
    seconds: float = 0.0  # that it took, without the way to the server and back


class Server(Protocol):
    """What workers ask for."""

    def join(self, name: str, fingerprint: Mapping[str, str]) -> str:
        """Take a worker in. Returns why it is refused, '' if it is not."""

    def pull(self, name: str) -> Weights:
        """The net as it stands."""

    def push(self, name: str, gradient: Gradient) -> Weights:
        """Give a gradient; returns the net once that has been used or dropped."""

    def lease(self, name: str, batches: int) -> int:
        """Number of the first sample of so many batches that nobody else gets."""
