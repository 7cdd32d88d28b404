"""The protocol: queries and actions in, answers out, by meaning. Searches are real ones, by the shipped nets."""

import json

import pytest

from goengine.analysis import fields
from goengine.analysis.session import PROTOCOL
from goengine.analysis.settings import Settings
from goengine.player.net_source import NetSource
from tests.analysis.helpers import ask, finish, new_session, query, tell


@pytest.fixture(scope="module")
def nets():
    source = NetSource(threads=1, by_key=True)
    yield source
    source.close()


# -- the examples of KataGo's page --


def test_documented_query(nets):
    """Two handicap stones and two moves on 19x19, turns 0 to 2."""
    example = {
        "id": "foo",
        "initialStones": [["B", "Q4"], ["B", "C4"]],
        "moves": [["W", "P5"], ["B", "P6"]],
        "rules": "tromp-taylor",
        "komi": 7.5,
        "boardXSize": 19,
        "boardYSize": 19,
        "analyzeTurns": [0, 1, 2],
        "maxVisits": 12,
    }
    answers = sorted(ask(new_session(nets), example), key=lambda data: data["turnNumber"])
    assert [(data["id"], data["turnNumber"], data["isDuringSearch"]) for data in answers] == [
        ("foo", t, False) for t in range(3)
    ]
    assert [data["rootInfo"]["currentPlayer"] for data in answers] == ["W", "B", "W"]
    assert {data["rootInfo"]["visits"] for data in answers} == {12}
    for data in answers:
        assert [move["order"] for move in data["moveInfos"]] == list(range(len(data["moveInfos"])))
        assert sum(move["visits"] for move in data["moveInfos"] if "isSymmetryOf" not in move) == 11
        assert all(move["pv"][0] == move["move"] and 0 <= move["winrate"] <= 1 for move in data["moveInfos"])
    assert len({data["rootInfo"]["thisHash"] for data in answers}) == 3


def test_documented_actions(nets):
    session = new_session(nets)
    for action in (
        {"id": "foo", "action": "query_version"},
        {"id": "foo", "action": "query_models"},
        {"id": "foo", "action": "clear_cache"},
        {"id": "bar", "action": "terminate", "terminateId": "foo"},
        {"id": "bar", "action": "terminate", "terminateId": "foo", "turnNumbers": [1, 2]},
        {"id": "bar", "action": "terminate_all"},
        {"id": "bar", "action": "terminate_all", "turnNumbers": [1, 2]},
    ):
        [echo] = tell(session, action)
        assert action.items() <= echo.items()
        added = {"query_version": {"version", "git_hash"}, "query_models": {"models"}}.get(action["action"], set())
        assert set(echo) - set(action) == added
    assert tell(session, {"id": "v", "action": "query_version"})[0]["version"] == PROTOCOL
    ask(session, query())
    models = tell(session, {"id": "m", "action": "query_models"})[0]["models"]
    assert models and set().union(*models) == {
        "name",
        "internalName",
        "maxBatchSize",
        "usesHumanSLProfile",
        "version",
        "usingFP16",
    }


def test_terminated_queries():
    """Two turns of one query and one turn of another are ended; each concludes with one answer."""
    session = new_session(most_trees=2)
    tell(session, query("a", moves=[["B", "C3"]], analyzeTurns=[0, 1], maxVisits=10**6), query("b", maxVisits=10**6))
    for _ in range(20):
        assert session.step() == []
    tell(session, query("c", maxVisits=10**6))
    [echo] = tell(session, {"id": "t", "action": "terminate", "terminateId": "a", "turnNumbers": [1]})
    assert echo["terminateId"] == "a"
    answers = [json.loads(line) for _ in range(6) for line in session.step()]
    assert [(data["id"], data["turnNumber"]) for data in answers] == [("a", 1)]
    assert answers[0]["rootInfo"]["visits"] > 1 and "noResults" not in answers[0]
    tell(session, query("d"), {"id": "t", "action": "terminate", "terminateId": "d"})
    tell(session, {"id": "t", "action": "terminate", "terminateId": "never asked"})
    tell(session, {"id": "t", "action": "terminate_all"})
    rest = finish(session)
    assert sorted(data["id"] for data in rest) == ["a", "b", "c", "d"]
    assert {"id": "d", "turnNumber": 0, "isDuringSearch": False, "noResults": True} in rest


# -- fields --

EVERYTHING = {name: True for name in fields.QUERY if name.startswith("include")}


def test_answers_have_the_fields_that_the_page_says(nets):
    moves = [["B", "K10"]]  # symmetric, so that moves stand for others
    session = new_session(nets)
    warnings, data = ask(session, query(size=19, moves=moves, maxVisits=40, **EVERYTHING))
    assert warnings["field"] == "includeNoResultValue"

    def there(known):
        return {name for name, support in known.items() if support != "no"}

    assert set(data) == there(fields.ANSWER) - {"noResults"}
    assert set(data["rootInfo"]) == there(fields.ROOT)
    assert set().union(*data["moveInfos"]) == there(fields.MOVE)
    assert len(data["policy"]) == 362 and data["policy"][9 * 19 + 9] == -1
    assert sum(share for share in data["policy"] if share >= 0) == pytest.approx(1, abs=1e-3)
    for part in (data, *data["moveInfos"]):
        assert len(part["ownership"]) == len(part["ownershipStdev"]) == 361
        assert max(map(abs, part["ownership"])) <= 1 and min(part["ownershipStdev"]) >= 0


def test_nothing_is_sent_that_was_not_asked_for(nets):
    [data] = ask(new_session(nets), query(moves=[["B", "E5"]]))
    assert not {"policy", "ownership", "ownershipStdev"} & set(data)
    assert not {"pvVisits", "pvEdgeVisits", "ownership", "ownershipStdev"} & set().union(*data["moveInfos"])


def test_owners_where_the_net_does_not_know_them():
    answers = ask(new_session(), query(moves=[["B", "E5"]], **EVERYTHING))
    assert {data["field"] for data in answers if "warning" in data} == set(EVERYTHING) - {
        "includeOwnership",
        "includePolicy",
        "includePVVisits",
    }
    assert len(answers[-1]["ownership"]) == 81 and "ownershipStdev" not in answers[-1]


def test_hashes_are_equal_for_positions_that_are_equal_by_symmetry():
    first, turned, other = (
        data["rootInfo"] for data in ask(new_session(), *(query(moves=[["B", p]]) for p in ("C3", "G3", "D3")))
    )
    assert first["symHash"] == turned["symHash"] != other["symHash"] and first["thisHash"] != turned["thisHash"]
    assert len(first["thisHash"]) == 32


def test_lengths_of_variations(nets):
    [short] = ask(new_session(nets), query(maxVisits=60, analysisPVLen=1, includePVVisits=True))
    assert max(len(move["pv"]) for move in short["moveInfos"]) == 2
    assert all(len(move["pv"]) == len(move["pvVisits"]) == len(move["pvEdgeVisits"]) for move in short["moveInfos"])


def test_reports_on_the_way():
    answers = ask(new_session(), query(maxVisits=800, reportDuringSearchEvery=0.001))
    assert len(answers) > 2 and [data["isDuringSearch"] for data in answers[:-1]] == [True] * (len(answers) - 1)
    assert answers[-1]["isDuringSearch"] is False and answers[-1]["rootInfo"]["visits"] == 800


# -- whose numbers --

BLACK_WINS = [["B", f"{column}{row}"] for column in "ABCDEFGHJ" for row in (4, 6)] + [["W", "E9"], ["W", "E8"]]


@pytest.mark.parametrize("side", ["SIDETOMOVE", "BLACK", "WHITE"])
@pytest.mark.parametrize("player", ["B", "W"])
@pytest.mark.parametrize("by", ["start", "query"])
def test_perspective(nets, side, player, by):
    """Black owns nearly all of the board, whoever is to play."""
    settings = Settings(perspective=side) if by == "start" else None
    override = {} if by == "start" else {"overrideSettings": {"reportAnalysisWinratesAs": side}}
    asked = query(
        initialStones=BLACK_WINS,
        initialPlayer=player,
        maxVisits=30,
        includeOwnership=True,
        komi=-20,
        rules="chinese",
        **override,
    )
    [data] = ask(new_session(nets, settings), asked)
    black = side == "BLACK" or (side == "SIDETOMOVE" and player == "B")
    root, best = data["rootInfo"], data["moveInfos"][0]
    sign = 1 if black else -1
    assert root["currentPlayer"] == player
    for found in (root, best):
        assert sign * (found["winrate"] - 0.5) > 0.2 and sign * found["scoreLead"] > 15 and sign * found["utility"] > 0.2
    assert sign * (root["rawWinrate"] - 0.5) > 0
    assert sign * sum(data["ownership"]) > 20
    own = 1 if player == "B" else -1  # the lower bound is below the value for the player to move
    assert own * sign * (best["winrate"] - best["lcb"]) >= 0 and own * sign * (best["utility"] - best["utilityLcb"]) >= 0


# -- settings and rules --


def test_unknown_settings_and_fields_are_warned_of_and_the_rest_counts(nets):
    first, second, data = ask(
        new_session(nets), query(overrideSettings={"maxVisits": 7, "humanSLProfile": "x", "no": [1]}, maxvisits=3, maxVisits=8)
    )
    assert first["field"] == "overrideSettings" and "humanSLProfile,no" in first["warning"] and first["id"] == "q"
    assert second["field"] == "maxvisits" and data["rootInfo"]["visits"] == 8


def test_settings_reach_the_search(nets):
    session = new_session(nets)

    def visited(**how):
        [data] = ask(session, query(moves=[["B", "C4"], ["W", "G6"]], maxVisits=100, **how))  # without a symmetry
        return len(data["moveInfos"])

    plain = visited()
    assert visited(overrideSettings={"wideRootNoise": 2}) > plain
    assert visited(rootPolicyTemperature=5) > plain
    assert visited(overrideSettings={"cpuctExploration": 5.0}) > plain


def test_allowed_and_avoided_moves(nets):
    session = new_session(nets)
    [allowed] = ask(session, query(allowMoves=[{"player": "B", "moves": ["C3", "(0,0)"], "untilDepth": 1}]))
    assert {move["move"] for move in allowed["moveInfos"]} <= {"C3", "A9"}
    moves = [["B", "C4"], ["W", "G6"]]  # not symmetric: else moves that are alike would be left out where nothing is forbidden
    [best] = [move["move"] for move in ask(session, query(moves=moves))[0]["moveInfos"][:1]]
    [avoided] = ask(session, query(moves=moves, avoidMoves=[{"player": "B", "moves": [best], "untilDepth": 1}]))
    assert best not in {move["move"] for move in avoided["moveInfos"]}
    other_side = [{"player": "W", "moves": [best], "untilDepth": 1}]
    assert best in {move["move"] for move in ask(session, query(moves=moves, avoidMoves=other_side))[0]["moveInfos"]}


@pytest.mark.parametrize(
    ("how", "bonus"),
    [
        ({"rules": "chinese", "initialStones": [["B", "C3"], ["B", "G7"]]}, 2),
        ({"rules": "aga", "initialStones": [["B", "C3"], ["B", "G7"]]}, 1),
        ({"rules": "japanese", "initialStones": [["B", "C3"], ["B", "G7"]]}, 0),
        ({"rules": "japanese", "whiteHandicapBonus": "N", "initialStones": [["B", "C3"], ["B", "G7"]]}, 2),
        ({"rules": "chinese", "moves": [["B", "C3"], ["B", "G7"], ["B", "E5"], ["W", "C7"]]}, 3),
        ({"rules": "chinese", "moves": [["B", "C3"], ["W", "pass"], ["B", "G7"], ["W", "C7"]]}, 2),
        ({"rules": "chinese", "moves": [["B", "C3"], ["W", "G7"]]}, 0),
        ({"rules": "chinese", "initialStones": [["B", "C3"], ["B", "G7"], ["W", "G3"]]}, 0),
        (
            {
                "rules": "chinese",
                "moves": [["B", "C3"], ["B", "G7"], ["W", "C7"]],
                "overrideSettings": {"assumeMultipleStartingBlackMovesAreHandicap": False},
            },
            0,
        ),
    ],
)
def test_handicap_bonus(how, bonus):
    session = new_session()
    seen = []
    session.analysis.add = lambda job: seen.append(job.position())
    tell(session, query(**{"komi": 0.5, **how}))
    assert seen[0].white_bonus() == 0.5 + bonus


@pytest.mark.parametrize(
    ("rules", "komi"),
    [
        ("Japanese", 6.5),
        ("tromp-taylor", 7.5),
        ({"scoring": "TERRITORY", "ko": "SIMPLE"}, 6.5),
        (
            {"ko": "SIMPLE", "scoring": "AREA", "tax": "NONE", "suicide": False, "hasButton": True, "whiteHandicapBonus": "0"},
            7.5,
        ),
        ({"ko": "POSITIONAL", "scoring": "AREA", "komi": 5}, 5),
        ("koPOSITIONALscoreAREAtaxNONEsui1button0whb0fpok0", 7.5),
    ],
)
def test_rules_in_every_form(rules, komi):
    session = new_session()
    seen = []
    session.analysis.add = lambda job: seen.append(job.position())
    asked = query(rules=rules)
    del asked["komi"]
    assert tell(session, asked) == [] and seen[0].white_bonus() == komi
