"""Ranks out of likelihoods: the truth is found, intervals hold, moves that hang together count less."""

import numpy as np
import pytest

from goengine.estimate.calibration import fit, grouped, points, summary
from goengine.estimate.players import PlayerMoves
from goengine.estimate.posterior import KNOTS, RANKS, Calibration, estimate, posterior, prior, quantile, spline

SHARP = Calibration(temperature=1.0, spread=0.0)


def curve(rank, moves=1.0, width=6.0):
    """The log-likelihood of moves that speak for a rank."""
    return -0.5 * moves * ((KNOTS - rank) / width) ** 2


def test_the_spline_goes_through_its_knots_and_is_smooth_between():
    values = np.sin(KNOTS / 9)
    assert (spline() @ values)[np.isin(RANKS, KNOTS)] == pytest.approx(values)
    assert spline() @ values == pytest.approx(np.sin(RANKS / 9), abs=0.03)
    assert spline() @ (2 * KNOTS + 1) == pytest.approx(2 * RANKS + 1)


@pytest.mark.parametrize("rank", [-25, -11, -4, 0, 3, 8])
def test_many_moves_find_the_rank_and_few_leave_it_open(rank):
    found = {n: estimate(posterior(curve(rank, n), prior("flat"), SHARP), 0.8, n, 1) for n in (1, 30, 300)}
    assert found[300].rank == pytest.approx(rank, abs=0.4)
    assert found[300].low <= rank <= found[300].high
    assert found[1].high - found[1].low > found[30].high - found[30].low > found[300].high - found[300].low
    assert -29 <= found[1].low <= found[1].rank <= found[1].high <= 9


def test_nothing_leaves_the_prior():
    nothing = np.zeros(len(KNOTS))
    assert posterior(nothing, prior("flat"), SHARP) == pytest.approx(np.full(len(RANKS), 1 / len(RANKS)))
    assert quantile(posterior(nothing, prior("server"), SHARP), 0.5) == pytest.approx(-5.5, abs=1)
    with pytest.raises(ValueError, match="no prior 'kgs'; possible: flat, server"):
        prior("kgs")


def test_temperature_and_spread_widen_intervals():
    def width(calibration):
        found = estimate(posterior(curve(-5, 50), prior("flat"), calibration), 0.8, 50, 1)
        return found.high - found.low

    assert width(SHARP) < width(Calibration(4.0, 0.0)) < width(Calibration(4.0, 3.0))
    forever = posterior(curve(-5, 1e9), prior("flat"), Calibration(1.0, 2.0))
    assert quantile(forever, 0.9) - quantile(forever, 0.1) == pytest.approx(2 * 1.28 * 2.0, abs=0.4)


def players(count, repeats, seed=1):
    """People whose moves speak for their rank, but each move is counted `repeats` times, as in games that hang together."""
    chance, found = np.random.default_rng(seed), []
    for _ in range(count):
        rank = float(chance.integers(-25, 6))
        said = np.mean([rank + chance.normal(0, 6) for _ in range(20)])
        player = PlayerMoves("", curve(said, 20 * repeats), 100, 1, [rank])
        found.append(player)
    return found


def test_the_fit_finds_how_much_moves_hang_together():
    few, many = fit(players(150, 1)), fit(players(150, 8))
    assert few == SHARP and many.temperature > 1.0 and many.spread > 0.0
    with pytest.raises(ValueError, match="nothing can be fitted"):
        fit([])


@pytest.mark.parametrize("repeats", [1, 8])
def test_intervals_hold_as_often_as_they_say(repeats):
    measured = points(players(300, repeats, 2), prior("flat"), fit(players(150, repeats)), 0.8)
    figures = summary(measured)["all"]
    assert figures["players"] == 300
    assert 0.7 <= figures["held"] <= 0.97
    assert figures["median_error"] < 2


def test_sides_of_a_rank_are_taken_together():
    sides = [PlayerMoves("", curve(-4), 50, 1, [-4.0]) for _ in range(7)] + [PlayerMoves("", curve(2), 50, 1, [2.0])] * 2
    found = grouped(sides, 3)
    assert [(player.games, player.moves, player.label) for player in found] == [(3, 150, -4.0)] * 2
    assert grouped(sides, 10) == []
