"""What a page is told when all positions of a game are known: mistakes, figures, and what is written into the game, as
`goengine review` has them.

Knows positions, results and `goengine.review`'s judgement; no requests.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.review import notes, words
from goengine.review.judgement import Evaluation, MoveReview
from goengine.review.reviewer import candidate_of, evaluation_of, turned
from goengine.review.statistics import PHASES, figures, phase, worst
from goengine.search.report import SearchResult

_CANDIDATES = 8
MOST_MISTAKES = 300


@dataclass(frozen=True, kw_only=True)
class LineReview:
    """The review of a position's game, as `goengine.review` reads it."""

    size: int
    rules: Rules
    net: str
    visits: int
    moves: tuple[MoveReview, ...]
    standings: tuple[Evaluation | None, ...]  # Black's, before the first move and after each
    stopped: bool = False
    notes: tuple[str, ...] = ()

    @property
    def reviewed(self) -> list[MoveReview]:
        """The moves with a judgement."""
        return [move for move in self.moves if move.known]

    def black(self, index: int) -> Evaluation | None:
        """The evaluation after so many moves, for Black."""
        return self.standings[index]


def review_of(position: Position, found: Mapping[int, SearchResult], net: str, visits: int) -> LineReview:
    """The review of the moves of a position's game, from the results by turn, 0 for before the first move."""
    turns = range(len(position.moves) + 1)
    return LineReview(
        size=position.size,
        rules=position.rules,
        net=net,
        visits=visits,
        moves=tuple(_reviewed(position, ply, found) for ply in turns[:-1]),
        standings=tuple(_black(found[turn]) if turn in found else None for turn in turns),
    )


def summary(review: LineReview) -> dict[str, Any]:
    """Mistakes, the worst first; figures of both sides; and what is written into the game (`written`)."""
    mistakes = worst(review.moves, MOST_MISTAKES)
    return {
        "mistakes": [_mistake(move, review.size) for move in mistakes],
        "figures": {words.LETTERS[color]: _side(list(review.moves), color, review.size) for color in (BLACK, WHITE)},
        "written": written(review),
    }


def written(review: LineReview) -> dict[str, Any]:
    """What `goengine review` writes into a file, for the page to write into its tree: the notes of nodes, and better lines."""
    return {
        "mark": notes.MARK,
        "prefix": notes.PREFIX,
        "ours": list(notes.OURS),
        "judged": list(notes.JUDGED),
        "notes": [{"turn": turn, **asdict(note)} for turn, note in notes.notes(review)],
        "lines": [
            {"turn": move.number, "nodes": notes.better_line(move, review.size)} for move in review.reviewed if move.mistake
        ],
    }


def _black(result: SearchResult) -> Evaluation:
    found = evaluation_of(result)
    return found if result.to_play == BLACK else turned(found)


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
