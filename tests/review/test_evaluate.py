"""`goengine evaluate`: a position as SVG, PNG, JSON and in the terminal."""

import json
from xml.etree import ElementTree

import pytest

from goengine.board import coords, picture
from goengine.board.position import Position
from goengine.review import evaluate

GAME = "(;SZ[5]KM[0];B[cc];W[bb];B[cb];W[bc])"
SHAPE = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def game(tmp_path):
    path = tmp_path / "game.sgf"
    path.write_text(GAME)
    return path


def run(*words) -> int:
    return evaluate.main([*map(str, words), "--net", "uniform", "--visits", "20"])


def test_three_boards_in_one_picture(game, tmp_path):
    assert run(game, "--out", tmp_path / "a.svg") == 0
    drawn = ElementTree.parse(tmp_path / "a.svg")
    fills = [circle.get("fill") for circle in drawn.iter(f"{SHAPE}circle")]
    assert (fills.count("#111"), fills.count("#fafafa")) == (6, 6)
    assert len(drawn.findall(f"{SHAPE}g")) == 3
    assert run(game, "--out", tmp_path / "b.svg", "--show", "policy", "--move", "2") == 0
    drawn = ElementTree.parse(tmp_path / "b.svg")
    assert [circle.get("fill") for circle in drawn.iter(f"{SHAPE}circle")].count("#111") == 1
    assert sum(rect.get("fill") == picture.HEAT for rect in drawn.iter(f"{SHAPE}rect")) == 24


def test_a_png_is_drawn_from_the_same_picture(game, tmp_path):
    pytest.importorskip("matplotlib")
    assert run(game, "--out", tmp_path / "a.png") == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_in_the_terminal(game, capsys):
    assert run(game) == 0
    out = capsys.readouterr().out
    assert "Black to play, 20 visits" in out and "policy of" in out and "who owns what" in out and "\033" not in out


def test_json(game, capsys):
    assert run(game, "--json", "--move", "1") == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["policy"]) == 26 and len(data["ownership"]) == 25 and data["stones"] == 0 and data["to_play"] == "B"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--move", "9"], "there is no move 9; the game has 4"),
        (["--out", "x.gif"], "must end in .svg or .png"),
        (["--net", "no"], "no"),
    ],
)
def test_what_cannot_be_drawn_is_said(words, said, game, capsys):
    try:
        status = run(game, *words) if words[0] != "--net" else evaluate.main([str(game), *words])
    except SystemExit as error:
        status = error.code
    assert status == 2 and said in capsys.readouterr().err


def test_a_missing_file_and_one_that_is_no_game(tmp_path, capsys):
    (tmp_path / "a.sgf").write_text("hello")
    assert run(tmp_path / "a.sgf") == 2 and run(tmp_path / "b.sgf") == 2
    err = capsys.readouterr().err
    assert "no SGF data found" in err and "No such file" in err


def test_the_drawing_of_a_board_escapes_its_texts():
    drawn = picture.svg(Position(5), {coords.from_gtp("C3", 5): "<b>"}, caption='"<script>&')
    assert "<script" not in drawn and "<b>" not in drawn
    ElementTree.fromstring(drawn)
