"""A worker: it takes the net from the server, computes the gradient of one batch, gives it, and begins again.

Its net, its loss and its samples are made by the same stage as in a process that learns alone. Knows neither Ray nor what is
learned.
"""

import threading
import time
from collections.abc import Iterator

import torch
from torch import nn

from training.core.device_feed import Batch, DeviceFeed
from training.core.setup import Setup
from training.parallel.fingerprint import fingerprint
from training.parallel.flat import FlatModule
from training.parallel.messages import Gradient, Server, Weights
from training.parallel.stragglers import Straggler

LEASE = 4  # batches whose numbers are asked for at once
WAIT_SECONDS = 0.2  # between two looks whether there is a batch


class GradientWorker:
    """Computes gradients for a server."""

    def __init__(self, name: str, setup: Setup, server: Server, straggler: Straggler):
        """Raises RunError if its device is missing."""
        self.name, self._setup, self._server, self._straggler = name, setup, server, straggler
        self._feed = DeviceFeed(setup.loop.device, setup.loop.half)
        self._module = setup.module.to(self._feed.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._flat = FlatModule(self._module)
        self._forward: nn.Module = self._module
        if setup.loop.compile:
            self._forward = torch.compile(self._module, dynamic=False)  # type: ignore[assignment]
        self.count = 0  # gradients that were given

    def work(self, stop: threading.Event) -> str:
        """Until told to stop, or the run is over. Returns why the server refused it, '' if it did not."""
        if why := self._server.join(self.name, fingerprint(self._setup)):
            return why
        self._module.train()
        own = None if self._setup.stage.drawn_by_server else self._feed.feed(self._setup.stage.batches(self._numbers()))
        weights = self._server.pull(self.name)
        while not stop.is_set() and not weights.ended:
            if not weights.known:  # the server was started again
                if why := self._server.join(self.name, fingerprint(self._setup)):
                    return why
                weights = self._server.pull(self.name)
                continue
            batch = self._batch(own, weights)
            if batch is None:
                stop.wait(WAIT_SECONDS)
                weights = self._server.pull(self.name)
                continue
            self._straggler.before(self.count, stop)
            began = time.monotonic()
            gradient = self._gradient(weights, batch)
            self._straggler.after(time.monotonic() - began, stop)
            weights = self._server.push(self.name, gradient._replace(seconds=time.monotonic() - began))
            self.count += 1
        return ""

    def _numbers(self) -> Iterator[int]:
        """Numbers of the first samples of batches that are this worker's."""
        batch = self._setup.loop.batch
        while True:
            first = self._server.lease(self.name, LEASE)
            yield from range(first, first + LEASE * batch, batch)

    def _batch(self, own: Iterator[Batch | None] | None, weights: Weights) -> Batch | None:
        if own is not None:
            return next(own)
        return None if weights.batch is None else self._feed.put(weights.batch)

    def _gradient(self, weights: Weights, batch: Batch) -> Gradient:
        self._flat.write(weights.values)
        self._setup.stage.progress = weights.progress
        batch |= {"progress": torch.tensor(weights.progress), "step": torch.tensor(weights.step)}
        with self._feed.autocast():
            loss, figures = self._setup.stage.loss(self._forward, batch)
        loss.backward()
        values, present = self._flat.read_gradients()
        for p in self._flat.parameters:
            p.grad = None
        told = {name: float(value) for name, value in figures.items()}
        return Gradient(weights.server, weights.step, values, present, self._flat.read_statistics(), float(loss.detach()), told)
