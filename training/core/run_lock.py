"""One trainer per run folder."""

from pathlib import Path

from goengine.core.files import remove_parts
from goengine.core.lock import FileLock, LockHeldError
from training.core.checkpoint import RunError

NAME = "lock"


def lock_run(folder: Path) -> FileLock:
    """Hold a run's folder, and remove what a trainer was writing there when it was killed.

    Raises RunError, naming the process if it is known, if another one holds the folder; OSError if it cannot be written.
    """
    try:
        lock = FileLock(folder / NAME)
        remove_parts(folder)
        return lock
    except LockHeldError as error:
        raise RunError(
            f"{folder}: another trainer{f' (process {error.holder})' if error.holder else ''} is at work there; "
            "wait for its end, stop it, or take another --run folder"
        ) from None
