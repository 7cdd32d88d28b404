"""A book over GTP: what comes back, word for word, and what a server says of a book that it cannot use."""

import subprocess

import pytest
from gtp_support import SERVER, new_protocol

from goengine.book.book_file import write_book
from goengine.evaluators.uniform import Uniform
from tests.book.toy import toy_book

BOOK = toy_book(rounds=30)


class Silent(Uniform):
    """Nothing may be searched."""

    def submit(self, batch):
        raise AssertionError("a move of the book needs no search")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "book.npz"
    write_book(file, BOOK)
    return file


DIALOGUE = """\
boardsize 5
=
kata-set-param book {path}
=
kata-get-param book
= {path}
reg_genmove b
= C5
genmove b
= C1
genmove w
= D4
gomill-explain_last_move
= W D4 (book): Visits 328000 Winrate 44.42% ScoreLead 2.4 ScoreStdev 0.0 PV D4 E4 B2 B1 B4
undo
=
genmove w
= D4
kata-set-param book /no/such/book.npz
? /no/such/book.npz: No such file or directory
kata-get-param book
= {path}
kata-set-params {"book": "none"}
=
kata-get-param book
= none
"""


def test_a_move_of_the_book_needs_no_search(path):
    protocol = new_protocol(Silent())
    lines = DIALOGUE.replace("{path}", str(path)).splitlines()
    for line, wanted in zip(lines[::2], lines[1::2], strict=True):
        assert protocol.handle_line(line.encode()).reply.rstrip() == wanted, line


def test_a_move_with_reports_comes_from_the_book_too(path):
    protocol = new_protocol(Silent())
    for line in (b"boardsize 5", f"kata-set-param book {path}".encode()):
        protocol.handle_line(line)
    told = []
    protocol.handle_line(b"kata-genmove_analyze b 10").stream.run(told.append)
    assert len(told) == 2 and told[1] == "play C1" and told[0].startswith("info move C1 ")


def server(*words, text):
    done = subprocess.run([*SERVER, *words], input=text, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.split("\n\n"), done.stderr


GAME = "boardsize 5\nclear_board\ngenmove b\nquit\n"


def test_a_server_plays_the_book_that_it_is_given(path):
    answers, _ = server("--book", str(path), text=GAME)
    assert answers[:2] == ["= ", "= "] and answers[2][:2] == "= "
    log = server_log("--book", str(path))
    assert "(book) in 0.00 s MALKOVICH:" in log and "a book of" in log
    assert "(book)" not in server_log("--book", "none") and "(book)" not in server_log("--book", str(path), "--level", "19")


def server_log(*words):
    command = [word for word in SERVER if word != "--quiet"]
    script = "komi 7.5\n" + GAME
    return subprocess.run(
        [*command, "--visits", "4", *words, "--boardsize", "5"], input=script, capture_output=True, text=True, check=True
    ).stderr


def test_a_server_refuses_a_book_that_is_none(tmp_path):
    (tmp_path / "junk.npz").write_bytes(b"junk")
    answers, errors = server("--book", str(tmp_path / "junk.npz"), text=GAME)
    assert all(answer.startswith("? the engine could not be loaded: ") for answer in answers[:3])
    assert "junk.npz" in answers[0] and "the engine could not be loaded" in errors
