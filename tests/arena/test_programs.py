"""Programs as players: everything that they may do wrong ends in a result with its reason, and the match goes on."""

import itertools
import re
import shutil
import sys
import threading
import time
from dataclasses import replace

import pytest

from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.players import NetPlayer, ProgramPlayer
from goengine.arena.program_game import ProgramSettings
from goengine.arena.programs import command_of, play_programs
from goengine.arena.timing import TimeControl
from goengine.board.rules import Rules
from tests.arena.programs_support import scripted

TERMS = GameSetup(9, Rules.preset("chinese").with_komi(0.5))
SETTINGS = ProgramSettings(patience=20, start_patience=20, dead="none")


def match(a, b, games=1, settings=SETTINGS, terms=TERMS, should_stop=lambda: False):
    """All games, by number."""
    found = []
    fixtures = [Fixture(number, "a" if number % 2 == 0 else "b") for number in range(games)]
    play_programs({"a": a, "b": b}, settings)(fixtures, terms, found.append, should_stop)
    return sorted(found, key=lambda played: played.fixture.number)


def test_a_sound_game():
    (played,) = match(scripted(), scripted(last=3))
    assert (played.reason, played.winner, len(played.moves)) == ("score", "a", 9)
    assert played.names == {"a": "Scripted 1", "b": "Scripted 1"}
    assert set(played.seconds) == {"a", "b"} and all(seconds > 0 for seconds in played.seconds.values())


@pytest.mark.parametrize(
    "name, bad, reason, detail",
    [
        ("hangs", "time.sleep(60)", "timeout", "no answer to 'genmove b' in time"),
        ("dies", "sys.stderr.write('one\\ntwo\\n'); sys.exit('out of memory')", "died", "out of memory .*one | two"),
        ("closes its output", "os.close(1); time.sleep(60)", "died", "ended without an answer"),
        ("writes without end", "while True: sys.stdout.write('x' * 65536)", "garbage", "a line of more than"),
        ("writes rubbish", "sys.stdout.buffer.write(bytes(range(255))); print('\\n\\n', flush=True)", "garbage", "no answer"),
        ("writes no answer", "print('C3\\n', flush=True)", "garbage", "wrote 'C3', which is no answer"),
        ("refuses to move", "print('? no idea\\n', flush=True)", "garbage", "refused 'genmove b': no idea"),
        ("answers no vertex", "answer('middle')", "garbage", "move 5: 'middle' is not a vertex"),
        ("answers nothing", "answer('')", "garbage", "move 5: '' is not a vertex"),
        ("leaves the board", "answer('T19')", "garbage", "outside the 9x9 board"),
        ("plays on a stone", "answer('G2')", "illegal move", "move 5, G2: occupied"),
        ("resigns", "answer('resign')", "resignation", ""),
    ],
)
def test_misbehaviour_loses_the_game(name, bad, reason, detail):
    settings = replace(SETTINGS, patience=2.0 if name == "hangs" else 20)
    (played,) = match(scripted(bad, at=3), scripted(), settings=settings)
    assert (played.winner, played.reason, len(played.moves)) == ("b", reason, 4)
    assert re.search(detail, played.detail), played.detail


@pytest.mark.parametrize("number, loser", [(0, "b"), (1, "a")])
def test_the_loser_is_the_one_that_failed_whatever_its_colour(number, loser):
    players = {"a": scripted(), "b": scripted()} | {loser: scripted("sys.exit(3)", at=2)}
    played = match(**players, games=2)[number]
    assert (played.reason, played.winner) == ("died", "a" if loser == "b" else "b")


def test_what_is_put_up_with():
    assert match(scripted("print('=77 C4\\n', flush=True)", at=3), scripted())[0].reason == "score"
    passing = match(scripted(last=0), scripted(last=2))[0]
    assert (passing.reason, passing.winner, len(passing.moves)) == ("score", "b", 6)


def test_a_program_that_refuses_its_opponents_legal_move():
    stubborn = scripted(more="elif line.startswith('play b C4'): print('? illegal move\\n', flush=True)")
    (played,) = match(scripted(), stubborn)
    assert (played.winner, played.reason) == ("a", "garbage")
    assert "refused 'play b C4': illegal move" in played.detail


def test_nobody_wins_where_both_fail():
    dying = scripted("answer('G3'); sys.exit('me too')", at=2)
    (played,) = match(scripted("time.sleep(0.3); answer('nonsense')", at=3), dying)
    assert (played.winner, played.reason) == ("", "void")
    assert "both failed" in played.detail


NO_BOARD = "elif command == 'boardsize': print('? unacceptable size\\n', flush=True)"
STARTS = {
    "not there": (ProgramPlayer(("/no/such/program",)), "cannot be started"),
    "ends at once": (scripted(start="sys.exit('no licence')"), "no licence"),
    "refuses the size": (scripted(more=NO_BOARD), "unacceptable size"),
    "never answers": (scripted(start="time.sleep(60)"), "no answer to 'name' in time"),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_game_that_cannot_begin_has_no_winner(name):
    player, detail = STARTS[name]
    settings = replace(SETTINGS, start_patience=1.0 if name == "never answers" else 20.0)
    (played,) = match(scripted(), player, settings=settings)
    assert (played.winner, played.reason, played.moves) == ("", "void", ())
    assert "player b did not get ready" in played.detail and detail in played.detail


@pytest.mark.parametrize(
    "clock, bad, reason",
    [
        ("move=0.2 grace=0.1", "time.sleep(0.5); answer('C4')", "timeout"),
        ("move=2 grace=3", "time.sleep(0.2); answer('C4')", "score"),
        ("main=0.5 grace=0.1", "time.sleep(60)", "timeout"),
        ("byo=2x0.3 grace=0.1", "time.sleep(1.0); answer('C4')", "timeout"),
        ("byo=2x5", "time.sleep(0.1); answer('C4')", "score"),
    ],
)
def test_clocks(clock, bad, reason):
    (played,) = match(scripted(bad, at=3), scripted(), settings=replace(SETTINGS, clock=TimeControl.parse(clock)))
    assert (played.reason, played.winner) == (reason, "b" if reason == "timeout" else "a" if played.margin > 0 else "b")


def test_programs_are_told_their_time():
    told = "elif command == 'time_settings' and words[1:] != ['60', '10', '1']: sys.exit(f'told {words}')"
    left = (
        "elif command == 'time_left' and not (words[1] == 'w' and 50 < int(words[2]) <= 60 and words[3] == '0'): sys.exit(line)"
    )
    settings = replace(SETTINGS, clock=TimeControl.parse("main=60 byo=3x10"))
    (played,) = match(scripted(), scripted(more=f"{told}\n    {left}"), settings=settings)
    assert played.reason == "score", played.detail


def test_half_seconds_are_told_to_those_who_read_them():
    whole = "elif command == 'time_left' and words[2:] != ['1', '5']: sys.exit(line)"
    parts = "elif command == 'time_left' and words[2] != '0.5': sys.exit(line)"
    settings = replace(SETTINGS, clock=TimeControl.parse("byo=5x0.5 grace=5"))
    for more, known in ((whole, ""), (parts, "kata-time_settings")):
        (played,) = match(scripted(more=more, known=known), scripted(), settings=settings)
        assert played.reason == "score", played.detail


def test_handicap_and_openings():
    terms = replace(TERMS, handicap=2)
    (played,) = match(scripted(last=0), scripted(last=1), terms=terms)
    assert (played.reason, len(played.handicap_points), len(played.moves)) == ("score", 2, 3)


@pytest.mark.parametrize("reuse", [False, True])
def test_many_games_at_once_go_on_after_failures(reuse):
    flaky = scripted("sys.exit(1) if os.getpid() % 2 else answer('C4')", at=3)
    games = match(flaky, scripted(), games=8, settings=replace(SETTINGS, parallel=4, reuse=reuse))
    assert [played.fixture.number for played in games] == list(range(8))
    assert all(
        (played.reason, played.winner) == ("died", "b") or played.reason in ("score", "illegal move") for played in games
    )


def test_a_stop_does_not_wait_for_a_hanging_program_and_records_nothing():
    before, start = set(threading.enumerate()), time.monotonic()
    deadline = start + 1.0
    games = match(scripted("time.sleep(60)", at=1), scripted(), games=4, should_stop=lambda: time.monotonic() > deadline)
    assert games == [] and time.monotonic() - start < 10
    while time.monotonic() - start < 10 and set(threading.enumerate()) - before:
        time.sleep(0.05)
    assert not set(threading.enumerate()) - before


def test_seeds_in_command_lines():
    assert command_of(ProgramPlayer(("x", "--seed={seed}")), 7, None) == ["x", "--seed=7"]
    assert sys.executable in command_of(scripted(), 7, None)


@pytest.mark.parametrize(
    "settings, clock, visits, seconds",
    [
        ({}, None, "100", None),
        ({}, "move=2", None, "2.0"),
        ({"visits": 9}, "move=2", "9", "2.0"),
        ({"visits": 9}, "main=60", "9", None),
        ({}, "main=60", None, "1.0"),
        ({"seconds": 0.5}, "move=2", None, "0.5"),
    ],
)
def test_the_limits_of_a_net_that_plays_as_a_program(settings, clock, visits, seconds):
    words = command_of(NetPlayer("uniform", **settings), 7, TimeControl.parse(clock) if clock else None)
    options = dict(itertools.pairwise(words))
    assert (options.get("--visits"), options.get("--time"), options["--seed"]) == (visits, seconds, "7")


GNUGO = shutil.which("gnugo") or shutil.which("/usr/games/gnugo")


@pytest.mark.skipif(GNUGO is None, reason="GNU Go is not installed (package gnugo)")
def test_a_real_game():
    gnugo = ProgramPlayer((GNUGO, "--mode", "gtp", "--level", "1", "--chinese-rules"))
    terms = GameSetup(5, Rules.preset("chinese").with_komi(0.5))
    games = match(gnugo, gnugo, games=2, settings=replace(SETTINGS, dead="agreement", parallel=2), terms=terms)
    assert all(played.reason in ("score", "resignation") and played.names["a"].startswith("GNU Go") for played in games)
