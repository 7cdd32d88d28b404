"""The game that an engine plays: what changes its position, whoever asks, and the files that it comes from and goes to.

Knows no net and no search; `goengine.player.engine` adds them.
"""

from collections.abc import Sequence
from pathlib import Path

from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE


class GameInProgress:
    """A position that goes on. Whatever fails raises ValueError and leaves the game as it was."""

    def __init__(self, position: Position):
        self.position = position

    @property
    def rules(self) -> Rules:
        """The rules in force, komi included."""
        return self.position.rules

    def replace(self, position: Position) -> None:
        """Go on from another position."""
        self.position = position

    def rest(self) -> None:
        """The position has changed: what was thought in advance is of no use."""

    def set_komi(self, komi: float) -> None:
        """Points for White. Raises ValueError if they are beyond reason."""
        self.position.rules = self.rules.with_komi(komi)

    def set_rules(self, rules: Rules) -> None:
        """Other rules from the next move on, komi included; the moves so far stay."""
        self.position.rules = rules

    def set_to_play(self, color: int) -> None:
        """Whose turn it is."""
        self.position.to_play = color

    def stones(self) -> list[tuple[int, int]]:
        """All stones as (color, point)."""
        return [(color, p) for color in (BLACK, WHITE) for p in self.position.stones(color)]

    def with_stones(self, stones: Sequence[tuple[int, int]]) -> Position:
        """A position of this size and rules with the stones set up, Black to play. Raises ValueError if they cannot stand."""
        position = Position(self.position.size, self.rules)
        position.set_up([p for c, p in stones if c == BLACK], [p for c, p in stones if c == WHITE], BLACK)
        return position

    def place_handicap(self, points: Sequence[int]) -> None:
        """Handicap stones on the empty board, all or none; White is to play. Raises ValueError if they cannot stand there."""
        position = Position(self.position.size, self.rules)
        position.place_handicap(points)
        self.replace(position)

    def play(self, color: int, point: int) -> None:
        """A move of anybody, out of turn if need be. What breaks only superko is accepted: others may play by other rules.

        Raises ValueError if the move is impossible.
        """
        self.position.play(point, color, tolerant=True)
        self.rest()

    def play_all(self, moves: Sequence[tuple[int, int]]) -> None:
        """(color, point) moves, all or none. Raises ValueError if one of them is impossible."""
        position = self.position.copy()
        for color, point in moves:
            position.play(point, color, tolerant=True)
        self.position = position
        self.rest()

    def undo(self, count: int = 1) -> None:
        """Take back moves. Raises ValueError if there are not so many."""
        self.position.undo(count)
        self.rest()

    def load_sgf(self, path: Path, move: int | None = None) -> None:
        """The main line of a file up to the position before move number `move`, or to its end.

        Rules and komi are the file's where it names them. Raises OSError or ValueError, and changes nothing, if it cannot be
        read.
        """
        from goengine.dataio.game_files import position_from_sgf  # sgfmill is needed for nothing else here
        from goengine.dataio.sgf import read_bytes

        self.replace(position_from_sgf(read_bytes(path), self.rules, move))

    def to_sgf(self, result: str = "") -> str:
        """The game so far as an SGF text; ``result`` as SGF writes it, such as B+3.5 or W+R."""
        from goengine.dataio.game_files import position_to_sgf

        return position_to_sgf(self.position, result)
