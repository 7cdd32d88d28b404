"""The processes beside a learner: starts them, watches them, starts them again when they die, and ends them with the learner.

Knows processes; nothing of what they do. Each has a pipe as its standard input, and only this process holds the other end. So
they end when this process ends, for whatever reason. The output of each goes into a file of its own.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from goengine.core.restarts import Restarts
from goengine.core.stopping import own_group
from training.core.checkpoint import RunError

PATIENCE = 20.0  # seconds to end by itself: a worker still writes its games
# Codes of a process that somebody ended, which may happen however often. Other signals are its own failures.
_KILLED = frozenset(-getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGKILL") if hasattr(signal, name))
_TAIL = 2000  # bytes of what it said last


@dataclass
class WatchedProcess:
    """A process that should run. required: the run cannot go on without it."""

    name: str
    command: Sequence[str]
    log: Path
    required: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)  # beside our own
    process: subprocess.Popen[bytes] | None = None
    restarts: Restarts = field(default_factory=Restarts)
    given_up: bool = False

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C does not reach it: we end it."""
        with open(self.log, "ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(
                self.command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, **own_group()
            )
        self.restarts.note_start(time.monotonic())

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
                if not member.given_up and now >= member.restarts.again:
                    member.start()
            elif member.process.poll() is not None:
                _close(member.process)
                self._died(member, member.process.returncode, now)

    def _died(self, member: WatchedProcess, code: int, now: float) -> None:
        member.process = None
        member.restarts.note_end(now, failed=code not in _KILLED)
        why = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}: {member.last_words()}"
        if not member.restarts.hopeless:
            self._say(f"{member.name} {why}; starts again")
            return
        if member.required:
            raise RunError(
                f"{member.name} failed {member.restarts.failures} times in a row and {why} ({member.log} has all it said)"
            )
        member.given_up = True
        self._say(f"{member.name} failed {member.restarts.failures} times in a row and {why}; the run goes on without it")

    def end(self) -> None:
        """Ask all to end, and kill those that do not."""
        alive = [member.process for member in self.members if member.process is not None]
        for process in alive:
            # Without signals `terminate` would kill it before it has written its games; the end of its input asks it to end.
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


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
