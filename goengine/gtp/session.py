"""What the commands of one connection share: the engine that loads in the background, names, the log, and looking ahead.

Knows no command and no Go.
"""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from goengine import __version__
from goengine.gtp.gtp_options import GtpOptions
from goengine.gtp.protocol import GtpError

if TYPE_CHECKING:
    from goengine.player.engine import Engine


BLIND = "no value net knows {size}x{size} and no rollouts are played: every position counts as even, which is weak"
_PATIENCE = 0.1  # seconds between looks at the client while the engine loads
_LONG_LOADING = 10.0  # seconds after which people should be told
_UNREAD = 200  # remarks that wait for a reader of stderr
_LAST_MOMENT = 0.3  # seconds for the last of them when the session ends


class Lookahead(Protocol):
    """What a running command may know of the input (`goengine.gtp.streams.LineReader`)."""

    def pending(self) -> bool:
        """Whether any line waits."""
        ...

    def wait(self) -> None:
        """Return when a line waits."""
        ...

    def abandoned(self) -> bool:
        """Whether the running command should end soon."""
        ...


class NoInput:
    """A `Lookahead` for commands that come from nowhere, such as in tests."""

    def pending(self) -> bool:
        return False

    def wait(self) -> None:
        pass

    def abandoned(self) -> bool:
        return False


class Background:
    """A value that a thread makes; `get` waits for it and raises what went wrong there, each time."""

    def __init__(self, make: Callable[[], "Engine"]):
        self._make = make
        self._value: Engine | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="engine-loader", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._make()
        except BaseException as error:  # noqa: BLE001  kept for whoever asks
            self._error = error

    def ready(self) -> bool:
        """Whether `get` would not wait."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether it is ready."""
        self._thread.join(seconds)
        return self.ready()

    def get(self) -> "Engine":
        """The value; waits for it."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._value is not None
        return self._value


class _ErrorStream:
    """Writes to stderr in a thread of its own, and drops what nobody reads: a full pipe must not stop the game."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[str | None] = queue.Queue(_UNREAD)
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Hand over some lines; never waits."""
        with suppress(queue.Full):
            self._waiting.put_nowait(text)

    def flush(self) -> None:
        """Wait a moment for what was handed over; nothing may be written afterwards."""
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(_LAST_MOMENT)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            with suppress(OSError, ValueError):  # nobody reads it any more
                sys.stderr.write(text)
                sys.stderr.flush()


class Journal:
    """Where words about the session go: stderr, and a file if one was asked for. Lines are short and prefixed.

    A client that merges stderr into stdout must not mistake a line for a response, so none begins as one would.
    """

    def __init__(self, file: Path | None = None, quiet: bool = False):
        self._file = file.open("a", encoding="utf-8", errors="replace") if file else None
        self._quiet = quiet
        self._stderr = _ErrorStream()
        self._lock = threading.Lock()

    @property
    def keeps_traffic(self) -> bool:
        """Whether lines in and out should be logged."""
        return self._file is not None

    def note(self, text: str) -> None:
        """A remark for people, unless quiet."""
        if not self._quiet:
            self._to_stderr(text)
        self._to_file("--", text)

    def error(self, text: str) -> None:
        """A complaint for people, always."""
        self._to_stderr(text)
        self._to_file("!!", text)

    def exception(self, error: BaseException) -> None:
        """The traceback of an error that should not have been."""
        self.error("".join(traceback.format_exception(error)).rstrip())

    def received(self, line: str) -> None:
        """A line from the client, into the file."""
        self._to_file("<<", line)

    def sent(self, text: str) -> None:
        """A response, into the file."""
        self._to_file(">>", text.rstrip("\n"))

    def _to_stderr(self, text: str) -> None:
        lines = "".join(f"goengine: {line}\n" for line in text.replace(" -> ", " => ").split("\n") if line.strip())
        self._stderr.write(lines)

    def close(self) -> None:
        """Let the last lines out."""
        self._stderr.flush()

    def _to_file(self, mark: str, text: str) -> None:
        file = self._file
        if file is None:
            return
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with self._lock:
                file.writelines(f"{stamp} {mark} {line}\n" for line in text.split("\n"))
                file.flush()
        except OSError as error:  # a full disk must not end the game
            self._file = None
            self._to_stderr(f"nothing more is logged: {error.strerror or error}")


class Session:
    """One connection. `engine` waits until it is loaded."""

    def __init__(
        self,
        options: GtpOptions,
        make_engine: Callable[[], "Engine"],
        lookahead: Lookahead | None = None,
        journal: Journal | None = None,
    ):
        self.options = options
        self.lookahead: Lookahead = lookahead or NoInput()
        self.journal = journal or Journal(quiet=True)
        self.name = options.gtp_name
        self.version = __version__ if options.gtp_version is None else options.gtp_version
        self.opponent = ""  # the name that a server told us
        self._explained = False
        self._background = Background(make_engine)

    @property
    def engine(self) -> "Engine":
        """The player. Raises GtpError if it could not be loaded, or if the client leaves before that."""
        waited = 0.0
        while not self._background.wait(_PATIENCE):
            waited += _PATIENCE
            if self.lookahead.abandoned():
                raise GtpError("interrupted while the engine was loading")
            if not self._explained and waited > _LONG_LOADING:
                self._explained = True
                self.journal.note("still loading: the first start compiles the engine, which may take some minutes")
        try:
            return self._background.get()
        except Exception as error:
            raise GtpError(f"the engine could not be loaded: {error}") from error

    def loaded(self) -> "Engine | None":
        """The player if it is ready, without waiting."""
        if not self._background.ready():
            return None
        try:
            return self._background.get()
        except Exception:  # noqa: BLE001
            return None  # whoever needs it hears why from `engine`

    def idle(self) -> None:
        """Called while no command waits: ponder, if that was asked for and a game goes on."""
        engine = self.loaded()
        if engine is not None and engine.options.ponder:
            try:
                engine.ponder(self.lookahead.pending)
            except Exception as error:  # noqa: BLE001  no command asked for it, so none can fail
                self.journal.exception(error)
