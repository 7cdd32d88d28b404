"""A book in memory: nodes, what searches found in them, and what follows for the positions before (negamax).

All win rates are from 0 to 1, for the player to move, one for each komi of the book. Does not know how a book is stored, how
positions are searched, or what is played.

Two komis between which no result lies are one: on a board of odd size Black's points minus White's are odd (sekis apart), so
that 5.5 and 6.5 decide every game alike. At komi 7 the games that 6.5 and 7.5 decide differently are draws, and the win rate is
the mean of both.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.book.canonical import Place, from_place, views

DOUBT = 0.25  # win rate: taken off what one visit found, less with the square root of the visits
_MOST_SWEEPS = 100
UNLINKED = -1  # child of a reply after which the book has no node


def single(value: float) -> float:
    """The number as a file holds it, in 32 bits, so that a book that is read again is the same."""
    return float(np.float32(value))


@dataclass
class Reply:
    """A move in a node, as the node's own search saw it."""

    move: int  # index in the node's place
    visits: tuple[int, ...]  # by komi
    winrate: tuple[float, ...]  # by komi; for who makes the move
    child: int = UNLINKED


@dataclass
class Node:
    """A position that was searched."""

    place: Place
    visits: int  # of its search at each komi
    searched: tuple[float, ...]  # win rate by komi, as its search found it
    score: tuple[float, ...]  # points by which the player to move leads, by komi, as its search found it
    replies: list[Reply]
    value: tuple[float, ...] = ()  # win rate by komi, with all that the book has below
    below: int = 1  # nodes that can be reached from here, itself among them


@dataclass(frozen=True)
class Origin:
    """What a book was made for, and with."""

    size: int
    komis: tuple[float, ...]  # ascending
    visits: int  # of each search
    net: str
    digest: str  # SHA-256 of the net's file, or empty for what has none


@dataclass
class Book:
    """Node 0 is the empty board; every other node can be reached from there."""

    origin: Origin
    nodes: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = {node.place: number for number, node in enumerate(self.nodes)}

    @property
    def size(self) -> int:
        """Board size."""
        return self.origin.size

    def add(self, node: Node) -> int:
        """Take in a node; its number."""
        self.nodes.append(node)
        self.index[node.place] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def find(self, position: Position) -> tuple[Node, tuple[int, ...]] | None:
        """The node of a position, and the symmetries that carry the position to it; None if the book does not know it."""
        if position.size != self.size:
            return None
        seen = views(position)
        number = self.index.get(seen.place)
        return None if number is None else (self.nodes[number], seen.symmetries)

    def worth(self, reply: Reply, column: int) -> float:
        """Win rate of who makes the move: of the node after it, or else what the search found, less its doubt."""
        if reply.child != UNLINKED:
            return 1.0 - self.nodes[reply.child].value[column]
        visits = reply.visits[column]
        return max(0.0, reply.winrate[column] - DOUBT / math.sqrt(visits)) if visits else 0.0

    def settle(self) -> None:
        """Find the values of all nodes, and how much lies below each."""
        for node in self.nodes:
            node.value = node.value or node.searched
        order = list(self.breadth_first())[::-1]
        for _ in range(_MOST_SWEEPS):  # one is enough, unless captures lead back up
            if sum(self._revalue(self.nodes[number]) for number in order) == 0:
                break
        self._count(order)

    def _revalue(self, node: Node) -> bool:
        """Find a node's value from those below; whether it is another than before."""
        value = node.searched
        if any(reply.child != UNLINKED for reply in node.replies):
            komis = range(len(self.origin.komis))
            value = tuple(single(max(self.worth(reply, k) for reply in node.replies)) for k in komis)
        changed, node.value = value != node.value, value
        return changed

    def _count(self, order: list[int]) -> None:
        for number in order:
            self.nodes[number].below = sum(1 for _ in self.breadth_first(number))

    def breadth_first(self, start: int = 0) -> Iterator[int]:
        """Numbers of the nodes that can be reached, the nearest first."""
        if not self.nodes:
            return
        seen, waiting = {start}, deque([start])
        while waiting:
            number = waiting.popleft()
            yield number
            for reply in self.nodes[number].replies:
                if reply.child != UNLINKED and reply.child not in seen:
                    seen.add(reply.child)
                    waiting.append(reply.child)

    def columns(self, rules: Rules, white_bonus: float) -> tuple[int, ...]:
        """The komis, by number, whose mean tells the win rate under these rules with so much for White; empty if none does.

        The book is for area scoring; a tax on groups or a button would shift every result.
        """
        if rules.scoring != "area" or rules.tax != "none" or rules.has_button:
            return ()
        found = [self._column(white_bonus - 0.25), self._column(white_bonus + 0.25)]
        return () if None in found else tuple(sorted({column for column in found if column is not None}))

    def _column(self, komi: float) -> int | None:
        """The komi, by number, that decides all games as this one, which is no possible result."""
        steps = [math.floor((known - self.size) / 2) for known in self.origin.komis]
        wanted = math.floor((komi - self.size) / 2)
        return steps.index(wanted) if wanted in steps else None


def position_after(origin: Origin, moves: tuple[int, ...], komi: float | None = None) -> Position:
    """The position that indices lead to from the empty board, each in the place of the position before.

    Raises IllegalMove if one of them cannot be played.
    """
    position = Position(origin.size, Rules(komi=origin.komis[0] if komi is None else komi))
    for index in moves:
        position.play(from_place(index, views(position).symmetries[0], origin.size))
    return position
