"""What the engine decided to do, why, and how that reads in a line. Knows a search's result; decides nothing itself."""

from dataclasses import dataclass
from typing import NamedTuple

from goengine.board import coords
from goengine.board.position import Position
from goengine.search.report import SearchResult

_SHOWN = 10  # moves of a line of play


class Picked(NamedTuple):
    """A move before the endgame's judgement, and its value for who makes it, where that is known beside the search."""

    point: int
    value: float | None = None


@dataclass(frozen=True)
class Decision:
    """What the engine wants to do, and why."""

    color: int
    point: int  # PASS, or the move; where it resigns, the move it would have played
    resign: bool
    search: SearchResult
    position: Position  # that was searched
    stopped: bool = False  # the caller ended the search
    from_book: bool = False  # the search's numbers are those of a book

    @property
    def pv(self) -> tuple[int, ...]:
        """The move and what the search expects after it. Not always its best line: a move may be drawn, or a judgement."""
        return next((tuple(move.pv) for move in self.search.moves if move.point == self.point), (self.point,))

    def summary(self) -> str:
        """Move, visits, chances and expected play in a line."""
        return f"{self._move()}: {self._found()}"

    def log_line(self) -> str:
        """The same as KataGo writes it to stderr, where OGS's gtp2ogs reads it and shows it beside the game."""
        return f"{self._move()} in {self.search.seconds:.2f} s MALKOVICH:{self._found()}"

    def _move(self) -> str:
        move = "resign" if self.resign else coords.to_gtp(self.point, self.position.size)
        return f"{'BW'[self.color - 1]} {move}{' (book)' if self.from_book else ''}"

    def _found(self) -> str:
        """The order and the number of digits are what gtp2ogs expects."""
        result = self.search
        line = " ".join(coords.to_gtp(p, self.position.size) for p in self.pv[:_SHOWN])
        return (
            f"Visits {result.visits} Winrate {50 * (1 + result.value):.2f}% ScoreLead {result.score:.1f} "
            f"ScoreStdev {result.score_stdev:.1f} PV {line}"
        )
