"""How likely the moves of each side of a game are under ranks. Knows records and ranked nets; no priors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from goengine.board.state import BLACK, PASS, WHITE
from goengine.dataio.records import GameRecord
from goengine.estimate.posterior import KNOTS
from goengine.evaluators.ranked import RankedPolicy
from goengine.ranks.scale import Server, server_of
from goengine.review.line import GameLine, rules_of

Opponents = Literal["unknown", "record"]
CHANCE: Final = 0.01  # share of moves for which no rank is to blame: a slip of the mouse must not outweigh a game
POSITIONS: Final = 8  # asked about at a time


@dataclass(frozen=True)
class SideCurve:
    """What the moves of a side say. curve: float64[KNOTS], the sum of the moves' log-likelihoods."""

    color: int
    curve: np.ndarray
    moves: int
    fault: str = ""  # why the game counts only up to a move


def side_curves(
    policy: RankedPolicy, record: GameRecord, opponents: Opponents = "unknown", stop: Callable[[], bool] | None = None
) -> list[SideCurve]:
    """Both sides of a game, Black first, without those that programs played.

    opponents: whether the net is told the rank that the record gives the other side. Raises ValueError if the first stones
    cannot stand; a game that breaks off at an illegal move counts up to there.
    """
    line = GameLine(record, rules_of(record, None, None)[0])
    server = server_of(record.place) or Server.KGS
    ranks = dict(zip((BLACK, WHITE), record.ranks(), strict=True)) if opponents == "record" else {}
    found = []
    for color, bot in ((BLACK, record.black_bot), (WHITE, record.white_bot)):
        plies = [ply for ply in range(len(line.before)) if record.moves[ply][0] == color and line.point(ply) != PASS]
        if bot:
            continue
        curve = np.zeros(len(KNOTS))
        for start in range(0, len(plies), POSITIONS):
            if stop is not None and stop():
                return found
            curve += _sum(policy, line, plies[start : start + POSITIONS], ranks.get(3 - color), server)
        found.append(SideCurve(color, curve, len(plies), line.fault))
    return found


def _sum(policy: RankedPolicy, line: GameLine, plies: list[int], other: float | None, server: Server) -> np.ndarray:
    """float64[KNOTS]: of these moves together."""
    positions = [line.at(line.before[ply]) for ply in plies]
    played = np.array([line.record.moves[ply][1] for ply in plies])
    shares = policy.over_ranks(positions, KNOTS.tolist(), other, server)[np.arange(len(plies)), :, played]
    return np.asarray(np.log((1 - CHANCE) * shares.astype(np.float64) + CHANCE / line.size**2).sum(axis=0))
