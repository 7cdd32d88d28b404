"""Ratings of many players: closed forms, leagues with a known truth, and players that would be infinite."""

import itertools
import math

import numpy as np
import pytest

from goengine.arena.strength import elo
from goengine.arena.strength.elo import Score
from goengine.arena.strength.ratings import rate


def by_name(ratings):
    return {rating.name: rating for rating in ratings}


def test_two_players_have_the_difference_of_their_score():
    first, second = rate({("a", "b"): Score(300, 0, 100)}, deviation=1e6)
    assert (first.name, second.name) == ("a", "b")
    assert first.elo - second.elo == pytest.approx(190.8485, abs=0.01)
    assert first.elo == pytest.approx(-second.elo)
    # The curvature of the log-likelihood of 400 games at p = 3/4 is 400 p (1 - p) (log(10)/400)^2.
    sigma = 400 / math.log(10) / math.sqrt(400 * 0.75 * 0.25)
    assert first.high - first.low == pytest.approx(2 * 1.959964 * sigma / 2, rel=1e-4)
    assert first.superiority > 0.999999
    assert second.superiority is None


def test_an_anchor_is_certain_and_the_others_are_relative_to_it():
    ratings = by_name(rate({("a", "b"): Score(300, 0, 100)}, anchor="b", anchor_elo=1500, deviation=1e6))
    assert (ratings["b"].elo, ratings["b"].low, ratings["b"].high) == pytest.approx((1500, 1500, 1500))
    assert ratings["a"].elo == pytest.approx(1690.85, abs=0.01)
    assert ratings["a"].high - ratings["a"].elo == pytest.approx(1.959964 * 400 / math.log(10) / math.sqrt(75), rel=1e-4)


def test_a_draw_is_half_a_win_for_each():
    drawn = rate({("a", "b"): Score(10, 20, 10)})
    played = rate({("a", "b"): Score(20, 0, 20)})
    assert [r.elo for r in drawn] == pytest.approx([r.elo for r in played])
    assert [r.high for r in drawn] == pytest.approx([r.high for r in played])


def test_the_prior_in_closed_form():
    # One draw between equals: precision of the difference 2 / (2 s^2) from the prior and (log(10)/400)^2 / 4 from the game.
    unit, deviation = math.log(10) / 400, 500.0
    first, _ = rate({("a", "b"): Score(0, 1, 0)}, deviation=deviation)
    sigma = 1 / math.sqrt(1 / (2 * deviation**2) + unit**2 / 4)
    assert first.high - first.elo == pytest.approx(1.959964 * sigma / 2, rel=1e-6)


def test_all_won_and_never_met_stay_finite():
    ratings = by_name(rate({("a", "b"): Score(wins=1000), ("c", "d"): Score(losses=3)}, names=["hermit"]))
    assert all(math.isfinite(value) for r in ratings.values() for value in (r.elo, r.low, r.high))
    assert 700 < ratings["a"].elo - ratings["b"].elo < 2500
    assert ratings["d"].elo > ratings["c"].elo
    assert ratings["hermit"].games == 0
    assert ratings["hermit"].elo == pytest.approx(0, abs=1e-6)
    assert ratings["hermit"].high - ratings["hermit"].low > 2000


def test_more_wins_in_a_row_are_worth_more():
    leads = [rate({("a", "b"): Score(wins=games)})[0].elo for games in (1, 5, 20, 100, 1000)]
    assert leads == sorted(leads)
    assert leads[0] > 50


def test_strength_passes_on():
    # a against c was never played
    ratings = by_name(rate({("a", "b"): Score(75, 0, 25), ("b", "c"): Score(75, 0, 25)}, deviation=1e5))
    assert ratings["a"].elo - ratings["c"].elo == pytest.approx(2 * 190.85, abs=0.1)
    assert ratings["a"].elo - ratings["b"].elo == pytest.approx(190.85, abs=0.1)


def test_a_cycle_is_no_order():
    cycle = {("a", "b"): Score(8, 0, 2), ("b", "c"): Score(8, 0, 2), ("c", "a"): Score(8, 0, 2)}
    assert [r.elo for r in rate(cycle)] == pytest.approx([0, 0, 0], abs=1e-6)
    assert [r.name for r in rate(cycle)] == ["a", "b", "c"]
    assert rate(cycle)[0].superiority == pytest.approx(0.5)


def test_both_orders_of_a_pairing_count():
    once = rate({("a", "b"): Score(30, 0, 10)})
    twice = rate({("a", "b"): Score(20, 0, 5), ("b", "a"): Score(5, 0, 10)})
    assert [r.elo for r in once] == pytest.approx([r.elo for r in twice])
    assert [(r.score, r.games, r.points) for r in twice] == [(Score(30, 0, 10), 40, 0.75), (Score(10, 0, 30), 40, 0.25)]


def test_a_league_shows_its_true_ratings():
    generator, held, errors, players = np.random.default_rng(5), 0, [], 8
    for _ in range(40):
        truth = generator.normal(0, 250, players)
        truth -= truth.mean()
        results = {}
        for i, j in itertools.combinations(range(players), 2):
            wins = int(generator.binomial(40, elo.expected(truth[i] - truth[j])))
            results[str(i), str(j)] = Score(wins, 0, 40 - wins)
        ratings = rate(results)
        assert sum(r.elo for r in ratings) == pytest.approx(0, abs=1e-6)
        held += sum(r.low <= truth[int(r.name)] <= r.high for r in ratings)
        errors += [r.elo - truth[int(r.name)] for r in ratings]
    assert abs(np.mean(errors)) < 1
    assert np.sqrt(np.mean(np.square(errors))) < 40
    assert 0.92 <= held / (40 * players) <= 0.98


def test_superiority_of_equals_is_even_whatever_the_rest_does():
    results = {("a", "b"): Score(5, 0, 5), ("a", "c"): Score(9, 0, 1), ("b", "c"): Score(9, 0, 1)}
    first, second, third = rate(results)
    assert first.superiority == pytest.approx(0.5)
    assert second.superiority > 0.95
    assert third.superiority is None


def test_what_cannot_be_rated_is_refused():
    assert rate({}) == []
    with pytest.raises(ValueError, match="itself"):
        rate({("a", "a"): Score(1)})
    with pytest.raises(ValueError, match="anchor 'z'"):
        rate({("a", "b"): Score(1)}, anchor="z")
