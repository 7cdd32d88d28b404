"""How a long job learns that it should end: by a signal, or because the process that started it is gone.

Knows signals and standard input; nothing of the job, which looks at an event now and then.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def told_to_stop(*, attached: bool = False) -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second signal ends the job at once, by KeyboardInterrupt.

    attached: the end of standard input sets it, too: whoever holds the other end of that pipe is gone. Outside the main thread
    signals cannot be taken, and the caller needs its own way to stop the job.
    """
    stop = threading.Event()

    def hear(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    old = {}
    if threading.current_thread() is threading.main_thread():
        old = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    if attached:
        threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):  # not through sys.stdin, whose lock would be held when the interpreter ends
            pass
    stop.set()
