"""Players with ranks in matches: a tiny ranked net, games in lock step, the same games in whatever company."""

from dataclasses import replace

import pytest

from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.net_match import play_in_process
from goengine.arena.players import parse_player
from goengine.arena.referee import Referee
from goengine.board.rules import Rules
from goengine.evaluators.uniform import Uniform
from tests.player.ranked_support import tiny_ranked_net

TERMS = GameSetup(5, Rules.parse("tromp-taylor").with_komi(0.5))


@pytest.fixture(scope="module")
def ranked_net(tmp_path_factory):
    return tiny_ranked_net(tmp_path_factory.mktemp("ranked"))


def play(ranked_net, other, games, count_at_once):
    players = {"a": parse_player("uniform", f"rank=5k,rank_net={ranked_net}"), "b": parse_player("uniform", other)}
    found = {}
    run = play_in_process(players, games_at_once=count_at_once, evaluators={"a": Uniform(), "b": Uniform()})
    run(games, TERMS, lambda played: found.update({played.fixture.number: played}), lambda: False)
    return found


@pytest.mark.parametrize("other", ["visits=4", "rank=20k,rank_net={net}"])
def test_games_are_legal_end_and_depend_on_their_fixtures_alone(ranked_net, other):
    games = [Fixture(n, "a" if n % 2 == 0 else "b", seed=n) for n in range(4)]
    found = play(ranked_net, other.format(net=ranked_net), games, 4)
    for played in found.values():
        referee = Referee(replace(played.fixture), TERMS)
        assert not any(referee.play(point) for point in played.moves)
        assert played.reason == "score" and played.seconds["a"] > 0
    alone = play(ranked_net, other.format(net=ranked_net), games, 1)
    assert {n: played.moves for n, played in alone.items()} == {n: played.moves for n, played in found.items()}
    assert len({played.moves for played in found.values()}) > 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("rank=40k", "beyond the scale"),
        ("rank=1p", "professional"),
        ("rank=5k,visits=100", "goes without visits"),
        ("rank=5k,raw=true", "goes without raw"),
    ],
)
def test_what_no_player_can_be(settings, named):
    with pytest.raises(ValueError, match=named):
        parse_player("uniform", settings)


def test_a_player_with_a_rank_is_named_and_started_by_it():
    player = parse_player("uniform", "rank=5k")
    assert player.name == "uniform 5k" and player.settings == "rank=5k"
    words = player.command()
    assert words[words.index("--rank") + 1] == "5k" and "--visits" not in words
