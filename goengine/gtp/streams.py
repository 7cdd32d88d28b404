"""Bytes in and out of a GTP session: the reader thread, the writer that owns stdout, and the loop between them. Knows no Go.

The reader sees every line before its turn. That is how a running command learns that it should stop: an analysis at any input,
a move search at the comment line ``# interrupt`` and when the client closes the connection.
"""

import math
import os
import select
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from goengine.gtp.protocol import Protocol, clean_line, failure

MAX_LINE = 1 << 20  # bytes; a longer line is dropped and answered with an error
MAX_WAITING = 16 << 20  # bytes of lines not yet taken; beyond it the reader lets the pipe fill up
CLOSING_GAP = 0.2  # seconds between a command and `quit`: less is a script written in one go, whose commands run in full


class Line(NamedTuple):
    """One input line. `content` is None where the line was too long."""

    content: bytes | None
    number: int
    arrival: float


class LineReader:
    """Reads lines from a file descriptor in a daemon thread.

    `take` returns them in order; `pending` and `abandoned` look ahead and may be called from any thread.
    """

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._lines: deque[Line] = deque()
        self._changed = threading.Condition()
        self._waiting_bytes = 0
        self._count = 0
        self._interrupt_number = -1
        self._closing_at: float | None = None
        self._ended = False
        self._current = Line(b"", -1, 0.0)
        threading.Thread(target=self._run, name="gtp-reader", daemon=True).start()

    def take(self) -> Line | None:
        """The next line; waits for it. None at the end of the input."""
        with self._changed:
            while not self._lines and not self._ended:
                self._changed.wait()
            if not self._lines:
                return None
            self._current = self._lines.popleft()
            self._waiting_bytes -= len(self._current.content or b"")
            self._changed.notify_all()
            return self._current

    def pending(self) -> bool:
        """Whether a line, even an empty one, or the end of the input waits to be taken."""
        return bool(self._lines) or self._ended

    def wait(self) -> None:
        """Wait until `pending`."""
        with self._changed:
            while not self.pending():
                self._changed.wait()

    def abandoned(self) -> bool:
        """Whether the command taken last should end soon: ``# interrupt`` came after it, or `quit` or the end well after it."""
        if self._interrupt_number > self._current.number:
            return True
        return self._closing_at is not None and self._closing_at - self._current.arrival > CLOSING_GAP

    def hang_up(self) -> None:
        """Nobody reads the answers any more: whatever runs should end, and no further line is taken."""
        with self._changed:
            self._ended = True
            self._lines.clear()
            self._waiting_bytes = 0
            self._closing_at = math.inf
            self._changed.notify_all()

    def _run(self) -> None:
        buffer, too_long = bytearray(), False
        while chunk := self._read():
            *complete, rest = chunk.split(b"\n")
            for part in complete:
                buffer += part
                self._append(None if too_long or len(buffer) > MAX_LINE else bytes(buffer))
                buffer.clear()
                too_long = False
            buffer += rest
            if len(buffer) > MAX_LINE:
                buffer.clear()
                too_long = True
        if buffer and not too_long:
            self._append(bytes(buffer))  # a last line without its line end
        with self._changed:
            self._ended = True
            self._closing_at = self._closing_at or time.monotonic()
            self._changed.notify_all()

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 1 << 16)
        except OSError:
            return b""  # a closed or broken input is the end of the input

    def _append(self, content: bytes | None) -> None:
        now = time.monotonic()
        with self._changed:
            while self._waiting_bytes > MAX_WAITING:
                self._changed.wait()
            if self._ended:  # hung up
                return
            self._look(content or b"", now)
            self._lines.append(Line(content, self._count, now))
            self._count += 1
            self._waiting_bytes += len(content or b"")
            self._changed.notify_all()

    def _look(self, content: bytes, now: float) -> None:
        """Notice what must be known before its turn."""
        if content.strip().replace(b" ", b"").lower() == b"#interrupt":
            self._interrupt_number = self._count
        elif len(content) < 64 and _is_quit(clean_line(content).split()):
            self._closing_at = now


def _is_quit(words: list[str]) -> bool:
    return words[:1] == ["quit"] or (len(words) > 1 and words[0].isdigit() and words[1] == "quit")


class Output:
    """The only writer to the client: whole responses, as bytes, under a lock.

    `closed` is set, and ``on_close`` called once, when nobody reads any more. A write finds that everywhere; where the output
    is a pipe and the system is not Windows, it is noticed at once.
    """

    def __init__(self, descriptor: int, log: Callable[[str], None] | None = None, on_close: Callable[[], None] | None = None):
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._log = log
        self._on_close = on_close
        self.closed = False
        if on_close is not None and os.name == "posix" and stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            threading.Thread(target=self._watch, name="gtp-watcher", daemon=True).start()

    def write(self, text: str) -> None:
        """Write `text` at once and completely; quietly nothing when the client has gone."""
        if not text:
            return
        if self._log:
            self._log(text)
        data = memoryview(text.encode("ascii", "replace"))
        with self._lock:
            try:
                while data and not self.closed:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self._close()

    def _watch(self) -> None:
        """Wait until the reading end is closed: then, and never before, the writing end of a pipe counts as readable."""
        try:
            select.select([self._descriptor], [], [])
        except (OSError, ValueError):
            return  # a write will tell
        self._close()

    def _close(self) -> None:
        first, self.closed = not self.closed, True
        if first and self._on_close is not None:
            self._on_close()

    def write_line(self, line: str) -> None:
        """Write one line of a stream."""
        self.write(line + "\n")


def claim_stdout() -> int:
    """Take stdout for GTP: returns a private descriptor of it and points descriptor 1, and `sys.stdout`, at stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(private, os.O_BINARY)
    return private


def serve(
    protocol: Protocol,
    reader: LineReader,
    output: Output,
    idle: Callable[[], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> None:
    """Answer lines until `quit`, the end of the input, or a client that has gone. `idle` runs while no line waits."""
    while not output.closed:
        if idle and not reader.pending():
            idle()
        line = reader.take()
        if line is None:
            return
        if line.content is None:
            output.write(failure("", f"syntax error: a line may have at most {MAX_LINE} bytes"))
            continue
        if log:
            log(line.content.decode("utf-8", "replace"))
        response = protocol.handle_line(line.content)
        output.write(response.reply)
        if response.stream:
            response.stream.run(output.write_line)
            output.write("\n")
        if response.quit:
            return
