"""A progress bar for long jobs, on stderr.

Knows: how to show how far a job is, with rich on a terminal and with one plain line every few seconds elsewhere.
Knows nothing of what the job does. Never writes to stdout, which may belong to GTP.
"""

import sys
import time
from types import TracebackType
from typing import Any, TextIO

from goengine.core.options import format_duration

PLAIN_SECONDS = 10.0


class Progress:
    """A context manager; `update(done, note)` may be called as often as one likes.

    `total` is in the unit of `done`; None where the end is not known. `stream` is stderr unless a test gives another.
    """

    def __init__(
        self,
        title: str,
        total: float | None = None,
        *,
        every: float = PLAIN_SECONDS,
        stream: TextIO | None = None,
        bar: bool | None = None,
    ):
        self.title, self.total, self.every = title, total, every
        self.stream = sys.stderr if stream is None else stream
        self._bar = None
        self._start = self._last = time.monotonic()
        self._done, self._note = 0.0, ""
        self._shown: tuple[float, str] | None = None
        self._first: tuple[float, float] | None = None  # (time, done) of the first update: a resumed job does not begin at 0
        if self.stream.isatty() if bar is None else bar:
            self._bar = _rich_bar(title, total)

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar[0].stop()
        elif self._shown != (self._done, self._note):
            self._line(time.monotonic())

    def update(self, done: float, note: str = "") -> None:
        """Say how far the job is; plain lines appear at most every `every` seconds."""
        self._done, self._note = done, note
        if self._first is None:
            self._first = time.monotonic(), done
        if self._bar:
            bar, task = self._bar
            bar.update(task, completed=done, note=note)
            return
        now = time.monotonic()
        if now - self._last >= self.every:
            self._line(now)

    def message(self, text: str) -> None:
        """One line that stays."""
        if self._bar:
            self._bar[0].console.print(text, markup=False, highlight=False)
        else:
            self.stream.write(text + "\n")
            self.stream.flush()

    def _line(self, now: float) -> None:
        self._last, self._shown = now, (self._done, self._note)
        elapsed = now - self._start
        parts = [self.title]
        if self.total:
            share = min(self._done / self.total, 1.0)
            parts.append(f"{100 * share:5.1f} %")
            begun, first = self._first if self._first else (now, 0.0)
            if self._done > first:
                left = (now - begun) * (self.total - self._done) / (self._done - first)
                parts.append(f"{format_duration(elapsed)} gone, {format_duration(max(left, 0))} left")
        else:
            parts.append(f"{self._done:g}")
        parts.extend([self._note] if self._note else [])
        self.message("  ".join(parts))


def _rich_bar(title: str, total: float | None) -> tuple[Any, Any] | None:
    """(rich progress, task), or None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress
    except ImportError:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>5.1f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    bar = RichProgress(*columns, console=Console(stderr=True), refresh_per_second=4)
    return bar, bar.add_task(title, total=total, note="")
