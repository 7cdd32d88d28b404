"""A game as a query tells it: stones, moves, who begins. Small while it waits; `at` gives the position of a turn.

Knows how KataGo reads a handicap and which moves it lets pass; no protocol.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from goengine.board import coords
from goengine.board.kernels import is_legal
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, WHITE

_KEPT: Final = 64  # positions of all games together


class _Latest:
    """The positions that were built last: a next turn is one move from there."""

    def __init__(self) -> None:
        self._positions: OrderedDict[tuple[int, int], tuple[GameLine, Position]] = OrderedDict()

    def get(self, game: "GameLine", turn: int) -> Position | None:
        found = self._positions.get((id(game), turn))
        return found[1] if found is not None and found[0] is game else None

    def put(self, game: "GameLine", turn: int, position: Position) -> None:
        self._positions[id(game), turn] = game, position
        while len(self._positions) > _KEPT:
            self._positions.popitem(last=False)


_latest = _Latest()


@dataclass(frozen=True, eq=False, kw_only=True)
class GameLine:
    """The beginning of a game and its moves. ``first``: who is to play before the first move; None: whoever moves first."""

    size: int
    stones: tuple[tuple[int, int], ...]  # (colour, point); of two on one point the later one counts
    moves: tuple[tuple[int, int], ...]  # (colour, point)
    first: int | None = None
    rules: Rules = field(default_factory=Rules)
    handicap_by_moves: bool = True  # several black moves at the beginning are a handicap

    def begin(self) -> Position:
        """Before the first move. Raises ValueError if a stone cannot stand."""
        position = Position(self.size, self.rules)
        stones = {point: color for color, point in self.stones}
        black, white = ([p for p, color in stones.items() if color == side] for side in (BLACK, WHITE))
        placed = 0 if white or len(black) < 2 else len(black)
        position.set_up(black, white, self._first(placed))
        position.handicap = 0 if white else self._handicap(len(black))
        return position

    def _first(self, placed: int) -> int:
        if self.first is not None:
            return self.first
        return self.moves[0][0] if self.moves else WHITE if placed else BLACK

    def _handicap(self, placed: int) -> int:
        """Handicap stones: those set up, and black moves in a row at the beginning where these are taken for such."""
        played = 0
        if self.handicap_by_moves:
            for color, point in self.moves:
                if color == WHITE and point != PASS:
                    break
                played += color == BLACK and point != PASS
        total = placed + (played if placed or played > 1 else 0)
        return total if total > 1 and (placed > 1 or played > 1) else 0

    def at(self, turn: int) -> Position:
        """After so many moves. Raises ValueError that names the first illegal move."""
        before = _latest.get(self, turn - 1)
        start = 0 if before is None else turn - 1
        position = self.begin() if before is None else before.copy()
        for number in range(start, turn):
            color, point = self.moves[number]
            _play(position, point, color, number)
        _latest.put(self, turn, position)
        return position


def _play(position: Position, point: int, color: int, number: int) -> None:
    """A move as KataGo takes it: superko, and suicide of several stones, is allowed under all rules."""
    reason = position.why_illegal(point, color, tolerant=True)
    if reason == "suicide" and is_legal(position.game.board, point, color, True):
        position.execute(point, color)
    elif reason:
        vertex, side = coords.to_gtp(point, position.size), "B" if color == BLACK else "W"
        raise ValueError(f"Illegal move {number}: {side} {vertex} ({reason})")
    else:
        position.play(point, color, tolerant=True)
