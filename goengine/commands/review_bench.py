"""How fast a whole game is analysed, beside how fast the net alone answers full batches; for `goengine bench`.

Both are measured in turn, the best of several runs each, because what else runs on the machine slows both. A review is measured
for a while and carried over to all of its positions; visits that a turn has from the turn before count, as a review ends sooner
by them. The evaluations that judge leads and closed boards are among the work. All cores are used, as by `goengine review`.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from goengine import features
from goengine.analysis.batch import ROWS, BatchAnalysis
from goengine.analysis.jobs import game_jobs
from goengine.board import coords
from goengine.board.position import Position
from goengine.core import machine
from goengine.core.figures import Figure
from goengine.evaluators.base import Batch, Evaluator
from goengine.player.net_source import NetSource
from goengine.player.opinion import Opinion

MOVES, VISITS = 250, 100
RUNS = 3
_BATCHES = (8, 16, ROWS)


@dataclass(frozen=True)
class ReviewSpeed:
    """What was measured."""

    visits: float  # per second, in a review
    evaluations: float  # per second, by the net alone in its best batches

    @property
    def seconds(self) -> float:
        """Of the review of a game of `MOVES` moves at `VISITS` visits."""
        return (MOVES + 1) * VISITS / self.visits

    @property
    def share(self) -> float:
        """Visits in a review for each evaluation that the net alone would have made."""
        return self.visits / self.evaluations


def figures(net: str | None, size: int, seconds: float) -> Iterator[Figure]:
    """The time of a review and the share of the batch rate. Raises EvaluatorError if the net cannot be loaded."""
    cores = machine.usable_cores()
    nets = NetSource(net, threads=cores, by_key=True)
    speed = measure(nets, a_game(nets, size), seconds)
    part = f"review of a game with {nets.raw(size).name}, {MOVES} moves at {VISITS} visits, on {_cores(cores)}"
    nets.close()
    yield Figure(part, size, speed.seconds, "s")
    yield Figure("review of a game, visits for each evaluation at the best batch rate", size, 100 * speed.share, "%")


def _cores(count: int) -> str:
    return "one core" if count == 1 else f"{count} cores"


def a_game(nets: NetSource, size: int) -> Position:
    """A game drawn from the net's policy, without passes."""
    position, opinion, chance = Position(size), Opinion(nets, 1), np.random.default_rng(1)
    for _ in range(MOVES):
        shares = np.nan_to_num(opinion.policy(position, position.to_play)[:-1].astype(np.float64))
        legal = shares.sum() > 0
        point = coords.from_index(int(chance.choice(len(shares), p=shares / shares.sum())), size) if legal else coords.PASS
        position.play(point)
    return position


def measure(nets: NetSource, game: Position, seconds: float) -> ReviewSpeed:
    """Review and bare batches in turn, ``seconds`` each time."""
    evaluator, batches = nets.raw(game.size), [_batch(nets, game, rows) for rows in _BATCHES]
    analysis = BatchAnalysis(nets)
    _review(analysis, game, seconds / 2)  # loads and compiles what it needs
    visits = evaluations = 0.0
    for _ in range(RUNS):
        evaluations = max(evaluations, *(_rate(evaluator, batch, seconds / len(batches)) for batch in batches))
        visits = max(visits, _review(analysis, game, seconds))
    analysis.close()
    return ReviewSpeed(visits, evaluations)


def _review(analysis: BatchAnalysis, game: Position, seconds: float) -> float:
    """Visits per second while a review goes on; it begins anew when it has ended."""
    start, before = time.perf_counter(), analysis.visits
    while (elapsed := time.perf_counter() - start) < seconds or analysis.visits == before:
        if not analysis.busy:
            analysis.clear()
            for job in game_jobs(game, visits=VISITS):
                analysis.add(job)
        analysis.step()
    return (analysis.visits - before) / elapsed


def _rate(evaluator: Evaluator, batch: Batch, seconds: float) -> float:
    """Evaluations per second, with two batches under way."""
    evaluator.evaluate(batch)
    start, rows, waiting = time.perf_counter(), 0, evaluator.submit(batch)
    while time.perf_counter() - start < seconds:
        following = evaluator.submit(batch)
        waiting.result()
        rows, waiting = rows + batch.rows, following
    waiting.result()
    return (rows + batch.rows) / (time.perf_counter() - start)


def _batch(nets: NetSource, game: Position, rows: int) -> Batch:
    """Positions all along the game."""
    chosen = features.get(nets.raw(game.size).features)
    encoded, position = [], game.copy()
    for _ in range(rows):
        position.undo(MOVES // (rows + 1))
        encoded.append(chosen.encode_one(position.game, position.code, game.size))
    planes, values = (np.stack(arrays).astype(np.float32) for arrays in zip(*encoded, strict=True))
    return Batch(planes, values, np.zeros(rows, np.uint64))
