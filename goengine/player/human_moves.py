"""Moves as people of a rank choose them, for one game or for many at once.

A move is drawn from the ranked policy, and then the ordinary net looks at it: one that loses much is drawn again, the more
likely the higher the rank. So a blunder is as rare as it is among people, and a rank that is stronger than its policy (nobody
plays his first thought at 6d) can be tuned to it. That is piKL (Jacob et al., arXiv 2112.07544, which KataGo's
`humanSLChosenMovePiklLambda` follows): moves have the weights policy * exp(utility / lambda). It is done by rejection, with the
value of the position as the best utility, so that two or three positions are looked at in a turn instead of all of them.

Knows nets and positions; neither clocks nor when to pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine import features
from goengine.board import coords
from goengine.board.playout import sensible_moves
from goengine.board.position import Position
from goengine.board.state import PASS
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluator
from goengine.evaluators.ranked import RankedPolicy
from goengine.player.rank_style import style_of

LEAST_SHARE: Final = 1e-3  # of the policy: what it thinks rarer is noise of the net, which all together would be too frequent
LOOKS: Final = 8  # different moves that are looked at in a turn
DRAWS: Final = 40
LIKELY: Final = 8  # moves that are compared where nothing is left to chance
ROWS: Final = 64  # of a batch


@dataclass(frozen=True)
class HumanTurn:
    """A position in which a person of the rank `own` is to move. other: the opponent's rank; None: unknown.

    pikl_lambda, temperature: None for what is tuned for the rank. may_pass: whether a pass may be drawn like a move; else there
    is one only where no move makes sense. allowed: the points that may be played, PASS among them; None: all.
    """

    position: Position
    own: float
    other: float | None
    generator: np.random.Generator
    pikl_lambda: float | None = None
    temperature: float | None = None
    may_pass: bool = False
    allowed: frozenset[int] | None = None


@dataclass(frozen=True)
class HumanChoice:
    """What the person plays. Values are the ordinary net's, for who moves, in [-1, 1]."""

    point: int
    before: float  # value of the position
    after: float | None  # value after the move; None for a pass
    pass_share: float  # probability that the ranked policy gives to a pass


class HumanMoves:
    """A ranked policy, and the net that looks at what it draws."""

    def __init__(self, policy: RankedPolicy, evaluator: Evaluator):
        self.policy = policy
        self._look = Look(evaluator)

    @property
    def evaluator(self) -> Evaluator:
        """The net that looks."""
        return self._look.evaluator

    def choose(self, turns: Sequence[HumanTurn]) -> list[HumanChoice]:
        """A move for each turn; all positions of one board size. Chance comes from each turn's generator."""
        if not turns:
            return []
        raw = self._raw(turns)
        shares = [_drawable(turn, row) for turn, row in zip(turns, raw, strict=True)]
        before = self._look.values([turn.position for turn in turns])
        known: list[dict[int, float]] = [{} for _ in turns]  # values after moves, by policy index
        chosen: dict[int, int] = {}
        for _ in range(DRAWS):
            drawn = {i: _draw(turns[i], shares[i]) for i in range(len(turns)) if i not in chosen}
            if not drawn:
                break
            self._look_at(turns, drawn, known)
            for i, index in drawn.items():
                if _taken(turns[i], index, known[i].get(index), float(before[i])):
                    chosen[i] = index
        for i, found in enumerate(known):
            if i not in chosen:
                chosen[i] = max(found, key=lambda index: found[index])
        return [
            _choice(turn, chosen[i], known[i].get(chosen[i]), float(before[i]), float(raw[i][-1]))
            for i, turn in enumerate(turns)
        ]

    def likeliest(self, turn: HumanTurn) -> HumanChoice:
        """The move that would be drawn most often, without chance."""
        raw = self._raw([turn])[0]
        shares = _drawable(turn, raw)
        order = [int(i) for i in np.argsort(-shares)[:LIKELY] if shares[i] > 0]
        before = float(self._look.values([turn.position])[0])
        known: list[dict[int, float]] = [{}]
        for index in order:
            self._look_at([turn], {0: index}, known)
        best = max(order, key=lambda i: shares[i] * _chance(turn, known[0].get(i, before), before))
        return _choice(turn, best, known[0].get(best), before, float(raw[-1]))

    def _raw(self, turns: Sequence[HumanTurn]) -> np.ndarray:
        """float32[T, A]: what the ranked policy says."""
        return self.policy.probabilities(
            [turn.position for turn in turns], [turn.own for turn in turns], [turn.other for turn in turns]
        )

    def _look_at(self, turns: Sequence[HumanTurn], drawn: dict[int, int], known: list[dict[int, float]]) -> None:
        """Evaluate the positions after the moves that nobody has looked at, as long as turns have looks left."""
        ask = []
        for i, index in drawn.items():
            if index < turns[i].position.size ** 2 and index not in known[i] and len(known[i]) < LOOKS:
                ask.append((i, index))
        after = [_after(turns[i].position, index) for i, index in ask]
        for (i, index), value in zip(ask, self._look.values(after), strict=True):
            known[i][index] = -float(value)


class Look:
    """The values of positions by a net, in batches."""

    def __init__(self, evaluator: Evaluator):
        self.evaluator = evaluator
        self._features = features.get(evaluator.features)

    def values(self, positions: Sequence[Position]) -> np.ndarray:
        """float32[P]: for the player to move, in [-1, 1]. All positions of one board size."""
        parts = [self._batch(positions[start : start + ROWS]) for start in range(0, len(positions), ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _batch(self, positions: Sequence[Position]) -> np.ndarray:
        size, rows = positions[0].size, len(positions)
        planes = np.zeros((rows, self._features.planes, size, size), np.float32)
        values = np.zeros((rows, self._features.globals), np.float32)
        scratch = self._features.new_scratch(size)
        for row, position in enumerate(positions):
            code = position.code._replace(komi=float(position.white_bonus()))
            self._features.encode(position.game, code, scratch, planes[row], values[row])
        return self.evaluator.evaluate(Batch(planes, values, np.full(rows, NOT_CACHED))).value


def _drawable(turn: HumanTurn, raw: np.ndarray) -> np.ndarray:
    """float64[A]: the chances of all sensible moves, tempered; they add up to 1."""
    position = turn.position
    sensible = np.zeros(len(raw), np.uint8)
    sensible_moves(position.game, position.code, sensible)
    if turn.may_pass:
        sensible[-1] = 1
    if turn.allowed is not None:
        forbidden = np.ones(len(raw), bool)
        forbidden[[coords.to_index(point, position.size) for point in turn.allowed]] = False
        sensible[forbidden] = 0
        sensible[-1] |= not sensible.any()
    weights = np.where(sensible > 0, raw.astype(np.float64), 0.0)
    weights[weights < LEAST_SHARE * weights.max()] = 0.0
    if not weights.any():
        weights = sensible.astype(np.float64)
    temperature = style_of(turn.own).temperature if turn.temperature is None else turn.temperature
    if temperature <= 0:
        weights = (weights == weights.max()).astype(np.float64)
    else:
        weights = np.where(weights > 0, (weights / weights.max()) ** (1.0 / temperature), 0.0)
    return weights / weights.sum()


def _draw(turn: HumanTurn, shares: np.ndarray) -> int:
    return int(turn.generator.choice(len(shares), p=shares))


def _chance(turn: HumanTurn, after: float, before: float) -> float:
    """How often a move that is drawn is taken: the factor by which piKL makes it rarer."""
    scale = style_of(turn.own).pikl_lambda if turn.pikl_lambda is None else turn.pikl_lambda
    loss = max(0.0, before - after)
    return float(np.exp(-loss / scale)) if scale > 0 else float(loss == 0)


def _taken(turn: HumanTurn, index: int, after: float | None, before: float) -> bool:
    """Whether a drawn move is played. Of moves that nobody may look at any more none is."""
    if index == turn.position.size**2:
        return True
    return after is not None and turn.generator.random() < _chance(turn, after, before)


def _after(position: Position, index: int) -> Position:
    after = position.copy()
    after.play(coords.from_index(index, position.size), tolerant=True)
    return after


def _choice(turn: HumanTurn, index: int, after: float | None, before: float, pass_share: float) -> HumanChoice:
    size = turn.position.size
    point = PASS if index == size * size else coords.from_index(index, size)
    return HumanChoice(point, before, after, pass_share)
