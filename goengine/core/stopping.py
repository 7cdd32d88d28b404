"""How a long job learns that it should end, and how a process that was started is ended with all that it has started.

Knows signals, groups of processes and standard input; nothing of the job, which looks at an event now and then.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


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


def own_group() -> dict[str, Any]:
    """Options of `subprocess.Popen` for a process that an interrupt from the keyboard does not reach, and `end_group` ends."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def end_group(process: subprocess.Popen[Any]) -> None:
    """End a process of its own group at once, and what it has started, which may outlive it."""
    with contextlib.suppress(OSError):  # there is nobody left
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
            return
        if process.poll() is None:
            tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(tree, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            process.kill()


def _wait_for_end_of_input(stop: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):  # not through sys.stdin, whose lock would be held when the interpreter ends
            pass
    stop.set()
