"""Which position a book should take in next: drop-out expansion.

T. R. Lincke, "Strategies for the automatic construction of opening books" (Computers and Games, 2000): a line costs a step for
each of its moves, and more the further a move lies below the best one. The cheapest lines grow first, so that good lines become
long and bad ones are dropped.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goengine.board.position import Position
from goengine.book.book import UNLINKED, Book, Node, position_after
from goengine.book.canonical import Place, from_place, views

STEP_LOSS = 0.02  # win rate: a move that loses so much costs as much as one more ply

Searching = Callable[[Sequence[Position]], "Sequence[Node] | None"]  # None: it was told to stop


@dataclass(frozen=True, order=True)
class Leaf:
    """A reply after which the book has no node yet."""

    cost: float
    node: int
    reply: int  # its number in the node
    moves: tuple[int, ...]  # that lead there, the reply's last; indices in the places on the way


def leaves(book: Book, count: int) -> list[Leaf]:
    """The cheapest leaves, cheapest first: by the komi at which each is cheapest."""
    found: dict[tuple[int, int], Leaf] = {}
    for column in range(len(book.origin.komis)):
        for leaf in _leaves(book, column, count):
            key = leaf.node, leaf.reply
            found[key] = min(found.get(key, leaf), leaf)
    return sorted(found.values())[:count]


def _leaves(book: Book, column: int, count: int) -> list[Leaf]:
    """The cheapest leaves at one komi, by Dijkstra's algorithm."""
    waiting: list[tuple[float, int, int, tuple[int, ...]]] = [(0.0, 0, -1, ())] if book.nodes else []
    done: set[int] = set()
    found: list[Leaf] = []
    while waiting and len(found) < count:
        cost, number, place, moves = heapq.heappop(waiting)
        if place >= 0:
            found.append(Leaf(cost, number, place, moves))
            continue
        if number in done:
            continue
        done.add(number)
        node = book.nodes[number]
        worths = [book.worth(reply, column) for reply in node.replies]
        for place, (reply, worth) in enumerate(zip(node.replies, worths, strict=True)):
            total = cost + 1.0 + (max(worths) - worth) / STEP_LOSS
            if reply.child == UNLINKED:
                heapq.heappush(waiting, (total, number, place, (*moves, reply.move)))
            elif reply.child not in done:
                heapq.heappush(waiting, (total, reply.child, -1, (*moves, reply.move)))
    return found


def grow(book: Book, search: Searching, count: int) -> bool:
    """Take in the positions after the `count` cheapest leaves. False if the search was told to stop: then nothing changes."""
    wanted = leaves(book, count)
    positions = {leaf: position_after(book.origin, leaf.moves) for leaf in wanted} if book.nodes else {}
    places = {leaf: views(position).place for leaf, position in positions.items()}
    new: dict[Place, Position] = {} if book.nodes else _root(book)
    for leaf, place in places.items():
        if place not in book.index:
            new.setdefault(place, positions[leaf])
    found = search(list(new.values())) if new else []
    if found is None:
        return False
    for node in found:
        book.add(node)
    for leaf, place in places.items():
        book.nodes[leaf.node].replies[leaf.reply].child = book.index[place]
    for place, position in new.items():
        _link(book, book.nodes[book.index[place]], position)
    book.settle()
    return True


def is_complete(book: Book) -> bool:
    """Whether nothing is left to take in."""
    return bool(book.nodes) and not leaves(book, 1)


def _root(book: Book) -> dict[Place, Position]:
    """The empty board, where every book begins."""
    position = position_after(book.origin, ())
    return {views(position).place: position}


def _link(book: Book, node: Node, position: Position) -> None:
    """Find which replies lead to nodes that are there already."""
    s = views(position).symmetries[0]
    for reply in node.replies:
        after = position.copy()
        after.play(from_place(reply.move, s, book.size))
        reply.child = book.index.get(views(after).place, UNLINKED)


def mean_depth(book: Book) -> float:
    """Plies from the empty board to a node, on average."""
    depths = {0: 0}
    for number in book.breadth_first():
        for reply in book.nodes[number].replies:
            if reply.child != UNLINKED:
                depths.setdefault(reply.child, depths[number] + 1)
    return math.fsum(depths.values()) / len(depths)
