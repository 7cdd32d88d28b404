"""A review in figures, for each side: accuracy, losses by phase, agreement, the worst moves, and the game's turning points.

Phases go by the number of the move over the points of the board: up to OPENING the opening (move 40 on 19x19), up to MIDDLE the
middle game (move 162), then the endgame. The accuracy of a move is 100 % where it lost nothing that counts, and half of that
for each HALVING points; that of a side is the mean. Knows reviews; shows nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from goengine.board.state import BLACK, WHITE
from goengine.review.judgement import CHANCES, Grade, MoveReview
from goengine.review.reviewer import GameReview

PHASES: Final = ("opening", "middle game", "endgame")
OPENING, MIDDLE = 0.11, 0.45
HALVING: Final = 5.0  # points
WORST: Final = 10
MOST_TURNS: Final = 8


def phase(number: int, size: int) -> str:
    """The phase of a move of that number."""
    share = number / size**2
    return PHASES[0 if share <= OPENING else 1 if share <= MIDDLE else 2]


@dataclass(frozen=True)
class Figures:
    """Some moves of a side. None where there are no moves."""

    moves: int
    accuracy: float | None  # per cent
    mean_loss: float | None  # points
    agreement: float | None  # share of moves that are the engine's first choice
    doubtful: int
    bad: int
    blunders: int


@dataclass(frozen=True)
class SideFigures:
    """A side: all its moves, those of each phase, and the worst ones, the worst first."""

    total: Figures
    phases: dict[str, Figures]
    worst: list[int]  # numbers of moves

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def figures(moves: Sequence[MoveReview]) -> Figures:
    """The figures of these moves."""
    count = len(moves)
    grades = [move.grade for move in moves]
    return Figures(
        moves=count,
        accuracy=_mean(100 * 0.5 ** (move.counted_points / HALVING) for move in moves) if count else None,
        mean_loss=_mean(move.counted_points for move in moves) if count else None,
        agreement=_mean(float(move.first_choice) for move in moves) if count else None,
        doubtful=grades.count(Grade.DOUBTFUL),
        bad=grades.count(Grade.BAD),
        blunders=grades.count(Grade.BLUNDER),
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def of_side(review: GameReview, color: int) -> SideFigures:
    """The figures of a side."""
    moves = [move for move in review.reviewed if move.color == color]
    by_phase = {name: figures([m for m in moves if phase(m.number, review.size) == name]) for name in PHASES}
    return SideFigures(figures(moves), by_phase, [move.number for move in worst(moves)])


def of_game(review: GameReview) -> dict[int, SideFigures]:
    """The figures of both sides, by colour."""
    return {color: of_side(review, color) for color in (BLACK, WHITE)}


def worst(moves: Iterable[MoveReview], most: int = WORST) -> list[MoveReview]:
    """The mistakes that cost most, in points, then in chances."""
    mistakes = [move for move in moves if move.mistake]
    return sorted(mistakes, key=lambda m: (-m.counted_points, -m.counted_winrate, m.number))[:most]


def turning_points(moves: Iterable[MoveReview]) -> list[MoveReview]:
    """The moves that cost the most chances, as many as a bad move at least, in the order of the game."""
    lost = [move for move in moves if move.counted_winrate >= CHANCES[Grade.BAD]]
    return sorted(sorted(lost, key=lambda m: -m.counted_winrate)[:MOST_TURNS], key=lambda m: m.number)
