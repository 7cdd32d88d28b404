"""Whole games over GTP against GNU Go, with a referee of our own: no illegal move, and the same score at the end."""

import re

import pytest
from gtp_support import GNUGO, SERVER

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.gtp.controller import Controller

pytestmark = pytest.mark.skipif(GNUGO is None, reason="GNU Go is not installed (package gnugo)")
GNUGO_COMMAND = [GNUGO or "gnugo", "--mode", "gtp", "--level", "1", "--seed", "7", "--chinese-rules"]
RULES = Rules.preset("chinese-ogs")


class Table:
    """Two programs, a referee's board, and the moves that each plays told to the other."""

    def __init__(self, ours, gnugo, size, komi=6.5):
        self.ours, self.gnugo = ours, gnugo
        self.position = Position(size, RULES.with_komi(komi))
        for program in (ours, gnugo):
            program.ask(f"boardsize {size}")
            program.ask(f"komi {komi}")
            program.ask("clear_board")

    def move(self, program, color):
        """Ask for a move, judge it, and tell the other program; None for a resignation."""
        vertex = program.ask(f"genmove {'bw'[color - 1]}")
        if vertex.lower() == "resign":
            return None
        point = coords.from_gtp(vertex, self.position.size)
        # GNU Go knows no superko; our engine must never break it
        self.position.play(point, color, tolerant=program is self.gnugo)
        other = self.gnugo if program is self.ours else self.ours
        other.ask(f"play {'bw'[color - 1]} {vertex}")
        return point

    def play(self, our_color, limit):
        """Play until two passes; returns whether somebody resigned."""
        color = self.position.to_play
        while not self.position.is_over() and len(self.position.moves) < limit:
            if self.move(self.ours if color == our_color else self.gnugo, color) is None:
                return True
            color = 3 - color
        return False


def points(text):
    return float(re.sub("[BW+]", "", text)) * (1 if text.startswith("B") else -1)


@pytest.fixture
def programs():
    with Controller([*SERVER, "--visits", "16", "--no-resign"], timeout=120) as ours, Controller(GNUGO_COMMAND) as gnugo:
        yield ours, gnugo


@pytest.mark.parametrize("size, our_color", [(9, BLACK), (9, WHITE), (13, WHITE), (19, BLACK)])
def test_game(programs, size, our_color):
    table = Table(*programs, size)
    assert not table.play(our_color, limit=3 * size * size)
    assert table.position.is_over(), "the game did not end"
    ours, gnugo = programs
    assert ours.ask("showboard").count("\n") > size
    dead = ours.ask("final_status_list dead").split()
    assert points(ours.ask("final_score")) == -table.position.score([coords.from_gtp(v, size) for v in dead])
    statuses = [vertex for status in ("alive", "seki", "dead") for vertex in ours.ask(f"final_status_list {status}").split()]
    stones = [coords.to_gtp(p, size) for color in (BLACK, WHITE) for p in table.position.stones(color)]
    assert sorted(statuses) == sorted(stones)
    if set(dead) == set(gnugo.ask("final_status_list dead").split()):
        assert points(ours.ask("final_score")) == points(gnugo.ask("final_score"))


def test_handicap_game_with_undo(programs):
    ours, gnugo = programs
    table = Table(*programs, 9)
    vertices = ours.ask("place_free_handicap 3").split()
    gnugo.ask("set_free_handicap " + " ".join(vertices))
    table.position.place_handicap([coords.from_gtp(v, 9) for v in vertices])
    table.play(BLACK, limit=12)
    for _ in range(4):
        ours.ask("undo")
        gnugo.ask("undo")
    table.position.undo(4)
    table.play(BLACK, limit=30)
    for color in (BLACK, WHITE):
        listed = gnugo.ask(f"list_stones {'bw'[color - 1]}").split()
        assert sorted(listed) == sorted(coords.to_gtp(p, 9) for p in table.position.stones(color))
