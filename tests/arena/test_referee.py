"""The judge of a game: what is legal, when it is over, who has won under which rules."""

import pytest

from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.referee import Referee, handicap_points
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE

CHINESE = Rules.preset("chinese")


def points(text, size=9):
    return tuple(coords.from_gtp(v, size) for v in text.split())


def referee(size=9, rules=CHINESE, opening="", black="a", **settings):
    decided = settings.pop("stop_when_decided", False)
    return Referee(Fixture(0, black, points(opening, size)), GameSetup(size, rules, **settings), stop_when_decided=decided)


def stand(judge, diagram, to_play=BLACK):
    """Put the judge before a position."""
    judge.position = Position.from_diagram(diagram, judge.terms.rules, to_play)
    return judge


def test_turns_and_illegal_moves():
    judge = referee(opening="C3 D4")
    assert judge.to_move == "a" and judge.moves == points("C3 D4")
    assert judge.play(points("C3")[0]) == "occupied"
    assert judge.play(points("D3")[0]) == ""
    assert judge.to_move == "b" and judge.state() == ""
    assert [judge.play(0), judge.state(), judge.play(0), judge.state()] == ["", "", "", "passes"]
    with pytest.raises(ValueError):
        referee(opening="C3 C3")


def test_handicap():
    judge = referee(handicap=2, black="b")
    assert judge.to_move == "a" and len(judge.handicap_points) == 2
    assert len(handicap_points(6, 3)) == 3 and handicap_points(9, 1) == []
    played = judge.void(detail="why")
    assert (played.reason, played.winner, played.detail, played.handicap_points) == ("void", "", "why", judge.handicap_points)


def test_move_limit():
    judge = referee(max_plies=2, opening="C3 D4")
    assert judge.state() == "move limit"
    assert judge.limit_reached().detail == "2 plies" and not judge.limit_reached().counts


@pytest.mark.parametrize(
    "komi, dead, winner, margin",
    [
        (7.5, "", "b", -7.5),  # the white stone lives: it neutralises Black's territory
        (0.5, "A1", "a", 24.5),
        (25, "A1", "", 0.0),
        (30.5, "A1", "b", -5.5),
    ],
)
def test_counting_with_dead_stones(komi, dead, winner, margin):
    judge = stand(
        referee(5, CHINESE.with_komi(komi)), ". . . . . / . X X X . / . X . X . / . X X X . / O . . . .".replace("/", "\n")
    )
    if not dead:
        margin = 9.0 - 1 - komi
        winner = "a" if margin > 0 else "b"
    played = judge.count(points(dead, 5))
    assert (played.winner, played.margin, played.reason) == (winner, margin, "score")
    with pytest.raises(ValueError):
        judge.count(points("E1", 5))


ALIVE = """
. X . X O
X X X X O
X X X X O
. . . . O
O . . . .
"""
BIG = """
. X . X X
X X X X X
X X X X X
. . . . .
O . . . .
"""


@pytest.mark.parametrize(
    "diagram, rules, winner",
    [
        (BIG, CHINESE.with_komi(4.5), BLACK),  # 15 of 25 points are Black's for certain
        (BIG, CHINESE.with_komi(5.5), 0),
        (ALIVE, CHINESE.with_komi(0), 0),
        (BIG, CHINESE.with_komi(30), WHITE),  # more than the board
        (BIG, Rules.preset("aga-button").with_komi(5), 0),
        (BIG, Rules.preset("aga-button").with_komi(4), BLACK),
    ],
)
def test_what_is_decided(diagram, rules, winner):
    judge = stand(referee(5, rules, stop_when_decided=True), diagram.strip())
    assert judge.certain_winner() == winner
    assert judge.state() == ("decided" if winner else "")
    if winner:
        played = judge.decided()
        assert (played.winner, played.reason, played.margin) == ("ab"[winner - 1], "score", None)


def test_white_may_be_the_certain_winner_and_territory_rules_decide_nothing():
    swapped = BIG.strip().replace("X", "x").replace("O", "X").replace("x", "O")
    judge = stand(referee(5, CHINESE.with_komi(0.5), stop_when_decided=True), swapped)
    assert judge.certain_winner() == WHITE and judge.decided().winner == "b"
    judge = stand(referee(5, Rules.preset("japanese").with_komi(0.5), stop_when_decided=True), swapped)
    assert judge.state() == ""


def test_losses():
    played = referee(black="b").lost_by("b", "illegal move", detail="C3: occupied", seconds={"a": 1.0, "b": 2.0})
    assert (played.winner, played.reason, played.detail, played.seconds["b"]) == ("a", "illegal move", "C3: occupied", 2.0)
    assert played.counts
