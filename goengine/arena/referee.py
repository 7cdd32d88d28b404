"""The judge of one game: its position, which moves the rules allow, when it is over, and who has won.

Knows the rules and the terms of a match, neither clocks nor who the players are. Which stones are dead is told to it
(`goengine.arena.dead_stones` asks programs); without that all stones on the board are alive, as in Tromp-Taylor rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Reason, Side, other
from goengine.board.handicap import fixed_points, free_points, most_fixed
from goengine.board.position import Position
from goengine.board.rules import SCORING_AREA, TAX_NONE
from goengine.board.scoring import benson, new_benson_scratch
from goengine.board.state import BLACK, WHITE

State = Literal["", "passes", "decided", "move limit"]


class Referee:
    """A game that is being played. The opening and the handicap stones are on the board at once.

    stop_when_decided: whether the game ends as soon as stones and territory that are alive for certain are more than half of
    the board, komi considered (area scoring without tax only). Raises ValueError if handicap or opening cannot be played.
    """

    def __init__(self, fixture: Fixture, terms: GameSetup, *, stop_when_decided: bool = False):
        self.fixture, self.terms = fixture, terms
        self.position = Position(terms.size, terms.rules)
        self.handicap_points = tuple(handicap_points(terms.size, terms.handicap))
        if self.handicap_points:
            self.position.place_handicap(self.handicap_points)
        for point in fixture.opening:
            self.position.play(point)
        code = self.position.code
        self._decidable = stop_when_decided and code.scoring == SCORING_AREA and code.tax == TAX_NONE
        self._scratch = new_benson_scratch(terms.size) if self._decidable else None

    @property
    def to_move(self) -> Side:
        """Whose turn it is."""
        return self.fixture.side(self.position.to_play == BLACK)

    @property
    def moves(self) -> tuple[int, ...]:
        """The points so far, the opening among them."""
        return tuple(point for _, point in self.position.moves)

    def play(self, point: int) -> str:
        """Play a move of the side to move. Returns why the rules forbid it, and nothing happens then; else an empty text."""
        reason = self.position.why_illegal(point)
        if not reason:
            self.position.play(point)
        return reason

    def state(self) -> State:
        """Whether, and by what, the game is over."""
        if self.position.is_over():
            return "passes"
        if self._decidable and self.certain_winner():
            return "decided"
        return "move limit" if len(self.position.moves) >= self.terms.ply_limit else ""

    def certain_winner(self) -> int:
        """BLACK or WHITE if that colour has won whatever comes, else 0. Benson's algorithm finds what is alive for certain."""
        points, bonus = self.terms.size**2, self.position.white_bonus()
        if self.position.rules.has_button:
            bonus += 0.5  # either way: it is taken as if the opponent got it
        if 2 * self._certain(BLACK) - points - bonus > 0:
            return BLACK
        bonus -= float(self.position.rules.has_button)
        return WHITE if 2 * self._certain(WHITE) - points + bonus > 0 else 0

    def _certain(self, color: int) -> int:
        """Points of stones that cannot be captured, and of the territory around which they stand."""
        board = self.position.game.board
        alive = np.zeros(board.color.size, np.uint8)
        if not benson(
            board, color, alive, self.position.code.suicide != 0, self._scratch or new_benson_scratch(self.terms.size)
        ):
            return 0
        return int(np.count_nonzero(alive))

    # -- results --

    def count(self, dead: Iterable[int] = (), **facts: Any) -> GameOutcome:
        """The game counted on the board, with these stones dead. Raises ValueError if a dead point holds no stone."""
        margin = 0.0 - self.position.score(dead)
        return self._played(self._side(BLACK if margin > 0 else WHITE) if margin else "", "score", margin=margin, **facts)

    def decided(self, **facts: Any) -> GameOutcome:
        """The game that one side has won whatever comes; by how much it would have been is not known."""
        facts = {"detail": "nothing can change the winner any more"} | facts
        return self._played(self._side(self.certain_winner()), "score", **facts)

    def limit_reached(self, **facts: Any) -> GameOutcome:
        """The game that became too long."""
        return self._played("", "move limit", **({"detail": f"{len(self.position.moves)} plies"} | facts))

    def lost_by(self, side: Side, reason: Reason, **facts: Any) -> GameOutcome:
        """The game that `side` has lost: by resignation, or because of what it did."""
        return self._played(other(side), reason, **facts)

    def void(self, **facts: Any) -> GameOutcome:
        """The game that nobody has won and nobody is to blame for."""
        return self._played("", "void", **facts)

    def _side(self, color: int) -> Side:
        return self.fixture.side(color == BLACK)

    def _played(self, winner: Side | Literal[""], reason: Reason, **facts: Any) -> GameOutcome:
        return GameOutcome(self.fixture, winner, reason, self.moves, self.handicap_points, **facts)


def handicap_points(size: int, stones: int) -> list[int]:
    """The points of a handicap: the fixed ones where there are such. Raises ValueError if so many have no place."""
    if stones < 2:
        return []
    return fixed_points(size, stones) if stones <= most_fixed(size) else free_points(size, stones)
