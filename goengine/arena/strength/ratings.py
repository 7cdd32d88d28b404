"""Ratings of many players from the games between them.

Knows names and scores. Knows nothing of matches and files. The model is Bradley and Terry's (1952) in Elo's units: a is
expected to get 1 / (1 + 10^((Rb - Ra)/400)) of the points; a draw counts as half a win for each. Each rating has a
Gaussian prior, so a player who won everything, or met nobody, gets a finite rating (Coulom's Bayeselo and KataGo's arena
use a few virtual games for the same end). The most probable ratings are found by Newton's method, which has one
maximum to find because the posterior is log-concave; intervals come from the curvature there (Laplace's approximation).
They are symmetric. A player who lost (or won) everything is rather in their lower (upper) half: `elo` says more of one pairing.

Who moves first is not modelled: games come in pairs with colours exchanged, so neither player gains by it. Games are taken
as independent; pairs from one opening vary less than that, so the intervals are rather too wide than too narrow.

The library `choix` fits the same model, but brings scipy, takes whole wins only, and gives no covariance with the most
probable ratings; here that is a page of numpy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from goengine.arena.strength.elo import CONFIDENCE, Score

PRIOR_DEVIATION = 800.0  # Elo, of each player from the middle; ten games between equals weigh 50 times as much
_UNIT = math.log(10) / 400  # natural logarithm of the odds per Elo point
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Rating:
    """A player's rating, relative to the anchor or to the mean of all."""

    name: str
    elo: float
    low: float  # 95 % interval of the difference to the anchor (or to the mean)
    high: float
    score: Score  # against all others together
    superiority: float | None  # probability of being stronger than the next in the list; None for the last

    @property
    def games(self) -> int:
        """Games that count."""
        return self.score.games

    @property
    def points(self) -> float:
        """Share of the points."""
        return self.score.points


def rate(
    results: Mapping[tuple[str, str], Score],
    names: Sequence[str] = (),
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    deviation: float = PRIOR_DEVIATION,
) -> list[Rating]:
    """Ratings of everybody in `results` and `names`, the best first.

    `results` has the score of the first player of each key against the second; both orders of two names may occur. With
    an anchor its rating is `anchor_elo` and certain; without one the mean of all is `anchor_elo`.
    Raises ValueError if somebody plays against himself or the anchor did not take part.
    """
    players = list(dict.fromkeys([*names, *(name for pair in results for name in pair)]))
    if anchor is not None and anchor not in players:
        raise ValueError(f"the anchor '{anchor}' is not among the players: {', '.join(players)}")
    if not players:
        return []
    points, games = _matrices(results, players)
    elo, covariance = _posterior(points, games, deviation)
    reference = np.eye(len(players))[players.index(anchor)] if anchor else np.full(len(players), 1 / len(players))
    relative = np.eye(len(players)) - reference  # row i: player i minus the reference
    sigma = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", relative, covariance, relative), 0))
    elo = relative @ elo + anchor_elo
    order = np.argsort(-elo, kind="stable")
    ratings = []
    for place, i in enumerate(order):
        after = order[place + 1] if place + 1 < len(order) else None
        superiority = None if after is None else _superiority(elo, covariance, i, after)
        low, high = elo[i] - _Z * sigma[i], elo[i] + _Z * sigma[i]
        score = sum((_seen_by(players[i], pair, score) for pair, score in results.items()), Score())
        ratings.append(Rating(players[i], float(elo[i]), float(low), float(high), score, superiority))
    return ratings


def _seen_by(name: str, pair: tuple[str, str], score: Score) -> Score:
    return score if name == pair[0] else score.reversed() if name == pair[1] else Score()


def _matrices(results: Mapping[tuple[str, str], Score], players: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(points of row against column, games between them), both [players, players]."""
    index = {name: i for i, name in enumerate(players)}
    points = np.zeros((len(players), len(players)))
    for (first, second), score in results.items():
        if first == second:
            raise ValueError(f"'{first}' cannot play against itself")
        points[index[first], index[second]] += score.total
        points[index[second], index[first]] += score.games - score.total
    return points, points + points.T


def _posterior(points: np.ndarray, games: np.ndarray, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """(most probable ratings, covariance), both in Elo, by Newton's method with halved steps where a full one is too far."""
    precision = 1 / (_UNIT * deviation) ** 2
    strength = np.zeros(len(points))  # natural logarithm of the odds

    def log_density(strength: np.ndarray) -> float:
        lead = strength[:, None] - strength
        return float(-(points * np.logaddexp(0, -lead)).sum() - precision * (strength**2).sum() / 2)

    for _ in range(100):
        share = 1 / (1 + np.exp(-(strength[:, None] - strength)))
        gradient = (points - games * share).sum(axis=1) - precision * strength
        curvature = games * share * (1 - share)
        hessian = np.diag(curvature.sum(axis=1) + precision) - curvature  # of the negative logarithm
        step = np.linalg.solve(hessian, gradient)
        while np.abs(step).max() > 1e-9 and log_density(strength + step) < log_density(strength):
            step /= 2
        strength = strength + step
        if np.abs(step).max() < 1e-9:
            break
    return strength / _UNIT, np.linalg.inv(hessian) / _UNIT**2


def _superiority(elo: np.ndarray, covariance: np.ndarray, i: int, j: int) -> float:
    """Probability that player i is stronger than player j."""
    variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
    return NormalDist().cdf((elo[i] - elo[j]) / math.sqrt(variance))
