"""The command `goengine book`."""

import pytest

from goengine.board import coords
from goengine.book.book_file import read_book, write_book
from goengine.book.canonical import from_place
from goengine.commands import book as command
from tests.book.toy import toy_book


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "book.npz"
    write_book(file, toy_book())
    return file


def made(path, *words):
    return command.main(["make", "--out", str(path), "--size", "5", "--net", "uniform", "--visits", "20", *words])


def test_making_going_on_and_checking(tmp_path, capsys):
    path = tmp_path / "new" / "book.npz"
    assert made(path, "--positions", "5", "--at-once", "2") == 0
    assert len(read_book(path).nodes) == 5
    assert made(path, "--positions", "9", "--at-once", "2") == 0
    assert len(read_book(path).nodes) == 9 and "9 positions" in capsys.readouterr().out
    assert command.main(["check", str(path)]) == 0
    assert "9 positions of 5x5 at komi 6.5, 7.5" in capsys.readouterr().out


def test_no_time_writes_nothing(tmp_path, capsys):
    assert made(tmp_path / "book.npz", "--budget", "0") == 1
    assert "the time was over" in capsys.readouterr().err and not (tmp_path / "book.npz").exists()


@pytest.mark.parametrize("words", [("--visits", "21"), ("--komis", "7.5"), ("--net", "b8c96")])
def test_a_book_that_was_made_otherwise_is_not_gone_on_with(tmp_path, capsys, words):
    path = tmp_path / "book.npz"
    assert made(path, "--positions", "3") == 0
    before = path.read_bytes()
    assert made(path, *words) == 1
    assert "it was made with" in capsys.readouterr().err and path.read_bytes() == before


def test_show(path, capsys):
    book = read_book(path)
    assert command.main(["show", str(path)]) == 0
    text = capsys.readouterr().out
    best = max(book.nodes[0].replies, key=lambda reply: book.worth(reply, 1))
    assert f"a {coords.to_gtp(from_place(best.move, 0, 5), 5)} " in text and "Black to play, wins" in text
    assert text.count("\n") > 5 + 2 + len(book.nodes[0].replies) and " a" in text.split("Black to play")[0]
    move = coords.to_gtp(from_place(best.move, 3, 5), 5)
    assert command.main(["show", str(path), move]) == 0
    assert "White to play, wins" in capsys.readouterr().out
    assert command.main(["show", str(path), "A1", "A2", "A3"]) == 0
    assert "does not know this position" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("Z9",), "move 'Z9'"), (("C3", "C3"), "move 'C3': C3: occupied"), (("--komi", "0.5"), "nothing of komi 0.5")],
)
def test_show_says_what_is_wrong(path, capsys, words, reason):
    assert command.main(["show", str(path), *words]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("words", [("check",), ("show",)])
def test_files_that_are_no_books(tmp_path, capsys, words):
    (tmp_path / "junk.npz").write_bytes(b"junk")
    for name in ("junk.npz", "none.npz"):
        assert command.main([*words, str(tmp_path / name)]) == 1
        assert name in capsys.readouterr().err


def test_a_book_with_wrong_values_fails_the_check(path, capsys):
    book = read_book(path)
    book.nodes[0].value = (0.1, 0.1)
    write_book(path, book)
    assert command.main(["check", str(path)]) == 1
    assert "its value does not follow" in capsys.readouterr().err


def test_a_net_that_does_not_exist(tmp_path, capsys):
    assert command.main(["make", "--out", str(tmp_path / "book.npz"), "--net", "nothing"]) == 1
    assert "goengine book:" in capsys.readouterr().err


@pytest.mark.parametrize("komis", [("7.5", "6.5"), ("7.5", "7.5"), ()])
def test_komis_ascend(tmp_path, komis):
    with pytest.raises(SystemExit):
        command.main(["make", "--out", str(tmp_path / "book.npz"), "--komis", *komis])
