"""What a finished board is worth under every rule set, with the dead stones named by the caller.

Knows the counting half of the rules. Does not know moves, history or whose turn it is, and does not judge which stones are
dead: that is the engine's opinion or the players' agreement. How the rules act together:

* Dead stones are taken off first. Then an empty region belongs to the colour that alone borders it; else it is neutral.
* A *group* is a connected set of stones of one colour and of empty points that this colour owns.
* Area: stones and owned points count. Territory: owned points count, and each prisoner (captured or dead) counts against
  its colour.
* Tax `seki`: the owned points of a group in seki do not count. A group is in seki if it borders a neutral point and cannot
  live by its own eyes: none of its regions has three points or more, and Benson does not find it alive, as with false eyes.
* Tax `all`: as `seki`, and every other group pays two points, or all it owns if that is less.
* Komi, handicap bonus and button are added by the caller (`goengine.board.position`): they depend on the game.
"""

from collections.abc import Set
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.replay import put_stones
from goengine.board.rules import SCORING_TERRITORY, TAX_ALL, TAX_NONE, RuleCode
from goengine.board.scoring import ALIVE_STONE, area, benson, new_benson_scratch
from goengine.board.state import BLACK, CAPTURED_BLACK, CAPTURED_WHITE, EMPTY, SIZE, WHITE, Board, new_board

SPLITTABLE = 3  # an eye space of this size is taken to make two eyes


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
    settled = _without(board, dead)
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


def _without(board: Board, dead: Set[int]) -> Board:
    """A board with the stones of this one, but for the dead."""
    settled = new_board(int(board.info[SIZE]))
    stones = [p for p in np.flatnonzero((board.color == BLACK) | (board.color == WHITE)) if int(p) not in dead]
    stones = np.array(stones, np.int32)
    put_stones(settled, stones, board.color[stones])
    return settled


def _tax_groups(board: Board, owner: np.ndarray, counted: np.ndarray, fees: np.ndarray | None) -> None:
    """Take the owned points of groups in seki out of ``counted``; add to ``fees``, if given, what the other groups pay."""
    size = int(board.info[SIZE])
    alive, scratch = np.zeros((2, owner.size), np.uint8), new_benson_scratch(size)
    for color in (BLACK, WHITE):
        benson(board, color, alive[color - 1], False, scratch)
    for group in _parts(np.flatnonzero(owner), owner, size):
        owned = [p for p in group if board.color[p] == EMPTY]
        neutral = any(board.color[n] == EMPTY and owner[n] == 0 for p in group for n in _around(p, size))
        color = BLACK if owner[group[0]] == 1 else WHITE
        lives = (alive[color - 1, group] == ALIVE_STONE).any() or any(
            len(region) >= SPLITTABLE for region in _parts(owned, board.color, size)
        )
        if neutral and not lives:
            counted[owned] = 0
        elif fees is not None:
            fees[color - 1] += min(2, len(owned))


def _parts(points: list[int] | np.ndarray, value: np.ndarray, size: int) -> list[list[int]]:
    """The connected parts of a set of points; neighbours are connected if they have the same value."""
    left = {int(p) for p in points}
    parts = []
    while left:
        part = [left.pop()]
        for p in part:  # grows while it is walked
            joined = [n for n in _around(p, size) if n in left and value[n] == value[p]]
            left.difference_update(joined)
            part += joined
        parts.append(part)
    return parts


def _around(point: int, size: int) -> tuple[int, int, int, int]:
    return point - size - 1, point - 1, point + 1, point + size + 1
