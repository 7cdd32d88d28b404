"""`Position`: a game in progress, that is a board with rules, the moves that led to it, and a result.

Knows who is to play, which moves are legal and why others are not, undo, handicap and set-up stones, when the game is
over and how it is counted. Everything on the board is done by the kernels: undo replays the moves through the same
`game_play`. Does not know files, clocks, or which stones are dead: callers name them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from goengine.board import coords
from goengine.board.counting import Count, count
from goengine.board.game_kernels import breaks_superko, game_legal, game_play
from goengine.board.kernels import is_legal, ko_point
from goengine.board.replay import put_stones
from goengine.board.rules import RuleCode, Rules
from goengine.board.state import (
    BLACK,
    CAPTURED_BLACK,
    CAPTURED_WHITE,
    EMPTY,
    HASHES,
    NONE,
    PASS,
    PASSES,
    TO_PLAY,
    WHITE,
    Game,
    clear_board,
    copy_game,
    new_game,
    start_game,
)

SYMBOLS = ".XO"  # of EMPTY, BLACK, WHITE in diagrams


class IllegalMove(ValueError):
    """A move that the rules forbid. `reason` is one of: off board, occupied, ko, superko, suicide."""

    def __init__(self, reason: str, point: int, size: int) -> None:
        vertex = coords.to_gtp(point, size) if reason != "off board" else f"a point outside the {size}x{size} board"
        super().__init__(f"{vertex}: {reason}")
        self.reason = reason


def _why_not(point: int, size: int) -> str:
    """What is wrong with a stone that cannot be set up."""
    if not coords.on_board(point, size):
        return f"no stone can stand off the {size}x{size} board"
    return f"no stone can stand on {coords.to_gtp(point, size)}: it is taken, or a chain would be without liberties"


class Position:
    """A game in progress. Points are padded ones (`goengine.board.coords`); PASS is a pass."""

    def __init__(self, size: int = 19, rules: Rules | None = None) -> None:
        """An empty board, Black to play. Raises ValueError if the size is not 2 to 25."""
        self.size = size
        self.game: Game = new_game(size)
        self.rules = rules or Rules()
        self.moves: list[tuple[int, int]] = []  # (colour, point)
        self.black_setup: tuple[int, ...] = ()
        self.white_setup: tuple[int, ...] = ()
        self.handicap = 0  # stones that were placed as a handicap, or that a game record calls one
        self._first = BLACK  # who is to play before the first move
        self._captured = (0, 0)  # stones of Black and of White that were captured before the first move

    # -- what stands there --

    @property
    def rules(self) -> Rules:
        """The rules; a new value applies from the next move on, past moves stay."""
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._rules = rules
        self.code: RuleCode = rules.code()

    @property
    def to_play(self) -> int:
        """Whose turn it is; may be set, as programs may be asked to play out of turn."""
        return int(self.game.status[TO_PLAY])

    @to_play.setter
    def to_play(self, color: int) -> None:
        status = self.game.status
        status[TO_PLAY] = color
        self.game.movers[status[HASHES] - 1] = color
        if not self.moves:
            self._first = color

    def color(self, point: int) -> int:
        """EMPTY, BLACK or WHITE."""
        return int(self.game.board.color[point])

    def stones(self, color: int) -> list[int]:
        """The points where stones of that colour stand, in scanning order."""
        return [int(p) for p in np.flatnonzero(self.game.board.color == color)]

    def captured(self, color: int) -> int:
        """How many stones of that colour were captured."""
        return int(self.game.board.info[CAPTURED_BLACK if color == BLACK else CAPTURED_WHITE])

    @property
    def ko(self) -> int:
        """The point that simple ko forbids the player to move, or PASS for none."""
        return int(ko_point(self.game.board, self.to_play))

    @property
    def last_move(self) -> int:
        """The last move, PASS, or NONE before the first."""
        return self.moves[-1][1] if self.moves else NONE

    @property
    def is_empty(self) -> bool:
        """Whether nothing was played and nothing was set up."""
        return not self.moves and not self.black_setup and not self.white_setup

    # -- playing --

    def why_illegal(self, point: int, color: int | None = None, tolerant: bool = False) -> str:
        """The reason that forbids the move (see IllegalMove), or "". ``tolerant`` allows what breaks superko only."""
        color = color or self.to_play
        if point == PASS:
            return ""
        if not coords.on_board(point, self.size):
            return "off board"
        board = self.game.board
        if board.color[point] != EMPTY:
            return "occupied"
        if ko_point(board, color) == point:
            return "ko"
        if not is_legal(board, point, color, self.code.suicide != 0):
            return "suicide"
        if not tolerant and breaks_superko(self.game, point, color, self.code.ko):
            return "superko"
        return ""

    def is_legal(self, point: int, color: int | None = None, tolerant: bool = False) -> bool:
        """Whether the rules allow the move."""
        return not self.why_illegal(point, color, tolerant)

    def legal_mask(self) -> np.ndarray:
        """uint8[N * N + 1], policy order: 1 for the legal moves of the side to play; a pass always is."""
        mask = np.zeros(self.size * self.size + 1, np.uint8)
        game_legal(self.game, self.code, mask)
        return mask

    def legal_moves(self) -> list[int]:
        """The legal points of the side to play, pass included, in policy order with the pass last."""
        return [coords.from_index(int(index), self.size) for index in np.flatnonzero(self.legal_mask())]

    def play(self, point: int, color: int | None = None, tolerant: bool = False) -> None:
        """Play a move or a pass. Raises IllegalMove, and changes nothing, if the rules forbid it."""
        color = color or self.to_play
        reason = self.why_illegal(point, color, tolerant)
        if reason:
            raise IllegalMove(reason, point, self.size)
        self._move(point, color)

    def execute(self, point: int, color: int) -> None:
        """Make a move as a game record has it: ko, superko and suicide are not looked at. Raises IllegalMove as `play`."""
        reason = self.why_illegal(point, color)
        if reason in ("off board", "occupied"):
            raise IllegalMove(reason, point, self.size)
        self._move(point, color)

    def _move(self, point: int, color: int) -> None:
        game_play(self.game, point, color)
        self.moves.append((color, point))

    def undo(self, moves: int = 1) -> None:
        """Take back the last moves; it is then the turn of who made the first of them, or at the start of who is to begin.

        Raises ValueError, and changes nothing, if there are not that many.
        """
        if not 0 <= moves <= len(self.moves):
            raise ValueError(f"cannot undo {moves} of {len(self.moves)} moves")
        if moves == 0:
            return
        kept, color = self.moves[:-moves], self.moves[-moves][0]
        self._restart()
        for mover, point in kept:
            self._move(point, mover)
        if kept:
            self.to_play = color

    def _restart(self) -> None:
        """Back to before the first move."""
        clear_board(self.game.board, self.size)
        self.moves = []
        stones = np.array(self.black_setup + self.white_setup, np.int32)
        colors = np.repeat(np.array([BLACK, WHITE], np.uint8), (len(self.black_setup), len(self.white_setup)))
        bad = put_stones(self.game.board, stones, colors)
        if bad >= 0:
            raise ValueError(_why_not(int(stones[bad]), self.size))
        start_game(self.game, self._first)
        self.game.board.info[[CAPTURED_BLACK, CAPTURED_WHITE]] = self._captured

    def clear(self) -> None:
        """Back to an empty board, with the same size and rules."""
        self.set_up((), (), BLACK)

    def set_up(self, black: Iterable[int], white: Iterable[int], to_play: int) -> None:
        """Begin a new game with these stones on the board.

        Raises ValueError, and changes nothing, if they cannot stand there: off the board, twice, or without liberties.
        """
        fresh = Position(self.size, self.rules)
        fresh.black_setup, fresh.white_setup, fresh._first = tuple(black), tuple(white), to_play
        fresh._restart()
        self.__dict__.update(fresh.__dict__)

    def edit(self, black: Iterable[int], white: Iterable[int], empty: Iterable[int], to_play: int = 0) -> None:
        """Put stones on the board as it stands, on others too, and take stones off; ``to_play`` 0 leaves the turn as it is.

        Moves so far are forgotten where stones change: nothing before can be undone. Captured stones and handicap stay. Raises
        ValueError, and changes nothing, as `set_up`.
        """
        turn = to_play or self.to_play
        stones = {p: color for color in (BLACK, WHITE) for p in self.stones(color)}
        changed = {p: color for color, points in ((BLACK, black), (WHITE, white), (EMPTY, empty)) for p in points}
        if not changed:
            self.to_play = turn
            return
        stones.update(changed)
        sides = ([p for p, color in stones.items() if color == side] for side in (BLACK, WHITE))
        captured, handicap = (self.captured(BLACK), self.captured(WHITE)), self.handicap
        self.set_up(*sides, turn)
        self._captured, self.handicap = captured, handicap
        self.game.board.info[[CAPTURED_BLACK, CAPTURED_WHITE]] = captured

    def place_handicap(self, points: Iterable[int]) -> None:
        """Put handicap stones on the empty board; White is to play.

        Raises ValueError if the board is not empty or a point is not free.
        """
        if not self.is_empty:
            raise ValueError("board not empty")
        points = tuple(points)
        self.set_up(points, (), WHITE if points else BLACK)
        self.handicap = len(points)

    # -- the end --

    def is_over(self) -> bool:
        """Whether two passes in a row have ended the game; with a button, the pass that takes it does not count."""
        passes = int(self.game.status[PASSES])
        if self.rules.has_button and passes and passes == sum(point == PASS for _, point in self.moves):
            passes -= 1
        return passes >= 2

    def handicap_stones(self) -> int:
        """Handicap for the bonus: only what was placed as such. A position may be set up by moves of one colour, too."""
        return self.handicap if self.handicap >= 2 else 0

    def count(self, dead: Iterable[int] = ()) -> Count:
        """Points on the board, without komi (`counting.count`). Raises ValueError if a dead point has no stone."""
        return count(self.game.board, self.code, frozenset(dead))

    def white_bonus(self) -> float:
        """What White gets beside the points on the board: komi, handicap bonus, half a point of button."""
        bonus = self.rules.komi + self.rules.handicap_bonus(self.handicap_stones())
        if self.rules.has_button:
            taker = next((color for color, point in self.moves if point == PASS), EMPTY)
            bonus += {BLACK: -0.5, WHITE: 0.5}.get(taker, 0.0)
        return bonus

    def score(self, dead: Iterable[int] = ()) -> float:
        """White's points minus Black's, komi included, if the game ended now with these stones dead."""
        points = self.count(dead)
        return points.white - points.black + self.white_bonus()

    def result(self, dead: Iterable[int] = ()) -> str:
        """The score as text: `W+6.5`, `B+10`, `0`."""
        score = self.score(dead)
        return f"{'W' if score > 0 else 'B'}+{abs(score):g}" if score else "0"

    # -- copies and diagrams --

    def copy(self) -> Position:
        """An independent copy."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.moves = list(self.moves)
        twin.game = new_game(self.size)
        copy_game(twin.game, self.game)
        return twin

    def to_diagram(self) -> str:
        """Rows from the top, a blank between the points: `.` empty, `X` Black, `O` White."""
        rows = self.game.board.color[coords.points(self.size)].reshape(self.size, self.size)
        return "\n".join(" ".join(SYMBOLS[color] for color in row) for row in rows)

    @staticmethod
    def from_diagram(text: str, rules: Rules | None = None, to_play: int = BLACK) -> Position:
        """The position of a diagram as `to_diagram` writes it; blanks are not needed.

        Raises ValueError if it is not square, has another symbol, or holds stones without liberties.
        """
        rows = ["".join(line.split()) for line in text.splitlines() if line.strip()]
        size = len(rows)
        if any(len(row) != size for row in rows) or not set("".join(rows)) <= set(SYMBOLS):
            raise ValueError(f"not a square diagram of '{SYMBOLS}':\n{text}")
        points = [(symbol, coords.point(r, c, size)) for r, row in enumerate(rows) for c, symbol in enumerate(row)]
        position = Position(size, rules)
        black, white = ([p for symbol, p in points if symbol == SYMBOLS[color]] for color in (BLACK, WHITE))
        position.set_up(black, white, to_play)
        return position
