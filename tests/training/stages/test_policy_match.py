"""Matches of policies without a search: each at its own temperature, colours in turn, and what the score says."""

import json

import numpy as np
import pytest

from goengine import features
from goengine.arena.strength.elo import Score
from goengine.dataio.records import GamePack
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from goengine.policy_play.games import FinishedPolicyGame, PolicyGameParams, PolicyGames, alternating, by_colour
from tests.policy_play.scripted import Scripted
from training import cli
from training.stages import policy_match
from training.stages.policy_options import PolicyMatchOptions

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def folder(tmp_path):
    for name, net in (("policy", "lee-policy-8"), ("value", "lee-value-8")):
        chosen = features.get("lee48")
        spec = parse(net, "lee48", chosen.planes, chosen.globals)
        weights_file.save(tmp_path / f"{name}.safetensors", build(spec, 1), spec)
    return tmp_path


def command(folder, *more, b="policy.safetensors"):
    named = str(folder / b) if b.endswith(".safetensors") else b
    rest = ("--size", "5", "--games", "6", "--threads", "1")
    return ["policy-match", "--a", str(folder / "policy.safetensors"), "--b", named, *rest, *more]


def test_each_policy_has_its_own_temperature():
    """One always plays its likeliest move, the other one draws."""
    heights = -0.1 * np.arange(26)
    both = [Scripted(lambda rows: np.tile(heights, (len(rows.legal), 1))) for _ in range(2)]
    games = PolicyGames(PolicyGameParams(5, longest=0.2), 400)
    played = games.play(both, by_colour(alternating(400)), (1,), temperatures=(0.0, 1.0))
    assert (played.moves[::2, 0] == 0).all()  # policy 0 is Black in every second game
    shares = np.bincount(played.moves[1::2, 0], minlength=25) / 200
    assert np.abs(shares[:25] - np.exp(heights[:25]) / np.exp(heights[:25]).sum()).max() < 0.08 and (shares > 0).sum() > 15
    known = played.moves[1::2]
    assert (known[:, 1] == np.where(known[:, 0] == 0, 1, 0)).all()


def test_one_temperature_for_all_is_that_of_the_terms():
    terms, who = PolicyGameParams(5, temperature=0.5), by_colour(alternating(8))
    one = PolicyGames(terms, 8).play([Scripted(), Scripted()], who, (1,))
    ended = []
    other = PolicyGames(PolicyGameParams(5), 8).play(
        [Scripted(), Scripted()], who, (1,), temperatures=(0.5, 0.5), tell=ended.append
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert ended == sorted(ended) and ended[-1] == 8 and len(ended) == other.length.max()


def test_the_score_is_that_of_a():
    margin = np.array([3.5, 2.5, -1.5, -0.5, 0.0, np.nan], np.float32)  # a is Black in the first, third and fifth
    found = policy_match.result_of(FinishedPolicyGame(np.zeros((6, 9), np.uint16), np.full(6, 8), margin), (1.0, 0.5))
    assert (found.as_black, found.as_white, found.without_result) == (Score(1, 1, 1), Score(1, 0, 1), 1)
    assert (found.score, found.score.points, found.plies) == (Score(2, 1, 2), 0.5, 8.0)
    assert found.elo.difference == 0 and found.elo.low < -100 and found.elo.high > 100


def test_a_table_of_temperatures(folder, capsys):
    more = ("--temperatures-b", "0.5", "1", "--games-out", str(folder / "games.npz"))
    assert cli.main(command(folder, *more, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert [match["temperature_b"] for match in told["matches"]] == [0.5, 1.0]
    pack = GamePack.load(folder / "games.npz")
    assert len(pack) == 12
    for number, match in enumerate(told["matches"]):
        assert match["won"] + match["drawn"] + match["lost"] + match["without_result"] == 6
        outcome = pack.outcome[6 * number : 6 * number + 6]
        assert match["won"] == (outcome[::2] == 1).sum() + (outcome[1::2] == -1).sum()
    assert cli.main(command(folder, *more)) == 0  # the same again, for people
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[-2:]] == [
        ["1", f"{match['temperature_b']:g}", *(str(match[name]) for name in ("won", "drawn", "lost"))]
        for match in told["matches"]
    ]


def test_nets_of_the_engine_play_too(folder, capsys):
    assert cli.main(command(folder, "--json", b="uniform")) == 0
    assert json.loads(capsys.readouterr().out)["b"] == "uniform"


@pytest.mark.parametrize("b, said", [("value.safetensors", "no policy to play by"), ("nothing", "no net or file 'nothing'")])
def test_who_cannot_play_is_told(folder, capsys, b, said):
    assert cli.main(command(folder, b=b)) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes", [{"temperatures_b": ()}, {"temperature_a": -1.0}, {"komi": 0.3}, {"size": 1}, {"games_out": "games.txt"}]
)
def test_wrong_options(tmp_path, changes):
    if "games_out" in changes:
        changes = {"games_out": tmp_path / changes["games_out"]}
    with pytest.raises(ValueError):
        PolicyMatchOptions(**{"a": "x", "b": "y", **changes})
