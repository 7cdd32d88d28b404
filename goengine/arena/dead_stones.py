"""Which stones are dead when two programs have passed: asked of the players, of a judge, or our own opinion.

Programs pass while dead stones stand, so a count of the bare board would often name the wrong winner. Knows how programs are
asked; plays no games.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from goengine.arena.fixtures import Side
from goengine.arena.gtp_player import set_up
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.state import EMPTY
from goengine.gtp.controller import Controller, ControllerError
from goengine.player import territory
from goengine.player.endgame import counted_as_it_stands
from goengine.player.territory import Territory

Dead = Literal["agreement", "judge", "own", "none"]
PLAYOUTS = 1000  # for our own opinion, which is asked for once in a game at most
PATIENCE = 120.0  # seconds for a program to think about it


def dead_stones(
    position: Position,
    programs: Mapping[Side, Controller],
    how: Dead,
    judge: str = "",
    seed: int = 0,
    hire: Callable[[str], Controller] = Controller,
) -> tuple[frozenset[int], str]:
    """The dead stones of a finished game, and how they were found, in words (an empty text where there is nothing to say).

    how: `agreement` takes what both players name, if they name the same, else asks the judge; `judge` asks it alone; `own` is
    our opinion by playouts, which also stands in for a judge that is not named or gives no answer; `none`: all are alive.
    judge: 'a', 'b', or the command line of a third program, which ``hire`` starts.
    """
    if how == "none":
        return frozenset(), ""
    lists: dict[Side, frozenset[int] | None] = {}
    if how == "agreement":
        lists = {side: listed(program, position) for side, program in programs.items()}
        if lists["a"] is not None and lists["a"] == lists["b"]:
            return lists["a"], ""
    note = "the players do not agree about dead stones; " if how == "agreement" else ""
    if how != "own" and judge:
        answer = _judged(position, programs, lists, judge.replace("{seed}", str(seed)), hire)
        if answer is not None:
            return answer, f"{note}dead stones by {_name(judge, programs)}"
        note += f"{_name(judge, programs)} gave no list of them; "
    return own_opinion(position), f"{note}dead stones by our own opinion"


def own_opinion(position: Position) -> frozenset[int]:
    """The dead stones by random playouts, proofs and reading; always the same for the same board."""
    return _territory(position).dead_points


def undisputed(position: Position) -> frozenset[int]:
    """The stones that come off if the game ends here; none where it is counted as it stands, or anything is undecided."""
    if counted_as_it_stands(position):
        return frozenset()
    found = _territory(position)
    return frozenset() if found.open or not found.firm else found.dead_points


def _territory(position: Position) -> Territory:
    board = position.game.board
    generator = new_generator(int(board.hash[0]))
    owned = territory.owned_by_playouts(board, position.to_play, generator, PLAYOUTS)
    return territory.judge(board, owned, position.rules.suicide)


def listed(program: Controller, position: Position) -> frozenset[int] | None:
    """What a program names as dead; None if it cannot say, or names points without stones."""
    try:
        if not program.knows("final_status_list"):
            return None
        words = program.ask("final_status_list dead", PATIENCE).split()
        points = frozenset(coords.from_gtp(word, position.size) for word in words)
    except (ControllerError, ValueError):
        return None
    return points if all(p != coords.PASS and position.color(p) != EMPTY for p in points) else None


def _name(judge: str, programs: Mapping[Side, Controller]) -> str:
    return programs[judge].name if judge in programs else Path(judge.split()[0]).name


def _judged(
    position: Position,
    programs: Mapping[Side, Controller],
    known: dict[Side, frozenset[int] | None],
    judge: str,
    hire: Callable[[str], Controller],
) -> frozenset[int] | None:
    """The judge's list, or None."""
    if judge in programs:
        return known[judge] if judge in known else listed(programs[judge], position)
    try:
        with hire(judge) as program:
            try:
                set_up(program, position)
                return listed(program, position)
            finally:
                program.close(timeout=1.0)
    except ControllerError:
        return None
