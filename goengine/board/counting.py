"""What a finished board is worth under every rule set, with the dead stones named by the caller.

Knows the counting half of the rules. Does not know moves, history or whose turn it is, and does not judge which stones are
dead: that is the engine's opinion or the players' agreement. How the rules act together:

* Dead stones are taken off first. Then an empty region belongs to the colour that alone borders it; else it is neutral.
* A *group* is a connected set of stones of one colour and of empty points that this colour owns.
* Area: stones and owned points count. Territory: owned points count, and each prisoner (captured or dead) counts against
  its colour.
* Tax `seki`: the owned points of a group in seki (`goengine.board.life`) do not count.
* Tax `all`: as `seki`, and every other group pays two points, or all it owns if that is less.
* Komi, handicap bonus and button are added by the caller (`goengine.board.position`): they depend on the game.
"""

from collections.abc import Set
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.life import parts, rest_of, without
from goengine.board.rules import SCORING_TERRITORY, TAX_ALL, TAX_NONE, RuleCode
from goengine.board.scoring import area
from goengine.board.state import BLACK, CAPTURED_BLACK, CAPTURED_WHITE, EMPTY, SIZE, WHITE, Board


class Count(NamedTuple):
    """Points of both sides on a board, without komi, handicap bonus and button."""

    black: int
    white: int
    owner: np.ndarray  # int8[P]: +1 Black's, -1 White's, 0 neither; dead stones belong to their opponent
    counted: np.ndarray  # int8[P]: the same for the points that count under the rules, stones under area rules included


def count(board: Board, rules: RuleCode, dead: Set[int] = frozenset()) -> Count:
    """Points of both sides; ``dead`` are the points of all dead stones.

    Raises ValueError if a point of ``dead`` holds no stone.
    """
    fees = np.zeros(2, np.int64)  # what each colour pays in prisoners and taxes
    for p in dead:
        if not 0 <= p < board.color.size or board.color[p] not in (BLACK, WHITE):
            size = int(board.info[SIZE])
            vertex = coords.to_gtp(p, size) if coords.on_board(p, size) else f"a point outside the {size}x{size} board"
            raise ValueError(f"{vertex} holds no stone that could be dead")
    settled = without(board, dead)
    owner = np.zeros(board.color.size, np.int8)
    area(settled, owner, np.empty(owner.size, np.uint16))
    counted = owner.copy()
    if rules.tax != TAX_NONE:
        _tax_groups(settled, owner, counted, fees if rules.tax == TAX_ALL else None)
    if rules.scoring == SCORING_TERRITORY:
        counted[settled.color != EMPTY] = 0
        fees += board.info[[CAPTURED_BLACK, CAPTURED_WHITE]]
        fees += [sum(board.color[p] == color for p in dead) for color in (BLACK, WHITE)]
    return Count(int((counted == 1).sum() - fees[0]), int((counted == -1).sum() - fees[1]), owner, counted)


def _tax_groups(board: Board, owner: np.ndarray, counted: np.ndarray, fees: np.ndarray | None) -> None:
    """Take the owned points of groups in seki out of ``counted``; add to ``fees``, if given, what the other groups pay."""
    size, seki = int(board.info[SIZE]), rest_of(board).seki
    for color, sign in ((BLACK, 1), (WHITE, -1)):
        for group in parts((int(p) for p in np.flatnonzero(owner == sign)), size):
            owned = [p for p in group if board.color[p] == EMPTY]
            if not seki.isdisjoint(group):
                counted[owned] = 0
            elif fees is not None:
                fees[color - 1] += min(2, len(owned))
