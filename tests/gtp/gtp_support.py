"""What the GTP tests share: an engine without a net inside this process, and how a server is started as a process."""

import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PLACES = ("/usr/games/gnugo", "/usr/local/bin/gnugo", "/opt/homebrew/bin/gnugo")
GNUGO = next((path for path in _PLACES if os.path.exists(path)), None)
SERVER = [sys.executable, str(ROOT / "gtp_server.py"), "--net", "uniform", "--seed", "1", "--quiet"]


def new_protocol(evaluator=None, **how):
    """A protocol over a fresh game, without a net if none is given: 9x9, 20 visits a move. An internal error is raised."""
    from goengine.evaluators.uniform import Uniform
    from goengine.gtp import commands  # noqa: F401  fills the table
    from goengine.gtp.gtp_options import GtpOptions
    from goengine.gtp.protocol import Protocol
    from goengine.gtp.registry import TABLE
    from goengine.gtp.session import Session
    from goengine.player.engine import Engine
    from goengine.player.engine_options import EngineOptions

    def raise_it(error):
        raise error

    session = Session(GtpOptions(), lambda: Engine(evaluator or Uniform(), EngineOptions(visits=20), size=9, seed=1, **how))
    protocol = Protocol(TABLE, lambda entry: partial(entry.handler, session), raise_it)
    protocol.session = session
    return protocol
