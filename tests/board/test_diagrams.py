"""Runs the cases in tests/board/diagrams; README.txt there explains their form."""

from pathlib import Path

import numpy as np
import pytest

from goengine.board import ladders, scoring
from goengine.board.kernels import fills_eye
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from tests.diagrams import COLORS, cases, divided, names, points

FOLDER = Path(__file__).parent / "diagrams"


@pytest.mark.parametrize("lines", list(cases(FOLDER)))
def test_case(lines):
    rules = next((line[1] for line in lines if line[0] == "rules"), "japanese")
    to_play = WHITE if ["white", "to", "play"] in lines else BLACK
    diagram, rest = divided(lines)
    position = Position.from_diagram(diagram, Rules.preset(rules).with_komi(0), to_play)
    steps = [line for line in rest if line[0] not in ("rules", "white")]
    assert steps
    for step in steps:
        check(position, step)


def check(position, step):
    board = position.game.board
    match step:
        case ["play", *vertices]:
            for point in points(position, vertices):
                position.play(point)
        case ["stones", symbol, *vertices]:
            assert {position.color(p) for p in points(position, vertices)} == {COLORS[symbol]}
        case ["legal", *vertices]:
            assert [position.why_illegal(p) for p in points(position, vertices)] == [""] * len(vertices)
        case ["illegal", vertex, reason]:
            assert position.why_illegal(*points(position, [vertex])) == reason
        case ["captured", symbol, number]:
            assert position.captured(COLORS[symbol]) == int(number)
        case ["area", number]:
            owner, stack = np.zeros(board.color.size, np.int8), np.zeros(board.color.size, np.uint16)
            assert scoring.area(board, owner, stack) == int(number) == int(owner.sum())
        case ["score", number, *dead]:
            assert position.score(points(position, dead[1:])) == float(number)
        case ["alive" | "enclosed" as what, symbol, *vertices]:
            alive = np.zeros(board.color.size, np.uint8)
            scratch = scoring.new_benson_scratch(position.size)
            scoring.benson(board, COLORS[symbol], alive, position.rules.suicide, scratch)
            value = scoring.ALIVE_STONE if what == "alive" else scoring.ALIVE_TERRITORY
            assert names(position, np.flatnonzero(alive == value)) == names(position, points(position, vertices))
        case ["eye", symbol, *vertices]:
            assert all(fills_eye(board, p, COLORS[symbol]) for p in points(position, vertices))
        case ["no", "eye", symbol, *vertices]:
            assert not any(fills_eye(board, p, COLORS[symbol]) for p in points(position, vertices))
        case ["ladder" | "rescue" as what, vertex, answer]:
            function = ladders.ladder_capture if what == "ladder" else ladders.ladder_escape
            scratch = ladders.new_ladder_scratch(position.size)
            target = points(position, [vertex])[0]
            ladders.begin_reading(board, scratch)
            assert function(target, scratch, ladders.BUDGET)[0] == (answer == "yes")
        case _:
            raise AssertionError(f"unknown step: {' '.join(step)}")
