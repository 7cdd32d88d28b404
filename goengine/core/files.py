"""Files that are replaced whole, files that one process holds, and the door through which files of others come in.

Knows the file system and its locks; nothing of what is in the files.
"""

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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


_PART = re.compile(r"\..+\.(\d+)\.part")


def remove_parts(folder: str | os.PathLike[str], name: str | None = None) -> None:
    """Remove what processes that were killed left of `replacing` in a folder: of all files, or of the file ``name``.

    Files that a living process of this machine may be writing stay. To be called by who holds the folder, at a start.
    """
    for path in Path(folder).glob(".*.part"):
        match = _PART.fullmatch(path.name)
        if match and name in (None, path.name[1 : match.start(1) - 1]) and not _lives(int(match[1])):
            with contextlib.suppress(OSError):
                path.unlink()


def _lives(process: int) -> bool:
    if process == os.getpid():
        return False  # a number that is given again: nothing of this process is under way when it starts
    if sys.platform == "win32":
        return True  # there a signal would end it; what it may hold stays
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


_KINDS = (
    (stat.S_ISDIR, errno.EISDIR, "is a folder"),
    (stat.S_ISFIFO, errno.EINVAL, "is a pipe"),
    (stat.S_ISCHR, errno.EINVAL, "is a device"),
    (stat.S_ISBLK, errno.EINVAL, "is a device"),
    (stat.S_ISSOCK, errno.EINVAL, "is a socket"),
)


def open_outside(path: str | os.PathLike[str], limit: int) -> BinaryIO:
    """A file that comes from anywhere, open for reading, after a look at its kind and size.

    Raises OSError whose `strerror` is fit for people: there is no such file, it is no regular file (it is neither opened nor
    waited for), or it is longer than ``limit`` bytes. Nothing of its content is read.
    """
    _check_outside(os.stat(path), path, limit)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    try:
        _check_outside(os.fstat(file.fileno()), path, limit)  # another may have taken its place meanwhile
    except OSError:
        file.close()
        raise
    return file


def read_outside(path: str | os.PathLike[str], limit: int) -> bytes:
    """All of a file that comes from anywhere. Raises OSError as `open_outside`."""
    with open_outside(path, limit) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"is longer than {limit} bytes", str(path))
    return data


def _check_outside(found: os.stat_result, path: str | os.PathLike[str], limit: int) -> None:
    for is_kind, number, text in _KINDS:
        if is_kind(found.st_mode):
            raise OSError(number, f"{text}, not a file", str(path))
    if found.st_size > limit:
        raise OSError(errno.EFBIG, f"is too long: {found.st_size} bytes, at most {limit} are read", str(path))


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
