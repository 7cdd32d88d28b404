"""Who says which stones are dead: the players, the judge, or our own opinion, and what is written of it."""

import sys

import pytest

from goengine.arena.dead_stones import dead_stones
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.gtp.controller import CommandFailed, Ended

# Black owns the left half, White the right; the stone on A1 is dead, that on G7 as well.
BOARD = """
. . X O . . X
. . X O . . .
. . X O . . .
. . X O . . .
. . X O . . .
. . X O . . .
O . X O . . .
"""
DEAD = {"A1", "G7"}


class Stub:
    """A program that names these vertices; None: it does not know the command; an exception: it fails."""

    def __init__(self, answer, name="stub"):
        self.answer, self.name = answer, name

    def knows(self, command):
        return self.answer is not None

    def ask(self, line, timeout=None):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asked(a, b, how="agreement", judge=""):
    position = Position.from_diagram(BOARD, Rules.preset("chinese"))
    dead, note = dead_stones(position, {"a": Stub(a, "One"), "b": Stub(b, "Two")}, how, judge)
    return {coords.to_gtp(p, 7) for p in dead}, note


@pytest.mark.parametrize(
    "a, b, how, judge, dead, note",
    [
        ("A1 G7", "G7\nA1", "agreement", "", DEAD, ""),
        ("", "", "agreement", "", set(), ""),
        ("A1", "A1 G7", "agreement", "a", {"A1"}, "the players do not agree about dead stones; dead stones by One"),
        ("A1", "", "agreement", "b", set(), "the players do not agree about dead stones; dead stones by Two"),
        ("A1", "", "agreement", "", DEAD, "the players do not agree about dead stones; dead stones by our own opinion"),
        ("A1", "G7", "judge", "b", {"G7"}, "dead stones by Two"),
        ("A1", None, "judge", "b", DEAD, "Two gave no list of them; dead stones by our own opinion"),
        ("A1", "A1", "own", "", DEAD, "dead stones by our own opinion"),
        ("A1", "A1", "none", "a", set(), ""),
        (None, None, "agreement", "", DEAD, "the players do not agree about dead stones; dead stones by our own opinion"),
        ("A1 A2", "A1 A2", "judge", "a", DEAD, "One gave no list of them; dead stones by our own opinion"),
        ("A1 Z9", "A1", "judge", "a", DEAD, "One gave no list of them; dead stones by our own opinion"),
        (Ended("x"), "A1", "judge", "a", DEAD, "One gave no list of them; dead stones by our own opinion"),
        (CommandFailed("x", "y", "z"), "A1", "judge", "b", {"A1"}, "dead stones by Two"),
    ],
)
def test_who_decides(a, b, how, judge, dead, note):
    assert asked(a, b, how, judge) == (dead, note)


def test_a_judge_that_is_a_program_of_its_own(tmp_path):
    seen = tmp_path / "seen"
    script = tmp_path / "judge.py"
    script.write_text(
        "import sys\n"
        f"seen = open({str(seen)!r}, 'w')\n"
        "for line in sys.stdin:\n"
        "    seen.write(line); seen.flush()\n"
        "    print('= ' + ('A1' if 'dead' in line else 'final_status_list' if 'list_commands' in line else ''), end='\\n\\n')\n"
        "    sys.stdout.flush()\n"
    )
    position = Position(7, Rules.preset("chinese"))
    position.play(coords.from_gtp("A1", 7))
    position.play(coords.PASS)
    stubs = {"a": Stub("", "One"), "b": Stub("A1", "Two")}
    dead, note = dead_stones(position, stubs, "judge", f"{sys.executable} {script} {{seed}}", seed=3)
    assert dead == {coords.from_gtp("A1", 7)} and "dead stones by" in note
    assert [line for line in seen.read_text().splitlines() if line.startswith("play")] == ["play b A1", "play w pass"]
    assert dead_stones(position, stubs, "judge", "/no/such/judge")[1].endswith("our own opinion")
