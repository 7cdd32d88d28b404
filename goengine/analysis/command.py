"""The command `goengine analysis`: arguments to a session, and the loop between stdin, searches and stdout."""

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING

from goengine.analysis.analysis_options import AnalysisOptions, arguments_of
from goengine.core import options as command_line
from goengine.core.files import read_outside
from goengine.core.standard_streams import missing
from goengine.gtp.streams import MAX_LINE, LineReader, Output, claim_stdout

if TYPE_CHECKING:
    from goengine.analysis.session import Session

READY = "Started, ready to begin handling requests"  # as clients of KataGo look for it
_MOST_CONFIG = 1 << 20  # bytes
_READING = 0.02  # seconds of reading queries between two rounds of searching
_KATAGO_NETS = (".bin.gz", ".txt.gz", ".bin", ".txt")

Say = Callable[[str], None]


class _Terminated(BaseException):
    """A signal asked the process to end."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def serve(session: "Session", reader: LineReader, output: Output, *, wait: bool = True) -> None:
    """Answer until the input has ended and all is answered, or the client is gone.

    wait: whether what is under way at the end of the input is still finished.
    """
    ended = False
    while not output.closed:
        ended = ended or _read(session, reader, output)
        if ended and not (wait and session.busy):
            return
        if session.busy:
            _write(output, session.step())
        else:
            reader.wait()


def _read(session: "Session", reader: LineReader, output: Output) -> bool:
    """Take the lines that wait, for a moment. Returns whether the input has ended."""
    start = time.monotonic()
    while reader.pending() and not session.full and time.monotonic() - start < _READING:
        line = reader.take()
        if line is None:
            return True
        answers = session.too_long(MAX_LINE) if line.content is None else session.handle(line.content)
        _write(output, answers)
    return False


def _write(output: Output, lines: list[str]) -> None:
    output.write("".join(text + "\n" for text in lines))


def load(options: AnalysisOptions, say: Say) -> "Session":
    """The session that the options describe, its net loaded. Raises ValueError or EvaluatorError with the reason."""
    import logging

    from goengine.analysis import batch  # numpy, numba and the net come in here
    from goengine.analysis.session import Session
    from goengine.analysis.settings import Settings, changed, read_pairs
    from goengine.player.net_source import NetSource

    if options.quiet:
        logging.getLogger("goengine").setLevel(logging.ERROR)
    given = {**_config(options.katago_config, say), **read_pairs(options.override_config)}
    found = changed(Settings(), given, at_start=True)
    if found.unknown:
        say(f"settings that mean nothing here: {', '.join(sorted(found.unknown))}")
    settings = found.settings
    if options.analysis_threads is not None:
        settings = dataclasses.replace(settings, trees=options.analysis_threads)
    nets = NetSource(
        _net(options, say),
        threads=options.threads,
        precision=options.precision,
        symmetries=options.symmetries,
        by_key=True,
    )
    analysis = batch.BatchAnalysis(
        nets,
        rows=min(settings.rows or batch.ROWS, batch.MOST_ROWS),
        most_trees=min(settings.trees or batch.TREES, batch.MOST_TREES),
        megabytes=options.megabytes,
        reuse=options.reuse,
    )
    name = nets.get(19).name
    say(f"net {name} on 19x19; win rates of {settings.perspective}; at most {settings.visits} visits by default")
    return Session(analysis, settings)


def _config(name: str | None, say: Say) -> dict[str, str]:
    """The settings of a file of KataGo's; none, with the reason said, if it cannot be read."""
    from pathlib import Path

    from goengine.analysis.settings import read_config

    if name is None:
        return {}
    try:
        return read_config(read_outside(Path(name), _MOST_CONFIG).decode("utf-8", "replace"))
    except OSError as error:
        say(f"-config {name} is left out: {error.strerror or error}")
        return {}


def _net(options: AnalysisOptions, say: Say) -> str | None:
    """The net to play, None for the shipped ones."""
    if options.human_model is not None:
        say("-human-model is left out: a net of KataGo's")
    if options.model_dir is not None:
        say("-model-dir is left out: nets come with goengine")
    if options.model is None or options.model == "default":
        return None
    if options.model.endswith(_KATAGO_NETS):
        say(f"-model {options.model} is a net of KataGo's, which cannot be played here: the shipped nets play")
        return None
    return options.model


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the end of the input or a signal. Returns the exit status."""
    if closed := missing(0, 1):
        sys.stderr.write(f"goengine analysis: {closed}\n")
        return 1
    options = command_line.parse(AnalysisOptions, arguments_of(argv), prog="goengine analysis")

    def say(text: str) -> None:
        if not options.quiet:
            sys.stderr.write(f"goengine analysis: {text}\n")
            sys.stderr.flush()

    from goengine.evaluators.base import EvaluatorError

    reader = LineReader(os.dup(0))
    output = Output(claim_stdout(), on_close=reader.hang_up)
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _terminate)
        session = load(options, say)
        if not options.quiet:
            sys.stderr.write(READY + "\n")
            sys.stderr.flush()
        serve(session, reader, output, wait=not options.quit_without_waiting)
    except (ValueError, OSError, EvaluatorError) as error:
        sys.stderr.write(f"goengine analysis: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    except (_Terminated, KeyboardInterrupt):
        pass
    os._exit(0)  # at once: a thread of a library must not keep the process
