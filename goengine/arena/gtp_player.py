"""What a program is told over GTP before it plays: the board, the rules, the clock, and the moves so far.

Knows which commands say it, and which of them a program has; neither games nor results.
"""

from __future__ import annotations

from contextlib import suppress

from goengine.arena.timing import TimeControl
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK
from goengine.gtp.controller import CommandFailed, Controller


def set_up(program: Controller, position: Position) -> None:
    """Show a program the whole game so far. Raises ControllerError if it does not follow."""
    size = position.size
    for line in (f"boardsize {size}", "clear_board", f"komi {position.rules.komi:g}"):
        program.ask(line)
    tell_rules(program, position.rules)
    if position.black_setup:
        _place_handicap(program, position.black_setup, size)
    for color, point in position.moves:
        program.ask(f"play {letter(color)} {coords.to_gtp(point, size)}")


def tell_rules(program: Controller, rules: Rules) -> None:
    """The rules, to a program that can be told them. Raises ControllerError if it refuses them."""
    if program.knows("kata-set-rules"):
        program.ask(f"kata-set-rules {rules.to_json()}")
    elif program.knows("kgs-rules") and (name := rules.name().replace("-", "_")) in _KGS_RULES:
        with suppress(CommandFailed):  # not all of these are known to all programs
            program.ask(f"kgs-rules {name}")


_KGS_RULES = ("chinese", "aga", "japanese", "new_zealand")


def tell_clock(program: Controller, clock: TimeControl | None) -> None:
    """The time control, by the most exact command that the program knows and accepts."""
    for line in clock.commands() if clock else ():
        if program.knows(line.split()[0]):
            with suppress(CommandFailed):
                program.ask(line)
                return


def letter(color: int) -> str:
    """`b` or `w`."""
    return "b" if color == BLACK else "w"


def _place_handicap(program: Controller, points: tuple[int, ...], size: int) -> None:
    """Handicap stones, as such where the program knows them, else as moves. Raises ControllerError if it refuses both."""
    vertices = [coords.to_gtp(p, size) for p in points]
    if program.knows("set_free_handicap"):
        with suppress(CommandFailed):
            program.ask(f"set_free_handicap {' '.join(vertices)}")
            return
    for vertex in vertices:
        program.ask(f"play b {vertex}")
