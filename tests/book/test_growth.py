"""How a book grows: values by negamax, the order of expansion, positions that are reached in several ways."""

import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.book.book import DOUBT, UNLINKED, Book, Node, Origin, Reply, single
from goengine.book.book_file import problems
from goengine.book.canonical import views
from goengine.book.growth import STEP_LOSS, grow, is_complete, leaves, mean_depth
from tests.book.toy import origin, toy_book, toy_search

MANY = 10**8  # visits without a doubt


def place(*moves, size=5):
    position = Position(size)
    for text in moves:
        position.play(coords.from_gtp(text, size))
    return views(position).place


def node(where, searched, *replies):
    """replies: (move, win rate)."""
    return Node(where, 400, (searched,), (0.0,), [Reply(move, (MANY,), (rate,)) for move, rate in replies])


def small_book():
    """The empty board with three replies; after the first there is a node."""
    book = Book(Origin(5, (7.5,), 400, "toy", ""))
    book.add(node(place(), 0.5, (12, 0.55), (7, 0.53), (6, 0.40)))
    book.add(node(place("C3"), 0.44, (7, 0.46), (6, 0.30)))
    book.nodes[0].replies[0].child = 1
    book.settle()
    return book


def test_values_are_the_best_for_who_moves():
    book = small_book()
    assert book.nodes[1].value == (0.44,), "nothing below is known: as its own search found it"
    assert book.nodes[0].value == (pytest.approx(0.56),), "one less what the other side has"
    assert [entry.below for entry in book.nodes] == [2, 1]


def test_a_bad_surprise_goes_up_and_another_reply_becomes_the_best():
    book = small_book()
    book.add(node(place("C3", "C4"), 0.10))
    book.nodes[1].replies[0].child = 2
    book.settle()
    assert book.nodes[1].value == (pytest.approx(0.90),)
    assert book.nodes[0].value == (pytest.approx(0.53, abs=1e-3),), "the second reply, which was 0.53"
    assert [entry.below for entry in book.nodes] == [3, 2, 1]


def test_few_visits_are_doubted():
    book = small_book()
    assert book.worth(Reply(0, (25,), (0.5,)), 0) == pytest.approx(0.5 - DOUBT / 5)
    assert book.worth(Reply(0, (0,), (0.0,)), 0) == 0.0


def test_the_cheapest_lines_come_first():
    found = leaves(small_book(), 10)
    assert [(leaf.node, leaf.reply) for leaf in found] == [(1, 0), (0, 1), (0, 2), (1, 1)]
    assert [leaf.cost for leaf in found] == pytest.approx(
        [2.0, 1 + 0.03 / STEP_LOSS, 1 + 0.16 / STEP_LOSS, 2 + 0.16 / STEP_LOSS], abs=0.01
    )
    assert found[0].moves == (12, 7), "indices in the places on the way"


def test_a_line_that_drops_is_left():
    """After the first line has turned out badly the second reply is looked at."""
    book = small_book()
    book.add(node(place("C3", "C4"), 0.10))
    book.nodes[1].replies[0].child = 2
    book.settle()
    assert (leaves(book, 1)[0].node, leaves(book, 1)[0].reply) == (0, 1)


def test_each_komi_has_lines_of_its_own():
    book = Book(Origin(5, (6.5, 7.5), 400, "toy", ""))
    root = Node(place(), 400, (0.5, 0.5), (0.0, 0.0), [])
    root.replies = [Reply(12, (MANY, MANY), (0.6, 0.2)), Reply(7, (MANY, MANY), (0.3, 0.4)), Reply(6, (MANY, MANY), (0.3, 0.2))]
    book.add(root)
    book.settle()
    assert {leaf.reply for leaf in leaves(book, 2)} == {0, 1}


def test_symmetric_and_transposed_positions_are_there_once():
    book = toy_book(rounds=30, at_once=4, size=3)
    assert len({entry.place for entry in book.nodes}) == len(book.nodes)
    children = [reply.child for entry in book.nodes for reply in entry.replies if reply.child != UNLINKED]
    assert len(children) > len(book.nodes) - 1, "some node is reached in more than one way"
    assert problems(book) == []


def test_stopping_changes_nothing():
    book = toy_book(rounds=3)
    before = [(entry.place, entry.value, [reply.child for reply in entry.replies]) for entry in book.nodes]
    assert not grow(book, lambda positions: None, 4)
    assert [(entry.place, entry.value, [reply.child for reply in entry.replies]) for entry in book.nodes] == before


def test_a_tiny_board_is_looked_at_to_the_end():
    book = Book(origin(2))
    while not is_complete(book):
        assert grow(book, toy_search, 8)
    assert problems(book) == [] and mean_depth(book) > 1


@pytest.mark.parametrize(
    ("rules", "bonus", "columns"),
    [
        (Rules(), 7.5, (1,)),
        (Rules(), 7.0, (0, 1)),
        (Rules(), 6.5, (0,)),
        (Rules(), 6.0, (0,)),
        (Rules(), 5.5, (0,)),
        (Rules(), 5.0, ()),
        (Rules(), 4.5, ()),
        (Rules(), 8.5, (1,)),
        (Rules(), 9.0, ()),
        (Rules(), -7.5, ()),
        (Rules.preset("chinese"), 7.5, (1,)),
        (Rules.preset("aga"), 7.5, (1,)),
        (Rules.preset("new-zealand"), 7.5, (1,)),
        (Rules.preset("japanese"), 6.5, ()),
        (Rules.preset("stone-scoring"), 7.5, ()),
        (Rules.preset("aga-button"), 7.0, ()),
    ],
)
def test_komis_and_rules_that_fit(rules, bonus, columns):
    assert Book(origin(9)).columns(rules, bonus) == columns


def test_on_boards_of_even_size_results_are_even():
    book = Book(origin(8, (6.5,)))
    assert [book.columns(Rules(), komi) for komi in (6.5, 7.0, 7.5, 6.0, 5.5)] == [(0,), (0,), (0,), (), ()]


def test_winning_rates_are_as_a_file_holds_them():
    book = toy_book(3)
    assert all(value == single(value) for entry in book.nodes for value in entry.searched)
