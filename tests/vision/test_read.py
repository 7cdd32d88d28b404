"""`goengine read`: pictures in, positions out, by the reader that ships; and the commands that take pictures."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from goengine.commands import read
from goengine.dataio.sgf import read_file, read_game
from tests.vision.boards import PAPER, chess, draw, encoded, page, position

NINE, THIRTEEN, NINETEEN = position(9, 1, 0.3), position(13, 2), position(19, 3, 0.25)
LEGAL = ["OO...X...", "..X...O..", ".XOX.....", "..OX.XX..", ".....XO..", "O....XX..", "..O...X..", ".........", "X.......O"]
DEAD = [".XOX.....", "..X......", *["........."] * 7]  # the white stone has no liberty


@pytest.fixture
def run(capsys, tmp_path):
    """Run the command on a picture (or bytes): (exit status, standard output, stderr)."""

    def call(picture, *words):
        path = tmp_path / "picture.png"
        path.write_bytes(picture if isinstance(picture, bytes) else encoded(picture))
        status = read.main([str(path), *words])
        return status, *capsys.readouterr()

    return call


def rows_of(diagram: str) -> list[str]:
    """The rows of ``.XO`` of a diagram."""
    lines = [line[2:].translate(str.maketrans("+", ".", "() ")) for line in diagram.splitlines() if line[:2].strip().isdigit()]
    return [line.rstrip("?0123456789") for line in lines if line[:1] in tuple(".XO")]


@pytest.mark.parametrize("rows", [NINE, THIRTEEN, NINETEEN], ids=["9", "13", "19"])
@pytest.mark.parametrize("ground", [None, PAPER], ids=["wood", "paper"])
def test_whole_boards_are_read_without_an_error(run, rows, ground):
    status, out, _ = run(draw(rows, 22, *([ground] if ground else [])))
    assert status == 0 and rows_of(out) == rows
    assert f"{len(rows)} x {len(rows)}, {''.join(rows).count('X')} black" in out


def test_sgf_gtp_and_json_say_the_same(run, tmp_path):
    picture = draw(NINE, 30)
    record = read_game(run(picture, "--sgf", "--to-play", "white", "--komi", "5.5")[1].encode())
    black = {index for index, stone in enumerate("".join(NINE)) if stone == "X"}
    white = {index for index, stone in enumerate("".join(NINE)) if stone == "O"}
    assert (set(record.black_setup), set(record.white_setup), record.to_play, record.komi) == (black, white, 2, 5.5)
    told = json.loads(run(picture, "--json")[1])
    (board,) = told["boards"]
    assert (told["width"], told["height"]) == picture.size and board["stones"] == NINE
    assert np.shape(board["confidence"]) == (9, 9) and min(map(min, board["confidence"])) > 0.5
    truth = [[30, 30], [270, 30], [270, 270], [30, 270]]
    assert np.abs(np.subtract(board["corners"], truth)).max() < 10  # a third of a cell
    assert board["edges"] == {"top": True, "right": True, "bottom": True, "left": True}
    commands = run(picture, "--gtp")[1]
    assert "boardsize 9\n" in commands and commands.count("b ") + commands.count("w ") >= len(black) + len(white)


def test_gtp_sets_up_an_engine(run):
    commands = run(draw(LEGAL, 30), "--gtp", "--to-play", "white")[1]
    words = [sys.executable, "-m", "goengine.cli", "gtp", "--net", "uniform"]
    done = subprocess.run(words, input=commands + "printsgf\nquit\n", capture_output=True, text=True, check=True)
    assert not any(line.startswith("?") for line in done.stdout.splitlines())
    record = read_game(done.stdout[done.stdout.index("(") :].encode())
    board = "".join(LEGAL)
    assert (len(record.black_setup), len(record.white_setup), record.to_play) == (board.count("X"), board.count("O"), 2)


def test_stones_without_liberties_are_told(run):
    status, out, said = run(draw(DEAD, 30))
    assert status == 0 and rows_of(out) == DEAD
    assert "the stones at C9 have no liberty: something was misread" in said


def test_several_boards_are_numbered(run, tmp_path):
    picture = page(draw(NINE, 24), draw(THIRTEEN, 24))
    status, out, _ = run(picture)
    assert status == 0 and "board 1 of 2" in out and "board 2 of 2" in out
    found = json.loads(run(picture, "--json")[1])["boards"]
    assert [board["stones"] for board in found] == [NINE, THIRTEEN] and [board["board"] for board in found] == [1, 2]
    assert rows_of(run(picture, "--board", "2")[1]) == THIRTEEN
    _, out, said = run(picture, "--gtp")
    assert out.count("boardsize") == 1 and "2 boards were found" in said
    assert run(picture, "--sgf")[1].count("SZ[") == 2
    status, _, said = run(picture, "--board", "3")
    assert status == 1 and "there is no board 3; 2 were found" in said


def test_the_overlay_is_as_large_as_the_picture(run, tmp_path):
    picture = draw(NINE, 24)
    out = tmp_path / "shown.png"
    assert run(picture, "--overlay", str(out))[0] == 0
    with Image.open(out) as shown:
        assert shown.size == picture.size
        assert (np.asarray(shown) != np.asarray(picture)).any()
    assert run(picture, "--overlay", str(tmp_path / "none" / "a.png"))[0] == 1


def half(picture):
    return picture.crop((0, 0, picture.width, picture.height // 2))


def test_half_a_board_is_a_part(run):
    status, out, said = run(half(draw(NINETEEN, 24)))
    assert status == 0 and "a part of 19 x" in said
    assert rows_of(out)[:9] == NINETEEN[:9]


NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8))


@pytest.mark.parametrize("picture", [chess(), Image.new("RGB", (300, 300), PAPER), NOISE], ids=["chess", "nothing", "noise"])
def test_where_there_is_no_board_it_is_said(run, picture):
    status, out, said = run(picture)
    assert (status, out) == (1, "") and "shows no Go board" in said


def test_bad_files_end_with_status_1(run, tmp_path, capsys):
    for data, reason in ((b"", "is empty"), (b"hello", "no picture"), (encoded(NOISE)[:500], "cut off")):
        status, out, said = run(data)
        assert (status, out) == (1, "") and reason in said and said.count("\n") == 1
    assert read.main([str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err


def test_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encoded(draw(NINE, 24)))))
    assert read.main(["-"]) == 0
    assert rows_of(capsys.readouterr().out) == NINE


@pytest.mark.parametrize("words", [["--sgf", "--gtp"], ["--overlay", "a.jpg"], ["--size", "26"]])
def test_wrong_options(words):
    with pytest.raises(SystemExit) as left:
        read.main(["x.png", *words])
    assert left.value.code == 2


def test_evaluate_and_review_take_pictures(tmp_path, capsys):
    from goengine.review import command, evaluate

    rows = ["........."] * 9
    rows[2] = "..X...O.."
    rows[6] = "..O...X.."
    path = tmp_path / "board.png"
    path.write_bytes(encoded(draw(rows, 24)))
    assert evaluate.main([str(path), "--net", "uniform", "--visits", "2", "--json"]) == 0
    capsys.readouterr()
    assert command.main([str(path), "--net", "uniform", "--visits", "2"]) == 0
    record = read_file(tmp_path / "board.png-review.sgf")
    assert len(record.black_setup) == len(record.white_setup) == 2
    bad = tmp_path / "bad.png"
    bad.write_bytes(encoded(NOISE)[:300])
    assert evaluate.main([str(bad), "--net", "uniform"]) == 2
    assert command.main([str(bad), "--net", "uniform"]) == 2
    assert capsys.readouterr().err.count("cut off") == 2
