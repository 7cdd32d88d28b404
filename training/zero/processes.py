"""The processes beside a learner: started, watched, started again when they die, ended with the learner.

Knows processes; nothing of what they do. Each has a pipe as its standard input whose other end only this process holds: it
ends when we are gone, however we went. What it says goes into a file of its own.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from goengine.core.stopping import own_group
from training.core.checkpoint import RunError

PATIENCE = 20.0  # seconds to end by itself: a worker still writes its games
FAILURES = 5  # in a row, after which it is no use to start it again
HEALTHY = 60.0  # seconds of life after which earlier failures are forgotten
_LONGEST_PAUSE = 30.0
# Codes of a process that somebody ended, which may happen however often. Other signals are its own failures.
_KILLED = frozenset(-getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGKILL") if hasattr(signal, name))
_TAIL = 2000  # bytes of what it said last


@dataclass
class WatchedProcess:
    """A process that should be there. required: whether we cannot go on without it."""

    name: str
    command: Sequence[str]
    log: Path
    required: bool = True
    process: subprocess.Popen | None = None
    started: float = 0.0
    failures: int = 0
    again: float = 0.0  # when to start it next
    given_up: bool = False

    def start(self) -> None:
        """Start it; a session of its own keeps Ctrl-C from it, as it is ended by us."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=log, stderr=log, **own_group())
        self.started = time.monotonic()

    def last_words(self) -> str:
        """The last line that it said."""
        try:
            lines = self.log.read_bytes()[-_TAIL:].decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class ProcessGroup:
    """Processes by name. Use it as a context manager: they end with the block."""

    def __init__(self, members: Sequence[WatchedProcess], say: Callable[[str], None]):
        self.members, self._say = list(members), say

    def __enter__(self) -> "ProcessGroup":
        for member in self.members:
            member.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def watch(self) -> None:
        """Start again what has died. Raises RunError if a required one fails again and again."""
        now = time.monotonic()
        for member in self.members:
            if member.process is None:
                if not member.given_up and now >= member.again:
                    member.start()
            elif member.process.poll() is not None:
                self._died(member, now)

    def _died(self, member: WatchedProcess, now: float) -> None:
        code = member.process.returncode
        _close(member.process)
        if now - member.started > HEALTHY:
            member.failures = 0
        member.process, member.failures = None, member.failures + (code not in _KILLED)
        pause = min(2.0 ** max(0, member.failures - 1), _LONGEST_PAUSE)
        member.again = now + pause
        why = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}: {member.last_words()}"
        if member.failures < FAILURES:
            self._say(f"{member.name} {why}; starts again")
            return
        if member.required:
            raise RunError(f"{member.name} failed {FAILURES} times in a row and {why} ({member.log} has all it said)")
        member.given_up = True
        self._say(f"{member.name} failed {FAILURES} times in a row and {why}; the run goes on without it")

    def end(self) -> None:
        """Ask all to end, and kill those that do not."""
        alive = [member.process for member in self.members if member.process is not None]
        for process in alive:
            # Where there are no signals it would end before it has written its games: the end of its input tells it as well.
            process.terminate() if os.name == "posix" else _close(process)
        end = time.monotonic() + PATIENCE
        for process in alive:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        for member in self.members:
            member.process = None


def _close(process: subprocess.Popen) -> None:
    with contextlib.suppress(OSError):
        process.stdin.close()
