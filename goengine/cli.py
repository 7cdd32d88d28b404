"""The command ``goengine``: its first word chooses a command, whose own module reads the rest.

Imports nothing heavy before it knows the command, so that `goengine gtp` answers at once.
"""

import importlib
import sys

from goengine import __version__
from goengine.core.standard_streams import missing

# command: (module with a function main(argv) -> exit status, what it does)
COMMANDS = {
    "gtp": ("goengine.gtp", "speak GTP on standard input and output (for Sabaki, GoGui and other programs)"),
    "analysis": ("goengine.analysis.command", "analyse many positions: KataGo's JSON engine on standard input and output"),
    "play": ("goengine.terminal.play", "play a game in the terminal"),
    "web": ("goengine.web.command", "play, analyse and review games in the browser"),
    "review": ("goengine.review.command", "review games: losses, better lines, figures, a picture and a page"),
    "read": ("goengine.commands.read", "read the position of a board from a photo, a screenshot or a diagram"),
    "rank": ("goengine.estimate.command", "estimate the ranks of players from the moves of their games"),
    "evaluate": ("goengine.review.evaluate", "draw a position with candidates, policy and ownership"),
    "attention": ("goengine.review.attention", "draw where a move model of a given rank looks on the board"),
    "match": ("goengine.arena.match_command", "play a match between nets or programs, and measure their strength"),
    "tournament": ("goengine.arena.tournament_command", "play a tournament between many nets or programs, and rate them"),
    "bench": ("goengine.commands.bench", "measure the speed of every part on this machine"),
    "nets": ("goengine.commands.nets", "list the nets that come with the engine"),
    "book": ("goengine.commands.book", "make a book of openings, look into one, check one"),
    "doctor": ("goengine.commands.doctor", "say what works on this machine, what does not, and how to fix it"),
    "warmup": ("goengine.commands.warmup", "compile all kernels now, so that no game waits for the compiler"),
}


def usage() -> str:
    """The text of ``goengine --help``."""
    lines = [f"  {name:12}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: goengine COMMAND [options]",
            "",
            *lines,
            "",
            "goengine COMMAND --help lists a command's options. Training: python -m training --help.",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns its exit status; 2 if there is no such command."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage() + "\n")
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version", "version"):
        sys.stdout.write(f"goengine {__version__}\n")
        return 0
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"goengine: there is no command '{arguments[0]}'\n\n{usage()}\n")
        return 2
    if closed := missing(*((0, 1) if arguments[0] in ("gtp", "play", "analysis") else (1,))):
        sys.stderr.write(f"goengine {arguments[0]}: {closed}\n")
        return 1
    module, _ = COMMANDS[arguments[0]]
    try:
        return importlib.import_module(module).main(arguments[1:]) or 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
