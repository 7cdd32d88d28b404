"""``goengine play``: a game against the engine in the terminal. Checks the options, then starts `goengine.terminal.game`."""

import sys

from goengine.core.options import parse
from goengine.terminal.play_options import PlayOptions


def main(argv: list[str]) -> int:
    """Run the command. Returns its exit status."""
    options = parse(PlayOptions, argv, "goengine play")
    sys.stderr.write("Loading the net ...\n")
    from goengine.core.compiling import Notice, watching

    with watching(Notice()):
        return _play(options)


def _play(options: PlayOptions) -> int:
    from goengine.evaluators.base import EvaluatorError
    from goengine.terminal.game import TerminalGame  # numba and the net take a moment: the options are checked before

    try:
        game = TerminalGame.start(options)
    except OSError as error:
        sys.stderr.write(f"goengine play: {error.filename or 'the net'}: {error.strerror or error}\n")
        return 2
    except (ValueError, EvaluatorError) as error:
        sys.stderr.write(f"goengine play: {error}\n")
        return 2
    return game.run()
