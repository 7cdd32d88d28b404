"""When to start again what has died, and when that is no use any more: one rule for processes and for Ray's actors.

Knows times and counts; nothing of what is started.
"""

from dataclasses import dataclass

FAILURES = 5  # in a row, by its own fault, after which it is no use to start it again
HEALTHY = 60.0  # seconds of life after which earlier failures are forgotten
LONGEST_PAUSE = 30.0  # seconds before a start


@dataclass
class Restarts:
    """The starts and ends of one thing that should be there. Times are seconds of one clock."""

    failures: int = 0  # in a row
    again: float = 0.0  # the time of the next start
    started: float = 0.0

    def note_start(self, now: float) -> None:
        """It was started."""
        self.started = now

    def note_end(self, now: float, *, failed: bool) -> None:
        """It has ended; failed: by its own fault. The pause doubles with each failure; after a long life there is none."""
        healthy = now - self.started > HEALTHY
        self.failures = (0 if healthy else self.failures) + failed
        self.again = now + (0.0 if healthy else min(2.0 ** max(0, self.failures - 1), LONGEST_PAUSE))

    @property
    def hopeless(self) -> bool:
        """Whether it is no use to start it again."""
        return self.failures >= FAILURES
