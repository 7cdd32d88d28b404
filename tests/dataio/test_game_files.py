"""SGF files as positions in play: what a file says of komi, rules and turn, and games that no rules allow."""

import logging

import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import PRESETS, Rules
from goengine.board.state import BLACK, WHITE
from goengine.dataio.game_files import position_from_sgf, position_to_sgf

IN_FORCE = Rules.preset("chinese").with_komi(4.5)


def load(text: str | bytes, move: int | None = None) -> Position:
    return position_from_sgf(text.encode() if isinstance(text, str) else text, IN_FORCE, move)


def stones(position: Position) -> tuple[set[str], set[str]]:
    """Where Black's and White's stones stand."""
    black, white = ({coords.to_gtp(p, position.size) for p in position.stones(color)} for color in (BLACK, WHITE))
    return black, white


@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("(;GM[1]SZ[9]KM[ 5.5 ];B[cc])", 5.5),
        ("(;GM[1]SZ[9]KM\n[5.5];B[cc])", 5.5),
        ("(;GaMe[1]SiZe[9]KoMi[5.5];Black[cc])", 5.5),
        ("(;GM[1]SZ[9]KM[5.5];B[cc])".encode("utf-16"), 5.5),
        ("(;GM[1]SZ[9]KM[0];B[cc])", 0),
        ("(;GM[1]SZ[9]C[we tried KM[0\\] here];B[cc])", 4.5),
        ("(;GM[1]SZ[9];B[cc])(;GM[1]SZ[9]KM[0.5];B[cc])", 4.5),
        ("(;GM[1]SZ[9];B[cc](;W[dd])(;W[ee]KM[0.5]))", 4.5),
        ("(;GM[1]SZ[9]KM[];B[cc])", 4.5),
        ("(;GM[1]SZ[9]KM[?];B[cc])", 4.5),
        ("(;GM[1]FF[4]SZ[19]KM[50]HA[2]RU[Japanese]AP[foxwq]AB[dp][pd];W[dd])", 0.5),
    ],
)
def test_komi_is_that_of_the_game_if_it_names_one(text, komi):
    assert load(text).rules.komi == komi


@pytest.mark.parametrize("komi", [7.25, 100, 0, -3.5, 375, 650, 50, 3.75, 0.5, -1000])
def test_komi_comes_back_as_it_was_written(komi):
    position = Position(9, IN_FORCE.with_komi(komi))
    position.play(coords.from_gtp("D4", 9))
    assert load(position_to_sgf(position)).rules.komi == komi


def test_komi_beyond_reason_is_refused():
    with pytest.raises(ValueError, match="komi 99999"):
        load("(;SZ[9]KM[99999])")


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Territory scoring", "japanese"),
        ("Area scoring", "chinese"),
        ("Ing", "goe"),
        ("NZ rules", "new-zealand"),
        ("", "chinese"),
    ],
)
def test_rules(text, rules, caplog):
    with caplog.at_level(logging.WARNING):
        assert load(f"(;GM[1]SZ[9]RU[{text}]KM[6.5];B[cc])").rules == PRESETS[rules].with_komi(6.5)
    assert not caplog.records


@pytest.mark.parametrize("text", ["Scoring by points", "Imaginary", "???", "Vintage"])
def test_unknown_rules_leave_those_in_force_and_are_named(text, caplog):
    with caplog.at_level(logging.WARNING):
        assert load(f"(;GM[1]SZ[9]RU[{text}]KM[6.5];B[cc])").rules == IN_FORCE.with_komi(6.5)
    assert text in caplog.text and "chinese" in caplog.text


@pytest.mark.parametrize(
    ("text", "to_play"),
    [
        ("(;GM[1]FF[4]SZ[9];AB[cc][dd]AW[ee]PL[W])", WHITE),
        ("(;FF[4]GM[1]SZ[9];AB[cc]AW[dd];AE[cc]AB[gg];PL[W])", WHITE),
        ("(;GM[1]SZ[9]AB[cc]AW[dd])", BLACK),
        ("(;GM[1]SZ[9]AB[cc][dd])", WHITE),
        ("(;GM[1]SZ[9]AB[cc][dd]PL[B])", BLACK),
        ("(;GM[1]SZ[9]PL[W];PL[B])", BLACK),
        ("(;GM[1]SZ[9];B[cc];PL[B])", BLACK),
        ("(;GM[1]SZ[9];B[cc];W[dd];PL[W])", WHITE),
    ],
)
def test_whose_turn_it_is(text, to_play):
    assert load(text).to_play == to_play


def test_nodes_of_setup_are_joined():
    assert stones(load("(;FF[4]GM[1]SZ[9];AB[cc]AW[dd];AE[cc]AB[gg];PL[W])")) == ({"G3"}, {"D6"})


def test_ko_may_be_retaken_at_once():
    position = load("(;GM[1]FF[4]SZ[9];B[ci];W[di];B[bh];W[eh];B[cg];W[dg];B[dh];W[ch];B[dh];W[aa])")
    assert stones(position) == ({"C1", "B2", "C3", "D2"}, {"D1", "E2", "D3", "A9"})
    assert (position.captured(BLACK), position.captured(WHITE), position.to_play) == (1, 1, BLACK)


def test_ko_may_be_filled_by_who_took_it():
    position = load("(;GM[1]FF[4]SZ[9];B[ci];W[di];B[bh];W[eh];B[cg];W[dg];B[dh];W[ch];W[dh];B[aa])")
    assert stones(position)[1] == {"D1", "E2", "D3", "C2", "D2"}


@pytest.mark.parametrize("rules", ["Japanese", "New Zealand"])
def test_suicide_is_executed(rules):
    two = load(f"(;GM[1]FF[4]SZ[9]RU[{rules}];B[ah];W[ai];B[bh];W[tt];B[ci];W[bi];B[ee])")
    assert stones(two) == ({"A2", "B2", "C1", "E5"}, set()) and two.captured(WHITE) == 2
    one = load(f"(;GM[1]FF[4]SZ[9]RU[{rules}];B[ah];W[gg];B[bi];W[ai];B[ee])")
    assert stones(one) == ({"A2", "B1", "E5"}, {"G3"}) and one.captured(WHITE) == 1
    one.undo(2)
    assert one.to_play == WHITE and one.captured(WHITE) == 0


def test_superko_is_not_looked_at():
    moves = "B[ci];W[di];B[bh];W[eh];B[cg];W[dg];B[dh];W[ch];B[tt];W[tt];B[dh];W[tt];B[tt];W[ch]"
    assert len(load(f"(;SZ[9]RU[AGA];{moves})").moves) == 14


def test_setup_between_moves():
    text = "(;GM[1]FF[4]SZ[9];B[cc];W[gg];AE[cc]AB[dd];W[ee])"
    position = load(text)
    assert stones(position) == ({"D6"}, {"G3", "E5"}) and position.to_play == BLACK
    assert stones(load(text, 2)) == ({"C7"}, set())
    before = load(text, 3)
    assert stones(before) == ({"D6"}, {"G3"}) and before.to_play == WHITE
    position.undo()
    assert stones(position) == ({"D6"}, {"G3"})


def test_setup_between_moves_keeps_prisoners_and_handicap():
    position = load("(;SZ[9]RU[Chinese]HA[2]AB[cc][gg];W[ai];B[ah];W[ee];B[bi];AW[aa]AE[gg]PL[B];B[bb])")
    assert position.captured(WHITE) == 1 and position.handicap_stones() == 2
    position.undo()
    assert position.captured(WHITE) == 1 and stones(position) == ({"C7", "A2", "B1"}, {"E5", "A9"})
    again = load("(;SZ[9]RU[Chinese];B[cc];W[dd];AE[dd]AB[gg];W[ee])")
    assert again.handicap_stones() == 0


def test_setup_may_replace_stones():
    assert stones(load("(;SZ[9];B[cc];W[dd];AW[cc]AB[dd];B[ee])")) == ({"D6", "E5"}, {"C7"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(;GM[1]FF[4]SZ[9];B[cc];W[cc];B[dd])", "move 2, W C7: occupied"),
        ("(;SZ[9];B[cc];W[zz])", "move 2: .*'zz'"),
        ("(;SZ[9]AB[aa][ba]AW[ab][bb][ca])", "[ABC][89]"),
        ("(;SZ[9];B[cc];W[dd];AB[aa][ba]AW[ab][bb][ca])", "after move 2: .*[ABC][89]"),
        ("(;SZ[19:13];B[cc])", "19:13 is not square"),
    ],
)
def test_refusals(text, reason):
    with pytest.raises(ValueError, match=reason):
        load(text)


def test_moves_before_a_fault_can_be_loaded():
    assert len(load("(;GM[1]FF[4]SZ[9];B[cc];W[cc];B[dd])", 2).moves) == 1
    assert len(load("(;SZ[9];B[cc];W[zz])", 2).moves) == 1
