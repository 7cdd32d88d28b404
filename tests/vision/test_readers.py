"""What every reader of pictures must do: the protocol, and plain pictures without an error."""

from typing import get_args

import numpy as np
import pytest
from PIL import Image

from goengine.board.state import BLACK, EMPTY, WHITE
from goengine.vision import reader as readers
from tests.vision.boards import PAPER, WOOD, chess, draw, page, position


@pytest.fixture(scope="module", params=get_args(readers.Name))
def reader(request):
    return readers.load(request.param, 1)


def pixels(picture):
    return np.asarray(picture.convert("RGB"))


def symbols(board):
    return ["".join(".XO"[stone] for stone in row) for row in board.stones]


BOARDS = [
    (9, 1, 0.3, 24, WOOD),
    (9, 2, 0.7, 40, PAPER),
    (13, 3, 0.4, 24, WOOD),
    (13, 4, 0.1, 20, PAPER),
    (19, 5, 0.3, 24, WOOD),
    (19, 6, 0.6, 20, PAPER),
    (19, 7, 0.02, 30, WOOD),
]


@pytest.mark.parametrize("size, seed, share, cell, ground", BOARDS)
def test_plain_boards_are_read_without_an_error(reader, size, seed, share, cell, ground):
    rows = position(size, seed, share)
    (board,) = reader.boards(pixels(draw(rows, cell, ground)))
    assert symbols(board) == rows
    assert board.stones.dtype == np.int8 and set(np.unique(board.stones)) <= {EMPTY, BLACK, WHITE}
    assert board.confidence.shape == board.stones.shape and board.confidence.dtype == np.float32
    assert (board.confidence > 0.3).all() and (board.confidence <= 1.0001).all() and 0.5 <= board.found <= 1
    low, high = cell, cell * size
    assert board.corners.dtype == np.float32
    assert np.abs(board.corners - [[low, low], [high, low], [high, high], [low, high]]).max() < 0.35 * cell


def test_all_boards_of_a_picture_are_found(reader):
    wanted = [position(9, 1), position(13, 2)]
    found = reader.boards(pixels(page(*(draw(rows, 24) for rows in wanted))))
    assert sorted(map(symbols, found), key=len) == wanted


def test_a_part_has_the_lines_that_are_shown(reader):
    rows = position(10, 5, 0.4, columns=12)
    (board,) = reader.boards(pixels(draw(rows, 24, PAPER, edges="top left")))
    assert symbols(board) == rows
    assert board.edges.top


def test_turned_boards_are_read_as_they_lie(reader):
    rows = position(13, 8, 0.4)
    turned = draw(rows, 26).rotate(90, expand=True)
    (board,) = reader.boards(pixels(turned))
    assert symbols(board) == ["".join(row) for row in np.rot90([list(row) for row in rows])]
    tilted = draw(rows, 26).rotate(8, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=WOOD)
    (board,) = reader.boards(pixels(tilted))
    assert symbols(board) == rows


ODD = {
    "white": Image.new("RGB", (300, 300), PAPER),
    "tiny": Image.new("RGB", (1, 1)),
    "a line": Image.new("RGB", (2000, 1)),
    "a strip": Image.new("RGB", (30, 3000), "green"),
    "chess": chess(),
    "stripes": Image.fromarray(np.tile(np.repeat(np.uint8([0, 255]), 8), (320, 20))[..., None].repeat(3, 2)),
}


@pytest.mark.parametrize("name", ODD)
def test_where_there_is_no_board_none_is_found(reader, name):
    assert [board for board in reader.boards(pixels(ODD[name])) if board.found >= 0.5] == []


def test_the_same_picture_is_read_the_same(reader):
    picture = pixels(draw(position(9, 3), 24))
    (one,), (other,) = reader.boards(picture), reader.boards(picture)
    assert (one.corners == other.corners).all() and (one.confidence == other.confidence).all()
