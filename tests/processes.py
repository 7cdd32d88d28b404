"""Processes that tests start, and waiting for what they do."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence


@contextlib.contextmanager
def hearing_interrupts(words: Sequence[str], **settings) -> Iterator[subprocess.Popen]:
    """A process that hears SIGINT even where the tests themselves ignore it; settings are those of Popen. Killed at the end.

    A shell script starts its background jobs with SIGINT ignored, and a process inherits what is ignored, not what is handled:
    while the child starts, SIGINT has a handler here. Only in the main thread.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(words, **settings)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as something has happened. Raises AssertionError if it has not after so long."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
