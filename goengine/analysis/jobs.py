"""What is to be analysed, and what was found: `PositionJob` in, `Progress` out. Knows no scheduling and no protocol."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from goengine.board.position import Position
from goengine.search.params import PLAY, Restriction, SearchParams
from goengine.search.report import Ownership, SearchResult

LEAVES = 4  # of one tree in a batch: fewer than in play, as other trees fill the batch
ANALYSIS = PLAY.with_(temperature=0.0, leaves=LEAVES, batches=1)  # nothing is left to chance
VISITS = 500  # where nobody names a number
_KEPT = 64  # positions of a game


@dataclass(eq=False, kw_only=True)
class PositionJob:
    """One position to analyse. Two jobs are never equal.

    A job is light until it begins if its ``position`` is a function. Jobs with the same ``game`` whose ``turn`` differs by one
    are neighbours: the later one goes on with the tree of the earlier one if it comes next, and its visits count those made
    there.
    """

    position: Position | Callable[[], Position]  # it stays as it is
    visits: int = VISITS  # of the root in the end, never more
    seconds: float | None = None  # at most, from the beginning of its search
    priority: int = 0  # higher ones go first
    params: SearchParams = ANALYSIS
    restrictions: tuple[Restriction, ...] = ()
    ownership: Ownership = False  # whether results hold it, "moves": of each move too
    report_every: float | None = None  # seconds between reports during the search; None = none
    report_first: float | None = None  # seconds to the first one; None = `report_every`
    game: Hashable | None = None  # what its neighbours share
    turn: int = 0  # in that game
    label: Any = None  # the caller's own


@dataclass(frozen=True, kw_only=True)
class Progress:
    """News of a job. Each job ends with exactly one that is ``final``."""

    job: PositionJob
    final: bool
    position: Position | None = None  # as it was searched; None with `result`
    result: SearchResult | None = None  # None: ended before anything was found
    policy: np.ndarray | None = None  # float32[N * N + 1]: the net's own at the root, nan where illegal
    error: str = ""  # why there is no result, where that is nobody's wish


def game_jobs(position: Position, turns: Iterable[int] | None = None, **settings: Any) -> list[PositionJob]:
    """Jobs for the turns of a game that has come to ``position``: 0 is its beginning; by default all of them.

    settings: fields of `PositionJob`, the same for all. Raises ValueError if there is no such turn.
    """
    last = len(position.moves)
    chosen = range(last + 1) if turns is None else list(turns)
    if any(not 0 <= turn <= last for turn in chosen):
        raise ValueError(f"turns are 0 to {last} in a game of {last} moves")
    positions = _Turns(position.copy())
    game = object()
    return [PositionJob(position=partial(positions.at, turn), game=game, turn=turn, **settings) for turn in chosen]


class _Turns:
    """The positions of a game. The ones built last are kept: a next turn is one move from there."""

    def __init__(self, last: Position):
        self._last = last
        self._built: OrderedDict[int, Position] = OrderedDict()

    def at(self, turn: int) -> Position:
        """After so many moves."""
        before = self._built.get(turn - 1)
        if before is None:
            position = self._last.copy()
            position.undo(len(position.moves) - turn)
        else:
            position = before.copy()
            color, point = self._last.moves[turn - 1]
            position.execute(point, color)
        self._built[turn] = position
        if len(self._built) > _KEPT:
            self._built.popitem(last=False)
        return position
