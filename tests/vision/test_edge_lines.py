"""The edges of a board are seen where its lines end, whatever the reader said."""

import itertools

import numpy as np
import pytest

from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.edge_lines import with_edges_seen
from tests.vision.boards import ENDS, PAPER, WOOD, draw, position

SOME = [ends for count in range(5) for ends in itertools.combinations(ENDS.split(), count)]


def reading(rows, cell, edges):
    stones = np.array([[".XO".index(stone) for stone in row] for row in rows], np.int8)
    height, width = stones.shape
    corners = np.array([(1, 1), (width, 1), (width, height), (1, height)], np.float32) * cell
    return BoardReading(corners, stones, np.ones(stones.shape, np.float32), edges)


@pytest.mark.parametrize("ends", SOME, ids="-".join)
@pytest.mark.parametrize("cell, ground", [(24, WOOD), (18, PAPER)])
def test_edges_are_where_lines_end(ends, cell, ground):
    rows = position(9, 4, 0.4, columns=12)
    picture = np.asarray(draw(rows, cell, ground, edges=" ".join(ends)))
    truth = Edges(*(side in ends for side in ENDS.split()))
    for said in (Edges(), Edges(False, False, False, False)):
        assert with_edges_seen(reading(rows, cell, said), picture).edges == truth


def test_where_nothing_is_seen_the_reader_is_believed():
    full = ["XO" * 5] * 9
    picture = np.asarray(draw(full, 20))
    for said in (Edges(), Edges(True, False, True, False)):
        assert with_edges_seen(reading(full, 20, said), picture).edges == said
    rows = position(9, 1, 0.3)
    inside = np.asarray(draw(rows, 20).crop((20, 20, 181, 181)))  # the picture ends with the outer lines
    board = reading(rows, 20, Edges(True, False, False, True))
    cut = BoardReading(board.corners - 20, board.stones, board.confidence, board.edges)
    assert with_edges_seen(cut, inside).edges == board.edges
