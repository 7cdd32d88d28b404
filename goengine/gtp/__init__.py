"""The Go Text Protocol: `main` serves an engine over it, `goengine.gtp.controller` drives any program that speaks it.

Start reading at `protocol` (lines in, responses out), then `streams` (bytes and threads), `session` (what commands share) and
the modules of `commands`. Nothing here imports numpy before a command needs a board, so that `name` is answered at once.
"""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Serve GTP on stdin and stdout with these options (sys.argv[1:] if None); returns the exit status."""
    from goengine.gtp.server import main as serve_main

    return serve_main(argv)
