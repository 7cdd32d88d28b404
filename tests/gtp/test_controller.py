"""Driving other programs: answers, refusals, and programs that misbehave, played by few lines of Python."""

import sys
import time

import pytest

from goengine.gtp.controller import CommandFailed, Controller, ControllerError

ECHO = "import sys\nfor line in sys.stdin:\n    "


def program(body):
    return [sys.executable, "-u", "-c", ECHO + body]


def test_answers_and_refusals():
    body = "print(('? no\\n' if 'bad' in line else '=7 a\\nb c\\n' if 'long' in line else '= ' + line.strip() + '\\n'))"
    with Controller(program(body), name="echo") as echo:
        assert echo.ask("name") == "name"
        assert echo.ask("long") == "a\nb c"
        with pytest.raises(CommandFailed, match="echo refused 'bad': no"):
            echo.ask("bad")
        echo.send("one")
        echo.send("two")
        assert [echo.receive("one"), echo.receive("two")] == ["one", "two"]
        assert echo.knows("list_commands") and not echo.knows("genmove")
        assert echo.seconds > 0
        echo.close(timeout=0.2)


@pytest.mark.parametrize(
    "body, complaint",
    [
        ("import time; time.sleep(60)", "gave no answer to 'genmove b' in time"),
        ("print('hello\\n')", "wrote 'hello', which is no answer to 'genmove b'"),
        ("sys.exit('out of memory')", "ended without an answer to 'genmove b'"),
    ],
)
def test_misbehaviour_is_named(body, complaint):
    with Controller(program(body), name="bad one") as bad:
        with pytest.raises(ControllerError, match=f"bad one {complaint}"):
            bad.ask("genmove b", timeout=1.0)
        bad.close(timeout=0.2)


def test_last_words_are_kept():
    with Controller(program("sys.exit('out of memory')"), name="x") as bad:
        with pytest.raises(ControllerError):
            bad.ask("name")
        end = time.monotonic() + 5
        while "out of memory" not in bad.complaints and time.monotonic() < end:
            time.sleep(0.01)
        assert "out of memory" in bad.complaints


def test_a_program_that_cannot_be_started():
    with pytest.raises(ControllerError, match="cannot be started"):
        Controller("no-such-program --mode gtp")
