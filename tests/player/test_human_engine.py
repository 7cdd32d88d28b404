"""An engine that plays by a rank: whose moves they are, when it passes and gives up, and what cannot be."""

import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, WHITE
from goengine.evaluators.base import EvaluatorError, Traits
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.search.params import Restriction
from tests.player.ranked_support import ranked_policy

SIZE = 5
FAVOURITE = coords.from_gtp("E2", SIZE)
DONE = """X X X O .
. X X O O
X X X O .
X . X O O
X X X O ."""


def favours(planes, values):
    answer = flat_evaluation(len(planes), SIZE)
    answer.policy[:, coords.to_index(FAVOURITE, SIZE)] = 20.0
    return answer


def lost(planes, values):
    """Black to move has lost; komi tells the colours apart."""
    answer = flat_evaluation(len(planes), SIZE)
    answer.value[:] = values[:, 5].clip(-1, 1) * 0.99 / 0.0375
    return answer


def engine(rank="5k", evaluator=None, script=favours, rules=None, **options):
    return Engine(
        evaluator or Uniform(),
        EngineOptions(rank=rank, **options),
        size=SIZE,
        seed=3,
        rules=rules,
        ranked=ranked_policy(script),
    )


def test_its_moves_are_the_ranked_policys():
    player = engine()
    assert player.genmove(BLACK).point == FAVOURITE
    assert player.human is not None and "rank_5k by ranked" in player.describe() and "19x19" in player.describe()


def test_the_search_has_its_share():
    player = engine(human_move_prop=0.0, visits=8)
    assert player.genmove(BLACK).point == player.last_decision.search.chosen != FAVOURITE


def test_nothing_is_left_to_chance_where_none_is_wanted():
    player = engine()
    assert {player.choose(BLACK).point for _ in range(3)} == {FAVOURITE}


def test_what_a_client_forbids_is_not_played():
    forbidden = [Restriction(points=frozenset((FAVOURITE,)), color=BLACK, depth=1)]
    assert engine().genmove(BLACK, restrictions=forbidden).point != FAVOURITE


@pytest.mark.parametrize("rules", ["chinese", "japanese", "tromp-taylor", "aga"])
def test_it_passes_when_the_game_is_over(rules):
    player = engine(rank="25k", script=None, rules=Rules.parse(rules).with_komi(0.5))
    player.replace(Position.from_diagram(DONE, player.rules, BLACK))
    assert player.genmove(BLACK).point == PASS
    assert player.genmove(WHITE).point == PASS


def test_it_does_not_pass_while_points_are_open():
    def passing(planes, values):
        answer = flat_evaluation(len(planes), 9)
        answer.policy[:, -1] = 20.0
        return answer

    for ignoring in (True, False):
        player = engine(script=passing, human_ignore_pass=ignoring)
        player.new_game(9)
        for _ in range(6):
            assert player.genmove(player.position.to_play).point != PASS


@pytest.mark.parametrize(("rank", "turns"), [("9d", 3), ("5k", 5), ("30k", 10)])
def test_the_weaker_gives_up_later(rank, turns):
    options = engine(rank).human.resigning(BLACK)
    assert options.resign_turns == turns
    assert options.resign_winrate <= EngineOptions().resign_winrate


def test_a_rank_needs_a_net_that_knows_ranks(tmp_path):
    player = Engine(Uniform(), size=SIZE, seed=1)
    with pytest.raises(EvaluatorError, match="no net or file"):
        player.configure(EngineOptions(rank="5k", rank_net=str(tmp_path / "missing.safetensors")))
    with pytest.raises(EvaluatorError, match="say nothing of ranks"):
        player.configure(EngineOptions(rank="5k", rank_net="uniform"))
    assert player.human is None and player.options.rank is None
    player.genmove(BLACK)


def test_a_rank_is_set_and_unset_in_a_game():
    traits = Traits(name="scripted", features="zero")
    player = engine(None, Scripted(lambda planes, values: flat_evaluation(len(planes), SIZE), traits=traits))
    assert player.human is None
    player.configure(EngineOptions(rank="3d"))
    assert player.genmove(BLACK).point == FAVOURITE
    player.configure(EngineOptions(visits=4))
    assert player.human is None and player.genmove(WHITE).search.visits >= 4
