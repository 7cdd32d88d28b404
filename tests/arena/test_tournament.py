"""Tournaments: who meets whom and when, what is kept, and the command; games are made up where only their results matter."""

import json

import pytest

from goengine.arena import tournament_command
from goengine.arena.fixtures import GameOutcome, GameSetup
from goengine.arena.log import LogError
from goengine.arena.match import Match
from goengine.arena.openings import OpeningSource
from goengine.arena.players import parse_player
from goengine.arena.tournament import Pairing, Tournament, round_robin, run_tournament
from goengine.board.rules import Rules

TERMS = GameSetup(5, Rules())
NAMES = ("amber", "blue", "cyan", "dun", "ecru")


def arrange(a, b, games=8):
    return Match(a, b, TERMS, games, openings=OpeningSource("random"))


def tournament(names=NAMES, **more):
    players = {name: parse_player("uniform", f"visits={visits}") for visits, name in enumerate(names, 1)}
    return Tournament(players, **{"arrange": arrange} | more)


def play_for(first, asked=None):
    """A way to play in which `first` (a side) wins every game, and no two games are alike."""

    def play(fixtures, terms, on_played, should_stop):
        for fixture in fixtures:
            if asked is not None:
                asked.append(fixture.number)
            on_played(GameOutcome(fixture, first, "resignation", fixture.opening))

    return play


@pytest.mark.parametrize("count", range(2, 9))
def test_everybody_meets_everybody_once(count):
    names = list("abcdefgh"[:count])
    pairings = round_robin(names)
    assert len(pairings) == len(set(pairings)) == count * (count - 1) // 2
    assert all(pairing.a < pairing.b for pairing in pairings)
    half = count // 2  # a round: nobody plays twice in it
    for start in range(0, len(pairings), half):
        players = [name for pairing in pairings[start : start + half] for name in pairing]
        assert len(players) == len(set(players))


def test_laps_fill_the_table_evenly():
    turns = tournament(NAMES[:3]).turns()
    assert [games for _, games in turns] == [2] * 3 + [4] * 3 + [6] * 3 + [8] * 3
    assert len(set(turns[:3])) == 3
    few = tournament(NAMES[:2], arrange=lambda a, b: arrange(a, b, 3)).turns()
    assert [games for _, games in few] == [2, 3]
    assert [games for _, games in tournament(NAMES[:2], laps=1).turns()] == [8]


def test_all_play_against_the_hub():
    pairings = tournament(anchor="dun", hub="cyan").pairings()
    assert pairings == [Pairing("amber", "cyan"), Pairing("blue", "cyan"), Pairing("cyan", "dun"), Pairing("cyan", "ecru")]


BAD = {
    "two players": {"names": ("a",)},
    "cannot be a player's name": {"names": ("a", "b/c")},
    "capitals": {"names": ("Net", "net", "c")},
    "the anchor 'z' is not among the players": {"anchor": "z"},
    "the hub 'z' is not among the players": {"hub": "z"},
    "one lap": {"laps": 0},
}


@pytest.mark.parametrize(("message", "arguments"), BAD.items(), ids=BAD)
def test_what_is_no_tournament_is_refused(message, arguments):
    with pytest.raises(ValueError, match=message):
        tournament(**arguments)


def test_results_are_rated_and_kept(tmp_path):
    turns, games = [], []
    result = run_tournament(
        tournament(NAMES[:3], anchor="blue"),
        tmp_path,
        on_turn=turns.append,
        on_game=lambda pairing, played, summary: games.append(pairing),
        play=play_for("a"),
    )
    assert [rating.name for rating in result.ratings] == ["amber", "blue", "cyan"]
    assert result.ratings[1].elo == 0
    assert (result.games, len(games), len(turns)) == (24, 24, 12)
    written = json.loads((tmp_path / "tournament.json").read_text())
    assert [rating["name"] for rating in written["ratings"]] == ["amber", "blue", "cyan"]
    assert written["players"]["cyan"] == {"net": "uniform", "settings": "visits=3"}
    assert {match["folder"] for match in written["matches"]} == {"amber-vs-blue", "amber-vs-cyan", "blue-vs-cyan"}
    assert len((tmp_path / "blue-vs-cyan" / "games.jsonl").read_text().splitlines()) == 8


def test_a_tournament_goes_on_where_it_was_and_takes_more_players(tmp_path):
    def interrupted(fixtures, terms, on_played, should_stop):
        play_for("a")(fixtures[:1], terms, on_played, should_stop)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tournament(tournament(NAMES[:2]), tmp_path, play=interrupted)
    asked = []
    run_tournament(tournament(NAMES[:2]), tmp_path, play=play_for("a", asked))
    assert asked == list(range(1, 8))
    asked.clear()
    result = run_tournament(tournament(NAMES[:3]), tmp_path, play=play_for("b", asked))
    assert len(asked) == 16
    assert result.games == 24
    assert [rating.name for rating in result.ratings] == ["cyan", "amber", "blue"]


def test_a_folder_with_another_match_is_refused(tmp_path):
    run_tournament(tournament(NAMES[:2]), tmp_path, play=play_for("a"))
    with pytest.raises(LogError, match="seed"):
        other = tournament(NAMES[:2], arrange=lambda a, b: Match(a, b, TERMS, 8, openings=OpeningSource("random"), seed=2))
        run_tournament(other, tmp_path, play=play_for("a"))


def test_the_tables(tmp_path):
    result = run_tournament(tournament(("cyan", "blue", "dun player"), anchor="blue"), tmp_path, play=play_for("a"))
    ranking, cross = result.to_text().split("\n\n")
    assert [line.split()[1] for line in ranking.splitlines()[2:]] == ["blue", "cyan", "dun"]
    assert "anchor" in ranking
    lines = cross.splitlines()
    assert lines[2].split() == ["1", "blue", "·", "8/8", "8/8"]
    assert lines[4].split() == ["3", "dun", "player", "0/8", "0/8", "·"]


FILE = """
boardsize = 5
games = 4
laps = 1
openings = "random"
threads = 1
anchor = "plain"
gtp = false

[players]
plain = "uniform"
strong = {player = "uniform", settings = "visits=20"}
"""


def options(words, monkeypatch):
    """What the command would play, without playing it."""
    seen = []

    def no_play(tournament, folder):
        seen.append(tournament)
        return run_tournament(tournament, folder, play=play_for("a"))

    monkeypatch.setattr(tournament_command, "play", no_play)
    status = tournament_command.main(words)
    return status, seen[0] if seen else None


def test_the_command_reads_a_file_and_options(tmp_path, monkeypatch, capsys):
    (tmp_path / "t.toml").write_text(FILE)
    words = ["--folder", f"{tmp_path / 'out'}", "--file", f"{tmp_path / 't.toml'}", "--games", "2", "--visits", "7", "--json"]
    status, seen = options([*words, "--player", "third=uniform@visits=9,cpuct=1.5", "fourth = uniform"], monkeypatch)
    assert status == 0
    assert {name: player.visits for name, player in seen.players.items()} == {"plain": 7, "strong": 20, "third": 9, "fourth": 7}
    assert (seen.anchor, seen.laps) == ("plain", 1)
    assert seen.match(Pairing("plain", "third")).games == 2
    assert seen.match(Pairing("plain", "third")).terms == GameSetup(5, Rules())
    assert json.loads(capsys.readouterr().out)["games"] == 12


def test_a_json_file_says_the_same(tmp_path, monkeypatch):
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"boardsize": 5, "games": 2, "resign": -0.9, "players": {"a": "uniform", "b": "uniform"}}))
    status, seen = options(["--folder", str(tmp_path / "out"), "--file", str(file), "--openings", "random"], monkeypatch)
    assert status == 0
    assert seen.match(Pairing("a", "b")).terms.resign == -0.9


HUBS = {  # options: the hub, or why there is none
    "": None,
    "--anchor b": None,
    "--hub b": "b",
    "--hub b --anchor a": "b",
    "--anchor a --gauntlet": "a",
    "--hub a --anchor a --gauntlet": "a",
    "--gauntlet": "needs an anchor",
    "--hub b --anchor a --gauntlet": "--hub names another player",
    "--hub d": "the hub 'd' is not among the players: a, b, c",
}


@pytest.mark.parametrize(("words", "hub"), HUBS.items(), ids=HUBS)
def test_whom_all_others_play_against(words, hub):
    read = tournament_command.read_options(["--player", "a=uniform", "b=uniform", "c=uniform", *words.split()])
    if hub is not None and " " in hub:
        with pytest.raises(ValueError, match=hub):
            read.tournament()
    else:
        assert read.tournament().hub == hub
        assert len(read.tournament().pairings()) == (3 if hub is None else 2)


def test_limits_and_endings_of_programs_games():
    """Seconds are for nets that have no limit of their own; a program and a net without a search have none."""
    players = {"plain": "", "visits": "@visits=9", "playouts": "@playouts=9", "own": "@seconds=3", "raw": "@raw=true"}
    words = ["--player", *(f"{name}=uniform{text}" for name, text in players.items()), "--seconds", "0.5"]
    found = tournament_command.read_options([*words, "--stop-when-decided", "--visits", "70"]).tournament()
    assert {name: (player.seconds, player.visits) for name, player in found.players.items()} == {
        "plain": (0.5, 70),
        "visits": (None, 9),
        "playouts": (None, None),
        "own": (3.0, 70),
        "raw": (None, 70),
    }
    match = found.match(Pairing("own", "plain"))
    assert match.programs.stop_when_decided and match.programs.clock is None and not match.in_process
    assert not tournament_command.read_options(words).tournament().match(Pairing("own", "plain")).programs.stop_when_decided
    with pytest.raises(SystemExit):
        tournament_command.read_options([*words, "--time", "1"])


WRONG = {
    "there is no option 'size'": "size = 9\n[players]\na = 'uniform'",
    "is not TOML": "players = [",
    "player 'a': write": "[players]\na = 3",
    "possible: player": "",
    "unknown setting 'vists'": "[players]\na = {player = 'uniform', settings = 'vists=3'}",
    "neither a net nor a program": "[players]\na = 'no-such-program --fast'",
}


@pytest.mark.parametrize(("message", "text"), WRONG.items(), ids=WRONG)
def test_a_wrong_file_is_named(message, text, tmp_path, monkeypatch, capsys):
    file = tmp_path / "t.toml"
    file.write_text(text)
    status, _ = options(["--folder", str(tmp_path / "out"), "--file", str(file)], monkeypatch)
    assert status == 2
    assert (message if text else "two players at least") in capsys.readouterr().err


def test_a_missing_file_and_a_nameless_player(tmp_path, monkeypatch, capsys):
    assert options(["--file", str(tmp_path / "none.toml")], monkeypatch)[0] == 2
    assert "No such file" in capsys.readouterr().err
    assert options(["--player", "uniform"], monkeypatch)[0] == 2
    assert "write NAME=TEXT" in capsys.readouterr().err
    assert options(["--player", "a=uniform", "a=uniform"], monkeypatch)[0] == 2
    assert "two players 'a'" in capsys.readouterr().err


def test_a_real_tournament_of_tiny_games(tmp_path, capsys):
    words = ["--boardsize", "4", "--games", "2", "--laps", "1", "--openings", "random", "--threads", "1", "--visits", "4"]
    players = ["--player", "a=uniform", "b=uniform@visits=8", "--folder", str(tmp_path)]
    assert tournament_command.main([*words, *players]) == 0
    shown = capsys.readouterr()
    assert "stronger than the next" in shown.out
    assert (tmp_path / "a-vs-b" / "game-00001.sgf").exists()
    assert (tmp_path / "ratings.svg").exists() or "no picture" in shown.err
    assert tournament_command.main([*words, *players]) == 0
    assert capsys.readouterr().out == shown.out
