"""Driving other programs: answers, refusals, and programs that misbehave, played by few lines of Python."""

import sys
import time
import tracemalloc
from pathlib import Path

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


FLOODS = {
    "megabytes without an end of line": ("while True: sys.stdout.write('x' * 100_000)", "a line of more than"),
    "megabytes in one answer": ("print('= ', end='')\n    while True: print('x' * 1000)", "more than .* bytes as its answer"),
    "empty lines without end": ("while True: print()", "gave no answer to 'genmove b' in time"),
    "binary rubbish": ("sys.stdout.buffer.write(bytes(range(255)) * 9 + b'\\n\\n')", "which is no answer"),
    "a closed output": ("import os; os.close(1); os.close(2); time.sleep(60)", "ended without an answer"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_neither_block_nor_fill_the_memory(name):
    body, complaint = FLOODS[name]
    with Controller([sys.executable, "-c", "import time\n" + ECHO + body], name="bad one") as bad:
        tracemalloc.start()
        try:
            with pytest.raises(ControllerError, match=complaint):
                bad.ask("genmove b", timeout=3.0)
            time.sleep(1.0)  # it writes on
            assert tracemalloc.get_traced_memory()[1] < 64 << 20  # what waits to be read: 32 lines of at most 1 MB
        finally:
            tracemalloc.stop()
        start = time.monotonic()
        bad.close(timeout=0.0)
        assert time.monotonic() - start < 20, "nobody waits for it, which would take for ever"


def test_a_program_that_never_reads():
    with Controller([sys.executable, "-c", "import time; time.sleep(60)"], name="deaf", timeout=0.2) as deaf:
        with pytest.raises(ControllerError, match="deaf does not read 'xx"):
            deaf.send("x" * 200_000)
        deaf.close(timeout=0.0)


def test_what_a_program_has_started_ends_with_it():
    body = "import subprocess; p = subprocess.Popen(['sleep', '60']); print('=', p.pid); print(flush=True)"
    with Controller(program(body)) as parent:
        child = int(parent.ask("name"))
        parent.close(timeout=0.0)
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the child is still running")
