"""Openings as nets would play them: moves drawn from the policy, different up to symmetry, and none of them lost already.

Asks the nets themselves, without any search. What an opening is, and where else it may come from, is `openings`' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from goengine import features
from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.opening_positions import Opening, OpeningsError, position_key
from goengine.arena.players import NetPlayer
from goengine.arena.referee import Referee
from goengine.board import coords
from goengine.board.playout import sensible_moves
from goengine.board.position import Position
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluation, Evaluator

CHUNK = 64  # candidates that are drawn together
WASTE = 8  # chunks in a row without anything new, after which nothing new is expected


@dataclass(frozen=True)
class OpeningFilter:
    """Which openings are wanted. Raises ValueError if a number makes no sense."""

    temperature: float = 1.0  # of the policy; higher is more varied
    most: float = 0.6  # largest |value|, in the opinion of every net whose value is proven; 1 takes everything

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and self.most > 0):
            raise ValueError(f"temperature and largest value must be positive, not {self.temperature:g} and {self.most:g}")


def draw(
    nets: Sequence[NetPlayer],
    terms: GameSetup,
    plies: int,
    count: int,
    seed: int,
    opening_filter: OpeningFilter | None = None,
) -> list[Opening]:
    """Up to ``count`` openings of so many plies, drawn from the nets by turns.

    They depend on nets, terms, plies, filter and seed alone: a shorter list is the beginning of a longer one. Fewer come back
    where there seem to be no more. Raises OpeningsError if there is none, EvaluatorError if a net cannot be loaded.
    """
    distinct = list({player.source: player for player in nets}.values())
    evaluators = [player.load(terms.size) for player in distinct]
    try:
        return draw_from(evaluators, terms, plies, count, seed, opening_filter or OpeningFilter())
    finally:
        for evaluator in evaluators:
            evaluator.close()


def draw_from(
    evaluators: Sequence[Evaluator],
    terms: GameSetup,
    plies: int,
    count: int,
    seed: int,
    opening_filter: OpeningFilter | None = None,
) -> list[Opening]:
    """As `draw`, from evaluators that are loaded already."""
    opening_filter = opening_filter or OpeningFilter()
    found: list[Opening] = []
    seen: set[bytes | None] = {None}
    proposing = [evaluator for evaluator in evaluators if evaluator.traits.policy_proven] or evaluators
    chunk = waste = hopeless = 0
    while len(found) < count and waste < WASTE:
        candidates = _candidates(proposing, terms, plies, range(chunk * CHUNK, (chunk + 1) * CHUNK), seed, opening_filter)
        good = _balanced(evaluators, candidates, opening_filter)
        hopeless += sum(not ok for ok in good)
        new = False
        for position, ok in zip(candidates, good, strict=True):
            opening = tuple(point for _, point in position.moves)
            key = position_key(opening, terms)
            if ok and key not in seen and len(opening) == plies:
                seen.add(key)
                found.append(opening)
                new = True
        waste = 0 if new else waste + 1
        chunk += 1
    if count and not found:
        raise OpeningsError(
            f"none of {chunk * CHUNK} openings of {plies} plies will do ({hopeless} give one side a value above "
            f"{opening_filter.most:g}); try other plies, another komi, or random openings"
        )
    return found[:count]


def _candidates(
    evaluators: Sequence[Evaluator], terms: GameSetup, plies: int, numbers: range, seed: int, opening_filter: OpeningFilter
) -> list[Position]:
    """The positions after the openings of these numbers; each number has its own generator and its net."""
    positions = [Referee(Fixture(number, "a"), terms).position for number in numbers]
    chances = [np.random.default_rng([seed, number]) for number in numbers]
    for _ in range(plies):
        for turn, evaluator in enumerate(evaluators):
            mine = [i for i, number in enumerate(numbers) if number % len(evaluators) == turn]
            answers = _ask(evaluator, [positions[i] for i in mine])
            for row, i in enumerate(mine):
                point = _sample(positions[i], answers.policy[row], chances[i], opening_filter.temperature)
                if point is not None:
                    positions[i].play(point)
    return positions


def _sample(position: Position, logits: np.ndarray, chance: np.random.Generator, temperature: float) -> int | None:
    """A sensible move drawn from the policy; None if there is none but to pass."""
    legal = np.zeros(position.size**2 + 1, np.uint8)
    sensible_moves(position.game, position.code, legal)
    if legal[-1]:
        return None
    heights = np.where(legal > 0, logits.astype(np.float64) / temperature, -np.inf)
    weights = np.exp(heights - heights.max())
    bounds = np.cumsum(weights)
    return coords.from_index(int(np.searchsorted(bounds, chance.random() * bounds[-1], side="right")), position.size)


def _balanced(evaluators: Sequence[Evaluator], positions: Sequence[Position], opening_filter: OpeningFilter) -> list[bool]:
    """Which positions no net finds too one-sided."""
    good = np.ones(len(positions), bool)
    for evaluator in evaluators:
        if evaluator.traits.value_proven:
            good &= np.abs(_ask(evaluator, positions).value) <= opening_filter.most
    return good.tolist()


def _ask(evaluator: Evaluator, positions: Sequence[Position]) -> Evaluation:
    """The net's answers for these positions, as they stand."""
    feature_set = features.get(evaluator.features)
    rows = []
    for position in positions:
        code = position.code._replace(komi=float(position.white_bonus()))
        rows.append(feature_set.encode_one(position.game, code, position.size))
    planes, values = (np.stack(arrays) for arrays in zip(*rows, strict=True))
    return evaluator.evaluate(Batch(planes, values, np.full(len(rows), NOT_CACHED)))
