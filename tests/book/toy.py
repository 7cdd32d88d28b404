"""A search that costs nothing: what it finds in a position is drawn by the position itself, so it is the same each time."""

import zlib

import numpy as np

from goengine.board.state import PASS
from goengine.book.book import Book, Node, Origin, Reply, single
from goengine.book.canonical import to_place, views
from goengine.book.growth import grow

VISITS = 8000  # enough for any node to answer in play


def origin(size=5, komis=(6.5, 7.5)):
    return Origin(size, tuple(komis), VISITS, "toy", "")


def toy_node(position, komis=2, replies=5):
    """A node with as many replies, one for each move that no symmetry makes equal to another."""
    seen = views(position)
    chance = np.random.default_rng(zlib.crc32(repr(seen.place).encode()))
    points = [point for point in position.legal_moves() if point != PASS]
    moves = sorted({min(to_place(point, s, position.size) for s in seen.symmetries) for point in points})
    kept = chance.permutation(moves)[:replies].tolist()
    found = [Reply(move, (80,) * komis, tuple(single(v) for v in chance.uniform(0.3, 0.7, komis))) for move in kept]
    searched = tuple(single(v) for v in chance.uniform(0.3, 0.7, komis))
    return Node(seen.place, VISITS, searched, tuple(single(v) for v in chance.uniform(-5, 5, komis)), found)


def toy_search(positions):
    return [toy_node(position) for position in positions]


def toy_book(rounds=12, at_once=4, size=5):
    book = Book(origin(size))
    for _ in range(rounds):
        assert grow(book, toy_search, at_once)
    return book
