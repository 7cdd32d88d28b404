"""Runs the finished positions in tests/player/diagrams; README.txt there explains their form."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import SYMBOLS, Position
from goengine.board.rules import Rules
from goengine.evaluators.uniform import Uniform
from goengine.player.net_source import Given
from goengine.player.opinion import Opinion
from tests.diagrams import cases, divided, points

FOLDER = Path(__file__).parent / "diagrams"
RULES = ("japanese", "chinese", "aga", "tromp-taylor")
VIEWS = {"as drawn": (False, 0), "turned": (False, 1), "colours swapped": (True, 0), "swapped and turned": (True, 3)}


class Finished(NamedTuple):
    """A finished position with the right answers. Arrays are [N, N], rows from the top."""

    stones: np.ndarray  # str: X, O or .
    dead: np.ndarray  # bool
    seki: np.ndarray  # bool
    leads: dict[str, int]  # Black's lead by rules
    decided: bool

    def seen(self, swapped: bool, turns: int) -> "Finished":
        """With the colours swapped or not, and the board turned left so many times."""
        other = {"X": "O", "O": "X", ".": "."}
        stones = np.vectorize(other.get)(self.stones) if swapped else self.stones
        leads = {rules: -lead if swapped else lead for rules, lead in self.leads.items()}
        return Finished(*(np.rot90(a, turns) for a in (stones, self.dead, self.seki)), leads, self.decided)

    def position(self, rules: str) -> Position:
        return Position.from_diagram("\n".join("".join(row) for row in self.stones), Rules.preset(rules).with_komi(0))


def lead(result):
    return 0 if result == "0" else int(result[2:]) * (1 if result[0] == "B" else -1)


def finished(lines):
    diagram, rest = divided(lines)
    facts = {first: words for first, *words in rest}
    stones = np.array([row.split() for row in diagram.splitlines()])
    position = Position.from_diagram(diagram)

    def on_board(words):
        found = np.zeros(stones.size, bool)
        found[[coords.to_index(p, position.size) for p in points(position, words)]] = True
        return found.reshape(stones.shape)

    leads = {rules: lead(*facts[rules]) for rules in RULES if rules in facts}
    assert leads and set(facts) <= {"because", "dead", "seki", "undecided", "known", *RULES}
    return Finished(stones, on_board(facts["dead"]), on_board(facts["seki"]), leads, "undecided" not in facts)


def marked(position, found):
    """The diagram of a position, where the stones of these chains are in lower case: easy to compare by eye."""
    inside = {p for chain in found for p in chain}
    rows = coords.points(position.size).reshape(position.size, position.size)
    text = [[SYMBOLS[position.color(p)] for p in row] for row in rows]
    return "\n".join(
        " ".join(s.lower() if p in inside else s for s, p in zip(*pair, strict=True)) for pair in zip(text, rows, strict=True)
    )


def expected(case, chosen):
    lower = np.char.lower(case.stones)
    return "\n".join(" ".join(row) for row in np.where(chosen, lower, case.stones))


def known_wrong(param):
    """A case whose answer is known to be wrong must stay so until somebody takes the line out."""
    reason = next((" ".join(words) for first, *words in param.values[0] if first == "known"), "")
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(*param.values, id=param.id, marks=marks)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("lines", [known_wrong(case) for case in cases(FOLDER)])
def test_finished_position(lines, view):
    case = finished(lines).seen(*VIEWS[view])
    opinion = Opinion(Given(Uniform()), 300)
    position = case.position("japanese")
    territory = opinion.territory(position)
    assert marked(position, territory.dead) == expected(case, case.dead)
    assert marked(position, territory.seki) == expected(case, case.seki)
    assert opinion.decided(position) == case.decided
    assert {rules: black_lead(case.position(rules), opinion) for rules in case.leads} == case.leads


def black_lead(position, opinion):
    """Black's lead if both passed now: without the stones that they would take off."""
    return -position.score(opinion.agreed_dead(position))
