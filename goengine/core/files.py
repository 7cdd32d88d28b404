"""Files that are replaced whole, and files that one process holds.

Knows the file system and its locks; nothing of what is in the files.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_PLACE = 1 << 20  # the byte that Windows locks: far behind the text, which others may then still read


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path` to write to; takes its place when the block ends well, is removed when it does not."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def hold(descriptor: int) -> None:
    """Lock an open file until it is closed or the process ends, SIGKILL included.

    Raises BlockingIOError if another process holds it. Where the file system has no locks, nothing can be known, and
    the work must still be done: then it does nothing.
    """
    try:
        _take(descriptor)
    except (BlockingIOError, PermissionError) as error:
        raise BlockingIOError(error.errno, "held by another process") from None
    except OSError:
        pass


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
