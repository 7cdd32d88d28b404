"""How people of a rank play, as numbers: the profile that names the ranks, and what is tuned by rank.

Names are KataGo's, whose HumanSL net has the same knobs: `humanSLProfile` (`rank_5k`; `rank_5k_3k` for Black's and White's
rank), `humanSLChosenMoveProp`, `humanSLChosenMovePiklLambda`, `humanSLChosenMoveIgnorePass`. Knows numbers and texts; imports
neither numpy nor a net, because a command line needs it before those are loaded.
"""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from goengine.ranks.scale import HIGHEST, LOWEST, RankError, rank_value

PREFIXES: Final = ("rank_", "preaz_")  # the second: as before AlphaGo. Here both are the same: the games are mostly of before
PROFESSIONALS: Final = "proyear_"

# Tuned by `python benchmarks/rank_ladder.py` so that each rank beats the weaker ones; between them a straight line.
KNOTS: Final = (-29.0, -19.0, -9.0, -4.0, 0.0, 3.0, 6.0, 9.0)
TEMPERATURES: Final = (1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.4, 0.15)
LAMBDAS: Final = (6.0, 3.0, 1.4, 0.8, 0.4, 0.22, 0.06, 0.02)  # in value, of [-1, 1]: a loss of that much is e times rarer
RESIGN_SHARES: Final = (0.05, 0.1, 0.3, 0.5, 0.8, 1.0, 1.0, 1.0)  # of the chance below which the engine gives up
RESIGN_TURNS: Final = (10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 3.0, 3.0)


@dataclass(frozen=True)
class Profile:
    """The ranks of both players, as numbers on the scale of `goengine.ranks.scale`."""

    black: float
    white: float

    def own(self, color: int) -> float:
        """The rank of the player of a colour, 1 for Black."""
        return self.black if color == 1 else self.white

    def other(self, color: int) -> float:
        """The rank of the opponent of that colour."""
        return self.own(3 - color)


def parse_profile(text: str) -> Profile:
    """The profile that a text names: `12k`, `3d`, `rank_5k`, `preaz_1d`, `rank_5k_3k` (Black's, White's).

    Raises RankError that says what is wrong and what there is.
    """
    plain = text.strip().lower()
    if plain.startswith(PROFESSIONALS):
        raise RankError(f"'{text[:40]}': there are no profiles of professionals by year; possible: rank_30k to rank_9d")
    prefix = next((prefix for prefix in PREFIXES if plain.startswith(prefix)), "")
    words = plain.removeprefix(prefix).split("_")
    if len(words) > 2 or not all(words):
        raise RankError(f"'{text[:40]}' names no rank; expected 12k, 3d, rank_5k, or rank_5k_3k for Black's and White's")
    ranks = [rank_value(word) for word in words]
    return Profile(ranks[0], ranks[-1])


def profile_name(text: str) -> str:
    """The profile's name as KataGo has it: `5k` is rank_5k; empty for none."""
    return text if not text or text.startswith(PREFIXES) else f"rank_{text}"


@dataclass(frozen=True)
class RankStyle:
    """What is tuned by rank."""

    temperature: float  # of the ranked policy
    pikl_lambda: float  # a move that loses so much of the value is e times as rare as the policy has it
    resign_share: float
    resign_turns: int


def style_of(rank: float) -> RankStyle:
    """How a rank plays; beyond the scale as its end."""
    return RankStyle(
        temperature=_between(TEMPERATURES, rank),
        pikl_lambda=_between(LAMBDAS, rank),
        resign_share=_between(RESIGN_SHARES, rank),
        resign_turns=round(_between(RESIGN_TURNS, rank)),
    )


def _between(values: Sequence[float], rank: float) -> float:
    """On the straight lines between the knots."""
    rank = min(HIGHEST, max(LOWEST, rank))
    above = min(bisect(KNOTS, rank), len(KNOTS) - 1)
    low, high = KNOTS[above - 1], KNOTS[above]
    share = (rank - low) / (high - low)
    return values[above - 1] * (1 - share) + values[above] * share
