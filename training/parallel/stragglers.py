"""Workers that are slower than others, on purpose: how a run bears them can be measured on one machine."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Straggler:
    """How a worker lags behind; as it is, not at all."""

    slow: float = 1.0  # each of its gradients takes so many times as long
    stops_at: int = -1  # before this one of its gradients, from 0, it stops once
    stops_for: float = 0.0  # seconds

    def before(self, number: int, stop: threading.Event) -> None:
        """To be called before gradient `number` is computed; a set event ends the wait."""
        if number == self.stops_at:
            stop.wait(self.stops_for)

    def after(self, took: float, stop: threading.Event) -> None:
        """To be called when a gradient has been computed in so many seconds."""
        if self.slow > 1:
            stop.wait(took * (self.slow - 1))
