"""Drives a Go program that speaks GTP: starts it, asks, waits no longer than allowed, and names what it did wrong.

Knows the protocol from the other side, and no rules: whoever plays games with it checks the moves. Whatever the program writes,
and however much, it neither blocks for longer than allowed nor fills the memory.
"""

import os
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

from goengine.core.stopping import end_group, own_group

_ERROR_LINES = 20  # lines of the program's stderr that are kept for a complaint
_LONGEST_LINE = 1 << 20  # bytes; an analysis of a large board with everything in it has a tenth of that
_LONGEST_ANSWER = 4 << 20
_WAITING_LINES = 32  # lines that are read before anybody asks for them; then the program has to wait
_LAST_WORDS_SECONDS = 0.2  # time for the stderr of a program that has ended to arrive
_END = None


class ControllerError(Exception):
    """The program broke the protocol, did not answer in time, or ended."""


class NoAnswer(ControllerError):
    """The program gave no answer in time."""


class Ended(ControllerError):
    """The program has ended, or has closed its input or output."""


class NotAnAnswer(ControllerError):
    """The program wrote what is no answer."""


class CommandFailed(ControllerError):
    """The program answered with an error; `message` is its text."""

    def __init__(self, name: str, line: str, message: str):
        super().__init__(f"{name} refused '{line}': {message}")
        self.message = message


class _Line:
    """A line on its way to the program; `done` is set when it was written, or cannot be."""

    def __init__(self, data: bytes):
        self.data, self.done, self.written = data, threading.Event(), False


class Controller:
    """A running program. Use it as a context manager, so that the program ends with it.

    command: a list, or a line that is split as a shell would. Raises ControllerError if it cannot be started.
    """

    def __init__(
        self, command: str | Sequence[str], *, name: str | None = None, timeout: float = 60.0, cwd: Path | None = None
    ):
        words = _split(command) if isinstance(command, str) else list(command)
        self.name, self.timeout = name or Path(words[0]).name, timeout
        self.seconds = 0.0  # time that the program took for its answers
        try:
            # In a session of its own: it ends with all that it has started, and an interrupt from the keyboard is not for it.
            self._process = subprocess.Popen(
                words,
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **own_group(),
            )
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the command line
            raise ControllerError(f"{self.name} cannot be started: {error}") from error
        self._lines: queue.Queue[bytes | None] = queue.Queue(_WAITING_LINES)
        self._complaints: deque[str] = deque(maxlen=_ERROR_LINES)
        self._closed = threading.Event()
        self._to_write: queue.SimpleQueue[_Line | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_lines, daemon=True)
        self._writer.start()
        self._readers = [threading.Thread(target=target, daemon=True) for target in (self._read_output, self._read_errors)]
        for reader in self._readers:
            reader.start()
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
        wanted = _Line(line.encode() + b"\n")
        if self._writer.is_alive():
            self._to_write.put(wanted)
            # Waits in short turns: the thread may have ended before it saw the line.
            deadline = time.monotonic() + self.timeout
            while not wanted.done.wait(min(0.1, max(deadline - time.monotonic(), 0.0))) and self._writer.is_alive():
                if time.monotonic() >= deadline:
                    raise NoAnswer(f"{self.name} does not read '{_shown(line)}'")
        if not wanted.written:
            self._readers[1].join(_LAST_WORDS_SECONDS)
            raise Ended(f"{self.name} has ended before '{line}'{self._last_words()}")

    def receive(self, line: str = "", timeout: float | None = None) -> str:
        """The next answer; `line` is the command it belongs to, for messages. Raises as `ask`."""
        begin = time.monotonic()
        deadline = begin + (self.timeout if timeout is None else timeout)
        answer: list[str] = []
        length = 0
        while True:
            part = self._next_line(deadline, line)
            length += len(part)
            if length > _LONGEST_ANSWER:
                raise NotAnAnswer(f"{self.name} wrote more than {_LONGEST_ANSWER} bytes as its answer to '{line}'")
            if part:
                answer.append(part)
            elif answer:
                break  # an empty line ends an answer; those before it are tolerated
        self.seconds += time.monotonic() - begin
        head = answer[0]
        if head[0] not in "=?":
            raise NotAnAnswer(f"{self.name} wrote '{_shown(head)}', which is no answer to '{line}'")
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
        """Ask the program to quit; end it, and what it has started, if it does not within `timeout` seconds.

        May be called twice, and from another thread than the one that waits for an answer.
        """
        process = self._process
        self._closed.set()
        if process.poll() is None and timeout > 0:
            with suppress(ControllerError, subprocess.TimeoutExpired):
                self.send("quit")
                process.wait(timeout)
        end_group(process)
        process.wait()
        self._wake()
        self._to_write.put(_END)
        threads = (self._writer, *self._readers)
        for stream, thread in zip((process.stdin, process.stdout, process.stderr), threads, strict=True):
            thread.join(_LAST_WORDS_SECONDS)
            # A pipe that is still in use is held by a process that got away: closing it would wait for that.
            if stream is not None and not thread.is_alive():
                with suppress(OSError):
                    stream.close()

    def _wake(self) -> None:
        """Tell whoever still waits for an answer that none will come."""
        while True:
            try:
                self._lines.put_nowait(_END)
                return
            except queue.Full:
                with suppress(queue.Empty):
                    self._lines.get_nowait()

    def _next_line(self, deadline: float, line: str) -> str:
        left = deadline - time.monotonic()
        try:
            if left <= 0:  # also where lines without end come in time
                raise queue.Empty
            part = self._lines.get(timeout=left)
        except queue.Empty:
            raise NoAnswer(f"{self.name} gave no answer to '{line}' in time{self._last_words()}") from None
        if part is _END:
            self._lines.put(_END)
            self._readers[1].join(_LAST_WORDS_SECONDS)
            raise Ended(f"{self.name} ended without an answer to '{line}'{self._last_words()}")
        if len(part) == _LONGEST_LINE:
            raise NotAnAnswer(f"{self.name} wrote a line of more than {_LONGEST_LINE} bytes in answer to '{line}'")
        return part.decode("utf-8", "replace").rstrip("\r\n")

    def _last_words(self) -> str:
        return f"; its last words: {self._complaints[-1]}" if self._complaints else ""

    def _write_lines(self) -> None:
        """Write what is sent. In a thread of its own, as no system but Unix tells whether a pipe has room."""
        assert self._process.stdin is not None
        while (line := self._to_write.get()) is not _END:
            try:
                data = line.data
                while data:
                    data = data[os.write(self._process.stdin.fileno(), data) :]
                line.written = True
            except (OSError, ValueError):
                return  # whoever sent it sees that this thread has ended
            finally:
                line.done.set()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := self._process.stdout.readline(_LONGEST_LINE):
                self._hand_over(line)
        except (OSError, ValueError):
            pass  # closed from this side
        self._hand_over(_END)

    def _hand_over(self, line: bytes | None) -> None:
        """Wait until somebody wants the line; after `close` nobody does."""
        while not self._closed.is_set():
            try:
                self._lines.put(line, timeout=0.1)
                return
            except queue.Full:
                continue

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        try:
            while line := self._process.stderr.readline(_LONGEST_LINE):
                if text := _shown(line.decode("utf-8", "replace").rstrip()):
                    self._complaints.append(text)
        except (OSError, ValueError):
            pass


def _split(command: str) -> list[str]:
    """The words of a command line, as a shell would split it. On Windows a backslash is part of a path."""
    if os.name == "posix":
        return shlex.split(command)
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word for word in shlex.split(command, posix=False)]


def _shown(text: str) -> str:
    """What of a program's line stands in a message: no control characters, and not all of a long one."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:200])
    return plain + ("..." if len(text) > 200 else "")
