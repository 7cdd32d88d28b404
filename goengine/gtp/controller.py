"""Drives a Go program that speaks GTP: starts it, asks, waits no longer than allowed, and names what it did wrong.

Knows the protocol from the other side, and no rules: whoever plays games with it checks the moves.
"""

import queue
import shlex
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_ERROR_LINES = 20  # lines of the program's stderr that are kept for a complaint
_END = None


class ControllerError(Exception):
    """The program broke the protocol, did not answer in time, or ended."""


class CommandFailed(ControllerError):
    """The program answered with an error; `message` is its text."""

    def __init__(self, name: str, line: str, message: str):
        super().__init__(f"{name} refused '{line}': {message}")
        self.message = message


class Controller:
    """A running program. Use it as a context manager, so that the program ends with it.

    command: a list, or a line that is split as a shell would. Raises ControllerError if it cannot be started.
    """

    def __init__(
        self, command: str | Sequence[str], *, name: str | None = None, timeout: float = 60.0, cwd: Path | None = None
    ):
        words = shlex.split(command) if isinstance(command, str) else list(command)
        self.name, self.timeout = name or Path(words[0]).name, timeout
        self.seconds = 0.0  # time that the program took for its answers
        try:
            self._process = subprocess.Popen(
                words, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise ControllerError(f"{self.name} cannot be started: {error}") from error
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._complaints: deque[str] = deque(maxlen=_ERROR_LINES)
        for target in (self._read_output, self._read_errors):
            threading.Thread(target=target, daemon=True).start()
        self._commands: frozenset[str] | None = None

    def __enter__(self) -> "Controller":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def ask(self, line: str, timeout: float | None = None) -> str:
        """The program's answer to a command. Raises CommandFailed if it refuses, ControllerError if it gives none in time."""
        self.send(line)
        return self.receive(line, timeout)

    def send(self, line: str) -> None:
        """Write a command without waiting; `receive` later fetches its answer."""
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise ControllerError(f"{self.name} has ended before '{line}'{self._last_words()}") from None

    def receive(self, line: str = "", timeout: float | None = None) -> str:
        """The next answer; `line` is the command it belongs to, for messages. Raises as `ask`."""
        begin = time.monotonic()
        deadline = begin + (self.timeout if timeout is None else timeout)
        answer: list[str] = []
        while True:
            part = self._next_line(deadline, line)
            if part:
                answer.append(part)
            elif answer:
                break  # an empty line ends an answer; those before it are tolerated
        self.seconds += time.monotonic() - begin
        head = answer[0]
        if head[0] not in "=?":
            raise ControllerError(f"{self.name} wrote '{head}', which is no answer to '{line}'")
        text = "\n".join([head[1:].lstrip("0123456789").strip(), *answer[1:]]).strip()
        if head[0] == "?":
            raise CommandFailed(self.name, line, text)
        return text

    def knows(self, command: str) -> bool:
        """Whether the program lists a command; asks it once."""
        if self._commands is None:
            self._commands = frozenset(self.ask("list_commands").split())
        return command in self._commands

    @property
    def complaints(self) -> str:
        """The last lines of the program's stderr."""
        return "\n".join(self._complaints)

    def close(self, timeout: float = 5.0) -> None:
        """Ask the program to quit; end it if it does not within `timeout` seconds. May be called twice."""
        process = self._process
        if process.poll() is None:
            try:
                self.send("quit")
                process.wait(timeout)
            except (ControllerError, subprocess.TimeoutExpired):
                process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):  # the pipe broke with what was left in it
                    stream.close()

    def _next_line(self, deadline: float, line: str) -> str:
        try:
            part = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise ControllerError(f"{self.name} gave no answer to '{line}' in time{self._last_words()}") from None
        if part is _END:
            self._lines.put(_END)
            raise ControllerError(f"{self.name} ended without an answer to '{line}'{self._last_words()}")
        return part.decode("utf-8", "replace").rstrip("\r\n")

    def _last_words(self) -> str:
        return f"; its last words: {self._complaints[-1]}" if self._complaints else ""

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        except (OSError, ValueError):
            pass  # closed from this side
        self._lines.put(_END)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        try:
            for line in self._process.stderr:
                self._complaints.append(line.decode("utf-8", "replace").rstrip())
        except (OSError, ValueError):
            pass
