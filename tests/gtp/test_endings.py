"""The end of a game over GTP, with the net that is the default: what is dead, in seki, and worth how much."""

import re

import pytest
from gtp_support import SERVER

from goengine.gtp.controller import Controller

# Chinese rules. Black's D4 and White's wall share E6 and E5, and neither has an eye.
SEKI_WITHOUT_EYES = """
w C6 b D6 w F6 w C5 b D5 w F5 w B4 w C4 b D4 w E4 w F4 w B3 b C3 w D3 w E3 b F3 w B2 b C2 b D2 b E2 b F2 w B1 b C1 b E1
"""
# Chinese rules. Each side has an eye, A1 or E1, and they share C1.
SEKI_WITH_EYES = """
w B9 b C9 w B8 b C8 w B7 b C7 w B6 b C6 w B5 b C5 w B4 b C4 w A3 w B3 b C3 b D3 b E3 b F3 b G3
b A2 b B2 w C2 w D2 w E2 w F2 b G2 b B1 w D1 w F1 b G1
"""
# Two walls with a dead stone on each side, J5 and B7; Black has 34 points and White 25, with these.
WALLS = [f"{color} {column}{row}" for row in range(1, 10) for color, column in (("b", "E"), ("w", "F"))]
WALLS += ["b J5", "w H5", "b C3", "w B7", "b C7", "w H7", "b B6", "w H3"]
# White lives by the eyes B6 and A5-A4, and C5 and C4 are dame.
NO_TAX = "OOOOX.. O.OOX.. .O.XX.. .O.X... OOXX... XXX.... ......."


@pytest.fixture(scope="module")
def engine():
    command = [*SERVER[:2], "--threads", "1", "--visits", "100", "--seed", "1", "--quiet"]
    with Controller(command, timeout=120) as program:
        yield program


def set_up(engine, size, rules, komi):
    for line in (f"boardsize {size}", "clear_board", f"kata-set-rules {rules}", f"komi {komi}"):
        engine.ask(line)


def status(engine, name):
    return set(engine.ask(f"final_status_list {name}").split())


@pytest.mark.parametrize(
    "stones, size, seki, score",
    [
        (SEKI_WITHOUT_EYES, 6, {"D6", "D5", "D4", "F6", "F5", "E4", "F4", "D3", "E3"}, "W+8.0"),
        (SEKI_WITH_EYES, 9, {"A2", "B2", "B1", "C2", "D2", "E2", "F2", "D1", "F1"}, "B+38.0"),
    ],
)
def test_a_seki_has_no_dead_stones_before_and_after_the_passes(engine, stones, size, seki, score):
    set_up(engine, size, "chinese", 0)
    engine.ask("set_position " + " ".join(stones.split()))
    for passes in (False, True):
        if passes:
            engine.ask("play b pass")
            engine.ask("play w pass")
        assert (status(engine, "dead"), status(engine, "seki")) == (set(), seki)
        assert engine.ask("final_score") == score


@pytest.mark.parametrize("filled", [False, True])
def test_two_eyes_beside_dame_are_territory(engine, filled):
    """White has 3 points, with the dame open and with it filled by Black, who has 23."""
    set_up(engine, 7, "japanese", 0)
    rows = NO_TAX.split()
    stones = [
        f"{'bw'['XO'.index(s)]} {'ABCDEFG'[x]}{7 - y}" for y, row in enumerate(rows) for x, s in enumerate(row) if s != "."
    ]
    engine.ask("set_position " + " ".join([*stones, *(["b C5", "b C4"] if filled else [])]))
    assert status(engine, "seki") == status(engine, "dead") == set()
    assert engine.ask("final_score") == "B+20.0"


def test_nobody_fills_territory_on_a_settled_board(engine):
    set_up(engine, 9, "japanese", 8.5)
    for move in WALLS:
        engine.ask(f"play {move}")
    assert engine.ask("final_score") == "B+0.5"
    assert status(engine, "dead") == {"J5", "B7"}
    assert [engine.ask(f"genmove {color}") for color in "bwbwbw"] == ["pass"] * 6
    assert engine.ask("final_score") == "B+0.5"


def test_two_passes_in_the_tree_are_counted_without_dead_stones(engine):
    """Under rules with an agreement White's pass loses by 2.5 in the analysis, too."""
    set_up(engine, 9, "japanese", 6.5)
    for move in WALLS:
        engine.ask(f"play {move}")
    engine.ask("play b pass")
    assert engine.ask("final_score") == "B+2.5"
    answer = engine.ask("kata-search_analyze w rootInfo true")
    passing = re.findall(r"info move pass .*?winrate (\S+) .*?scoreLead (\S+)", answer)[-1]
    assert float(passing[0]) < 0.05 and float(passing[1]) == -2.5
    root = re.findall(r"rootInfo .*?winrate (\S+) .*?scoreLead (\S+)", answer)[-1]
    assert float(root[0]) < 0.5 and float(root[1]) < 0


def lead(engine, color):
    answer = engine.ask(f"kata-search_analyze {color} maxmoves 1 rootInfo true")
    return tuple(float(value) for value in re.findall(r"rootInfo .*?winrate (\S+) .*?scoreLead (\S+)", answer)[-1])


def test_a_lead_is_told_in_points(engine):
    """Two walls on 19x19 that leave White 9 points more, and an empty board, under usual and strange komi."""
    set_up(engine, 19, "chinese", 7.5)
    engine.ask("set_position " + " ".join(f"b N{row} w O{row}" for row in range(1, 20)))
    assert engine.ask("final_score") == "B+125.5"
    for komi, black in ((7.5, 125.5), (100, 33), (200, -67)):
        engine.ask(f"komi {komi}")
        chance, points = lead(engine, "b")
        assert abs(points - black) <= 0.15 * abs(black) and (chance > 0.9 if black > 0 else chance < 0.1)


@pytest.mark.parametrize("komi, black", [(7.5, 0), (0, 7), (30, -23), (150, -143)])
def test_the_lead_on_an_empty_board_follows_the_komi(engine, komi, black):
    set_up(engine, 19, "chinese", komi)
    chance, points = lead(engine, "b")
    assert abs(points - black) <= max(2, 0.15 * abs(black))
    assert (chance > 0.5) == (black > 0) or abs(black) < 1
