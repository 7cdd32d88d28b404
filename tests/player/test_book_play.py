"""Moves from a book in play: when it is asked, what it answers in every view of a position, and what is left to chance."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, WHITE
from goengine.book import shelf
from goengine.book.book import UNLINKED, Book, Node, Reply
from goengine.book.book_file import BookError, write_book
from goengine.book.canonical import to_place, views
from goengine.evaluators.uniform import Uniform
from goengine.player.book_play import LEAST_VISITS, NEAR, from_book
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import Given, NetSource
from goengine.search.params import Limits, Restriction
from tests.book.toy import origin, toy_book

BOOK = toy_book(rounds=30, at_once=4)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "book.npz"
    write_book(file, BOOK)
    return file


def player(path, size=5, **options):
    return Engine(Uniform(), EngineOptions(visits=8, book=str(path), **options), size=size, seed=1)


def line(book, plies):
    """The points of a line of best replies from the empty board."""
    position = Position(book.size)
    for _ in range(plies):
        position.play(from_book(book, position).point)
    return [point for _, point in position.moves]


def seen_through(position, s):
    """The game turned and mirrored."""
    turned = Position(position.size, position.rules)
    for color, point in position.moves:
        turned.play(symmetry.point(point, s, position.size), color)
    return turned


@pytest.mark.parametrize("s", range(symmetry.COUNT))
def test_a_turned_board_gets_the_turned_move(s):
    position = Position(5)
    for point in line(BOOK, 4):
        decision, turned = from_book(BOOK, position), from_book(BOOK, seen_through(position, s))
        after, other = position.copy(), seen_through(position, s)
        after.play(decision.point)
        other.play(turned.point)
        assert views(after).place == views(other).place
        assert turned.search.value == decision.search.value and turned.search.visits == decision.search.visits
        position.play(point)


def test_the_best_reply_is_the_one_that_leaves_the_other_least():
    position = Position(5)
    decision = from_book(BOOK, position)
    rates = [1 - BOOK.nodes[reply.child].value[1] for reply in BOOK.nodes[0].replies if reply.child != UNLINKED]
    assert decision.search.moves[0].value == pytest.approx(2 * max(rates) - 1) == pytest.approx(decision.search.value)
    values = [move.value for move in decision.search.moves]
    assert values == sorted(values, reverse=True) and decision.from_book
    assert decision.search.moves[0].pv[:3] == tuple(line(BOOK, 3)) == decision.pv[:3]


def test_colours_are_not_exchanged():
    """With White to play on the empty board komi counts for the other side: the book does not know that."""
    position = Position(5)
    position.to_play = WHITE
    assert from_book(BOOK, position) is None


def near_book():
    """Three replies on the empty board: two of about the same worth, one a little worse than NEAR allows."""
    rates = (0.600, 0.600 - NEAR / 2, 0.600 - 1.2 * NEAR)
    root = Node(views(Position(5)).place, LEAST_VISITS, (0.6,), (0.0,), [])
    root.replies = [Reply(move, (10**8,), (rate,)) for move, rate in zip((12, 6, 7), rates, strict=True)]
    book = Book(origin(5, (7.5,)), [root])
    book.settle()
    return book


def test_near_equal_replies_are_drawn_by_weight_and_others_never():
    book, chance = near_book(), np.random.default_rng(1)
    drawn = Counter(to_place(from_book(book, Position(5), chance).point, 0, 5) for _ in range(400))
    corners = {symmetry.index(6, s, 5) for s in range(symmetry.COUNT)}
    assert set(drawn) == {12} | corners, "the second in all its views"
    assert 0.50 < drawn[12] / 400 < 0.64, "weights are 1 and 3/4"
    assert {from_book(book, Position(5)).point for _ in range(20)} == {coords.from_index(12, 5)}


def test_the_same_seed_draws_the_same_games(path):
    def game(seed):
        engine = Engine(Uniform(), EngineOptions(visits=8, book=str(path)), size=5, seed=seed)
        return [engine.genmove(color).point for color in (BLACK, WHITE, BLACK)]

    assert game(3) == game(3) and len({tuple(game(seed)) for seed in range(12)}) > 1


def test_a_position_that_was_set_up_is_known():
    position = Position(5)
    for point in line(BOOK, 2):
        position.play(point)
    set_up = Position.from_diagram(position.to_diagram(), to_play=BLACK)
    assert from_book(BOOK, set_up).point == from_book(BOOK, position).point


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        (Rules(komi=5.5), True),
        (Rules(komi=7.0), True),
        (Rules(komi=7.5), True),
        (Rules(komi=4.5), False),
        (Rules(komi=9.5), False),
        (Rules.preset("chinese"), True),
        (Rules.preset("japanese"), False),
        (Rules.preset("aga-button"), False),
        (Rules.preset("stone-scoring"), False),
    ],
)
def test_rules_and_komi(rules, known):
    assert (from_book(BOOK, Position(5, rules)) is not None) == known


def test_at_komi_7_the_value_is_the_mean():
    rates = [from_book(BOOK, Position(5, Rules(komi=komi))).search.value for komi in (6.5, 7.0, 7.5)]
    assert rates[1] == pytest.approx((rates[0] + rates[2]) / 2)


def test_a_book_that_knows_little_is_silent():
    few = replace(BOOK.origin, visits=LEAST_VISITS // len(BOOK.nodes) + 1)
    book = Book(few, BOOK.nodes)
    assert from_book(book, Position(5)) is not None
    position = Position(5)
    position.play(line(BOOK, 1)[0])
    assert from_book(book, position) is None


def test_moves_that_this_game_forbids_are_left_out():
    position = Position(5)
    best = from_book(BOOK, position).point
    position.game.board.info[[2, 6]] = best, BLACK  # as if ko forbade the point: no such node, so nothing is known
    assert from_book(BOOK, position) is None


# -- the engine --


def test_the_engine_plays_it_without_a_search(path):
    class Silent(Uniform):
        def submit(self, batch):
            raise AssertionError("nobody should be asked")

    engine = Engine(Silent(), EngineOptions(visits=8, book=str(path)), size=5, seed=1)
    decision = engine.genmove(BLACK)
    assert decision.from_book and engine.position.moves == [(BLACK, decision.point)]
    assert decision.log_line().startswith(f"B {coords.to_gtp(decision.point, 5)} (book) in 0.00 s MALKOVICH:Visits ")
    assert "(book): Visits" in decision.summary() and engine.last_decision is decision
    engine.undo()
    assert engine.choose(BLACK).from_book and engine.position.moves == []


def test_the_tree_is_right_after_moves_of_the_book(path):
    """A search after book moves finds what one does that never saw a book."""
    engine = player(path)
    moves = [engine.genmove(color).point for color in (BLACK, WHITE)]
    engine.configure(replace(engine.options, book="none"))
    other = Engine(Uniform(), EngineOptions(visits=8, book="none"), size=5, seed=1)
    for color, point in zip((BLACK, WHITE), moves, strict=True):
        other.play(color, point)
    found, wanted = engine.choose(BLACK), other.choose(BLACK)
    assert not found.from_book and [m.visits for m in found.search.moves] == [m.visits for m in wanted.search.moves]


def test_when_it_is_not_asked(path):
    assert not player(path, level=19).genmove(BLACK).from_book
    assert not player(path).genmove(BLACK, cleanup=True).from_book
    nowhere = Restriction(color=BLACK, points=frozenset({coords.from_gtp("C3", 5)}), depth=1)
    assert not player(path).genmove(BLACK, restrictions=(nowhere,)).from_book
    assert not player(path, size=7).genmove(BLACK).from_book
    engine = player(path)
    engine.genmove(BLACK)
    engine.play(WHITE, PASS)
    assert not engine.genmove(BLACK).from_book, "after a pass the position is another one"


def test_an_analysis_searches(path):
    result = player(path).analyze(BLACK, Limits(visits=20))
    assert result.visits == 20 and result.seconds > 0


def test_who_watches_is_told_once(path):
    told = []
    decision = player(path).genmove(BLACK, on_report=told.append)
    assert told == [decision.search] and told[0].chosen == decision.point == told[0].moves[0].point


def test_undo_and_another_line(path):
    engine = player(path)
    first = engine.genmove(BLACK).point
    engine.genmove(WHITE)
    engine.undo(2)
    assert engine.genmove(BLACK).from_book and engine.position.moves[0][0] == BLACK and first != PASS


def test_settings(path, tmp_path, monkeypatch):
    engine = player(path)
    with pytest.raises(BookError, match=r"none\.npz"):
        engine.configure(replace(engine.options, book=str(tmp_path / "none.npz")))
    assert engine.options.book == str(path) and engine.genmove(BLACK).from_book, "nothing has changed"
    with pytest.raises(BookError, match=r"none\.npz"):
        Engine(Uniform(), EngineOptions(book=str(tmp_path / "none.npz")), size=5)
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)
    write_book(tmp_path / "book-5x5.npz", BOOK)
    assert not Engine(Given(Uniform()), EngineOptions(visits=8), size=5).genmove(BLACK).from_book, "a net of one's own"
    assert Engine(Given(Uniform()), EngineOptions(visits=8, book="shipped"), size=5).genmove(BLACK).from_book
    assert Engine(NetSource(None), EngineOptions(visits=8), size=5).genmove(BLACK).from_book
    assert not Engine(NetSource("uniform"), EngineOptions(visits=8), size=5).genmove(BLACK).from_book


def test_a_broken_book_of_the_engine_s_own_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)
    (tmp_path / "book-5x5.npz").write_bytes(b"broken")
    engine = Engine(Uniform(), EngineOptions(visits=8, book="shipped"), size=7)
    assert engine.take_book_problem() == ""
    engine.new_game(size=5)
    assert "playing without the book for 5x5" in engine.take_book_problem() and engine.take_book_problem() == ""
    assert not engine.genmove(BLACK).from_book
