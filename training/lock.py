"""One process per run folder: a lock that ends with its process, however that ends.

Knows the operating system's file locks, nothing of runs. The file stays behind; only the lock on it counts.
"""

import contextlib
import os
import sys
from pathlib import Path

from training.checkpoint import RunError

NAME = "lock"
_PLACE = 1 << 20  # the byte that Windows locks: far behind the text, which others may then still read


class RunLock:
    """Holds a folder from construction to `release`, or to the end of the process, SIGKILL included."""

    def __init__(self, folder: Path):
        """Raises RunError, naming the process if that is known, if another one holds the folder; OSError if it cannot
        be written.
        """
        self.path = folder / NAME
        self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (closing it is what gives the lock back)
        try:
            _take(self._file.fileno())
        except (BlockingIOError, PermissionError):
            self._file.seek(0)
            holder = self._file.read(20).decode("ascii", "replace").strip()
            self._file.close()
            raise RunError(
                f"{folder}: another trainer{f' (process {holder})' if holder.isdigit() else ''} is at work there; "
                "wait for its end, stop it, or take another --run folder"
            ) from None
        except OSError:
            pass  # a file system without locks: nothing can be known, and training must still work there
        with contextlib.suppress(OSError):  # on a full disk the lock holds, only without a name
            self._file.truncate(0)
            self._file.write(f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have the folder; may be called again."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
