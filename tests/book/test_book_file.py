"""Books as files: what is written is read, and what is wrong with a file is found at the door."""

import numpy as np
import pytest

from goengine.book import book_file, shelf
from goengine.book.book import UNLINKED
from goengine.book.book_file import BookError, problems, read_book, write_book
from goengine.book.growth import grow
from goengine.core.array_file import read_arrays, write_arrays
from tests.book.toy import toy_book, toy_search


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "book.npz"
    write_book(file, toy_book())
    return file


def changed(path, arrays=None, **meta):
    """The file with some arrays and facts replaced; a fact of None is left out."""
    old, facts = read_arrays(path, book_file.FORMAT, book_file.VERSION)
    facts = {key: value for key, value in (facts | meta).items() if value is not None}
    write_arrays(path, {name: value for name, value in (old | (arrays or {})).items() if value is not None}, facts)
    return path


def array(path, name, place=None, value=None):
    """A copy of one array, with one element replaced."""
    values = read_arrays(path, book_file.FORMAT, book_file.VERSION)[0][name].copy()
    if place is not None:
        values[place] = value
    return values


def test_what_is_written_is_read(path):
    book, again = toy_book(), read_book(path)
    assert again == book and again.index == book.index and problems(again) == []


def test_going_on_with_a_file_makes_the_same_book(path):
    going_on = read_book(path)
    for _ in range(5):
        grow(going_on, toy_search, 4)
    assert going_on == toy_book(rounds=17)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"version": 2}, "version 2 is unknown"),
        ({"format": "goengine games"}, "not of the format 'goengine book'"),
        ({"size": 26}, "board size 26"),
        ({"size": "5"}, "board size 5"),
        ({"size": 9}, r"array 'stones' is uint8\[\d+, 25\], not uint8\[\d+, 81\]"),
        ({"komis": [7.5]}, r"array 'searched' is float32\[\d+, 2\], not float32\[\d+, 1\]"),
        ({"komis": [7.5, 6.5]}, "do not ascend"),
        ({"komis": [float("nan"), 7.5]}, "do not ascend, or are beyond reason"),
        ({"komis": ["a", "b"]}, "no list"),
        ({"komis": None}, "no list"),
        ({"rules": "territory"}, "for 'area' scoring"),
        ({"visits": 0}, "visits 0"),
        ({"visits": True}, "visits True"),
        ({"net": None}, "name or the digest"),
    ],
)
def test_wrong_facts_are_named(path, facts, reason):
    changed(path, **facts)
    with pytest.raises(BookError, match=rf"book\.npz: .*{reason}"):
        read_book(path)


@pytest.mark.parametrize(
    ("name", "place", "value", "reason"),
    [
        ("searched", (2, 1), np.nan, "'searched' has a value"),
        ("value", (2, 1), np.nan, "'value' has a value"),
        ("reply_winrate", (3, 0), np.inf, "'reply_winrate' has a value"),
        ("reply_winrate", (3, 0), 1.5, "'reply_winrate' has a value"),
        ("score", (0, 0), np.nan, "'score' has a value"),
        ("move", 0, 25, "'move' has a value"),
        ("child", 0, 10**6, "'child' has a value"),
        ("child", 0, -2, "'child' has a value"),
        ("below", 0, 0, "'below' has a value"),
        ("to_play", 1, 3, "'to_play' has a value"),
        ("passes", 1, 2, "'passes' has a value"),
        ("ko", 1, 25, "'ko' has a value"),
        ("stones", (1, 0), 3, "'stones' has a value"),
        ("stones", (0, 0), 1, "not the empty board"),
        ("first", 0, 1, "'first' does not ascend"),
        ("first", 2, 10**6, "'first' does not ascend"),
        ("visits", 0, 0, "'visits' has a value"),
        ("reply_visits", (0, 0), -1, "'reply_visits' has a value"),
    ],
)
def test_wrong_values_are_named(path, name, place, value, reason):
    changed(path, {name: array(path, name, place, value)})
    with pytest.raises(BookError, match=rf"book\.npz: .*{reason}"):
        read_book(path)


def test_wrong_arrays_are_named(path):
    with pytest.raises(BookError, match="'move' is int64"):
        read_book(changed(path, {"move": array(path, "move").astype(np.int64)}))
    write_book(path, toy_book())
    with pytest.raises(BookError, match="its arrays are not"):
        read_book(changed(path, {"ko": None}))
    write_book(path, toy_book())
    with pytest.raises(BookError, match="its arrays are not"):
        read_book(changed(path, {"more": array(path, "ko")}))
    write_book(path, toy_book())
    with pytest.raises(BookError, match="'ko' is"):
        read_book(changed(path, {"ko": array(path, "ko")[:-1]}))
    write_book(path, toy_book())
    with pytest.raises(BookError, match="array '"):
        read_book(changed(path, {"to_play": np.uint8(1)}))


def test_illegal_moves_are_named(path):
    stones, first = array(path, "stones"), array(path, "first")
    node = next(n for n in range(1, len(stones)) if first[n] < first[n + 1])
    taken = int(np.flatnonzero(stones[node])[0])
    changed(path, {"move": array(path, "move", first[node], taken)})
    with pytest.raises(BookError, match=rf"[A-E][1-5] is illegal in position {node}"):
        read_book(path)


def test_moves_on_a_ko_are_illegal(path):
    first = array(path, "first")
    node = next(n for n in range(1, len(first) - 1) if first[n] < first[n + 1])
    changed(path, {"ko": array(path, "ko", node, array(path, "move")[first[node]])})
    with pytest.raises(BookError, match=f"is illegal in position {node}"):
        read_book(path)


def test_suicide_is_illegal(path):
    """The corner of a board where White holds both points beside it; the other corners are as free as any point."""
    arrays, _ = read_arrays(path, book_file.FORMAT, book_file.VERSION)
    stones = np.zeros((2, 25), np.uint8)
    stones[1, [19, 23]] = 2  # the last corner: this view comes first
    two = {name: array[:2].copy() for name, array in arrays.items()}
    two |= {
        "stones": stones,
        "ko": np.full(2, -1, np.int16),
        "first": np.array([0, 0, 1], np.int32),
        "below": np.ones(2, np.int32),
    }
    two |= {"to_play": np.ones(2, np.uint8), "passes": np.zeros(2, np.uint8)}
    one = {"move": np.array([24], np.uint16), "child": np.array([UNLINKED], np.int32)}
    one |= {name: arrays[name][:1].copy() for name in ("reply_visits", "reply_winrate")}
    with pytest.raises(BookError, match="E1 is illegal in position 1"):
        read_book(changed(path, two | one))
    free = two | one | {"move": np.array([0], np.uint16)}
    assert len(read_book(changed(path, free)).nodes) == 2


def test_a_position_is_there_once_and_in_one_view(path):
    stones = array(path, "stones")
    turned = stones.copy()
    turned[1] = turned[1].reshape(5, 5)[::-1, ::-1].ravel()
    if not (turned[1] == stones[1]).all():
        with pytest.raises(BookError, match="position 1 is not in the view"):
            read_book(changed(path, {"stones": turned}))
    write_book(path, toy_book())
    arrays = {name: array(path, name, 2, array(path, name)[1]) for name in ("stones", "to_play", "passes", "ko")}
    with pytest.raises(BookError, match="there twice"):
        read_book(changed(path, arrays))


def test_a_move_is_there_once(path):
    first = array(path, "first")
    node = next(n for n in range(len(first) - 1) if first[n + 1] - first[n] > 1)
    changed(path, {"move": array(path, "move", first[node], array(path, "move")[first[node] + 1])})
    with pytest.raises(BookError, match="a move is there twice"):
        read_book(path)


def test_what_only_playing_shows_is_found(path):
    child = array(path, "child")
    linked = int(np.flatnonzero(child != UNLINKED)[-1])
    book = read_book(changed(path, {"child": array(path, "child", linked, 0)}))
    assert any("leads to node 0, another position" in line for line in problems(book))
    write_book(path, toy_book())
    book = read_book(changed(path, {"value": array(path, "value", (0, 0), 0.123)}))
    assert problems(book) == ["node 0: its value does not follow from the positions below"]
    write_book(path, toy_book())
    cut = array(path, "child")
    cut[cut == len(toy_book().nodes) - 1] = UNLINKED
    assert problems(read_book(changed(path, {"child": cut}))) == ["1 nodes cannot be reached"]


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no zip", b"\0" * 1000])
def test_what_is_no_book_is_refused(tmp_path, content):
    file = tmp_path / "junk.npz"
    file.write_bytes(content)
    with pytest.raises(BookError, match=r"junk\.npz"):
        read_book(file)


def test_a_book_cut_short_is_refused(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BookError, match=r"book\.npz"):
        read_book(path)
    with pytest.raises(BookError, match="No such file"):
        read_book(path.with_name("none.npz"))


def test_a_shelf_says_what_is_wrong_with_a_book_of_its_own_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)
    (tmp_path / "book-5x5.npz").write_bytes(b"broken")
    books = shelf.Shelf("shipped")
    assert books.get(7) is None and books.problem == ""
    assert books.get(5) is None and "playing without the book for 5x5" in books.problem and "book-5x5.npz" in books.problem
    write_book(tmp_path / "book-7x7.npz", toy_book(2, size=7))
    assert shelf.Shelf("shipped").get(7) is not None and shelf.Shelf("none").get(7) is None


def test_a_file_that_was_named_must_be_good(path):
    assert shelf.Shelf(str(path)).get(5) == toy_book() and shelf.Shelf(str(path)).get(9) is None
    path.write_bytes(b"broken")
    with pytest.raises(BookError, match=r"book\.npz"):
        shelf.Shelf(str(path))


@pytest.mark.parametrize("size", [7, 9])
def test_the_books_that_come_with_the_engine(size):
    file = shelf.shipped(size)
    assert file is not None and file.stat().st_size < 2 << 20
    book = read_book(file)
    assert book.size == size and book.origin.komis == (6.5, 7.5) and len(book.nodes) > 100
    assert all(len(node.value) == 2 for node in book.nodes)
