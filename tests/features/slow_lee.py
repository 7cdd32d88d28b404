"""The slow reference for `lee48` and `lee49`: every move is played on a copy of the board, and then one looks."""

import numpy as np

from goengine.board import coords
from goengine.board.rules import KO_POSITIONAL, KO_SIMPLE
from goengine.board.state import PASS
from tests.features.slow import BLACK, SlowBoard, TooLong, chains, ladder

BUDGET = 200  # moves read in one ladder


class SlowGame:
    """A slow board with its past."""

    def __init__(self, size: int, rules, stones: dict | None = None, to_play: int = BLACK) -> None:
        self.board, self.rules, self.to_play = SlowBoard(size), rules, to_play
        self.board.stones = dict(stones or {})
        self.seen = [self._situation()]
        self.ply, self.born = 0, {}  # born: the ply at which each stone was played

    def _situation(self):
        return frozenset(self.board.stones.items()), self.to_play

    def after(self, p) -> SlowBoard | None:
        """The board after a move of the player to move, or None if the rules forbid it."""
        board = self.board.after(p, self.to_play, self.rules.suicide != 0)
        if board is None or self.rules.ko == KO_SIMPLE:
            return board
        stones = frozenset(board.stones.items())
        for old, mover in self.seen:
            if old == stones and (self.rules.ko == KO_POSITIONAL or mover == 3 - self.to_play):
                return None
        return board

    def play(self, move: int) -> None:
        """Play a legal move or a pass."""
        if move == PASS:
            self.board = self.board.after_pass()
        else:
            p = coords.row_column(move, self.board.size)
            self.board = self.after(p)
            assert self.board is not None
            self.born[p] = self.ply
        self.ply += 1
        self.to_play = 3 - self.to_play
        self.born = {p: ply for p, ply in self.born.items() if p in self.board.stones}
        self.seen.append(self._situation())


def is_eye(board: SlowBoard, p, color) -> bool:
    """Own stones around, and the opponent on fewer than two diagonal points, or on none at the edge."""
    if any(board.stones.get(q) != color for q in board.around(p)):
        return False
    row, column = p
    corners = [(row - 1, column - 1), (row - 1, column + 1), (row + 1, column - 1), (row + 1, column + 1)]
    hostile = sum(board.stones.get(q) == 3 - color for q in corners)
    return hostile < (2 if len(board.around(p)) == 4 else 1)


def encode(game: SlowGame) -> tuple[np.ndarray, np.ndarray]:
    """(float32[49, N, N], bool[N, N]): all planes; and where a ladder was too long to read."""
    board, own = game.board, game.to_play
    size = board.size
    planes, unsure = np.zeros((49, size, size), np.float32), np.zeros((size, size), bool)
    planes[0] = 1
    planes[48] = own == BLACK
    groups = list(chains(board))
    for color, stones, liberties in groups:
        for p in stones:
            planes[1 if color == own else 2][p] = 1
            planes[11 + min(len(liberties), 8)][p] = 1
            planes[3 + min(game.ply - game.born.get(p, -99), 8)][p] = 1
    for row in range(size):
        for column in range(size):
            p = row, column
            if p in board.stones:
                continue
            planes[3][p] = 1
            after = game.after(p)
            if after is not None:
                _encode_move(game, p, after, groups, planes, unsure)
    return planes, unsure


def _encode_move(game: SlowGame, p, after: SlowBoard, groups, planes, unsure) -> None:
    """A legal move and the board that it makes."""
    own = game.to_play
    before = list(game.board.stones.values())
    captured = before.count(3 - own) - list(after.stones.values()).count(3 - own)
    if captured:
        planes[19 + min(captured, 8)][p] = 1
    if p in after.stones:
        stones, liberties = after.chain(p)
        planes[35 + min(len(liberties), 8)][p] = 1
        lost = len(stones) if len(liberties) == 1 else 0
    else:  # suicide
        lost = before.count(own) + 1 - list(after.stones.values()).count(own)
    if lost:
        planes[27 + min(lost, 8)][p] = 1
    planes[46][p] = not is_eye(game.board, p, own)
    for color, stones, liberties in groups:
        target = min(stones)
        if target not in after.stones:
            continue
        try:
            if color == own and len(liberties) == 1 and not ladder(after, target, True, [BUDGET]):
                planes[45][p] = 1
            if color != own and len(liberties) == 2 and len(after.chain(target)[1]) == 1:
                if ladder(after, target, False, [BUDGET]):
                    planes[44][p] = 1
        except TooLong:
            unsure[p] = True
