"""One process per run folder: a lock that ends with its process, however that ends.

Knows who holds a folder and says so. The file stays behind; only the lock on it counts.
"""

import contextlib
import os
from pathlib import Path

from goengine.core.files import hold
from training.core.checkpoint import RunError

NAME = "lock"


class RunLock:
    """Holds a folder from construction to `release`, or to the end of the process, SIGKILL included."""

    def __init__(self, folder: Path):
        """Raises RunError, naming the process if that is known, if another one holds the folder; OSError if it cannot
        be written.
        """
        self.path = folder / NAME
        self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (closing it is what gives the lock back)
        try:
            hold(self._file.fileno())
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read(20).decode("ascii", "replace").strip()
            self._file.close()
            raise RunError(
                f"{folder}: another trainer{f' (process {holder})' if holder.isdigit() else ''} is at work there; "
                "wait for its end, stop it, or take another --run folder"
            ) from None
        with contextlib.suppress(OSError):  # on a full disk the lock holds, only without a name
            self._file.truncate(0)
            self._file.write(f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have the folder; may be called again."""
        self._file.close()
