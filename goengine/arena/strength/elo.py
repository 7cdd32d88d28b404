"""What a score says about strength: the Elo difference, its interval, and who is likely the better one.

Knows points, games and pairs of games. Knows nothing of who played, of openings or of Go. Everything here is about two
players; many players are `ratings`'s, and when a match may stop is `sprt`'s.

An interval must be finite and honest with three games and with 100 % of the points, where the usual normal approximation
says "infinite" or "no doubt at all". So the share of points gets the posterior under Jeffreys' prior, Beta(1/2, 1/2), and
its quantiles are mapped to Elo; Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001),
recommend this interval for few trials. Draws and pairs change how much a game tells: two games from one opening with
colours exchanged are not independent, and a draw is less random than a win or a loss. As surveys do (Kish 1965; Korn and
Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts estimated from survey
data"), the posterior is then computed for the effective number of games: games divided by the ratio of the observed
variance to that of independent games without draws. With many pairs this is the pentanomial interval of chess testing
(https://disservin.github.io/stockfish-docs/fishtest-wiki/Fishtest-mathematics.html), without failing for few.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from goengine.arena.strength import beta

CONFIDENCE = 0.95
# Weight, in pairs (or games), of the belief that games are independent, before their variance has been seen. Of 1/2, 1, 2, 3
# and 4, simulated with twelve distributions of a pair's points, 2 is the least with which the interval held the truth in at
# least 87 % of matches of 3 to 20 pairs and 92 % of 50 and more; with 1, pairs that end 1-1 in 95 of 100 had 87 % at 50 pairs.
INDEPENDENCE = 2.0


@dataclass(frozen=True)
class Score:
    """Wins, draws and losses of the player asked about; games without a result are not among them."""

    wins: int = 0
    draws: int = 0
    losses: int = 0

    def __post_init__(self) -> None:
        if min(self.wins, self.draws, self.losses) < 0:
            raise ValueError(f"a score cannot be negative: {self.wins} wins, {self.draws} draws, {self.losses} losses")

    @property
    def games(self) -> int:
        """Games that count."""
        return self.wins + self.draws + self.losses

    @property
    def total(self) -> float:
        """Points: a win is 1, a draw 1/2."""
        return self.wins + self.draws / 2

    @property
    def points(self) -> float:
        """Share of the points, 0 to 1; 1/2 before the first game."""
        return self.total / self.games if self.games else 0.5

    def __add__(self, other: "Score") -> "Score":
        return Score(self.wins + other.wins, self.draws + other.draws, self.losses + other.losses)

    def reversed(self) -> "Score":
        """The same games as the opponent sees them."""
        return Score(self.losses, self.draws, self.wins)

    def __str__(self) -> str:
        return f"{self.wins}-{self.losses}" + (f" ({self.draws} drawn)" if self.draws else "")


@dataclass(frozen=True)
class Elo:
    """An Elo difference with its interval; positive where the first player is the better one."""

    difference: float
    low: float  # 95 % interval
    high: float
    superiority: float  # probability that the first player is the stronger one (LOS)

    def __str__(self) -> str:
        return f"{round(self.difference):+d} Elo ({round(self.low):+d} to {round(self.high):+d})"


def expected(difference: float) -> float:
    """Share of the points expected by a player who is `difference` Elo stronger: 1 / (1 + 10^(-d/400)).

    Elo, "The Rating of Chessplayers, Past and Present" (1978), with the logistic curve: 200 Elo are 76 %.
    """
    exponent = -difference / 400
    return 1 / (1 + 10**exponent) if exponent < 300 else 0.0


def difference(points: float) -> float:
    """The Elo difference at which that share of the points is expected; infinite for 0 and 1.

    Raises ValueError if `points` is not a share.
    """
    if not 0 <= points <= 1:
        raise ValueError(f"a share of points is from 0 to 1, not {points}")
    if points in (0, 1):
        return math.copysign(math.inf, points - 0.5)
    return 400 * (math.log10(points) - math.log10(1 - points))


def estimate(score: Score) -> Elo:
    """The difference from single games, with Jeffreys' interval; finite for every score, also for none.

    For 0 % or 100 % the difference is the posterior's median, elsewhere that of the share of points (maximum likelihood).
    """
    values = [(1.0, score.wins), (0.5, score.draws), (0.0, score.losses)]
    squares = sum(count * (value - score.points) ** 2 for value, count in values)
    return _posterior(score.points, score.games, _variance_ratio(squares, score.games, score.points, score.games))


def from_pairs(pair_scores: Sequence[float], rest: Score = Score()) -> Elo:
    """The difference from pairs of games: the same opening with colours exchanged, each pair's points 0, 1/2, ... 2.

    `rest` are games whose other half is missing: their points count, the pairs alone say how random a pair is.
    Raises ValueError if a pair's score is impossible.
    """
    for score in pair_scores:
        if score not in (0, 0.5, 1, 1.5, 2):
            raise ValueError(f"a pair of games scores 0, 0.5, 1, 1.5 or 2 points, not {score}")
    pairs = len(pair_scores)
    if not pairs:
        return estimate(rest)
    mean = sum(pair_scores) / (2 * pairs)
    squares = sum((score / 2 - mean) ** 2 for score in pair_scores)
    games = 2 * pairs + rest.games
    return _posterior((2 * pairs * mean + rest.total) / games, games, _variance_ratio(squares, pairs, mean, 2 * pairs))


def _variance_ratio(squares: float, units: int, points: float, games: int) -> float:
    """Variance of the mean of `units` (games or pairs), relative to that of `games` independent games without draws.

    `squares` is the sum of squared deviations of the units' shares of points from their mean, `points`. Both variances are
    estimated without bias, so independent games without draws give 1 exactly, and so do 0 % and 100 %, which say
    nothing of it.
    """
    if games < 2 or points in (0, 1):
        return 1.0
    independent = points * (1 - points) * games / (games - 1) / (games / units)  # variance of one unit
    return (squares / independent + INDEPENDENCE) / (units - 1 + INDEPENDENCE)


def _posterior(points: float, games: int, ratio: float) -> Elo:
    """From the share of points and the variance ratio: Jeffreys' posterior for games / ratio games."""
    effective = games / ratio
    a, b = points * effective + 0.5, (1 - points) * effective + 0.5
    tail = (1 - CONFIDENCE) / 2
    low, middle, high = (difference(beta.quantile(share, a, b)) for share in (tail, 0.5, 1 - tail))
    best = difference(points) if 0 < points < 1 else middle
    return Elo(best, low, high, superiority=1 - beta.probability(0.5, a, b))
