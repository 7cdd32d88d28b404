"""The commands of `python -m selfplay`.

Knows their names, what they print, and the signals that end a worker. The work is done elsewhere and imported by need.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from goengine.options import parse_command
from selfplay.options import SgfOptions, WorkerOptions

DESCRIPTION = "Games of a net against itself. COMMAND --help lists a command's options."


def run_worker(options: WorkerOptions) -> int:
    """Play until SIGTERM, SIGINT, or the end of standard input where that matters; the games that are over are written."""
    from selfplay.worker import Worker

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _hear(stop, *_))
    if options.attached:
        threading.Thread(target=_end_with_input, args=(stop,), daemon=True).start()
    with Worker(options) as worker:
        worker.play(stop)
    sys.stderr.write(f"{worker.name}: {worker.summary()}\n")
    return 0


def _hear(stop: threading.Event, number: int, frame: FrameType | None) -> None:
    """The first signal asks for an end, the second one makes it."""
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()


def _end_with_input(stop: threading.Event) -> None:
    """Ask for an end when nobody holds the other end of standard input any more."""
    while os.read(0, 1024):  # not through sys.stdin: its lock would be held when the interpreter ends
        pass
    stop.set()


def run_sgf(options: SgfOptions) -> int:
    """Write the files, and say how many."""
    from goengine.zero.shards import Shard, write_sgf

    for path in options.shards:
        shard = Shard.load(path)
        write_sgf(shard, options.out)
        sys.stderr.write(f"{path}: {len(shard)} games of net {shard.net}\n")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0: done; 1: it failed, and stderr says why; 2: wrong options; 130: ended at once by a second signal."""
    commands = {"worker": (WorkerOptions, run_worker), "sgf": (SgfOptions, run_sgf)}
    name, options = parse_command(
        {key: kind for key, (kind, _) in commands.items()}, argv, prog="python -m selfplay", description=DESCRIPTION
    )
    from goengine.array_file import RecordError
    from goengine.evaluators.base import EvaluatorError
    from goengine.zero.run_folder import RunFolderError

    try:
        return commands[name][1](options)
    except KeyboardInterrupt:
        return 130
    except (RunFolderError, EvaluatorError, RecordError) as error:
        reason = str(error)
    except OSError as error:
        place = error.filename2 or error.filename
        reason = (f"{place}: " if place else "") + (error.strerror or str(error))
    sys.stderr.write(f"python -m selfplay {name}: {reason}\n")
    return 1
