"""Moves by rank: as often as the policy and piKL say, sensible ones only, and the same in company as alone."""

import math
from collections import Counter

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import PASS
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.player.human_moves import LOOKS, HumanMoves, HumanTurn
from tests.player.ranked_support import ranked_policy

SIZE = 5
GOOD, BAD, OTHER = (coords.from_gtp(vertex, SIZE) for vertex in ("C3", "A1", "E5"))
LOSS = 0.5


def three_moves(planes, values):
    """Three moves in question, the bad one as likely as the others together."""
    answer = flat_evaluation(len(planes), SIZE)
    answer.policy[:] = -30.0
    for point, share in ((GOOD, 0.3), (BAD, 0.5), (OTHER, 0.2)):
        answer.policy[:, coords.to_index(point, SIZE)] = math.log(share)
    return answer


def sees_the_loss(planes, values):
    """Whose opponent stands on the bad point is ahead."""
    answer = flat_evaluation(len(planes), SIZE)
    row, column = divmod(coords.to_index(BAD, SIZE), SIZE)
    answer.value[:] = LOSS * planes[:, 2, row, column]
    return answer


def turn(position=None, seed=1, **how):
    return HumanTurn(position or Position(SIZE), -4.0, None, np.random.default_rng(seed), **{"temperature": 1.0, **how})


def drawn(count=2000, **how) -> Counter:
    moves = HumanMoves(ranked_policy(three_moves), Scripted(sees_the_loss))
    return Counter(choice.point for choice in moves.choose([turn(seed=seed, **how) for seed in range(count)]))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"pikl_lambda": 1e8}, (0.3, 0.5, 0.2)),
        ({"pikl_lambda": LOSS}, (0.3, 0.5 / math.e, 0.2)),
        ({"pikl_lambda": 0.05}, (0.3, 0.5 * math.exp(-10), 0.2)),
        ({"pikl_lambda": 0.0}, (0.3, 0.0, 0.2)),
        ({"pikl_lambda": 1e8, "temperature": 0.5}, (0.09, 0.25, 0.04)),
        ({"pikl_lambda": 1e8, "temperature": 0.0}, (0.0, 1.0, 0.0)),
    ],
)
def test_moves_are_as_frequent_as_policy_and_loss_say(how, expected):
    found, total = drawn(**how), sum(expected)
    for point, share in zip((GOOD, BAD, OTHER), expected, strict=True):
        share /= total
        assert found[point] / 2000 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 2000) + 1e-9)
    assert sum(found[point] for point in (GOOD, BAD, OTHER)) == 2000


def test_a_choice_tells_the_values():
    choice = HumanMoves(ranked_policy(three_moves), Scripted(sees_the_loss)).choose([turn(temperature=0.0, pikl_lambda=1e8)])[0]
    assert (choice.point, choice.before, choice.after) == (BAD, 0.0, -LOSS)


def test_the_likeliest_move_is_the_one_of_most_weight():
    moves = HumanMoves(ranked_policy(three_moves), Scripted(sees_the_loss))
    assert moves.likeliest(turn(pikl_lambda=1e8)).point == BAD
    assert moves.likeliest(turn(pikl_lambda=0.1)).point == GOOD


def test_a_turn_does_not_depend_on_its_company():
    moves = HumanMoves(ranked_policy(), Uniform())
    together = moves.choose([turn(seed=seed) for seed in range(20)])
    assert together == [moves.choose([turn(seed=seed)])[0] for seed in range(20)]
    assert len({choice.point for choice in together}) > 5


def test_the_rank_reaches_the_policy():
    moves = HumanMoves(ranked_policy(), Uniform())

    def mean(rank):
        turns = [HumanTurn(Position(SIZE), rank, None, np.random.default_rng(n), temperature=1.0) for n in range(300)]
        return np.mean([coords.to_index(choice.point, SIZE) for choice in moves.choose(turns)])

    assert mean(-29.0) > mean(0.0) + 4 > mean(9.0) + 8


def test_few_positions_are_looked_at():
    look = Scripted(lambda planes, values: flat_evaluation(len(planes), SIZE))
    HumanMoves(ranked_policy(), look).choose([turn(seed=seed) for seed in range(10)])
    assert look.rows <= 10 * (LOOKS + 1)


EYES = """. X X O O
X X X O .
. X X O O
X X X O .
. X X O O"""


def test_own_eyes_are_not_filled_and_a_pass_comes_where_nothing_else_makes_sense():
    for seed in range(20):
        choice = HumanMoves(ranked_policy(), Uniform()).choose([turn(Position.from_diagram(EYES), seed)])[0]
        assert choice.point == PASS


def test_passes_are_drawn_only_where_they_may_be():
    def passing(planes, values):
        answer = flat_evaluation(len(planes), SIZE)
        answer.policy[:, -1] = 9.0
        return answer

    moves = HumanMoves(ranked_policy(passing), Uniform())
    assert PASS not in {moves.choose([turn(seed=seed)])[0].point for seed in range(20)}
    assert moves.choose([turn(may_pass=True)])[0].point == PASS
    assert moves.choose([turn()])[0].pass_share > 0.99


def test_forbidden_moves_are_not_drawn():
    moves = HumanMoves(ranked_policy(), Uniform())
    found = {moves.choose([turn(seed=seed, allowed=frozenset((GOOD, OTHER)))])[0].point for seed in range(30)}
    assert found == {GOOD, OTHER}
    assert moves.choose([turn(allowed=frozenset((PASS,)))])[0].point == PASS


def test_no_turns_are_no_choices():
    assert HumanMoves(ranked_policy(), Uniform()).choose([]) == []
