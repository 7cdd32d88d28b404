"""``goengine play``: a game against the engine in the terminal. Checks the options, then starts `goengine.terminal.game`."""

import sys
from pathlib import Path

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
    status = game.run()
    return _offer_review(game.to_review, options) if status == 0 and game.to_review is not None else status


def _offer_review(path: Path, options: PlayOptions) -> int:
    """Review the game that was played, if the person wants that."""
    if not sys.stdin.isatty():
        return 0
    try:
        if input("Review the game? It takes about a minute. [y/N] ").strip().lower() not in ("y", "yes"):
            return 0
    except (EOFError, KeyboardInterrupt):
        sys.stdout.write("\n")
        return 0
    from goengine.review.command import main as review

    return review([str(path), *review_words(options)])


def review_words(options: PlayOptions) -> list[str]:
    """The arguments of `goengine review` that fit how the game was played."""
    given = (("--net", options.net), ("--threads", options.threads))
    return [word for name, value in given if value is not None for word in (name, str(value))]
