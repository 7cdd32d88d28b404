"""Equal time by unequal visits. The clocks of these tests go on only while a net answers."""

import pytest

from goengine.arena import speed
from goengine.arena.players import parse_player
from goengine.evaluators.base import Traits
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation


class Watch:
    """Stands in for the module `time`; twice as much passes on the wall as this process takes."""

    def __init__(self):
        self.now = 0.0

    def process_time(self) -> float:
        return self.now

    def perf_counter(self) -> float:
        return 2 * self.now


@pytest.fixture
def watch(monkeypatch):
    watch = Watch()
    monkeypatch.setattr(speed, "time", watch)
    return watch


def slow(watch, seconds, device="cpu"):
    """A net that takes so long for a position."""

    def script(planes, _):
        watch.now += seconds * len(planes)
        return flat_evaluation(len(planes), planes.shape[-1])

    return Scripted(script, traits=Traits(name="slow", features="zero", device=device))


def rate(net, *settings, seconds=1.0):
    return speed.visits_per_second(parse_player("uniform", *settings), 5, seconds=seconds, evaluator=net)


def test_the_time_of_the_process_counts_on_a_cpu_and_that_of_the_wall_elsewhere(watch):
    plain = rate(slow(watch, 0.001))
    assert 1000 <= plain < 1500, "a visit asks for a position, but where the game is over"
    assert rate(slow(watch, 0.002), seconds=2.0) == pytest.approx(plain / 2)
    assert rate(slow(watch, 0.001, device="cuda"), seconds=2.0) == pytest.approx(plain / 2)


def test_visits_that_ask_no_net_count_too(watch):
    """Most visits of the first AlphaGo's search are rollouts."""
    assert rate(slow(watch, 0.001), "preset=LEE") > 5 * 1000


def test_the_faster_gets_more_visits(monkeypatch):
    monkeypatch.setattr(speed, "visits_per_second", lambda player, size, **how: 300.0 if player.precision == "int8" else 200.0)
    fast, slow = parse_player("uniform", "precision=int8,playouts=3"), parse_player("uniform", "visits=60")
    assert speed.with_equal_time(fast, slow, 9).visits == 90
    assert speed.with_equal_time(slow, parse_player("uniform"), 9) == parse_player("uniform", "visits=100")
    with pytest.raises(ValueError, match="number of visits"):
        speed.with_equal_time(slow, fast, 9)


def test_uniform_counts_as_a_cpu():
    assert Uniform().traits.device == "cpu"
