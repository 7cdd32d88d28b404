"""The match folder: what is kept of a game, going on after a kill, and folders that must be refused."""

import json
import os
import subprocess
import sys

import pytest

from goengine.arena import log
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup
from goengine.arena.log import LogError, MatchLog, digest, result_text
from goengine.board import coords
from goengine.board.rules import Rules
from goengine.dataio import sgf

TERMS = GameSetup(9, Rules.preset("chinese").with_komi(7))
CONFIG = {"a": {"net": "x", "visits": 10}, "size": 9, "games": 4}


def points(*vertices):
    return tuple(coords.from_gtp(v, 9) for v in vertices)


def game(number=0, **changes):
    fixture = Fixture(number, "a" if number % 2 == 0 else "b", points("C3"), seed=5)
    values = {"winner": "a", "reason": "score", "moves": points("C3", "G7", "pass", "pass"), "margin": 4.0}
    return GameOutcome(fixture, **(values | {"names": {"a": "One", "b": "Two"}, "seconds": {"a": 1.23456}} | changes))


def test_a_line_and_an_sgf_per_game(tmp_path):
    with MatchLog(tmp_path / "m", CONFIG) as kept:
        line = kept.add(game(), TERMS)
    assert line["result"] == "B+4" and line["moves"] == {"a": 1, "b": 2} and line["opening"] == ["C3"]
    assert line["seconds"] == {"a": 1.235} and line["plies"] == 4
    record = sgf.read_file(tmp_path / "m" / "game-00000.sgf")
    assert (record.black, record.white, record.komi, record.margin, len(record.moves)) == ("One", "Two", 7.0, 4.0, 4)
    assert "Black is player a" in (tmp_path / "m" / "game-00000.sgf").read_text()
    config, lines = log.read(tmp_path / "m")
    assert config == CONFIG and lines == {0: line}


@pytest.mark.parametrize(
    "changes, text",
    [
        ({}, "B+4"),
        ({"winner": "b", "margin": -0.5}, "W+0.5"),
        ({"margin": None}, "B+"),
        ({"winner": "", "margin": 0.0}, "0"),
        ({"reason": "resignation", "margin": None}, "B+R"),
        ({"winner": "b", "reason": "timeout"}, "W+T"),
        ({"reason": "died"}, "B+F"),
        ({"reason": "illegal move"}, "B+F"),
        ({"winner": "", "reason": "move limit"}, "Void"),
        ({"winner": "", "reason": "void", "moves": ()}, "Void"),
    ],
)
def test_results(changes, text):
    assert result_text(game(**changes)) == text
    assert f"RE[{text}]".encode() in log.to_sgf(game(**changes), TERMS)


def test_handicap_in_the_sgf():
    record = sgf.read_game(log.to_sgf(game(handicap_points=points("C7", "G3"), moves=points("E5")), TERMS))
    assert record.handicap == 2 and record.moves[0][0] == 2 and len(record.black_setup) == 2


def test_going_on_after_a_kill(tmp_path):
    with MatchLog(tmp_path, CONFIG) as kept:
        for number in range(3):
            kept.add(game(number), TERMS)
    path = tmp_path / log.GAMES
    path.write_bytes(path.read_bytes()[:-20])
    with MatchLog(tmp_path, CONFIG | {"games": 8}, may_differ=["games"]) as kept:
        assert sorted(kept.played) == [0, 1] and "last line" in kept.faults[0]
        kept.add(game(2), TERMS)
    with MatchLog(tmp_path, CONFIG | {"games": 8}) as kept:
        assert sorted(kept.played) == [0, 1, 2] and not kept.faults
    assert path.read_bytes().count(b"\n") == 3


def test_what_a_killed_match_was_writing_is_removed(tmp_path):
    with MatchLog(tmp_path / "m", CONFIG) as kept:
        kept.add(game(), TERMS)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    half = tmp_path / "m" / f".game-00001.sgf.{ended.pid}.part"
    half.write_bytes(b"half")
    MatchLog(tmp_path / "m", CONFIG).close()
    assert not half.exists() and (tmp_path / "m" / "game-00000.sgf").exists()


def test_a_damaged_line_is_named_and_its_game_missing(tmp_path):
    with MatchLog(tmp_path, CONFIG) as kept:
        for number in range(3):
            kept.add(game(number), TERMS)
    path = tmp_path / log.GAMES
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\x00\xff[[[\n" + b"[1]\n" + lines[2])
    with MatchLog(tmp_path, CONFIG) as kept:
        assert sorted(kept.played) == [0, 2]
        assert ["line 2 is no game" in kept.faults[0], "line 3 is no game" in kept.faults[1]] == [True, True]


@pytest.mark.parametrize(
    "config, complaint",
    [
        (CONFIG | {"size": 13}, "size is 9 there and 13 here"),
        (CONFIG | {"a": {"net": "x", "visits": 20}}, "a.visits is 10 there and 20 here"),
        ({"a": {"net": "x"}, "size": 9, "games": 4}, "a.visits is 10 there and not given here"),
        (CONFIG | {"b": 1}, "b is not given there and 1 here"),
    ],
)
def test_another_match_is_refused(tmp_path, config, complaint):
    MatchLog(tmp_path, CONFIG).close()
    before = (tmp_path / log.CONFIGURATION).read_bytes()
    with pytest.raises(LogError, match=complaint.replace(".", r"\.")):
        MatchLog(tmp_path, config)
    assert (tmp_path / log.CONFIGURATION).read_bytes() == before


def test_unusable_folders(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="file"):
        MatchLog(tmp_path / "file", CONFIG)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / log.CONFIGURATION).write_text("{")
    with pytest.raises(LogError, match="damaged"):
        MatchLog(tmp_path / "damaged", CONFIG)
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / log.GAMES).write_text("")
    with pytest.raises(LogError, match=r"no match\.json"):
        MatchLog(tmp_path / "games", CONFIG)
    with MatchLog(tmp_path / "used", CONFIG), pytest.raises(LogError, match="another program"):
        MatchLog(tmp_path / "used", CONFIG)
    with pytest.raises(LogError, match="no match that can be read"):
        log.read(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_named_and_the_games_before_are_whole(tmp_path):
    kept = MatchLog(tmp_path, CONFIG)
    kept.add(game(0), TERMS)
    kept._file.close()
    kept._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
    with pytest.raises(LogError, match=r"No space left on device; .* start the same command again"):
        kept.add(game(1), TERMS)
    assert sorted(kept.played) == [0]
    assert [json.loads(line)["game"] for line in (tmp_path / log.GAMES).read_text().splitlines()] == [0]


def test_games_are_the_same_up_to_symmetry():
    game, turned = points("C3", "D4", "pass"), points("G3", "F4", "pass")
    assert digest(game, 9) == digest(turned, 9)
    assert digest(game, 9) != digest(points("C3", "F4", "pass"), 9)
    assert digest(game, 9, "a") != digest(game, 9, "b")
    assert digest((), 9)
