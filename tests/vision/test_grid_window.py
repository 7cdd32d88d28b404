"""How many lines a grid has: from maps of crossings and edges that are made by hand."""

import numpy as np
import pytest

from goengine.vision.board_picture import Edges
from goengine.vision.grid_window import likeliest


def maps(rows, columns, edges, shift=(0, 0), assumed=None, around=2, sure=0.8):
    """Crossings and edges of a board as they look from an assumed grid, whose first crossing is at `shift` of the true one."""
    assumed_rows, assumed_columns = assumed or (rows, columns)
    shape = (assumed_rows + 2 * around, assumed_columns + 2 * around)
    crossing, edge = np.full(shape, 0.05), np.full(shape, 0.08)
    y, x = np.indices(shape) - around
    row, column = y + shift[0], x + shift[1]
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    crossing[inside] = sure
    top, right, bottom, left = edges
    sides = ((row == 0) & top) | ((column == columns - 1) & right) | ((row == rows - 1) & bottom) | ((column == 0) & left)
    edge[sides & inside] = 0.85
    return crossing, edge


WHOLE = Edges()
CASES = [
    (9, 9, WHOLE),
    (13, 13, WHOLE),
    (19, 19, WHOLE),
    (11, 11, WHOLE),
    (19, 19, Edges(True, False, False, True)),
    (7, 9, Edges(True, True, False, False)),
    (19, 6, Edges(True, True, True, False)),
    (6, 8, Edges(False, False, True, False)),
]


@pytest.mark.parametrize("rows,columns,edges", CASES)
@pytest.mark.parametrize("sure", [0.45, 0.9])
def test_a_right_grid_stays(rows, columns, edges, sure):
    window = likeliest(*maps(rows, columns, edges, sure=sure), around=2)
    assert not window.moved
    assert window.edges == edges


@pytest.mark.parametrize("rows,columns,edges", CASES)
def test_missing_and_wrong_lines_are_found(rows, columns, edges):
    """A line too many above, two too few on the right."""
    crossing, edge = maps(rows, columns, edges, (-1, 0), (rows + 1, columns - 2))
    window = likeliest(crossing, edge, around=2)
    assert (window.top, window.right, window.left, window.bottom) == (-1, 2, 0, 0)
    assert window.edges == edges


def test_a_board_of_19_lines_with_one_hardly_seen_is_whole():
    crossing, edge = maps(19, 19, WHOLE)
    crossing[2, 2:-2] = 0.35
    assert not likeliest(crossing, edge, around=2).moved


def test_what_is_not_square_is_a_part():
    """Paper that ends like a board: four edges, but 19 x 8 lines."""
    window = likeliest(*maps(19, 8, WHOLE), around=2)
    assert not window.moved
    assert sum(window.edges) == 3
