"""Queries that are wrong, fail or are too many: each is answered, and others go on."""

import numpy as np
import pytest

from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.uniform import Uniform
from goengine.player.net_source import Given
from tests.analysis.helpers import ask, finish, new_session, query, tell

WRONG = [
    ("boardXSize", {"boardXSize": 26}),
    ("boardXSize", {"boardXSize": 1}),
    ("boardXSize", {"boardXSize": 9.0}),
    ("boardXSize", {"boardXSize": True}),
    ("boardYSize", {"boardYSize": 13}),
    ("boardYSize", {"boardYSize": None}),
    ("boardXSize", {"boardXSize": 10**400}),
    ("moves", {"moves": "C3"}),
    ("moves", {"moves": [["B"]]}),
    ("moves", {"moves": [["B", "C3", "x"]]}),
    ("moves", {"moves": [["X", "C3"]]}),
    ("moves", {"moves": [[None, "C3"]]}),
    ("moves", {"moves": [["B", "K3"]]}),
    ("moves", {"moves": [["B", "(9,0)"]]}),
    ("moves", {"moves": [["B", 3]]}),
    ("moves", {"moves": [["B", "E5"], ["W", "E5"]]}),
    ("moves", {"moves": [["B", "A1"]] * 10_001}),
    ("initialStones", {"initialStones": [["B", "pass"]]}),
    ("initialStones", {"initialStones": {"B": "C3"}}),
    ("initialStones", {"initialStones": [["B", "A2"], ["B", "B1"], ["W", "A1"]]}),
    ("initialPlayer", {"initialPlayer": "black?"}),
    ("analyzeTurns", {"analyzeTurns": [1]}),
    ("analyzeTurns", {"analyzeTurns": [-1]}),
    ("analyzeTurns", {"analyzeTurns": [0.5]}),
    ("analyzeTurns", {"analyzeTurns": 0}),
    ("priorities", {"priorities": [1]}),
    ("priorities", {"priorities": [1, 2], "analyzeTurns": [0]}),
    ("priorities", {"priorities": [2**63], "analyzeTurns": [0]}),
    ("priority", {"priority": 1.5}),
    ("priority", {"priority": 2**63}),
    ("priority", {"priority": 1, "priorities": [1], "analyzeTurns": [0]}),
    ("rules", {"rules": "my own"}),
    ("rules", {"rules": None}),
    ("rules", {"rules": {"ko": "NEVER"}}),
    ("rules", {"rules": {"komi": 1e300, "ko": "SIMPLE"}}),
    ("komi", {"komi": 7.25}),
    ("komi", {"komi": 401}),
    ("komi", {"komi": "7.5"}),
    ("whiteHandicapBonus", {"whiteHandicapBonus": "M"}),
    ("maxVisits", {"maxVisits": 0}),
    ("maxVisits", {"maxVisits": 2**51}),
    ("maxVisits", {"maxVisits": 10.0}),
    ("analysisPVLen", {"analysisPVLen": 0}),
    ("rootPolicyTemperature", {"rootPolicyTemperature": 0}),
    ("rootFpuReductionMax", {"rootFpuReductionMax": 3}),
    ("includeOwnership", {"includeOwnership": 1}),
    ("reportDuringSearchEvery", {"reportDuringSearchEvery": 0}),
    ("firstReportDuringSearchAfter", {"firstReportDuringSearchAfter": "1"}),
    ("avoidMoves", {"avoidMoves": [{"player": "B", "moves": ["C3"]}]}),
    ("avoidMoves", {"avoidMoves": [{"player": "B", "moves": ["C3"], "untilDepth": 0}]}),
    ("avoidMoves", {"avoidMoves": ["C3"]}),
    ("allowMoves", {"allowMoves": [{"player": "B", "moves": ["C3"], "untilDepth": 1}] * 2}),
    ("allowMoves", {"allowMoves": [], "avoidMoves": []}),
    ("overrideSettings", {"overrideSettings": []}),
    ("overrideSettings", {"overrideSettings": {"maxVisits": "many"}}),
    ("overrideSettings", {"overrideSettings": {"reportAnalysisWinratesAs": "RED"}}),
    ("overrideSettings", {"overrideSettings": {"cpuctExploration": -1}}),
    ("overrideSettings", {"overrideSettings": {"maxTime": 10**400}}),
]


@pytest.mark.parametrize(("field", "how"), WRONG)
def test_a_wrong_field_is_named(field, how):
    session = new_session()
    [data] = ask(session, query(**how))
    assert (data["field"], data["id"]) == (field, "q") and 10 < len(data["error"]) < 600
    assert ask(session, query("next"))[0]["rootInfo"]["visits"] == 10


@pytest.mark.parametrize("name", ["moves", "rules", "boardXSize", "boardYSize"])
def test_a_missing_field_is_named(name):
    asked = query()
    del asked[name]
    [data] = ask(new_session(), asked)
    assert data["field"] == name and data["id"] == "q"


def test_an_illegal_move_is_named_with_its_number():
    [data] = ask(new_session(), query(moves=[["B", "C3"], ["W", "D4"], ["B", "d4"]]))
    assert "Illegal move 2" in data["error"] and "D4" in data["error"]


LINES = [
    b"hello",
    b"[]",
    b"null",
    b"17",
    b'{"id":1}',
    b"{}",
    b'{"id":"q"',
    b'{"id":"q","komi":NaN}',
    b'{"id":"q","komi":-Infinity}',
    b'{"id":"q","komi":1e999}',
    b'{"id":"q","komi":' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"id":"\xff"}',
    b'{"id":"q","action":"dance"}',
    b'{"id":"q","action":"terminate"}',
    b'{"id":"q","action":"terminate","terminateId":["a"]}',
    b'{"id":"q","action":"terminate_all","turnNumbers":["a"]}',
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_wrong_line_is_answered_and_others_go_on(line):
    session = new_session()
    tell(session, query("before"))
    [data] = tell(session, line)
    assert 0 < len(data["error"]) < 600
    tell(session, query("after"))
    assert sorted(data["id"] for data in finish(session)) == ["after", "before"]


def test_an_empty_line_and_strange_ids():
    session = new_session()
    assert session.handle(b" \r\n") == []
    strange = 'ü\u2028 \ud83d " \\'
    assert ask(session, query(strange))[0]["id"] == strange


class Broken(Uniform):
    def submit(self, batch):
        raise EvaluatorError("out of order")


def test_a_search_that_fails_concludes_its_query():
    [data] = ask(new_session(Given(Broken())), query())
    assert data["noResults"] and data["isDuringSearch"] is False and "out of order" in data["error"]


def test_queries_beyond_the_memory_wait_outside():
    """10,000 queries of a whole game each: those that fit are taken, and trees are only for those in work."""
    session = new_session(most_trees=4)
    chance = np.random.default_rng(1)
    points = [f"{c}{r}" for c in "ABCDEFGHJKLMNOPQRST" for r in range(1, 20)]
    taken = 0
    for number in range(10_000):
        if session.full:
            break
        moves = [["BW"[i % 2], str(p)] for i, p in enumerate(chance.permutation(points)[:5])]
        padding = "x" * 5000  # as many bytes as a game of 400 moves
        tell(session, query(f"q{number}", 19, moves=moves, maxVisits=1, padding=padding))
        taken += 1
    assert 1000 < taken <= 10_000
    for _ in range(6):
        session.step()
    assert len(session.analysis._in_work()) <= 4
    tell(session, {"id": "t", "action": "terminate_all"})
    answers = finish(session)
    assert not session.full and session._waiting_bytes == 0 and session._open == {}
    assert len(answers) > 0.9 * taken
