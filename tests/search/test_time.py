"""A search and a player keep their time, with nets that take long for an answer and judgements that take long after it.

The clock of these tests goes on only where something is said to take time, so that a busy machine changes nothing.
"""

import itertools

import pytest

import goengine.player.engine
import goengine.search.search
from goengine.board.state import BLACK, WHITE
from goengine.evaluators.base import EvaluatorBase
from goengine.evaluators.uniform import flat_evaluation
from goengine.player import territory
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.search.clock import from_words
from goengine.search.params import Limits
from goengine.search.search import Run, Search
from tests.search.helpers import PLAIN, noisy, position


class Watch:
    """Stands in for the module `time`."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Slow(EvaluatorBase):
    """Takes its time for an answer."""

    def __init__(self, watch: Watch, seconds: float):
        self.traits = noisy().traits
        self.watch, self.seconds = watch, seconds

    def evaluate(self, batch):
        self.watch.now += self.seconds
        return flat_evaluation(batch.rows, batch.size)


@pytest.fixture
def watch(monkeypatch):
    watch = Watch()
    monkeypatch.setattr(goengine.search.search, "time", watch)
    monkeypatch.setattr(goengine.player.engine, "time", watch)
    return watch


@pytest.fixture
def judging(monkeypatch, watch):
    """A function: from now on the judgements of positions take these seconds, one after the other."""
    playouts = territory.owned_by_playouts

    def take(seconds):
        def slowly(*given):
            watch.now += next(seconds)
            return playouts(*given)

        monkeypatch.setattr(territory, "owned_by_playouts", slowly)

    return take


def after_a_move(engine):
    """A position that nobody has judged: judgements are remembered, and the engine has seen the empty board."""
    engine.play(WHITE, int(engine.position.legal_moves()[7]))


@pytest.mark.parametrize(("batches", "least"), [(1, 0.4), (2, 0.3)])
@pytest.mark.parametrize("seconds", [0.5, 0.55, 2.0])
def test_the_last_answers_come_in_time(watch, batches, least, seconds):
    """No answer is asked for that cannot come in time; what is left over is less than an answer takes, or two do."""
    engine = Search(Slow(watch, 0.1), PLAIN.with_(leaves=4, batches=batches))
    engine.set_position(position(9))
    engine.run(Limits(visits=1))
    result = engine.run(Limits(seconds=seconds))
    assert seconds - 0.5 + least - 1e-9 <= result.seconds <= seconds + 1e-9


def test_time_is_up_before_an_answer_that_would_come_late(watch):
    engine = Search(noisy(1), PLAIN)
    engine.set_position(position(5))
    engine.run(Limits(visits=5))
    for latency, over in ((0.0, False), (0.3, False), (0.6, True)):
        run = Run(engine.core, Limits(seconds=1.0, min_playouts=0))
        watch.now += 0.5
        run.answered(latency)
        assert run.over() == over
    run.answered(0.1)
    assert run.latency == pytest.approx(0.35)  # one quick answer does not make the next one quick


@pytest.mark.parametrize(("clock", "usable"), [("", 1.0), ("byoyomi 0 2 1", 1.5), ("canadian 0 1 1", 0.75)])
def test_a_move_takes_the_time_it_has(watch, judging, clock, usable):
    """The judgement after the search counts, too: both together take the time of a move, and little is left unused."""
    engine = Engine(Slow(watch, 0.01), EngineOptions(time=1.0, resign=False), size=5, seed=1)
    judging(itertools.repeat(0.2))
    engine.warm_up()  # learns how long a judgement takes
    if clock:
        engine.clock.set(from_words(clock.split()))
    after_a_move(engine)
    for color in (BLACK, 3 - BLACK):
        start = watch.now
        engine.genmove(color)
        assert usable - 0.06 <= watch.now - start <= usable + 1e-9


def test_a_pause_of_the_machine_does_not_starve_the_next_moves(watch, judging):
    engine = Engine(Slow(watch, 0.01), EngineOptions(time=1.0, resign=False), size=5, seed=1)
    engine.warm_up()
    after_a_move(engine)
    judging(itertools.chain([0.0, 2.0], itertools.repeat(0.0)))
    taken = []
    for color in (BLACK, 3 - BLACK) * 2:
        start = watch.now
        engine.genmove(color)
        taken.append(watch.now - start)
    assert taken == pytest.approx([1.0, 3.0, 1.0, 1.0], abs=0.06)


@pytest.mark.parametrize(
    "words",
    ["absolute 0", "absolute 0.2", "byoyomi 0 0.1 3", "canadian 0 1 25", "fischer 0 0.05", "fischer-capped 1 0.1 2 0.2"],
)
def test_short_clocks_are_never_overstepped(watch, judging, words):
    """Where there is no time at all, a move takes one answer of the net and one judgement."""
    engine = Engine(Slow(watch, 0.005), size=9, seed=1)
    judging(itertools.repeat(0.002))
    engine.warm_up()
    engine.clock.set(from_words(words.split()))
    after_a_move(engine)
    for color in (BLACK, WHITE) * 4:
        left, start = engine.clock.left[color], watch.now
        engine.genmove(color)
        assert 0.007 - 1e-9 <= watch.now - start <= max(0.007, left.main + left.period) + 1e-9
