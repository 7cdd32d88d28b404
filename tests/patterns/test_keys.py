"""Names of patterns: the same through all symmetries, the same for both colours, different where patterns differ."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.state import BLACK, STRIDE, WHITE
from goengine.patterns.keys import DIAMOND, MAPS, diamond_around, diamond_key, fold_diamond, response_key, shape_key, square_key
from goengine.patterns.nearby import step_to
from goengine.patterns.surroundings import swapped
from tests.patterns.helpers import empties, moved_board, moved_point, random_game, surveyed

SIZE = 9


def positions(seed, plies, every):
    for i, (board, _, last, _) in enumerate(random_game(SIZE, seed, plies)):
        if i % every == 0:
            yield board, last


def names_at(board, row_column, symmetry, swap):
    """(square's name, diamond's name) at a place, for Black to move, or for White if the colours are exchanged."""
    around = surveyed(moved_board(board, symmetry, swap))
    p = np.uint64(moved_point(*row_column, SIZE, symmetry))
    code = swapped(around.code[p]) if swap else around.code[p]
    diamond = np.uint64(diamond_around(around.state, around.code, p, np.uint64(board.info[STRIDE]), not swap))
    return int(square_key(code)), int(diamond_key(diamond))


@pytest.mark.parametrize("seed", [1, 2])
def test_names_do_not_depend_on_the_view(seed):
    for board, _ in positions(seed, 70, 23):
        for place in empties(board)[::5]:
            names = {names_at(board, place, s, swap) for s in range(8) for swap in (False, True)}
            assert len(names) == 1


def slow_pattern(board, around, row, column, reach):
    """All eight views of what is around a place, by the definition: the least one."""
    size = int(board.info[0])

    def state(r, c):
        return int(around.state[coords.point(r, c, size)]) if 0 <= r < size and 0 <= c < size else 4

    steps = [(r, c) for r in range(-2, 3) for c in range(-2, 3) if (r or c) and reach(r, c)]
    views = []
    for s in range(8):
        turned = {}
        for r, c in steps:
            a, b = (c, r) if s & 4 else (r, c)
            turned[(-a if s & 1 else a, -b if s & 2 else b)] = state(row + r, column + c)
        views.append(tuple(sorted(turned.items())))
    return min(views)


@pytest.mark.parametrize(
    ("which", "reach"), [(0, lambda r, c: max(abs(r), abs(c)) == 1), (1, lambda r, c: abs(r) + abs(c) <= 2)]
)
def test_names_are_equal_where_patterns_are(which, reach):
    by_name, by_pattern = {}, {}
    for seed in (3, 4, 5):
        for board, _ in positions(seed, 90, 9):
            around = surveyed(board)
            for place in empties(board):
                name, pattern = names_at(board, place, 0, False)[which], slow_pattern(board, around, *place, reach)
                assert by_name.setdefault(name, pattern) == pattern
                assert by_pattern.setdefault(pattern, name) == name
    assert len(by_name) > 100


def test_a_response_is_a_diamond_with_a_place_in_it():
    by_key, symmetric = {}, 0
    for board, last in positions(6, 90, 3):
        for s in range(8):
            around = surveyed(moved_board(board, s))
            p = moved_point(*coords.row_column(last, SIZE), SIZE, s)
            diamond = np.uint64(diamond_around(around.state, around.code, np.uint64(p), np.uint64(board.info[STRIDE]), True))
            least, ways = fold_diamond(diamond)
            keys = sorted(int(response_key(np.uint64(least), ways, field)) for field in range(DIAMOND))
            assert by_key.setdefault(int(least), keys) == keys  # the same places in all views
            assert (len(set(keys)) == DIAMOND) == (bin(int(ways)).count("1") == 1)  # fewer where it is symmetric itself
            symmetric += bin(int(ways)).count("1") > 1
    assert len(by_key) > 5 and symmetric


def test_fields_are_where_steps_lead():
    steps = [step_to(field, 100) for field in range(DIAMOND)]
    assert steps == [-100, -1, 1, 100, -101, -99, 99, 101, -200, -2, 2, 200]
    assert sorted(MAPS[5].tolist()) == list(range(DIAMOND))


def test_shapes_are_named_with_the_place():
    bent = [(3, 3), (3, 4), (4, 4)]
    names = set()
    for s in range(8):
        points = np.array([moved_point(r, c, SIZE, s) for r, c in bent], np.uint16)
        names.add(tuple(int(shape_key(points, 3, int(p), SIZE + 1)) for p in points))
    assert len(names) == 1
    corner, middle, other = next(iter(names))
    assert corner == other != middle
    straight = np.array([coords.point(3, c, SIZE) for c in (3, 4, 5)], np.uint16)
    assert shape_key(straight, 3, int(straight[1]), SIZE + 1) not in (middle, corner)


def test_colours_matter():
    for board, _ in positions(7, 60, 20):
        around = surveyed(board)
        p = np.uint64(moved_point(*empties(board)[3], SIZE, 0))
        s = np.uint64(board.info[STRIDE])
        black, white = (diamond_around(around.state, around.code, p, s, color == BLACK) for color in (BLACK, WHITE))
        stones = any((int(black) >> 3 * i) & 3 for i in range(DIAMOND))
        assert (black != white) == stones
