"""The game in the terminal, as a person types it, against the engine without a net; and the pictures of a position."""

import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from goengine.board import coords, drawing, picture
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, WHITE
from goengine.dataio.sgf import read_file
from goengine.evaluators.uniform import Uniform
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.terminal.game import TerminalGame


def play(tmp_path, lines: list[str], *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "goengine.cli", "play", "--net", "uniform", "--visits", "16", "--size", "9", *options]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    return subprocess.run(
        command, input="\n".join(lines) + "\n", text=True, capture_output=True, cwd=tmp_path, env=environment, timeout=300
    )


def test_a_game_with_everything_a_person_may_type(tmp_path):
    lines = ["help", "hint", "E5", "E5", "Z99", "blah", "undo", "undo", "C3", "score", "board", "save kept", "resign"]
    done = play(tmp_path, lines)
    assert done.returncode == 0
    text = done.stdout
    for expected in ("E5: occupied", "vertex 'Z99'", "'blah' is not a vertex", "nothing to take back", "is ahead by"):
        assert expected in text
    assert "Saved to kept.sgf" in text
    assert "White wins by resignation" in text
    assert "Traceback" not in text + done.stderr
    record = read_file(tmp_path / "kept.sgf")
    assert record.size == 9
    assert record.moves[0] == (1, coords.to_index(coords.from_gtp("C3", 9), 9))


def test_the_pass_that_takes_a_button_does_not_end_the_game(capsys):
    engine = Engine(Uniform(), EngineOptions(visits=4), size=5, rules=Rules.preset("aga-button"), seed=1)
    game = TerminalGame(engine, BLACK)
    for color, over in ((BLACK, False), (WHITE, False), (BLACK, True)):
        engine.play(color, PASS)
        game._check_end()
        assert game.over == over
    assert game.result == "W+6.5"  # komi 7, less half a point of the button


def test_the_score_in_the_middle_of_a_game_is_what_gtp_says(capsys):
    engine = Engine(Uniform(), EngineOptions(visits=4), size=5, seed=1)
    for color, vertex in ((BLACK, "C3"), (WHITE, "A1"), (BLACK, "C2"), (WHITE, "A5")):
        engine.play(color, coords.from_gtp(vertex, 5))
    black = engine.score()
    TerminalGame(engine, BLACK)._score("")
    assert f"{'Black' if black > 0 else 'White'} is ahead by {abs(black):g}" in capsys.readouterr().out


def test_names_that_no_file_can_have(tmp_path):
    done = play(tmp_path, ["D4", "save .", "save /", "save no/such/folder", "quit"])
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert "'.' is not the name of a file" in done.stdout and "'/' is not the name of a file" in done.stdout
    assert "cannot be saved to no/such/folder.sgf: No such file" in done.stdout
    assert list(tmp_path.glob("goengine-*.sgf"))


def test_an_unfinished_game_is_saved(tmp_path):
    done = play(tmp_path, ["D4", "quit"], "--color", "white", "--handicap", "2", "--komi", "0.5")
    saved = list(tmp_path.glob("goengine-*.sgf"))
    assert len(saved) == 1
    record = read_file(saved[0])
    assert (len(record.black_setup), record.komi, record.handicap) == (2, 0.5, 2)
    assert done.returncode == 0


def test_two_passes_end_and_count_the_game(tmp_path):
    done = play(tmp_path, ["E5", "pass", "pass", "pass"], "--level", "1")
    assert "is ahead by" in done.stdout
    assert read_file(next(tmp_path.glob("*.sgf"))).outcome in (1, -1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "99"], "from 2 to 25"),
        (["--level", "0"], "from 1 to 20"),
        (["--color", "red"], "black or white"),
        (["--rules", "nonsense"], "nonsense"),
        (["--load", "absent.sgf"], "absent.sgf"),
        (["--net", "absent"], "absent"),
        (["--handicap", "77"], "77"),
        (["--what"], "--what"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, message):
    done = play(tmp_path, [], *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_drawings_show_every_stone():
    position = Position.from_diagram(". . . . .\n. X O . .\n. X O . .\n. . . . .\n. . . . .")
    position.play(coords.from_gtp("E1", 5))
    plain = drawing.terminal(position, drawing.PLAIN, {coords.from_gtp("A1", 5): "1"})
    assert (plain.count("X"), plain.count("O"), plain.count("#"), plain.count(" 1 ")) == (2, 2, 1, 1 + 1)
    drawn = ElementTree.fromstring(picture.svg(position, caption="A < B"))
    fills = [shape.get("fill") for shape in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert (fills.count("#111"), fills.count("#fafafa")) == (3, 2)


@pytest.mark.parametrize(
    ("encoding", "palette"), [("utf-8", drawing.COLOURS), ("ascii", drawing.PLAIN), ("cp1252", drawing.PLAIN)]
)
def test_round_stones_only_where_the_terminal_has_them(encoding, palette, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert drawing.palette_of(stream) is drawing.PLAIN  # a file
    stream.isatty = lambda: True
    assert drawing.palette_of(stream) is palette


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_review_is_offered_after_the_game(answer, tmp_path):
    import pty

    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "goengine.cli", "play", "--net", "uniform", "--visits", "4", "--size", "5"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "NO_COLOR": "1"}
    with subprocess.Popen(
        words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as game:
        os.close(theirs)
        os.write(ours, f"C3\nsave mine\nresign\n{answer}\n".encode())
        out, err = game.communicate(timeout=300)
    os.close(ours)
    assert game.returncode == 0, err
    assert b"Review the game?" in out
    assert (tmp_path / "mine-review.html").exists() == (answer == "y")
