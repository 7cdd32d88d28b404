"""Workers with a pace of their own, and some that are slower than others, on purpose.

Several workers on few cores then stand for as many machines: each waits until its gradient has taken as long as it should.
"""

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Straggler:
    """How a worker lags behind; as it is, not at all."""

    pace: float = 0.0  # seconds that each of its gradients takes at least
    slow: float = 1.0  # or so many times as long as it was computed
    stops_at: int = -1  # before this one of its gradients, from 0, it stops once
    stops_for: float = 0.0  # seconds

    def before(self, number: int, stop: threading.Event) -> None:
        """To be called before gradient `number` is computed; a set event ends the wait."""
        if number == self.stops_at:
            stop.wait(self.stops_for)

    def after(self, took: float, stop: threading.Event) -> None:
        """To be called when a gradient has been computed in so many seconds."""
        more = max(self.pace, took) * self.slow - took
        if more > 0:
            stop.wait(more)
