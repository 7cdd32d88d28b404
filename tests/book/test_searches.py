"""Searches of many positions side by side find what each would find alone."""

import pytest

from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.book.book import Book
from goengine.book.book_file import problems, read_book, write_book
from goengine.book.growth import grow
from goengine.book.searches import Searches
from goengine.evaluators.base import EvaluatorBase, EvaluatorError
from goengine.evaluators.load import load
from goengine.evaluators.uniform import Uniform
from tests.book.toy import origin

KOMIS = (6.5, 7.5)


def after(*moves, size=7):
    position = Position(size)
    for text in moves:
        position.play(coords.from_gtp(text, size))
    return position


@pytest.fixture(scope="module")
def net():
    evaluator = load("b8c96-rl", threads=1)
    yield evaluator
    evaluator.close()


def test_company_changes_nothing(net):
    positions = [after(), after("D4"), after("D4", "D5"), after("C3", "E5", "D4")]
    together = Searches(net, KOMIS, 30).nodes(positions)
    assert together == [Searches(net, KOMIS, 30).nodes([position])[0] for position in positions]
    searches = Searches(net, KOMIS, 30)
    searches.nodes(positions[::-1])
    assert searches.nodes(positions) == together, "nothing is left of the searches before"


def test_a_node_holds_each_move_once_under_all_symmetries(net):
    (node,) = Searches(net, KOMIS, 60).nodes([after()])
    table = symmetry.scatter(7)
    orbits = [frozenset(table[:, reply.move].tolist()) for reply in node.replies]
    assert len(set(orbits)) == len(orbits) and all(
        min(orbit) == reply.move for orbit, reply in zip(orbits, node.replies, strict=True)
    )
    assert all(0 <= rate <= 1 for reply in node.replies for rate in reply.winrate)
    assert max(reply.visits[0] for reply in node.replies) <= 60 and node.searched[0] >= node.searched[1]


def test_stopping_gives_nothing(net):
    asked = []
    assert Searches(net, KOMIS, 1000).nodes([after()], lambda: len(asked) > 3 or asked.append(1)) is None
    assert len(asked) == 4


def test_a_book_that_was_stopped_goes_on_as_if_it_had_not_been(net, tmp_path):
    def rounds(book, count):
        searches = Searches(net, KOMIS, 20)
        for _ in range(count):
            assert grow(book, searches.nodes, 3)

    whole, part = Book(origin(7)), Book(origin(7))
    rounds(whole, 5)
    rounds(part, 2)
    searches = Searches(net, KOMIS, 20)
    assert not grow(part, lambda positions: searches.nodes(positions, lambda: True), 3)
    write_book(tmp_path / "book.npz", part)
    part = read_book(tmp_path / "book.npz")
    rounds(part, 3)
    assert part == whole and problems(part) == []


def test_an_evaluator_that_fails_is_heard():
    class Failing(EvaluatorBase):
        traits = Uniform().traits

        def submit(self, batch):
            raise EvaluatorError("the device is gone")

    book = Book(origin(5))
    with pytest.raises(EvaluatorError, match="the device is gone"):
        grow(book, Searches(Failing(), KOMIS, 20).nodes, 2)
    assert book.nodes == []
