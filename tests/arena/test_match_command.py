"""The command: its options, what it prints, its exit status; with programs of a few lines."""

import json
import os
import shlex
import signal
import subprocess
import sys

import pytest

from goengine.arena import speed
from goengine.arena.match_command import MatchOptions, main, parse_sprt
from goengine.arena.timing import TimeControl
from tests.arena.programs_support import scripted
from tests.processes import hearing_interrupts, wait_for

COMMON = ["--games", "2", "--boardsize", "9", "--openings", "none", "--dead", "none"]


def command(*words, **changes):
    return shlex.join(scripted(*words, **changes).command)


def test_a_match_of_programs(tmp_path, capsys):
    words = ["--a", command(), "--b", command(last=3), *COMMON, "--sgf", str(tmp_path / "m")]
    assert main([*words, "--a-name", "One", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["games"] == 2 and result["names"] == {"a": "One", "b": "Scripted 1"} and result["complete"]
    assert main([*words, "--a-name", "One"]) == 0
    shown = capsys.readouterr().out
    assert "One against Scripted 1" in shown and str(tmp_path / "m") in shown
    assert main([*words, "--a-name", "Two"]) == 2
    assert 'names.a is "One" there and "Two" here' in capsys.readouterr().err
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == [
        "elo.svg", "game-00000.sgf", "game-00001.sgf", "games.jsonl", "match.json", "summary.json",
    ]  # fmt: skip


def test_failures_are_shown_and_the_match_goes_on(tmp_path, capsys):
    words = ["--a", command("sys.exit('no memory')", 2), "--b", command(), *COMMON, "--sgf", str(tmp_path)]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "lost by" in out and "died 2" in out and "game 0: W+F, died: " in err and "no memory" in err


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["--a", "uniform"], "--b"),
        (["--a", "uniform", "--b", "no-such-program"], "neither a net nor a program"),
        (["--a", "uniform", "--b", "uniform", "--boardsize", "40"], "--boardsize: must be from 2 to 25"),
        (["--a", "uniform", "--b", "uniform", "--rules", "mine"], "Unknown rules 'mine'"),
        (["--a", "uniform", "--b", "uniform", "--sprt", "elo0=5"], "elo1"),
        (["--a", "uniform", "--b", "uniform", "--clock", "fast"], "makes no sense"),
        (["--a", "uniform", "--b", "uniform", "--clock", "main=5", "--time", "1"], "exclude each other"),
        (["--a", "uniform", "--b", "uniform", "--a-set", "speed=1"], "unknown setting 'speed'"),
        (["--a", "uniform", "--b", "uniform", "--resign", "0.9"], "given up at a value"),
        (["--a", "uniform", "--b", "uniform", "--games", "0"], "at least 1"),
        (["--a", "uniform", "--b", "uniform", "--openings", "/no/such/file"], "No such file"),
        (["--a", "uniform", "--b", "uniform", "--boardsize", "9", "--handicap", "99"], "99 is not from 2 to 80"),
        (["--a", "uniform", "--b", command(), "--equal-time"], "--equal-time is for nets in process"),
        (["--a", command(), "--b", command(), "--equal-time"], "give programs a clock: --time or --clock"),
        (["--a", "uniform", "--b", "uniform", "--equal-time", "--time", "1"], "--equal-time is for nets in process"),
        (["--a", "uniform", "--b", "uniform", "--equal-time", "--gtp"], "--equal-time is for nets in process"),
        (["--a", "uniform", "--a-set", "playouts=5", "--b", "uniform", "--equal-time"], "against a number of visits"),
    ],
)
def test_wrong_options(tmp_path, capsys, words, complaint):
    try:
        status = main([*words, "--sgf", str(tmp_path / "m")])
    except SystemExit as stop:
        status = stop.code
    assert status == 2 and complaint in capsys.readouterr().err


def test_what_options_mean():
    nets = MatchOptions(a="uniform", b="uniform", visits=30, a_set="visits=7").match()
    assert (nets.a.visits, nets.b.visits, nets.in_process) == (7, 30, True)
    assert nets.terms.rules.name() == "tromp-taylor" and nets.openings.name == "policy"
    timed = MatchOptions(a="uniform", b="uniform", time=2.0).match()
    assert not timed.in_process and timed.a.seconds == 2.0 and timed.programs.clock == TimeControl.parse("move=2")
    assert timed.terms.rules.name() == "chinese"
    programs = MatchOptions(a=command(), b=command(), komi=6.5).match()
    assert programs.openings.name == "random" and programs.terms.rules.komi == 6.5


def test_equal_time_is_measured_once_for_a_match(tmp_path, monkeypatch, capsys):
    rates = {1: 300.0, 2: 200.0}  # visits per second by symmetries
    monkeypatch.setattr(speed, "visits_per_second", lambda player, size, **how: rates[player.symmetries])
    words = ["--a", "uniform", "--a-set", "symmetries=2", "--b", "uniform", "--visits", "20", "--equal-time"]
    where = ["--boardsize", "3", "--openings", "random", "--threads", "1", "--sgf", str(tmp_path / "m")]

    def played(games):
        """(number of games, settings of b) after the command."""
        assert main([*words, *where, "--games", str(games), "--json"]) == 0
        settings = json.loads((tmp_path / "m" / "match.json").read_text())["players"]["b"]["settings"]
        return json.loads(capsys.readouterr().out)["games"], settings

    assert played(2) == (2, "visits=30")
    rates[2] = 100.0  # by chance: measured anew, it would be another match and refused
    assert played(4) == (4, "visits=30")
    options = {"a": "uniform", "a_set": "symmetries=2", "b": "uniform", "visits": 20, "equal_time": True}
    assert MatchOptions(**options, sgf=tmp_path / "m").match().b.visits == 30
    other = MatchOptions(**options, b_set="cpuct=2", sgf=tmp_path / "m").match().b
    assert (other.visits, other.params.cpuct) == (30, 2.0)  # another player, which the folder then refuses
    assert MatchOptions(**options, sgf=tmp_path / "other").match().b.visits == MatchOptions(**options).match().b.visits == 60


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_equal_time_of_a_damaged_match(tmp_path, capsys, text):
    (tmp_path / "match.json").write_text(text)
    assert main(["--a", "uniform", "--b", "uniform", "--equal-time", "--sgf", str(tmp_path)]) == 2
    assert "match.json is damaged" in capsys.readouterr().err


def test_the_text_of_a_test():
    assert parse_sprt("elo0=0 elo1=20 alpha=.1, beta=.2") == parse_sprt("elo0=0,elo1=20,alpha=0.1,beta=0.2")
    for text in ("", "elo0=0", "elo0=a elo1=2", "elo0=5 elo1=0", "elo=1"):
        with pytest.raises(ValueError, match="write 'elo0=0 elo1=20'"):
            parse_sprt(text)


def test_an_interrupt_leaves_a_folder_that_can_be_gone_on_with(tmp_path, capsys):
    reached = str(tmp_path / "reached")
    hangs_once = f"""
if not os.path.exists({reached!r}):
    open({reached!r}, "w").close()
    time.sleep(60)
answer(("C" if words[1] == "b" else "G") + str(count + 1))
"""
    words = ["--a", command(hangs_once, 2), "--b", command(), *COMMON, "--sgf", str(tmp_path / "m")]
    started = [sys.executable, "-m", "goengine.cli", "match", *words]
    with hearing_interrupts(started, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: os.path.exists(reached) or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "the same command goes on with them" in said, said
    assert not json.loads((tmp_path / "m" / "summary.json").read_text())["complete"]
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["complete"] and result["games"] == 2
