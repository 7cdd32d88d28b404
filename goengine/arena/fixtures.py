"""What a game is to the arena: its terms, who plays Black from which opening, and what became of it.

Plain data between those who plan matches (`match`, `tournament`), those who play them (`net_match`, `programs`) and those
who count (`elo`, `ratings`). Knows neither nets nor programs. The two players of a match are called 'a' and 'b'.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from goengine.board.rules import Rules

Side = Literal["a", "b"]
Reason = Literal["score", "resignation", "illegal move", "timeout", "died", "garbage", "move limit", "void"]
# score: counted after two passes, or when nothing could change any more. timeout: the clock, or no answer at all.
# garbage: answers that are not GTP or not a move. move limit: nobody won. void: nobody is to blame (both failed, no start).


@dataclass(frozen=True)
class GameSetup:
    """What all games of a match have in common. Komi and rule set are in ``rules``."""

    size: int
    rules: Rules
    handicap: int = 0  # stones that Black gets; the pair of games then changes who gets them
    max_plies: int | None = None  # None: three times the number of points
    resign: float | None = None  # a game is given up when both players see this value or worse for the one to move

    @property
    def ply_limit(self) -> int:
        """Plies after which a game has no winner."""
        return 3 * self.size**2 if self.max_plies is None else self.max_plies


@dataclass(frozen=True)
class Fixture:
    """A game to be played. Games 2k and 2k + 1 are a pair: the same opening with colours exchanged."""

    number: int  # from 0
    black: Side
    opening: tuple[int, ...] = ()  # points (PASS not among them) that are played first, Black beginning
    seed: int = 0

    @property
    def pair(self) -> int:
        """The number of its pair."""
        return self.number // 2

    def side(self, black_to_play: bool) -> Side:
        """Who plays that colour."""
        return self.black if black_to_play else other(self.black)


@dataclass(frozen=True)
class GameOutcome:
    """A game that is over."""

    fixture: Fixture
    winner: Side | Literal[""]  # "": a draw, or no result
    reason: Reason
    moves: tuple[int, ...]  # points in order, the opening among them; colours alternate after handicap stones
    handicap_points: tuple[int, ...] = ()
    margin: float | None = None  # points by which Black won (negative: White), where counted
    detail: str = ""  # what went wrong, in words
    names: Mapping[Side, str] = field(default_factory=dict)  # as programs or nets call themselves
    seconds: Mapping[Side, float] = field(default_factory=dict)  # thinking time
    visits: Mapping[Side, int] = field(default_factory=dict)  # of all moves together, where known

    @property
    def counts(self) -> bool:
        """Whether the game says something about strength."""
        return self.reason not in ("void", "move limit")


def other(side: Side) -> Side:
    """The opponent."""
    return "b" if side == "a" else "a"


# Plays fixtures in any order, calling back after each game (from one thread at a time); returns early once told to stop.
Play = Callable[[Sequence[Fixture], GameSetup, Callable[[GameOutcome], None], Callable[[], bool]], None]
