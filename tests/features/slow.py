"""Slow references for the feature planes: plain Python over dictionaries, by the definitions and nothing else.

The board, its ladders and its chains; what the sets `lee48` and `lee49` make of a game is in `slow_lee`.
"""

import copy

EMPTY, BLACK, WHITE = 0, 1, 2


class SlowBoard:
    """Stones as {(row, column): colour}; simple ko; no superko."""

    def __init__(self, size: int) -> None:
        self.size, self.stones, self.ko = size, {}, None

    def around(self, p):
        row, column = p
        near = ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        return [q for q in near if 0 <= q[0] < self.size and 0 <= q[1] < self.size]

    def chain(self, p) -> tuple[set, set]:
        """(stones, liberties) of the chain at p."""
        stones, liberties, todo = {p}, set(), [p]
        while todo:
            for q in self.around(todo.pop()):
                if q not in self.stones:
                    liberties.add(q)
                elif self.stones[q] == self.stones[p] and q not in stones:
                    stones.add(q)
                    todo.append(q)
        return stones, liberties

    def after_pass(self) -> "SlowBoard":
        """The board after a pass: a ko may be taken back."""
        board = copy.copy(self)
        board.ko = None
        return board

    def after(self, p, color, suicide: bool = False) -> "SlowBoard | None":
        """The board after a move, or None if it is illegal (occupied, ko, suicide; of one stone even where that is allowed)."""
        if p in self.stones or p == self.ko:
            return None
        board = copy.copy(self)
        board.stones = dict(self.stones)
        board.stones[p] = color
        taken = set()
        for q in board.around(p):
            if board.stones.get(q) == 3 - color:
                stones, liberties = board.chain(q)
                if not liberties:
                    taken |= stones
        for q in taken:
            del board.stones[q]
        stones, liberties = board.chain(p)
        if not liberties:
            if not suicide or len(stones) == 1:
                return None
            for q in stones:
                del board.stones[q]
        board.ko = next(iter(taken)) if len(taken) == len(stones) == len(liberties) == 1 else None
        return board


class TooLong(Exception):
    """A ladder needs more moves than the reference cares to read."""


def ladder(board: SlowBoard, target, attacking: bool, budget: list[int]) -> bool:
    """Whether the chain at ``target`` is captured by atari after atari, with one side to move."""
    budget[0] -= 1
    if budget[0] < 0:
        raise TooLong
    color = board.stones[target]
    stones, liberties = board.chain(target)
    if attacking:
        if len(liberties) >= 3:
            return False
        replies = [board.after(p, 3 - color) for p in sorted(liberties)]
        if len(liberties) == 1:
            return replies[0] is not None
        return any(ladder(reply, target, False, budget) for reply in replies if reply)
    if len(liberties) >= 2:
        return False
    moves = set(liberties)
    for p in stones:
        for q in board.around(p):
            if board.stones.get(q) == 3 - color:
                _, own = board.chain(q)
                if len(own) == 1:
                    moves |= own
    replies = [board.after(p, color) for p in sorted(moves)]
    return not any(not ladder(reply, target, True, budget) for reply in replies if reply)


def chains(board: SlowBoard):
    """All chains as (colour, stones, liberties)."""
    left = set(board.stones)
    while left:
        p = min(left)
        stones, liberties = board.chain(p)
        left -= stones
        yield board.stones[p], stones, liberties
