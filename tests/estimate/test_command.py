"""`goengine rank`: players joined by name, and a message for everything that says nothing."""

import json

import pytest

from goengine.dataio.records import GamePack
from goengine.dataio.sgf import read_game
from goengine.estimate.command import main
from goengine.estimate.likelihood import side_curves
from goengine.estimate.players import name_of, part_of
from goengine.estimate.posterior import KNOTS
from tests.player.ranked_support import ranked_policy, tiny_ranked_net
from training.data import holding, packs

POINTS = [f"{column}{row}" for row in "bdfhjlnpr" for column in "bdfhjlnpr"]


def game(moves=40, **properties):
    """A game on empty points of a 19x19 board."""
    given = {"PB": "Anna", "PW": "Bert", "BR": "5k", "WR": "3d"} | properties
    root = "".join(f"{name}[{value}]" for name, value in given.items() if value)
    return f"(;GM[1]SZ[19]KM[6.5]{root}" + "".join(f";{'BW'[n % 2]}[{POINTS[n]}]" for n in range(moves)) + ")"


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return str(tiny_ranked_net(tmp_path_factory.mktemp("ranked")))


def run(capsys, tmp_path, net, text, *words):
    path = tmp_path / "games.sgf"
    path.write_text(text, encoding="utf-8")
    status = main([str(path), "--net", net, "--threads", "1", *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_games_of_a_player_count_together(capsys, tmp_path, net):
    other = game(30, PB="Carl", PW="Anna", WR="7k")
    status, out, _ = run(capsys, tmp_path, net, game() + other, "--json", "--least", "16")
    assert status == 0
    found = {player["name"]: player for player in json.loads(out)["players"]}
    assert (found["Anna"]["games"], found["Anna"]["moves"]) == (2, 35)
    assert found["Anna"]["in_record"] == "6k" and found["Bert"]["in_record"] == "3d"
    assert found["Anna"]["low_value"] <= found["Anna"]["value"] <= found["Anna"]["high_value"]
    assert found["Carl"]["rank"] is None and "too short: 15 moves" in found["Carl"]["reason"]


def test_short_games_are_told(capsys, tmp_path, net):
    status, out, _ = run(capsys, tmp_path, net, game(20))
    assert status == 1 and out.count("too short") == 2 and "10 of 30 moves" in out


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("(;SZ[19])", "a game without moves says nothing"),
        ("nothing", "no SGF data"),
        (game(BT="bot", WT="bot"), "Black and White are programs"),
        (game().replace("SZ[19]", "SZ[40]"), "size"),
    ],
)
def test_games_that_say_nothing_are_told(capsys, tmp_path, net, text, named):
    status, out, err = run(capsys, tmp_path, net, text)
    assert status == 1 and out == "" and named in err and "no move of a person" in err


def test_what_is_odd_is_told_and_the_rest_counts(capsys, tmp_path, net):
    status, out, err = run(capsys, tmp_path, net, game(BT="bot"), "--least", "5")
    assert status == 0 and "Black is a program" in err and "Bert" in out and "Anna" not in out
    status, out, err = run(capsys, tmp_path, net, game(10) + game(12, PB="", PW="").replace("[bb]", "[db]", 1), "--least", "5")
    assert status == 0 and "is illegal" in err and "Black of games.sgf, game 2" in out
    small = "(;SZ[9]PB[Dora];B[cc];W[dd];B[ee];W[ff])"
    status, out, err = run(capsys, tmp_path, net, small, "--least", "2")
    assert status == 0 and "9x9 board" in err and "Dora" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--net", "uniform"], "say nothing of ranks"),
        (["--net", "missing.safetensors"], "no net or file"),
    ],
)
def test_a_net_that_knows_no_ranks_is_refused(capsys, tmp_path, net, words, named):
    status, _, err = run(capsys, tmp_path, net, game(), *words)
    assert status == 2 and named in err
    assert main([str(tmp_path / "no.sgf")]) == 2


def test_estimates_are_compared_with_the_records(capsys, tmp_path, net):
    games = "".join(game(40 + n % 3, BR=rank, WR="9d") for n, rank in enumerate(["5k", "6k", "5k", "NR", "30k?", "1p"]))
    picture = tmp_path / "ranks.svg"
    words = ["--compare", "--least", "10", "--json", "--fit", "--picture", str(picture)]
    status, out, err = run(capsys, tmp_path, net, games, *words)
    assert status == 0 and "fitted: temperature" in err
    found = json.loads(out)
    assert found["9k-5k"]["players"] == 3 and found["30k-20k"]["players"] == 1 and "pro" not in found
    assert picture.read_text().startswith("<?xml")
    status, out, _ = run(capsys, tmp_path, net, games, "--compare", "--least", "10", "--together", "2", "--json")
    assert status == 0 and json.loads(out)["all"]["players"] == 4
    status, _, err = run(capsys, tmp_path, net, game(BR="", WR=""), "--compare")
    assert status == 1 and "no game of these" in err


def test_parts_are_of_moves_alone():
    one, other = read_game(game().encode()), read_game(game(PB="X", BR="1d").encode())
    assert part_of(one) == part_of(other)
    stones = read_game(b"(;SZ[9]HA[2]AB[cc][gg];W[ee];B[dd];W[];B[])")
    packed = packs.to_games(GamePack.build([one, stones]))
    assert holding.held_out(packed).tolist() == [part_of(game) < holding.HELD_OUT for game in (one, stones)]
    many = [read_game(game(n).encode()) for n in range(20, 60)]
    held = holding.held_out(packs.to_games(GamePack.build(many)))
    assert held.any() and held.tolist() == [part_of(game) < holding.HELD_OUT for game in many]
    assert len({part_of(read_game(game(n).encode())) for n in range(20, 60)}) > 20
    assert name_of(read_game(game(PB="A\\n\x1b[31mB").encode()), 1, "x") == "A[31mB" or "\x1b" not in name_of(one, 1, "x")


def test_moves_of_a_rank_speak_for_it():
    """The policy of these tests likes late points in the hands of the weak: such moves are a weak player's."""
    late = [f"{c}{r}" for r in "sqo" for c in "sqomk"]
    text = "(;SZ[19]" + "".join(f";B[{late[n]}];W[{POINTS[n]}]" for n in range(15)) + ")"
    black, white = side_curves(ranked_policy(), read_game(text.encode()))
    assert KNOTS[black.curve.argmax()] < -5 and KNOTS[white.curve.argmax()] > 2
    assert (black.moves, white.moves) == (15, 15)
