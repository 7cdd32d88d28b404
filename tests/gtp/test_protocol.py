"""The protocol without Go: lines in, responses out, with a small table of its own."""

import random

import pytest

from goengine.gtp.protocol import CommandTable, GtpError, GtpFatal, GtpQuit, Protocol, Stream, clean_line, printable

TABLE = CommandTable()


@TABLE.register("say", "test", raw=True)
def _say(text):
    return text


@TABLE.register("words", "test")
def _words(words):
    return "|".join(words)


@TABLE.register("empty", "test")
def _empty(words):
    return None


@TABLE.register("fail", "test")
def _fail(words):
    raise GtpError("illegal move: D4 is\noccupied")


@TABLE.register("leave", "test")
def _leave(words):
    raise GtpQuit("bye")


@TABLE.register("die", "test")
def _die(words):
    raise GtpFatal("no net")


@TABLE.register("crash", "test")
def _crash(words):
    return [][1]


@TABLE.register("hidden", "test", listed=False)
def _hidden(words):
    return "here"


@TABLE.register("lines", "test")
def _lines(words):
    return "a\n\n\tb\r\n\nc\n\n"


@TABLE.register("flow", "test")
def _flow(words):
    def run(emit):
        emit("info one")
        emit("info two\x07")
        if words:
            raise ValueError("late")

    return Stream(run)


@pytest.fixture
def errors():
    return []


@pytest.fixture
def protocol(errors):
    return Protocol(TABLE, lambda command: command.handler, errors.append)


CASES = [
    (b"say hello", "= hello\n\n"),
    (b"12 say hello", "=12 hello\n\n"),
    (b"007 say hello", "=7 hello\n\n"),
    (b"0 empty", "=0 \n\n"),
    (b"2147483648 empty", "=2147483648 \n\n"),
    (b"empty", "= \n\n"),
    (b"   3    words   a    b  ", "=3 a|b\n\n"),
    (b"words\ta\tb\r", "= a|b\n\n"),
    (b"wo\x00rd\x01s a\x7fb\x1b", "= ab\n\n"),
    (b"words a # b c", "= a\n\n"),
    (b"4 words a#b", "=4 a\n\n"),
    (b"", ""),
    (b"   ", ""),
    (b"\t\r", ""),
    (b"# words a", ""),
    (b"  # interrupt", ""),
    (b"5 # nothing but an id", "?5 unknown command\n\n"),
    (b"nothing", "? unknown command\n\n"),
    (b"9 nothing", "?9 unknown command\n\n"),
    (b"-1 empty", "? unknown command\n\n"),
    (b"1.5 empty", "? unknown command\n\n"),
    (b"WORDS a", "= a\n\n"),
    (b"hidden", "= here\n\n"),
    (b"fail", "? illegal move: D4 is occupied\n\n"),
    (b"6 fail", "?6 illegal move: D4 is occupied\n\n"),
    (b"lines", "= a\n \n b\n \nc\n\n"),
    ("say Größe 碁".encode(), "= Gr??e ?\n\n"),
    (b"say \xff\xfe", "= ??\n\n"),
    (b"9" * 5000 + b" empty", "? syntax error: the id is too long\n\n"),
    ("٣ empty".encode(), "? unknown command\n\n"),
]


@pytest.mark.parametrize("line, reply", CASES)
def test_reply(protocol, line, reply):
    response = protocol.handle_line(line)
    assert (response.reply, response.quit, response.stream) == (reply, False, None)


def test_end_of_session(protocol):
    assert protocol.handle_line(b"8 leave")[:2] == ("=8 bye\n\n", True)
    assert protocol.handle_line(b"die")[:2] == ("? no net\n\n", True)


def test_an_exception_is_an_answer_and_a_report(protocol, errors):
    assert protocol.handle_line("3 crash").reply == "?3 internal error: IndexError: list index out of range\n\n"
    assert [type(error) for error in errors] == [IndexError]


def test_stream(protocol, errors):
    lines = []
    response = protocol.handle_line("7 flow")
    assert response.reply == "=7\n"
    response.stream.run(lines.append)
    assert lines == ["info one", "info two?"] and not errors
    protocol.handle_line("flow late").stream.run(lines.append)
    assert [str(error) for error in errors] == ["late"]


def test_table_is_one_source():
    assert "hidden" not in TABLE.listed() and TABLE.find("hidden")
    assert TABLE.listed()[:2] == ["say", "words"]
    with pytest.raises(ValueError, match="'say' is registered twice"):
        TABLE.register("say", "test")(_say)


def test_random_bytes_are_answered_in_form(protocol):
    source = random.Random(5)
    for _ in range(3000):
        line = bytes(source.randrange(256) for _ in range(source.randrange(40))).replace(b"\n", b"")
        reply = protocol.handle_line(line).reply
        if clean_line(line):
            assert reply[0] in "=?" and reply.endswith("\n\n") and "\n\n" not in reply[:-2]
            assert all(c == "\n" or " " <= c <= "~" for c in reply)
        else:
            assert reply == ""


def test_printable():
    assert printable("a\tb\rc\n") == "a b\nc"
    assert printable("\nboard") == "\nboard"
