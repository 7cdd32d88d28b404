"""A search and a player keep their time, with nets that take long for an answer and judgements that take long after it."""

import time

import pytest

from goengine.board.state import BLACK
from goengine.engine import Engine
from goengine.engine_options import EngineOptions
from goengine.evaluators.base import EvaluatorBase
from goengine.evaluators.uniform import flat_evaluation
from goengine.search.clock import from_words
from goengine.search.params import Limits
from goengine.search.search import Run, Search
from tests.search.helpers import PLAIN, noisy, position


class Slow(EvaluatorBase):
    """Answers after a while, as a large net does."""

    def __init__(self, seconds: float):
        self.traits = noisy().traits
        self.seconds = seconds

    def evaluate(self, batch):
        time.sleep(self.seconds)
        return flat_evaluation(batch.rows, batch.size)


@pytest.mark.parametrize("batches", [1, 2])
def test_the_last_answers_come_in_time(batches):
    """Answers take 0.1 s each: after 0.43 s no further one can be awaited within half a second."""
    engine = Search(Slow(0.1), PLAIN.with_(leaves=4, batches=batches))
    engine.set_position(position(9))
    engine.run(Limits(visits=1))
    result = engine.run(Limits(seconds=0.5))
    assert 0.25 <= result.seconds < 0.59


def test_time_is_up_before_an_answer_that_would_come_late():
    engine = Search(noisy(1), PLAIN)
    engine.set_position(position(5))
    engine.run(Limits(visits=5))
    core = engine.core
    for latency, over in ((0.0, False), (0.3, False), (0.6, True)):
        run = Run(core, Limits(seconds=1.0, min_playouts=0))
        run.start -= 0.5
        run.answered(latency)
        assert run.over() == over
    run.answered(0.1)
    assert run.latency == pytest.approx(0.35)  # one quick answer does not make the next one quick


@pytest.mark.parametrize("clock", ["", "byoyomi 0 0.8 1"])
def test_a_move_takes_the_time_it_has(clock):
    """The judgement after the search counts, too: both together take the time of a move, and none is left unused."""
    engine = Engine(Slow(0.02), EngineOptions(time=0.6, resign=False), size=5, seed=1)
    engine.warm_up()
    judge = engine.opinion.territory

    def slowly(position):
        time.sleep(0.2)
        return judge(position)

    engine.opinion.territory = slowly
    if clock:
        engine.clock.set(from_words(clock.split()))
    engine.genmove(BLACK)  # learns how long its judgement takes
    start = time.monotonic()
    decision = engine.genmove(3 - BLACK)
    taken = time.monotonic() - start
    assert taken < (0.8 if clock else 0.72) and decision.search.seconds > 0.15
