"""Openings from a policy: different up to symmetry, balanced, and the same for the same seed."""

import numpy as np
import pytest

from goengine.arena.fixtures import GameSetup
from goengine.arena.openings import OpeningsError, OpeningSource, draw_openings, position_key
from goengine.arena.players import parse_player
from goengine.arena.policy_openings import CHUNK, OpeningFilter, draw, draw_from
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.evaluators.base import Traits
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation

TERMS = GameSetup(5, Rules())


def likes(*points: int):
    """A net that wants these points (policy indices), and a pass even more."""

    def script(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.policy[:, list(points)] = 20.0
        answer.policy[:, -1] = 40.0
        return answer

    return Scripted(script)


def counts_corners(planes, values):
    """Who has the corner stone has won."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    answer.value[:] = planes[:, 1, 0, 0] - planes[:, 2, 0, 0]
    return answer


def test_openings_differ_in_every_view():
    found = draw_from([Uniform()], TERMS, 3, 40, seed=1)
    assert len(found) == 40 and all(len(opening) == 3 for opening in found)
    assert len({position_key(opening, TERMS) for opening in found}) == 40
    for opening in found:
        position = Position(5, TERMS.rules)
        for point in opening:
            position.play(point)
        assert coords.PASS not in opening


def test_they_depend_on_the_seed_alone():
    found = draw_from([Uniform()], TERMS, 3, 30, seed=1)
    assert draw_from([Uniform()], TERMS, 3, 100, seed=1)[:30] == found
    assert draw_from([Uniform()], TERMS, 3, 30, seed=2) != found


def test_moves_come_from_the_policy_and_nets_take_turns():
    nets = [likes(6, 7, 8), likes(16, 17, 18)]
    found = draw_from(nets, TERMS, 2, 6, seed=1)
    by_net = [{coords.to_index(p, 5) for p in opening} for opening in found]
    assert all(points <= {6, 7, 8} or points <= {16, 17, 18} for points in by_net)
    assert all(net.rows for net in nets)


def test_where_there_are_no_more_fewer_come():
    assert len(draw_from([Uniform()], TERMS, 1, 100, seed=1)) == 6, "the points of a 5x5 board that no symmetry makes equal"
    assert draw_from([Uniform()], TERMS, 0, 10, seed=1) == [()]
    assert draw_from([Uniform()], TERMS, 3, 0, seed=1) == []


def test_hopeless_openings_are_left_out():
    proven = Scripted(counts_corners)
    corners = [0]
    found = draw_from([proven], TERMS, 2, 60, seed=1)
    assert found and all(coords.to_index(p, 5) not in corners for opening in found for p in opening)
    unproven = Scripted(counts_corners, traits=Traits(name="unproven", features="zero", value_proven=False))
    assert any(coords.to_index(p, 5) in corners for o in draw_from([unproven], TERMS, 2, 60, seed=1) for p in o)
    assert any(
        coords.to_index(p, 5) in corners for o in draw_from([proven], TERMS, 2, 60, 1, OpeningFilter(most=1.0)) for p in o
    )


def test_none_at_all_is_an_error():
    def lost(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.value[:] = np.float32(-0.9)
        return answer

    with pytest.raises(OpeningsError, match=rf"none of {8 * CHUNK} openings of 2 plies"):
        draw_from([Scripted(lost)], TERMS, 2, 4, seed=1)


@pytest.mark.parametrize("opening_filter", [{"temperature": 0.0}, {"most": 0.0}])
def test_impossible_tastes(opening_filter):
    with pytest.raises(ValueError, match="positive"):
        OpeningFilter(**opening_filter)


def test_a_lower_temperature_keeps_to_the_best_moves():
    def slope(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.policy[:, :-1] = np.linspace(0, 3, planes.shape[-1] ** 2, dtype=np.float32)
        return answer

    def height(temperature: float) -> float:
        found = draw_from([Scripted(slope)], TERMS, 1, 1, 1, OpeningFilter(temperature=temperature))
        return coords.to_index(found[0][0], 5)

    assert height(0.001) == 24 > height(1000.0)


def test_as_a_source_of_a_match():
    nets = {"a": parse_player("uniform"), "b": parse_player("uniform", "visits=3")}
    found = draw_openings(OpeningSource("policy", 3), TERMS, 20, 1, nets)
    assert found == draw([nets["a"]], TERMS, 3, 20, 1)
