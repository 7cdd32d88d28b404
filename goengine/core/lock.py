"""A lock on a file: it ends with the process that holds it, however that process ends.

Knows which process holds the file, where that process wrote it down. The file stays behind; only the lock on it counts.
"""

import contextlib
import os
import time
from pathlib import Path

from goengine.core.files import hold

RETRY_SECONDS = 0.2


class LockHeldError(Exception):
    """Another process holds the file. ``holder``: its process number as text, empty if it is not known."""

    def __init__(self, holder: str):
        super().__init__(f"held by process {holder}" if holder else "held by another process")
        self.holder = holder


class FileLock:
    """Holds a file from construction to `release`, or to the end of the process, SIGKILL included."""

    def __init__(self, path: Path, patience: float = 0.0):
        """patience: seconds to wait for a process that holds the file.

        Raises LockHeldError if another process holds it for longer; OSError if the file cannot be written.
        """
        self.path = path
        self._file = open(path, "a+b", buffering=0)  # noqa: SIM115 (closing it releases the lock)
        end = time.monotonic() + patience
        while not self._taken():
            if time.monotonic() >= end:
                self._file.seek(0)
                holder = self._file.read(20).decode("ascii", "replace").strip()
                self._file.close()
                raise LockHeldError(holder if holder.isdigit() else "")
            time.sleep(RETRY_SECONDS)
        with contextlib.suppress(OSError):  # on a full disk the lock holds, only without a name
            self._file.truncate(0)
            self._file.write(f"{os.getpid()}\n".encode())

    def _taken(self) -> bool:
        try:
            hold(self._file.fileno())
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let others have the file; may be called again."""
        self._file.close()
