"""Ratings of a run's nets: who plays whom, what is kept, and that chance is even."""

import json
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.net_match import play_in_process
from goengine.arena.players import parse_player
from goengine.board import coords
from goengine.board.rules import Rules
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.zero import run_folder
from tests.zero.runs import SETTINGS, new_run, publish
from training.zero import rating


@pytest.fixture
def run(tmp_path):
    return new_run(tmp_path / "run")


def lines(run) -> list[dict]:
    return json.loads((run / "elo.json").read_text())["nets"]


def test_chance_chooses_evenly_among_all_legal_moves():
    """600 games' first moves on 3x3: nine points and the pass."""
    chance = parse_player("uniform", rating._CHANCE_SETTINGS)
    terms = GameSetup(3, Rules.preset("tromp-taylor").with_komi(0.5), max_plies=1)
    found = Counter()
    play = play_in_process({"a": chance, "b": chance}, evaluators={"a": Uniform(), "b": Uniform()})
    play([Fixture(n, "a", seed=n) for n in range(600)], terms, lambda played: found.update(played.moves[:1]), rating.never)
    assert set(found) == {*coords.points(3).tolist(), coords.PASS}
    assert sum((count - 60) ** 2 / 60 for count in found.values()) < 27.9  # chi squared with 9 degrees, one in a thousand


def counts_stones(planes, values):
    """Whoever has more stones on the board is ahead."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    answer.value[:] = np.tanh(0.2 * (planes[:, 1] - planes[:, 2]).sum(axis=(1, 2)))
    answer.policy[:, -1] = -4.0
    return answer


def test_who_plays_whom(run, monkeypatch):
    """Half of the games against the net rated before, half against chance; the first net meets chance alone."""
    strong = {"000002"}
    monkeypatch.setattr(rating, "load", lambda path, **_: Scripted(counts_stones) if path.parent.name in strong else Uniform())
    said = []
    publish(run, samples=500, step=5)
    rating.rate_net(run, run_folder.nets(run)[0], rating.RatingGames(10, 8), say=said.append)
    assert {path.name for path in (run / "matches").iterdir()} == {"000000-vs-random"}
    net = publish(run, replace(SETTINGS, komi=2.0, visits=6), samples=1000, step=9)
    rating.rate_net(run, net, rating.RatingGames(10, 8), say=said.append)
    assert {path.name for path in (run / "matches").iterdir()} == {"000000-vs-random", "000002-vs-random", "000002-vs-000000"}
    config = json.loads((run / "matches/000002-vs-000000/match.json").read_text())
    assert config["terms"]["komi"] == 2.5 and config["games"] == 6 and config["terms"]["size"] == 5
    assert str(run) not in json.dumps(config)  # the folder may move
    first, last = lines(run)
    assert (first["net"], last["net"], last["samples"], last["step"], last["visits_in_play"]) == (
        "000000",
        "000002",
        1000,
        9,
        6,
    )
    assert last["low"] < last["elo"] < last["high"] and last["elo"] > first["elo"] and last["elo"] == rating.last_elo(run)
    assert (run / "elo.png").read_bytes().startswith(b"\x89PNG") and rating.rated(run) == {"000000", "000002"}


def test_a_stopped_rating_is_gone_on_with(run):
    net = run_folder.newest(run)
    taken = []
    rating.rate_net(run, net, rating.RatingGames(8, 4), should_stop=lambda: taken.append(1) or len(taken) > 12)
    assert rating.rated(run) == set() and rating.last_elo(run) is None and not (run / "elo.json").exists()
    begun = (run / "matches/000000-vs-random/games.jsonl").read_bytes()
    rating.rate_net(run, net, rating.RatingGames(8, 4))
    assert (run / "matches/000000-vs-random/games.jsonl").read_bytes().startswith(begun)
    assert rating.rated(run) == {"000000"} and lines(run)[0]["games"] <= 8


def test_which_net_is_next(run):
    for _ in range(6):
        publish(run)
    assert rating.next_net(run, 1).number == 6 and rating.next_net(run, 4).number == 4 and rating.next_net(run, 9).number == 0
    rating.rate_net(run, run_folder.nets(run)[4], rating.RatingGames(2, 2))
    assert rating.next_net(run, 4) is None and rating.next_net(run, 3).number == 6


def test_ratings_are_made_of_the_matches(run):
    rating.rate_net(run, run_folder.newest(run), rating.RatingGames(4, 2))
    before = (run / "elo.json").read_text()
    (run / "elo.json").write_text("{")
    assert rating.last_elo(run) is None
    (run / "matches" / "broken").mkdir()
    (run / "matches" / "broken" / "summary.json").write_text("{")
    rating.write_ratings(run)
    assert (run / "elo.json").read_text() == before


def test_what_cannot_be_rated_is_told_and_left_out(run):
    publish(run)
    (run / "nets/000001/net.xml").write_text("<net>")
    said = []
    rating.rate_all(run, rating.RatingGames(4, 2), nth=1, watch=False, stop=threading.Event(), say=said.append)
    assert len(said) == 1 and "net 000001 is not rated" in said[0] and "damaged" in said[0]


def test_watching_ends_when_told(run, monkeypatch):
    monkeypatch.setattr(rating, "LOOK_SECONDS", 0.05)
    stop, said = threading.Event(), []
    threading.Timer(3.0, stop.set).start()
    rating.rate_all(run, rating.RatingGames(4, 2), nth=1, watch=True, stop=stop, say=said.append)
    assert len(said) == 1 and said[0].startswith("net 000000: ") and said[0].endswith("Elo above a random player")
