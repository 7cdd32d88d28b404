"""The finished positions of tests/player/diagrams over GTP: every stone has one status, and it is the right one."""

from pathlib import Path

import pytest
from gtp_support import new_protocol

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from tests.diagrams import cases, divided, names, points

FOLDER = Path(__file__).parents[1] / "player" / "diagrams"


def ask(protocol, line):
    answer = protocol.handle_line(line).reply
    assert answer.startswith("="), f"{line}: {answer}"
    return answer[1:].strip()


@pytest.mark.parametrize("lines", list(cases(FOLDER)))
def test_every_stone_has_one_status(lines):
    diagram, rest = divided(lines)
    facts = {first: words for first, *words in rest}
    position = Position.from_diagram(diagram, Rules.preset("japanese"))
    protocol = new_protocol()
    stones = {coords.to_gtp(p, position.size): "bw"[color - 1] for color in (1, 2) for p in position.stones(color)}
    ask(protocol, f"boardsize {position.size}")
    ask(protocol, "kata-set-rules japanese")
    ask(protocol, "set_position " + " ".join(f"{color} {vertex}" for vertex, color in stones.items()))
    dead, seki, alive = (ask(protocol, f"final_status_list {status}").split() for status in ("dead", "seki", "alive"))
    assert set(dead) == names(position, points(position, facts["dead"]))
    assert set(seki) == names(position, points(position, facts["seki"]))
    assert sorted(dead + seki + alive) == sorted(stones)
