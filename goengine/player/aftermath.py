"""The end of a game that was passed out while something was in doubt: the engine plays it on with itself, and sees what dies.

Both colours get to begin once, as who captures what may hang on that. What the opponent can capture when it moves first is
dead: the play in which more stones died counts. It is played under area rules with a komi that makes it even, so that both
fight for every point. Knows searches and judgements; no clock and no protocol.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.life import without
from goengine.board.position import Position
from goengine.board.rules import MAX_KOMI, Rules
from goengine.board.scoring import area
from goengine.board.state import BLACK, EMPTY, PASSES, WHITE
from goengine.evaluators.base import Evaluator
from goengine.player.endgame import LARGEST_DAME, Finish, candidates
from goengine.player.opinion import Opinion
from goengine.player.territory import Territory
from goengine.search.params import PLAY, Limits
from goengine.search.search import Search

VISITS = 16  # of each search: a few seconds on 19x19
LONGEST = 0.4  # times N * N moves


class PlayedOut(NamedTuple):
    """What became of the board."""

    dead: frozenset[int]  # stones of the position whose points belong to the opponent in the end
    owner: np.ndarray  # int8[P]: 1 Black's, -1 White's in the end


class Aftermath:
    """Judges positions as `Opinion` does, but plays on where somebody has passed and the judgement is in doubt."""

    def __init__(self, opinion: Opinion, evaluator: Callable[[int], Evaluator], seed: int):
        """evaluator: the net for a board size."""
        self._opinion, self._evaluator, self._seed = opinion, evaluator, seed
        self._last: tuple[tuple, PlayedOut] | None = None

    def territory(self, position: Position) -> Territory:
        """Who owns what, and which chains are dead."""
        found = self._opinion.territory(position)
        if not self._in_doubt(position):
            return found
        dead = self._played_out(position).dead
        chains = (*found.alive, *found.seki, *found.dead)
        return dataclasses.replace(
            found,
            dead=tuple(chain for chain in chains if chain[0] in dead),
            alive=tuple(chain for chain in chains if chain[0] not in dead and chain not in found.seki),
            seki=tuple(chain for chain in found.seki if chain[0] not in dead),
        )

    def score(self, position: Position) -> float:
        """Black's lead, komi included."""
        if not self._in_doubt(position):
            return self._opinion.score(position)
        return _count(position, self._played_out(position)) - position.white_bonus()

    def _in_doubt(self, position: Position) -> bool:
        opinion = self._opinion
        if not position.game.status[PASSES] or position.is_empty or not self._evaluator(position.size).traits.value_proven:
            return False
        large = any(len(region) > LARGEST_DAME for region in opinion.territory(position).neutral)
        return large or not opinion.decided(position)

    def _played_out(self, position: Position) -> PlayedOut:
        key = (position.size, int(position.game.board.hash[0]), position.rules)
        if self._last is None or self._last[0] != key:
            self._last = key, max((self._play(position, color) for color in (BLACK, WHITE)), key=lambda out: len(out.dead))
        return self._last[1]

    def _play(self, position: Position, first: int) -> PlayedOut:
        """Play on until both pass, `first` to move."""
        game, search = self._even_game(position, first), Search(self._evaluator(position.size), PLAY, self._seed)
        for _ in range(int(LONGEST * position.size**2)):
            if game.is_over():
                break
            search.set_position(game)
            result = search.run(Limits(visits=VISITS))
            tried = {move.point: move.value if move.visits else None for move in result.moves}
            choice = Finish(game, game.to_play, candidates(game, tried, result.chosen), self._opinion.territory(game), None)
            game.play(choice.choose(), tolerant=True)
        return _result(position, game, self._opinion.territory(game).dead_points)

    def _even_game(self, position: Position, first: int) -> Position:
        """The stones alone, with a komi under which the net calls the game even."""
        game = Position(position.size, Rules().with_komi(0.0))
        game.set_up(position.stones(BLACK), position.stones(WHITE), first)
        komi = round(self._opinion.even_komi(game)) + 0.5
        game.rules = game.rules.with_komi(max(-MAX_KOMI, min(MAX_KOMI, komi)))
        return game


def _result(position: Position, game: Position, dead: frozenset[int]) -> PlayedOut:
    """Who owns what when the game was played on, and which stones of the position died by it."""
    rest = without(game.game.board, dead)
    owner = np.zeros(rest.color.size, np.int8)
    area(rest, owner, np.empty(owner.size, np.uint16))
    lost = {p for color, sign in ((BLACK, -1), (WHITE, 1)) for p in position.stones(color) if owner[p] == sign}
    return PlayedOut(frozenset(lost), owner)


def _count(position: Position, out: PlayedOut) -> int:
    """Black's points less White's, by the owners in the end: of all points, or of territory and prisoners."""
    if position.rules.scoring == "area":
        return int(out.owner.sum())
    points = position.captured(WHITE) - position.captured(BLACK)
    for p in map(int, coords.points(position.size)):
        owner, color = int(out.owner[p]), position.color(p)
        if owner and color != (BLACK if owner == 1 else WHITE):
            points += owner * (1 if color == EMPTY else 2)  # a dead stone is a prisoner, too
    return points
