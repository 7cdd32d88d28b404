"""What a page is told when all positions of a game are known: mistakes and figures, as `goengine review` has them.

Knows positions, results and `goengine.review`'s judgement; no requests.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE
from goengine.review import words
from goengine.review.judgement import MoveReview
from goengine.review.reviewer import candidate_of, evaluation_of
from goengine.review.statistics import PHASES, figures, phase, worst
from goengine.search.report import SearchResult

_CANDIDATES = 8
MOST_MISTAKES = 300


def summary(position: Position, found: Mapping[int, SearchResult]) -> dict[str, Any]:
    """Of the moves of a position's game, from the results by turn, 0 for before the first move. The worst mistake is first."""
    moves = [_reviewed(position, ply, found) for ply in range(len(position.moves))]
    mistakes = worst(moves, MOST_MISTAKES)
    return {
        "mistakes": [_mistake(move, position.size) for move in mistakes],
        "figures": {words.LETTERS[color]: _side(moves, color, position.size) for color in (BLACK, WHITE)},
    }


def _reviewed(position: Position, ply: int, found: Mapping[int, SearchResult]) -> MoveReview:
    color, point = position.moves[ply]
    before, after = found.get(ply), found.get(ply + 1)
    searched = [move for move in before.moves if move.visits > 0] if before else []
    kept = [move for order, move in enumerate(searched) if order < _CANDIDATES or move.point == point]
    return MoveReview(
        number=ply + 1,
        color=color,
        point=point,
        before=evaluation_of(before) if before else None,
        after=evaluation_of(after) if after else None,
        candidates=tuple(map(candidate_of, kept)),
    )


def _mistake(move: MoveReview, size: int) -> dict[str, Any]:
    assert move.best is not None
    return {
        "turn": move.number,
        "color": words.LETTERS[move.color],
        "move": coords.to_gtp(move.point, size),
        "points": round(move.counted_points, 2),
        "chances": round(move.counted_winrate, 4),
        "grade": move.grade.name.lower(),
        "text": words.judgement(move, size),
        "pv": [coords.to_gtp(point, size) for point in move.best.line],
    }


def _side(moves: list[MoveReview], color: int, size: int) -> dict[str, Any]:
    """Figures of all moves of a side, and of each phase where it has moves."""
    own = [move for move in moves if move.known and move.color == color]
    parts = {"all": own, **{name: [m for m in own if phase(m.number, size) == name] for name in PHASES}}
    return {name: asdict(figures(part)) for name, part in parts.items() if part}
