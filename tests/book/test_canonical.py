"""Which positions a book takes for the same."""

import numpy as np
import pytest

from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.board.state import BLACK, PASS, WHITE
from goengine.book.canonical import NO_KO, from_place, is_first_view, to_place, views


def played(moves, size=5, s=0):
    """The position after moves that are seen through a symmetry."""
    position = Position(size)
    for text in moves:
        position.play(symmetry.point(coords.from_gtp(text, size), s, size))
    return position


@pytest.mark.parametrize("s", range(symmetry.COUNT))
@pytest.mark.parametrize("moves", [(), ("C3",), ("C4",), ("B2", "D4", "B4"), ("B3", "C4", "E1")])
def test_all_eight_views_are_one_place(moves, s):
    assert views(played(moves, s=s)).place == views(played(moves)).place


@pytest.mark.parametrize(("moves", "count"), [((), 8), (("C3",), 8), (("C4",), 2), (("B2",), 2), (("B3", "C4"), 1)])
def test_symmetric_positions_have_several_symmetries(moves, count):
    assert len(views(played(moves)).symmetries) == count


@pytest.mark.parametrize("moves", [("B3", "C4"), ("B2",), ("B2", "D4", "B4", "A1")])
def test_every_symmetry_carries_the_stones_to_the_place(moves):
    position = played(moves)
    seen = views(position)
    for s in seen.symmetries:
        for color in (BLACK, WHITE):
            indices = {to_place(point, s, 5) for point in position.stones(color)}
            assert indices == {i for i, stone in enumerate(seen.place.stones) if stone == color}
        for point in (*position.legal_moves(), PASS):
            assert from_place(to_place(point, s, 5), s, 5) == point


def test_ko_is_part_of_the_place():
    moves = ("B1", "C1", "A2", "D2", "B3", "C3", "C2", "B2")
    with_ko = [played(moves, s=s) for s in range(symmetry.COUNT)]
    assert all(position.ko for position in with_ko), "White has taken C2"
    places = {views(position).place for position in with_ko}
    assert len(places) == 1 and next(iter(places)).ko != NO_KO
    without = Position.from_diagram(with_ko[0].to_diagram(), to_play=BLACK)
    place = views(without).place
    assert place.ko == NO_KO and place not in places
    for position in with_ko:
        seen = views(position)
        assert {to_place(position.ko, s, 5) for s in seen.symmetries} == {seen.place.ko}


def test_who_plays_and_a_pass_are_part_of_the_place():
    other = played(("B2",))
    other.to_play = BLACK
    passed = Position(5)
    passed.play(PASS)
    passed.to_play = BLACK
    places = [views(p).place for p in (played(("B2",)), other, Position(5), passed)]
    assert len(set(places)) == 4 and places[3].passes == 1


def test_one_view_of_a_board_comes_first():
    stones = np.zeros(25, np.uint8)
    stones[[1, 7]] = BLACK, WHITE
    first = [is_first_view(np.ascontiguousarray(symmetry.flat(stones, s)), 5) for s in range(symmetry.COUNT)]
    assert sum(first) == 1
