"""The GTP server as a process: arguments to engine to the loop over stdin and stdout."""

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from goengine.core import options as command_line
from goengine.core.standard_streams import missing
from goengine.gtp import commands as _all_commands  # noqa: F401  fills the table
from goengine.gtp.gtp_options import GtpOptions
from goengine.gtp.protocol import Protocol
from goengine.gtp.registry import TABLE
from goengine.gtp.session import BLIND, Journal, Session
from goengine.gtp.streams import LineReader, Output, claim_stdout, serve

if TYPE_CHECKING:
    from goengine.player.engine import Engine


class _Terminated(BaseException):
    """A signal asked the process to end."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def load_engine(options: GtpOptions, journal: Journal) -> "Engine":
    """The engine that the options describe, warm: its first search will not wait for anything. Complains in the journal."""
    from goengine.evaluators.base import EvaluatorError
    from goengine.gtp.log_handler import write_warnings_to
    from goengine.player.engine import Engine  # numpy, numba and the net come in here, behind the first answers

    write_warnings_to(journal)
    try:
        engine = Engine.load(
            options.nets(),
            options.player(),
            boardsize=options.boardsize,
            rules=options.rules,
            komi=options.komi,
            threads=options.net_threads(),
            precision=options.precision,
            symmetries=options.symmetries,
            params=options.search_params(),
            seed=options.seed,
        )
    except (ValueError, OSError, EvaluatorError) as error:
        journal.error(f"the engine could not be loaded: {error}")
        raise
    except Exception as error:
        journal.exception(error)
        raise
    if options.nets() is None and engine.evaluator.name == "uniform":
        journal.error("no net came with this installation; playing without one, which is weak")
    if problem := engine.take_book_problem():
        journal.error(problem)
    if engine.is_blind:
        journal.error(BLIND.format(size=engine.position.size))
    journal.note("what follows MALKOVICH: has the form of KataGo's lines, which OGS's gtp2ogs shows beside the game")
    journal.note(f"{engine.describe()}; rules {engine.rules.name()}, komi {engine.rules.komi:g}")
    return engine


def make_protocol(session: Session) -> Protocol:
    """All commands, bound to a session."""
    return Protocol(TABLE, lambda entry: partial(entry.handler, session), session.journal.exception)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until `quit`, the end of the input or a signal. Returns the exit status."""
    if closed := missing(0, 1):
        sys.stderr.write(f"goengine gtp: {closed}\n")
        return 1
    options = command_line.parse(GtpOptions, argv, prog="goengine gtp")
    try:
        journal = Journal(options.log, options.quiet)
    except OSError as error:
        sys.stderr.write(f"goengine gtp: --log {options.log} cannot be written: {error.strerror}\n")
        return 2
    reader = LineReader(os.dup(0))
    output = Output(claim_stdout(), journal.sent if journal.keeps_traffic else None, reader.hang_up)
    session = Session(options, partial(load_engine, options, journal), reader, journal)
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _terminate)
        serve(make_protocol(session), reader, output, session.idle, journal.received if journal.keeps_traffic else None)
    except (_Terminated, KeyboardInterrupt):
        pass
    journal.close()
    os._exit(0)  # at once: a net that is still loading, or a thread of a library, must not keep the process
