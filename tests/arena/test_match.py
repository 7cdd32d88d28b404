"""A match: its plan, going on with it, repeated games, the test that stops it, and the summary of its games."""

import json
from dataclasses import replace

import pytest

from goengine.arena.fixtures import GameOutcome, GameSetup
from goengine.arena.log import LogError
from goengine.arena.match import HOPELESS, REPEATS, Match, run_match
from goengine.arena.openings import OpeningSource
from goengine.arena.players import NetPlayer, ProgramPlayer
from goengine.arena.program_game import ProgramSettings
from goengine.arena.strength.sprt import Sprt
from goengine.arena.summary import in_pairs, summarize
from goengine.board import coords
from goengine.board.rules import Rules

TERMS = GameSetup(9, Rules.preset("chinese"))
MATCH = Match(NetPlayer("uniform", visits=10), NetPlayer("uniform", visits=5), TERMS, 8, openings=OpeningSource("random", 2))


def moves_of(fixture):
    """A game that depends on the fixture, for a play that is none."""
    rest = [int(p) for p in coords.points(9) if p not in fixture.opening]
    return (*fixture.opening, rest[fixture.seed % 70], rest[fixture.number % 70 + 1])


def playing(winner=lambda fixture: "a", moves=moves_of, seen=None):
    """A `Play` that makes games up."""

    def play(fixtures, terms, on_played, should_stop):
        for fixture in fixtures:
            if should_stop():
                return
            if seen is not None:
                seen.append(fixture)
            on_played(GameOutcome(fixture, winner(fixture), "score", moves(fixture), seconds={"a": 1.0, "b": 2.0}))

    return play


def test_pairs_share_openings_and_exchange_colours():
    fixtures = MATCH.fixtures()
    assert [f.black for f in fixtures] == ["a", "b"] * 4 and [f.pair for f in fixtures] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(fixtures[i].opening == fixtures[i + 1].opening for i in range(0, 8, 2))
    assert len({f.opening for f in fixtures}) == 4 and len({f.seed for f in fixtures}) == 8
    assert replace(MATCH, games=20).fixtures()[:8] == fixtures


def test_how_games_are_played():
    assert MATCH.in_process
    program = ProgramPlayer(("gnugo",))
    assert not replace(MATCH, b=program).in_process and not replace(MATCH, gtp=True).in_process
    assert not replace(MATCH, a=NetPlayer("uniform", seconds=1.0)).in_process
    assert replace(MATCH, b=program).config()["players"]["b"] == {"command": ["gnugo"]}
    assert "programs" not in MATCH.config() and replace(MATCH, b=program).config()["programs"]["dead"] == "agreement"
    json.dumps(replace(MATCH, b=program, sprt=Sprt(0, 10)).config())


def test_a_match_and_its_continuation(tmp_path):
    first, second = [], []
    half = run_match(MATCH, tmp_path, play=playing(seen=first), should_stop=lambda: len(first) >= 3)
    assert half.games == 3 and not half.complete
    summary = run_match(MATCH, tmp_path, play=playing(seen=second))
    assert [f.number for f in second] == [3, 4, 5, 6, 7] and summary.complete and summary.games == 8
    assert str(summary.score) == "8-0" and summary.as_black.wins == 4 and summary.as_white.wins == 4
    longer = run_match(replace(MATCH, games=10, parallel=3), tmp_path, play=playing())
    assert longer.games == 10
    with pytest.raises(LogError, match=r"players\.b\.settings is .*visits=5.* there and .*visits=6.* here"):
        run_match(replace(MATCH, b=NetPlayer("uniform", visits=6)), tmp_path, play=playing())
    assert json.loads((tmp_path / "summary.json").read_text())["score"]["wins"] == 10
    assert summary.names == {"a": "uniform (visits=10)", "b": "uniform (visits=5)"}


def test_an_interruption_leaves_games_and_summary(tmp_path):
    def interrupted(fixtures, terms, on_played, should_stop):
        playing()(fixtures[:2], terms, on_played, should_stop)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_match(MATCH, tmp_path, play=interrupted)
    assert json.loads((tmp_path / "summary.json").read_text())["complete"] is False
    assert run_match(MATCH, tmp_path, play=playing()).games == 8


def test_no_game_twice(tmp_path):
    seen = []
    always = coords.points(9)[:3].tolist()
    summary = run_match(replace(MATCH, games=4), tmp_path, play=playing(moves=lambda f: tuple(always), seen=seen))
    assert summary.games == 2 and summary.without_result == {"void": 2} and summary.repeated == 2 * REPEATS
    assert len(seen) == 4 + 2 * REPEATS and len({f.seed for f in seen}) == len(seen)
    once = [f.number for f in seen].count
    assert [once(n) for n in range(4)] == [1, 1, 1 + REPEATS, 1 + REPEATS]


def test_a_test_stops_the_match(tmp_path):
    seen = []
    summary = run_match(replace(MATCH, games=400, sprt=Sprt(0, 200)), tmp_path, play=playing(seen=seen))
    assert summary.sprt.verdict == "a is better" and summary.complete and len(seen) < 60
    again = run_match(replace(MATCH, games=400, sprt=Sprt(0, 200)), tmp_path, play=playing(seen=seen))
    assert again.games == summary.games


def line(number, winner="a", reason="score", **more):
    black = "a" if number % 2 == 0 else "b"
    result = "Void" if reason in ("void", "move limit") else "B+1"
    basics = {"game": number, "pair": number // 2, "black": black, "winner": winner, "reason": reason, "result": result}
    facts = {"plies": 10, "moves": {"a": 5, "b": 5}, "seconds": {"a": 1.0, "b": 2.0}, "visits": {"a": 50}, "names": {"a": "x"}}
    return basics | facts | more


def test_the_summary_of_games():
    lines = [line(0), line(1, "b", "timeout"), line(2, ""), line(3, "b", "died"), line(4), line(5, "", "void")]
    summary = summarize(lines, {"a": "One", "b": "Two"}, Sprt(0, 10))
    assert (summary.games, str(summary.score)) == (5, "2-2 (1 drawn)")
    assert (str(summary.as_black), str(summary.as_white)) == ("2-0 (1 drawn)", "0-2")
    assert summary.losses == {"a": {"timeout": 1, "died": 1}, "b": {"score": 2}} and summary.without_result == {"void": 1}
    assert summary.seconds == {"a": 0.2, "b": 0.4} and summary.visits == {"a": 10.0} and summary.plies == 10
    assert in_pairs([x for x in lines if x["result"] != "Void"])[0] == [1.0, 0.5]
    text = summary.to_text()
    for words in ("One against Two", "2-2 (1 drawn) (50.0 %)", "One lost by", "timeout 1, died 1", "void 1", "SPRT", "0.400"):
        assert words in text
    json.dumps(summary.to_json())
    assert summarize([]).games == 0 and "0-0" in summarize([]).to_text()


def test_settings_of_programs_are_part_of_the_configuration():
    assert ProgramSettings(judge="a").config() != ProgramSettings().config()
    assert ProgramSettings(parallel=4).config() == ProgramSettings().config()


def no_start(fixtures, terms, on_played, should_stop):
    for fixture in fixtures:
        if should_stop():
            return
        on_played(GameOutcome(fixture, "", "void", fixture.opening, detail="no licence"))


def test_games_that_cannot_begin_stop_the_match_and_are_tried_again(tmp_path):
    notes = []
    summary = run_match(replace(MATCH, games=20), tmp_path, play=no_start, on_note=notes.append)
    assert (summary.games, summary.without_result, summary.complete) == (0, {"void": HOPELESS}, False)
    assert notes == [f"{HOPELESS} games in a row could not begin; the match stops"]
    assert run_match(replace(MATCH, games=20), tmp_path, play=playing()).games == 20
    assert run_match(replace(MATCH, games=20), tmp_path, play=no_start).games == 20


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="given up at a value"):
        replace(MATCH, terms=replace(TERMS, resign=0.95))
    with pytest.raises(ValueError, match="need one"):
        ProgramSettings(dead="judge")
    with pytest.raises(ValueError, match="neither a, b nor a program"):
        ProgramSettings(judge="no-such-judge --gtp")
