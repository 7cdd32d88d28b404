"""`goengine review` as people call it: files in, files out, whatever is in them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from goengine.core.canvas import PictureError
from goengine.dataio.sgf import read_file
from goengine.review import command, files
from goengine.review.source import games_of

GAMES = {
    "empty": "(;GM[1]SZ[9])",
    "handicap": "(;SZ[9]HA[2]AB[cc][gg]KM[0]RU[nobody knows]RE[W+R];W[ee];B[];W[gc];B[cg](;W[dd])(;W[de];B[dd]))",
    "illegal": "(;SZ[9]KM[5.5];B[ee];W[ee];B[aa])",
    "setup in the game": "(;SZ[5];B[cc];W[bb];AB[dd]AE[bb]PL[W];W[bd];B[be];B[aa];W[])",
    "size 2": "(;SZ[2]KM[0];B[aa];W[bb];B[])",
    "size 25": "(;SZ[25];B[dd];W[vv];B[];W[])",
}


def review(*words) -> int:
    return command.main([*map(str, words), "--net", "uniform", "--visits", "4"])


@pytest.mark.parametrize("name", GAMES)
def test_every_game_gets_its_files(name, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "game.sgf"
    path.write_text(GAMES[name])
    assert review(path) == 0
    assert {found.name for found in tmp_path.iterdir()} == {
        "game.sgf",
        *(f"game-review.{e}" for e in ("sgf", "html", "svg", "png")),
    }
    assert read_file(tmp_path / "game-review.sgf").moves == read_file(path).moves
    assert path.read_text() == GAMES[name]
    out = capsys.readouterr().out
    if name == "illegal":
        assert "move 2, W E5, is illegal (occupied): the review ends before it" in out and "the one move" in out
    if name == "handicap":
        assert "the rules 'nobody knows' are unknown" in out and "komi 0" in out


def test_a_review_is_reviewed_in_place(tmp_path):
    path = tmp_path / "a.sgf"
    path.write_text(GAMES["handicap"])
    assert review(path) == 0
    once = (tmp_path / "a-review.sgf").read_bytes()
    assert review(tmp_path / "a-review.sgf") == 0
    assert (tmp_path / "a-review.sgf").read_bytes() == once
    assert not (tmp_path / "a-review-review.sgf").exists()


def test_collections_bad_games_and_a_folder_for_all(tmp_path, capsys):
    path, out = tmp_path / "all.sgf", tmp_path / "deep" / "out"
    path.write_text("(;SZ[9];B[ee])\n(;SZ[99])\n(;SZ[5];B[cc])")
    (tmp_path / "broken.sgf").write_text("(;SZ[9];B[ee")
    assert review(path, tmp_path / "broken.sgf", tmp_path / "none.sgf", "--out", out) == 1
    said = capsys.readouterr().err
    assert "board size 99" in said and "broken.sgf" in said and "none.sgf: No such file" in said
    assert {found.name for found in out.glob("*.sgf")} == {"all-1-review.sgf", "all-3-review.sgf"}


def test_two_files_of_one_name_do_not_overwrite_each_other(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "game.sgf").write_text(GAMES["empty"])
    assert review(tmp_path / "a" / "game.sgf", tmp_path / "b" / "game.sgf", "--out", tmp_path / "out") == 0
    assert len(list((tmp_path / "out").glob("*.sgf"))) == 2


def test_json_holds_every_move(tmp_path, capsys):
    (tmp_path / "a.sgf").write_text(GAMES["handicap"])
    assert review(tmp_path / "a.sgf", "--json", "--from", "2", "--to", "4", "--komi", "3.5", "--rules", "japanese") == 0
    (game,) = json.loads(capsys.readouterr().out)["games"]
    assert [move["number"] for move in game["moves"]] == [2, 3, 4]
    assert (game["komi"], game["rules"]) == (3.5, "japanese")
    assert all(0 <= move["black"]["winrate"] <= 1 for move in game["moves"])


@pytest.mark.parametrize("encoding", ["gb2312", "utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_of_a_file_is_kept(encoding, tmp_path):
    path = tmp_path / "a.sgf"
    claim = "GB2312" if encoding == "gb2312" else "UTF-8"
    path.write_bytes(f"(;CA[{claim}]SZ[9]PB[柯洁]C[你好];B[ee]C[妙手\\]])".encode(encoding))
    assert review(path) == 0
    assert "PB[柯洁]C[你好\n\ngoengine: " in (tmp_path / "a-review.sgf").read_bytes().decode(encoding)


def test_bytes_that_are_in_no_encoding_are_written_as_utf8(tmp_path):
    path = tmp_path / "a.sgf"
    path.write_bytes("(;CA[UTF-8]SZ[9]PB[柯洁柯洁".encode() + b"\xe6];B[ee])")
    assert review(path) == 0
    assert "柯洁" in (tmp_path / "a-review.sgf").read_text(encoding="utf-8")


def test_a_file_of_ten_megabytes(tmp_path):
    path = tmp_path / "a.sgf"
    path.write_text("(;SZ[9];B[ee]C[" + "x" * 10_000_000 + "];W[cc])")
    assert review(path) == 0
    assert (tmp_path / "a-review.sgf").stat().st_size > 10_000_000


def test_without_matplotlib_the_rest_is_made(tmp_path, capsys, monkeypatch):
    def missing(*arguments):
        raise PictureError("pictures need matplotlib")

    monkeypatch.setattr(files.graph, "draw", missing)
    (tmp_path / "a.sgf").write_text(GAMES["size 2"])
    assert review(tmp_path / "a.sgf") == 0
    assert "no picture: pictures need matplotlib" in capsys.readouterr().err
    assert (tmp_path / "a-review.html").exists() and not (tmp_path / "a-review.svg").exists()


@pytest.mark.parametrize(
    "words",
    [["--from", "5", "--to", "3"], ["--visits", "1"], ["--rules", "x"], ["--komi", "nan"], ["--net", "none"], ["--time", "0"]],
)
def test_options_that_make_no_sense_are_refused(words, tmp_path, capsys):
    (tmp_path / "a.sgf").write_text(GAMES["empty"])
    try:
        status = command.main([str(tmp_path / "a.sgf"), *words])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert "Traceback" not in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 1


def test_a_time_that_is_too_short_is_said(tmp_path, capsys):
    moves = "".join(f";{'BW'[i % 2]}[{chr(97 + i % 13)}{chr(97 + i // 13)}]" for i in range(60))
    (tmp_path / "a.sgf").write_text(f"(;SZ[13]{moves})")
    assert command.main([str(tmp_path / "a.sgf"), "--net", "uniform", "--time", "0.01"]) == 0
    assert "stopped before the end" in capsys.readouterr().out
    assert (tmp_path / "a-review.html").exists()


@pytest.mark.slow  # waits until the search is under way
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_an_interrupt_keeps_what_is_done(tmp_path):
    moves = "".join(f";{'BW'[i % 2]}[{chr(97 + i % 19)}{chr(97 + i // 19)}]" for i in range(200))
    (tmp_path / "a.sgf").write_text(f"(;SZ[19]{moves})")
    words = [sys.executable, "-m", "goengine.cli", "review", str(tmp_path / "a.sgf"), "--net", "uniform", "--visits", "20000"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        time.sleep(12)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert "stopped before the end" in out and "interrupted; what was reviewed is written" in err
    assert "stopped before the end" in (tmp_path / "a-review.sgf").read_text()


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;<!--"


def test_nothing_of_a_game_can_run_in_the_page(tmp_path):
    text = f"(;SZ[5]PB[{EVIL}]PW[$title$]RU[{EVIL}]C[{EVIL}];B[cc]C[{EVIL}])"
    (tmp_path / "a.sgf").write_text(text)
    assert review(tmp_path / "a.sgf") == 0
    page = (tmp_path / "a-review.html").read_text(encoding="utf-8")
    assert page.count("<script") == 2 and page.count("</script") == 2 and "<img" not in page and "$title$" in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["steps"][1]["comment"] == EVIL  # as a text
    assert "default-src 'none'" in page and not re.search(r"(src|href)=[\"']?(http|//)", page)


def test_the_picture_names_the_axes(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "a.sgf").write_text(GAMES["handicap"])
    assert review(tmp_path / "a.sgf") == 0
    written = {"".join(e.itertext()) for e in ElementTree.parse(tmp_path / "a-review.svg").iter() if e.tag.endswith("text")}
    assert {"Black wins, %", "Black's lead, points", "move"} <= written
    assert (tmp_path / "a-review.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("path", sorted(Path(os.environ.get("GOENGINE_GAMES", "none")).glob("*/*.sgf"))[::12] or [None])
def test_recorded_games(path, tmp_path):
    if path is None:
        pytest.skip("there are no recorded games here")
    (game,) = games_of(path)
    assert review(path, "--out", tmp_path, "--to", "6") == 0
    from goengine.review.annotate import without_review

    (again,) = games_of(tmp_path / f"{path.stem}-review.sgf")
    assert without_review(again.text) == game.text
