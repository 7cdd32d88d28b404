"""Where what a picture shows lies on its board, and whose turn it is. Edges by their first letters: t, r, b, l."""

import numpy as np
import pytest

from goengine.board.state import BLACK, WHITE
from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.placing import PlacingError, placed

# rows, columns, edges: size, first row, first column, what is said
PLACES = [
    (19, 19, "trbl", 19, 0, 0, ""),
    (19, 19, "", 19, 0, 0, ""),
    (13, 13, "tr", 13, 0, 0, ""),
    (9, 9, "trbl", 9, 0, 0, ""),
    (9, 9, "trb", 9, 0, 0, ""),
    (9, 9, "tr", 19, 0, 10, "a part of 9 x 9"),
    (7, 7, "trbl", 7, 0, 0, ""),
    (21, 21, "trbl", 21, 0, 0, ""),
    (10, 12, "tl", 19, 0, 0, "a part of 12 x 10"),
    (10, 12, "tr", 19, 0, 7, "a part"),
    (10, 12, "bl", 19, 9, 0, "a part"),
    (10, 12, "br", 19, 9, 7, "a part"),
    (10, 19, "trl", 19, 0, 0, "a part"),
    (8, 13, "rbl", 13, 5, 0, "a part of 13 x 8 lines, placed on a board of 13"),
    (13, 6, "tbl", 13, 0, 0, "a part"),
    (9, 10, "t", 19, 0, 4, "to the left or right: placed in the middle"),
    (9, 10, "", 19, 5, 4, "above or below: placed in the middle"),
]


def reading(rows, columns, edges="trbl", stones=(), last=None):
    board = np.zeros((rows, columns), np.int8)
    for row, column, color in stones:
        board[row, column] = color
    sides = Edges(*(side in edges for side in "trbl"))
    return BoardReading(np.zeros((4, 2), np.float32), board, np.ones((rows, columns), np.float32), sides, last)


@pytest.mark.parametrize("rows, columns, edges, size, row, column, said", PLACES)
def test_parts_are_placed_by_their_edges(rows, columns, edges, size, row, column, said):
    found = placed(reading(rows, columns, edges, [(0, 0, BLACK), (rows - 1, columns - 1, WHITE)]))
    assert (found.size, found.row, found.column) == (size, row, column)
    assert found.stones[row, column] == BLACK and found.stones[row + rows - 1, column + columns - 1] == WHITE
    assert (found.stones != 0).sum() == 2
    assert said in "; ".join(found.notes) and bool(said) == bool(found.notes)


def test_a_size_can_be_named():
    found = placed(reading(9, 9, "tr"), size=13)
    assert (found.size, found.row, found.column) == (13, 0, 4)
    with pytest.raises(PlacingError, match="10 x 9 lines were found, more than a board of 9 has"):
        placed(reading(9, 10, "trbl"), size=9)


def test_a_board_that_is_not_square_is_refused():
    with pytest.raises(PlacingError, match="a board of 12 x 10 lines: only square ones"):
        placed(reading(10, 12, "trbl"))


BLACK_STONE, WHITE_STONE, OTHER = (3, 3, BLACK), (2, 2, WHITE), (5, 5, BLACK)
TURNS = [
    ((), None, BLACK),
    ((BLACK_STONE,), None, WHITE),
    ((BLACK_STONE, WHITE_STONE), None, BLACK),
    ((BLACK_STONE, WHITE_STONE), (3, 3), WHITE),
    ((BLACK_STONE, WHITE_STONE, OTHER), (2, 2), BLACK),
    ((BLACK_STONE, OTHER), (0, 0), WHITE),  # a mark on no stone says nothing
]


@pytest.mark.parametrize("stones, last, turn", TURNS)
def test_whose_turn_it_is(stones, last, turn):
    assert placed(reading(9, 9, stones=stones, last=last)).to_play == turn
    assert placed(reading(9, 9, stones=stones, last=last), to_play=WHITE).to_play == WHITE


def test_the_record_has_the_stones():
    record = placed(reading(9, 9, stones=[BLACK_STONE, WHITE_STONE])).record(6.5)
    assert (record.black_setup, record.white_setup, record.komi) == ((30,), (20,), 6.5)
