"""What a move was worth: two evaluations, the loss between them, how sure that is, and a grade.

The loss of a move is what the player could have had before it (the search's best move) less what was left after it (the
opponent's best answer), in points and in chances of winning. Both are means over a search, and a mean has a standard error:
the spread of the single evaluations by the root of their number. The noise of the difference is NOISE times the root of the
sum of both squares. A loss below it may be nothing: it is no mistake, and counts as 0. Two searches of a position by
different views of the net differed by less in 97 to 99 of 100 cases, at 100 visits on 9x9. Knows numbers; no games, no files.
"""

import math
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, Protocol

from goengine.board.rules import Rules

NOISE: Final = 1.0  # standard errors
LEAST_NOISE: Final = 0.3, 0.01  # points, chance: of two searches of the same position


@dataclass(frozen=True)
class Evaluation:
    """A position for the player to move: chance of winning in [0, 1], lead in points, and the standard error of each."""

    winrate: float
    lead: float
    winrate_error: float
    lead_error: float
    visits: int


class Grade(IntEnum):
    """How bad a move was."""

    FINE = 0
    DOUBTFUL = 1
    BAD = 2
    BLUNDER = 3


# A move is of the worst grade of which it lost as much, in points or in chances, beyond the noise.
POINTS: Final = {Grade.DOUBTFUL: 2.0, Grade.BAD: 5.0, Grade.BLUNDER: 12.0}
CHANCES: Final = {Grade.DOUBTFUL: 0.08, Grade.BAD: 0.15, Grade.BLUNDER: 0.30}


@dataclass(frozen=True)
class Candidate:
    """A move of the search before the move, for the player to move."""

    point: int
    winrate: float
    lead: float
    visits: int
    prior: float
    line: tuple[int, ...]  # points, the move itself first


@dataclass(frozen=True, kw_only=True)
class RankedMove:
    """What people of the player's rank, and stronger ones, would have played. Shares are probabilities."""

    rank: str
    share: float  # of the played move among people of the rank
    stronger: str
    stronger_share: float
    favourite: int  # the point that people of the rank play most often
    typical: bool  # whether people of the rank often play the move
    line: tuple[int, ...] = ()  # how stronger players would have gone on in place of a mistake; points

    def with_line(self, line: tuple[int, ...]) -> "RankedMove":
        """The same with that line."""
        return replace(self, line=line)


@dataclass(frozen=True, kw_only=True)
class MoveReview:
    """A move of a game. ``before`` is for who made it, ``after`` for the opponent; None where it was not reviewed."""

    number: int  # from 1
    color: int
    point: int
    before: Evaluation | None
    after: Evaluation | None
    candidates: tuple[Candidate, ...] = ()  # the best first
    ranked: RankedMove | None = None

    @property
    def known(self) -> bool:
        """Whether there is a judgement."""
        return self.before is not None and self.after is not None and bool(self.candidates)

    @property
    def best(self) -> Candidate | None:
        """The engine's first choice."""
        return self.candidates[0] if self.candidates else None

    @property
    def first_choice(self) -> bool:
        """Whether the player chose as the engine does."""
        return self.best is not None and self.best.point == self.point

    @property
    def own(self) -> Candidate | None:
        """The played move among the candidates."""
        return next((move for move in self.candidates if move.point == self.point), None)

    @property
    def points_lost(self) -> float:
        """Points that the move lost as it stands, noise and all; negative where the search found it better than its own."""
        return self.before.lead + self.after.lead if self.before and self.after else 0.0

    @property
    def winrate_lost(self) -> float:
        """The same in chances of winning."""
        return self.before.winrate + self.after.winrate - 1 if self.before and self.after else 0.0

    @property
    def points_noise(self) -> float:
        """Below this many points a loss may be nothing."""
        if not (self.before and self.after):
            return math.inf
        return max(LEAST_NOISE[0], NOISE * math.hypot(self.before.lead_error, self.after.lead_error))

    @property
    def winrate_noise(self) -> float:
        """Below this a loss of chances may be nothing."""
        if not (self.before and self.after):
            return math.inf
        return max(LEAST_NOISE[1], NOISE * math.hypot(self.before.winrate_error, self.after.winrate_error))

    @property
    def mistake(self) -> bool:
        """Whether another move was better for sure: in points or in chances beyond the noise."""
        if not self.known or self.first_choice:
            return False
        return self.points_lost > self.points_noise or self.winrate_lost > self.winrate_noise

    @property
    def counted_points(self) -> float:
        """Points that a mistake lost, as far as they are known; 0 for any other move."""
        return max(0.0, self.points_lost) if self.mistake else 0.0

    @property
    def counted_winrate(self) -> float:
        """Chances lost; 0 where that is below the noise or no other move was better."""
        return self.winrate_lost if self.mistake and self.winrate_lost > self.winrate_noise else 0.0

    @property
    def grade(self) -> Grade:
        """How bad the move was."""
        points = self.counted_points if self.points_lost > self.points_noise else 0.0
        chances = self.counted_winrate
        return max((g for g in POINTS if points >= POINTS[g] or chances >= CHANCES[g]), default=Grade.FINE)

    @property
    def tesuji(self) -> bool:
        """Whether the player found the one good move, which is not obvious."""
        if not (self.known and self.first_choice) or len(self.candidates) < 2:
            return False
        best, second = self.candidates[:2]
        ahead = best.winrate - second.winrate >= 0.1 and best.lead - second.lead >= 3
        return best.prior < 0.15 and second.visits >= 5 and ahead and self.points_lost <= self.points_noise

    @property
    def interesting(self) -> bool:
        """Whether a move that the net hardly thought of turns out to be as good as the engine's own."""
        own = self.own
        if not self.known or self.first_choice or own is None or own.prior >= 0.02:
            return False
        return self.points_lost <= 0 and self.winrate_lost <= 0


class Reviewed(Protocol):
    """What is asked of a review."""

    @property
    def size(self) -> int: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def net(self) -> str: ...
    @property
    def visits(self) -> int: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def moves(self) -> tuple[MoveReview, ...]: ...
    @property
    def reviewed(self) -> list[MoveReview]: ...
    def black(self, index: int) -> Evaluation | None: ...
