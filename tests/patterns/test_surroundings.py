"""States and codes kept up move by move against a fresh look, and what a code tells against the board's own rules."""

import numpy as np
import pytest

from goengine.board.kernels import fills_eye, is_legal
from goengine.board.state import BLACK, EMPTY, KO, PASS, WHITE
from goengine.patterns.surroundings import forget_changes, is_sensible, play_around, swapped
from tests.patterns.helpers import all_points, board_of, moved_board, random_game, surveyed


@pytest.mark.parametrize(("size", "seed"), [(2, 0), (3, 1), (5, 2), (7, 3), (9, 4), (13, 5), (19, 6), (19, 7)])
def test_kept_up_is_as_looked_at_afresh(size, seed):
    points = all_points(size)
    for board, around, _, _ in random_game(size, seed, 3 * size * size):
        fresh = surveyed(board)
        assert (around.state[points] == fresh.state[points]).all()
        assert (around.code[points] == fresh.code[points]).all()


def test_empty_points_that_changed_are_listed_once():
    before = None
    points = all_points(9)
    for board, around, _, _ in random_game(9, 8, 200):
        if before is not None:
            differ = points[(around.state[points] != before[0]) | (around.code[points] != before[1])]
            listed = around.changed[: around.count[0]].tolist()
            assert {p for p in differ.tolist() if board.color[p] == EMPTY} <= set(listed)
            assert len(set(listed)) == len(listed)
        forget_changes(around)
        assert not around.listed.any()
        before = around.state[points].copy(), around.code[points].copy()


def test_captured_stones_are_listed():
    found = 0
    before = None
    for board, around, _, color in random_game(9, 11, 400):
        stones = board.color.copy()
        if before is not None:
            gone = set(np.flatnonzero((before == color) & (stones == EMPTY)).tolist())
            listed = around.captured[: around.count[1]].tolist()
            assert set(listed) == gone and len(listed) == len(gone)
            found += len(gone) > 1
        before = stones
    assert found > 2
    play_around(board, around, PASS, color)
    assert around.count[1] == 0


@pytest.mark.parametrize(("size", "seed"), [(4, 9), (5, 1), (19, 3)])
def test_a_code_tells_what_is_sensible(size, seed):
    kinds = set()
    for board, around, _, _ in random_game(size, seed, 2 * size * size):
        for p in all_points(size)[:: 1 if size < 19 else 7].tolist():
            if board.color[p] != EMPTY or p == board.info[KO]:
                continue
            for color in (BLACK, WHITE):
                code = around.code[p] if color == BLACK else swapped(around.code[p])
                legal, eye = bool(is_legal(board, p, color, False)), bool(fills_eye(board, p, color))
                assert bool(is_sensible(code)) == (legal and not eye)
                kinds.add((legal, eye))
    assert len(kinds) >= 3


def test_states_are_colours_with_liberties():
    board = board_of("""
        . X O . .
        X X O . .
        O O O . X
        . . . . .
        . . . O .""")
    around = surveyed(board)
    rows = around.state[all_points(5)].reshape(5, 5)
    assert rows.tolist() == [[0, 1, 6 + 1, 0, 0], [1, 1, 7, 0, 0], [7, 7, 7, 0, 3], [0, 0, 0, 0, 0], [0, 0, 0, 7, 0]]


def test_exchanged_colours_give_the_exchanged_code():
    for board, around, _, _ in random_game(9, 5, 80):
        other = surveyed(moved_board(board, 0, swap=True))
        for p in all_points(9).tolist():
            assert swapped(around.code[p]) == other.code[p]
            assert swapped(swapped(around.code[p])) == around.code[p]
