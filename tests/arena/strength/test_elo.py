"""Elo differences: known numbers, and intervals that hold the truth as often as they say."""

import math

import numpy as np
import pytest

from goengine.arena.strength import beta, elo
from goengine.arena.strength.elo import Score

# share of the points, Elo difference; the tables of the logistic curve
KNOWN = [
    (0.5, 0),
    (0.75, 190.8485),
    (0.25, -190.8485),
    (10 / 11, 400),
    (0.76, 200.24),
    (0.64, 99.95),
    (0.9, 381.70),
    (0.99, 798.25),
]


@pytest.mark.parametrize(("points", "difference"), KNOWN)
def test_difference_of_a_share(points, difference):
    assert elo.difference(points) == pytest.approx(difference, abs=0.005)
    assert elo.expected(elo.difference(points)) == pytest.approx(points)


def test_the_ends():
    assert elo.difference(1) == math.inf
    assert elo.difference(0) == -math.inf
    assert elo.expected(1e9) == 1
    assert elo.expected(-1e9) == 0
    with pytest.raises(ValueError, match="from 0 to 1"):
        elo.difference(1.5)


# quantiles from scipy.stats.beta.ppf
BETA = [
    (0.025, 0.5, 0.5, 0.001541333133436012),
    (0.975, 20.5, 0.5, 0.9999757535215408),
    (0.025, 19.5, 1.5, 0.7891813637507349),
    (0.5, 3.5, 2.0, 0.6539139497521298),
    (0.025, 50000.5, 50000.5, 0.49690106234693243),
    (0.3, 1234.0, 77.5, 0.9376616387233602),
]


@pytest.mark.parametrize(("share", "a", "b", "x"), BETA)
def test_beta_quantiles(share, a, b, x):
    assert beta.quantile(share, a, b) == pytest.approx(x, rel=1e-6)
    assert beta.probability(x, a, b) == pytest.approx(share, rel=1e-4)


def test_beta_in_closed_form():
    for x in (0.01, 0.3, 0.77, 0.999):
        assert beta.probability(x, 1, 1) == pytest.approx(x)
        assert beta.probability(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)))
        assert beta.probability(x, 7, 1) == pytest.approx(x**7)
        assert beta.probability(x, 1, 7) == pytest.approx(1 - (1 - x) ** 7)
    assert beta.probability(0, 2, 3) == 0
    assert beta.probability(1, 2, 3) == 1


def test_jeffreys_interval_of_single_games():
    found = elo.estimate(Score(wins=7, losses=3))
    assert [elo.expected(found.low), elo.expected(found.high)] == pytest.approx([0.394182, 0.907305], abs=1e-5)
    assert found.difference == pytest.approx(147.2, abs=0.1)


@pytest.mark.parametrize("games", [1, 2, 3, 20, 1000, 100_000])
def test_all_won_is_finite_and_grows_with_the_games(games):
    found = elo.estimate(Score(wins=games))
    less = elo.estimate(Score(wins=games, losses=1))
    assert less.difference < found.difference < found.high < math.inf
    assert less.low < found.low < found.difference
    lost = elo.estimate(Score(losses=games))
    assert (lost.difference, lost.low, lost.high) == pytest.approx((-found.difference, -found.high, -found.low))
    assert lost.superiority == pytest.approx(1 - found.superiority)


def test_no_game_says_nothing():
    found = elo.estimate(Score())
    assert (found.difference, found.superiority) == pytest.approx((0, 0.5))
    assert found.low == pytest.approx(-found.high)
    assert 1000 < found.high < 1300
    assert elo.from_pairs([]) == found


def pairs(counts):
    return [score for score, count in zip((0, 0.5, 1, 1.5, 2), counts, strict=True) for _ in range(count)]


# Counts of pairs with 0, 1/2, ... 2 points, Elo, half of the interval, LOS: published with fastchess 0.9 (elo_test.cpp)
PENTANOMIAL = [
    ((34, 54, 63, 64, 75), 55.58, 27.65, 1.0000),
    ((332, 433, 498, 333, 334), -8.64, 10.33, 0.0505),
    ((7895, 8757, 5685, 568, 9999), -21.04, 2.95, 0.0000),
]


@pytest.mark.parametrize(("counts", "difference", "error", "superiority"), PENTANOMIAL)
def test_many_pairs_give_the_pentanomial_interval(counts, difference, error, superiority):
    found = elo.from_pairs(pairs(counts))
    assert found.difference == pytest.approx(difference, abs=0.01)
    assert (found.high - found.low) / 2 == pytest.approx(error, rel=0.01)
    assert found.superiority == pytest.approx(superiority, abs=0.001)


# Wins, losses, draws; Elo, half of the interval, LOS: from the same source
TRINOMIAL = [((136, 96, 111), 40.70, 30.43, 0.9960), ((76, 89, 123), -15.70, 30.3, 0.1553)]


@pytest.mark.parametrize(("score", "difference", "error", "superiority"), TRINOMIAL)
def test_single_games_with_draws(score, difference, error, superiority):
    wins, losses, draws = score
    found = elo.estimate(Score(wins, draws, losses))
    assert found.difference == pytest.approx(difference, abs=0.05)
    assert (found.high - found.low) / 2 == pytest.approx(error, rel=0.01)
    assert found.superiority == pytest.approx(superiority, abs=0.002)


def test_pairs_as_even_as_independent_games_give_the_same_as_single_games():
    found = elo.from_pairs(pairs((25, 0, 50, 0, 25)))
    single = elo.estimate(Score(100, 0, 100))
    assert found.high == pytest.approx(single.high, rel=0.02)


def test_what_pairs_take_out_and_bring_in():
    single = elo.estimate(Score(20, 0, 20))
    colour_decides = elo.from_pairs([1.0] * 20)  # each opening is won by the same colour twice
    opening_decides = elo.from_pairs([0.0, 2.0] * 10)
    assert 0 < colour_decides.high < single.high < opening_decides.high
    assert elo.from_pairs([2.0]) == elo.estimate(Score(2))
    assert elo.from_pairs([2.0] * 10) == elo.estimate(Score(20))


def test_a_game_without_its_pair_counts():
    alone = elo.from_pairs([1.0, 2.0, 1.0])
    more = elo.from_pairs([1.0, 2.0, 1.0], Score(wins=1))
    assert more.difference == pytest.approx(elo.difference(5 / 7))
    assert more.difference > alone.difference
    assert elo.from_pairs([], Score(3, 1, 2)) == elo.estimate(Score(3, 1, 2))


def test_an_impossible_pair_is_refused():
    with pytest.raises(ValueError, match=r"not 0\.7"):
        elo.from_pairs([1, 0.7])
    with pytest.raises(ValueError, match="negative"):
        Score(1, 0, -1)


# Probabilities of 0, 1/2, ... 2 points; least share of intervals that must hold the truth with 5 and 20 pairs
TRUTHS = {
    "equals": ((0.25, 0, 0.5, 0, 0.25), 0.89),
    "one is better": ((0.0625, 0, 0.375, 0, 0.5625), 0.89),
    "one is much better": ((0.01, 0, 0.18, 0, 0.81), 0.92),
    "the first move decides": ((0.1, 0, 0.8, 0, 0.1), 0.92),
    "a pair is rarely decided": ((0.01, 0, 0.95, 0, 0.04), 0.92),
    "the opening decides": ((0.4, 0, 0.2, 0, 0.4), 0.86),
    "draws": ((0.05, 0.2, 0.5, 0.2, 0.05), 0.92),
}


@pytest.mark.parametrize(("chances", "least"), TRUTHS.values(), ids=TRUTHS)
def test_the_interval_holds_the_truth(chances, least):
    generator = np.random.default_rng(7)
    truth = elo.difference(np.dot(chances, (0, 0.25, 0.5, 0.75, 1)))
    for number in (5, 20):
        drawn, times = np.unique(generator.multinomial(number, chances, size=400), axis=0, return_counts=True)
        held = 0
        for counts, often in zip(drawn, times, strict=True):
            found = elo.from_pairs(pairs(counts))
            held += often * (found.low <= truth + 1e-9 and truth - 1e-9 <= found.high)
        assert held / 400 >= least, number


def test_in_words():
    assert str(Score(15, 2, 5)) == "15-5 (2 drawn)"
    assert str(elo.estimate(Score(15, 0, 5))).startswith("+191 Elo (+")
    assert Score(1, 2, 3) + Score(1, 0, 0) == Score(2, 2, 3)
    assert Score(1, 2, 3).reversed() == Score(3, 2, 1)
    assert Score(1, 2, 3).points == pytest.approx(1 / 3)
