"""What the engine thinks of a position without searching: the net's raw answer, who owns what, what is dead, the score.

The answer for a position is always the same, so that the lists of living and dead stones fit together, and fit the score.
Knows positions and evaluators; no search, no time.
"""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from goengine import features
from goengine.board import coords, symmetry
from goengine.board.life import MOST_EMPTY
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.state import BLACK, EMPTIES, PASS, PASSES
from goengine.evaluators.base import Batch, Evaluation
from goengine.player import territory
from goengine.player.endgame import counted_as_it_stands
from goengine.player.net_source import NetSource
from goengine.player.territory import Territory

FEWEST_STONES = 0.1  # of all points: with fewer nobody asks whether the game is decided
USUAL_KOMI, SMALL_LEAD = (5.0, 8.5), 10.0  # points: there the score of a net is taken as it is
MIDDLE_KOMI = 7.0  # of the games that nets learn from: far from it their scores may hardly follow the komi
REMEMBERED = 64  # positions: as many as are analysed side by side
SHIFTS = (-400, -200, -120, -80, -50, -30, -15, 0, 15, 30, 50, 80, 120, 200, 400)  # points for White that a net is asked about


def _remember(known: OrderedDict, key: tuple, value: object) -> None:
    """Keep a judgement, and only the latest ones."""
    known[key] = value
    if len(known) > REMEMBERED:
        known.popitem(last=False)


def _crossing(scores: np.ndarray, start: int) -> int:
    """Where scores, which fall, go below 0: the place of the first one below, next to ``start``; 0 for none.

    Far from a usual komi the scores of a net may rise again and cross 0 once more, which means nothing.
    """
    place = start
    if scores[start] < 0:
        while place > 0 and scores[place - 1] < 0:
            place -= 1
        return place
    while place < len(scores) and scores[place] >= 0:
        place += 1
    return place if place < len(scores) else 0


class Opinion:
    """Judges positions with `playouts` random playouts, and with the nets of a source as far as these are proven."""

    def __init__(self, nets: NetSource, playouts: int, trust: bool | None = None):
        """trust: whether a net's ownership is believed; None: as its card says."""
        self._nets, self._playouts, self._trust = nets, playouts, trust
        self._territories: OrderedDict[tuple, Territory] = OrderedDict()
        self._leads: OrderedDict[tuple, float] = OrderedDict()

    def territory(self, position: Position) -> Territory:
        """Who owns what, and which chains are dead."""
        board = position.game.board
        key = self._key(position)
        found = self._territories.get(key)
        if found is None:
            found = territory.judge(board, self._owned(position), position.rules.suicide)
            _remember(self._territories, key, found)
        return found

    def _key(self, position: Position) -> tuple:
        """What an answer depends on."""
        bonus, passes = position.white_bonus(), int(position.game.status[PASSES])
        return position.size, int(position.game.board.hash[0]), position.to_play, position.rules, bonus, passes

    def _owned(self, position: Position) -> np.ndarray:
        """float32[N*N]: 1 = Black's."""
        board = position.game.board
        generator = new_generator(int(board.hash[0]))  # so that the same board always gets the same answer
        played = territory.owned_by_playouts(board, position.to_play, generator, self._playouts)
        proven = self._nets.get(position.size).traits.ownership_proven
        if not (proven if self._trust is None else self._trust):
            return played
        views = self.evaluations(position, position.to_play, range(symmetry.COUNT)).ownership
        return (played + np.mean(views, axis=0) * (1 if position.to_play == BLACK else -1)) / 2

    def decided(self, position: Position) -> bool:
        """Whether no chain and no territory is in doubt, and nothing is left but dame."""
        return self.territory(position).firm and self._is_closed(position)

    def _is_closed(self, position: Position) -> bool:
        """Whether no chain is in doubt and nothing is left but dame, even if someone could still invade."""
        return not self.territory(position).open and self._only_dame(position)

    def _only_dame(self, position: Position) -> bool:
        """Whether all neutral regions are small."""
        return all(len(region) <= MOST_EMPTY for region in self.territory(position).neutral)

    def agreed_dead(self, position: Position) -> frozenset[int]:
        """The stones that both sides would take off if the game ended here; none if it is undecided or counted as it stands."""
        if counted_as_it_stands(position) or not self._may_be_decided(position) or not self.decided(position):
            return frozenset()
        return self.territory(position).dead_points

    def _may_be_decided(self, position: Position) -> bool:
        """Whether there are stones enough to ask: a judgement takes some time."""
        stones = position.size**2 - int(position.game.board.info[EMPTIES])
        return stones >= FEWEST_STONES * position.size**2

    def score(self, position: Position) -> float:
        """Black's lead: counted without dead stones where nothing but dame is left, else a whole-point estimate."""
        if position.is_empty or position.is_over() or self._only_dame(position):
            return -position.score(self.territory(position).dead_points)
        return self.estimate(position)

    def estimate(self, position: Position) -> float:
        """Black's lead by the map of owners, in whole points before komi."""
        return round(float(self.territory(position).owned.sum())) - position.white_bonus()

    def lead(self, position: Position, said: float) -> float:
        """Points by which the side to play leads; `said`: by the net's score of the position.

        Counted where the board is closed. Else it is the komi that would be even, less the real one: nets learned from games
        with a usual komi, so that they say little of a lead of 80 points but know a small one at a usual komi, and an even
        position. Where a net knows none, as its score does not follow the komi, the map of owners tells.
        """
        key = (*self._key(position), float(said))
        if key not in self._leads:
            _remember(self._leads, key, self._find_lead(position, said))
        return self._leads[key]

    def _find_lead(self, position: Position, said: float) -> float:
        side = 1 if position.to_play == BLACK else -1
        if position.is_over() or (self._may_be_decided(position) and self._is_closed(position)):
            return side * self.score(position)
        return self.open_lead(position, said)

    def open_lead(self, position: Position, said: float) -> float:
        """`lead` on a board that is not closed."""
        if USUAL_KOMI[0] <= position.white_bonus() <= USUAL_KOMI[1] and abs(said) <= SMALL_LEAD:
            return said
        side = 1 if position.to_play == BLACK else -1
        return side * (self.even_komi(position) - position.white_bonus())

    def even_komi(self, position: Position) -> float:
        """What White would have to get for an even game, all told."""
        said = float(self._scores_with(position, (MIDDLE_KOMI - position.white_bonus(),))[0])
        if abs(said) <= SMALL_LEAD:
            return MIDDLE_KOMI + said
        shifts = np.array(SHIFTS, np.float64)
        start = SHIFTS.index(0)
        for _ in range(2):
            scores = self._scores_with(position, shifts)
            place = _crossing(scores, start)
            if place == 0:
                return self.estimate(position) + position.white_bonus()
            low, high = scores[place - 1], scores[place]
            ends = shifts[place - 1], shifts[place]
            shifts, start = np.linspace(*ends, 6), 0
        return position.white_bonus() + float(ends[0] + (ends[1] - ends[0]) * low / (low - high))

    def _scores_with(self, position: Position, shifts: Sequence[float]) -> np.ndarray:
        """The net's scores for Black if White got that much more: float32[len(shifts)]."""
        feature_set = features.get(self._nets.raw(position.size).features)
        encoded = [
            feature_set.encode_one(position.game, position.code._replace(komi=position.white_bonus() + shift), position.size)
            for shift in map(float, shifts)
        ]
        planes, values = (np.stack(arrays) for arrays in zip(*encoded, strict=True))
        answer = self._nets.raw(position.size).evaluate(Batch(planes, values, np.zeros(len(planes), np.uint64)))
        return answer.score if position.to_play == BLACK else -answer.score

    def evaluation(self, position: Position, color: int, view: int = 0) -> Evaluation:
        """The net's own answer for one position with `color` to play, seen through symmetry `view` and turned back: one row."""
        return self.evaluations(position, color, (view,))

    def evaluations(self, position: Position, color: int, views: Sequence[int]) -> Evaluation:
        """As `evaluation`, a row for each view."""
        evaluator = self._nets.raw(position.size)
        if color != position.to_play:
            position = position.copy()
            position.to_play = color
        feature_set = features.get(evaluator.features)
        code = position.code._replace(komi=float(position.white_bonus()))
        planes, values = feature_set.encode_one(position.game, code, position.size)
        shown = np.stack([symmetry.planes(planes, view) for view in views])
        answer = evaluator.evaluate(Batch(shown, np.stack([values] * len(views)), np.zeros(len(views), np.uint64)))
        back = [int(symmetry.INVERSE[view]) for view in views]
        policy = np.stack([symmetry.policy(row, s) for row, s in zip(answer.policy, back, strict=True)])
        ownership = np.stack([symmetry.flat(row, s) for row, s in zip(answer.ownership, back, strict=True)])
        return answer._replace(policy=policy, ownership=ownership)

    def value_of_pass(self, position: Position) -> float:
        """The net's value, for the player to move, of passing there: the mean over all views of the position after it."""
        after = position.copy()
        after.play(PASS)
        return -float(self.evaluations(after, after.to_play, range(symmetry.COUNT)).value.mean())

    def policy(self, position: Position, color: int, view: int = 0) -> np.ndarray:
        """The net's probabilities of the legal moves, float32[N*N+1]; nan where a move is illegal."""
        if color != position.to_play:
            position = position.copy()
            position.to_play = color
        logits = self.evaluation(position, color, view).policy[0].astype(np.float64)
        logits[position.legal_mask() == 0] = np.nan
        weights = np.exp(logits - np.nanmax(logits))
        return (weights / np.nansum(weights)).astype(np.float32)

    def likely_moves(self, position: Position, least: float = 0.01) -> list[tuple[int, float]]:
        """(point, probability) of the moves that the net finds likely, in policy order."""
        shares = self.policy(position, position.to_play)
        return [(coords.from_index(i, position.size), float(p)) for i, p in enumerate(shares) if p >= least]
