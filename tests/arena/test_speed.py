"""Equal time by unequal visits."""

import pytest

from goengine.arena import speed
from goengine.arena.players import parse_player
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation


def test_some_visits_are_made_in_a_second():
    assert speed.visits_per_second(parse_player("uniform"), 5, seconds=0.05, evaluator=Uniform()) > 100


def test_visits_that_ask_no_net_count_too():
    """Most visits of the first AlphaGo's search are rollouts."""
    net = Scripted(lambda planes, _: flat_evaluation(len(planes), planes.shape[-1]))
    assert (
        0.2 * speed.visits_per_second(parse_player("uniform", "preset=LEE"), 5, seconds=0.2, evaluator=net) > 5 * net.rows > 0
    )


def test_the_faster_gets_more_visits(monkeypatch):
    monkeypatch.setattr(speed, "visits_per_second", lambda player, size, **how: 300.0 if player.precision == "int8" else 200.0)
    fast, slow = parse_player("uniform", "precision=int8,playouts=3"), parse_player("uniform", "visits=60")
    assert speed.with_equal_time(fast, slow, 9).visits == 90
    assert speed.with_equal_time(slow, parse_player("uniform"), 9) == parse_player("uniform", "visits=100")
    with pytest.raises(ValueError, match="number of visits"):
        speed.with_equal_time(slow, fast, 9)


def test_uniform_counts_as_a_cpu():
    assert Uniform().traits.device == "cpu"
