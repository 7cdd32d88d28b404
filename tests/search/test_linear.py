"""The linear policies in the search: guesses against the features written out, and rollouts from boards that are decided."""

import math
from collections import Counter
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.kernels import fills_eye, is_legal
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.rules import Rules
from goengine.board.state import BLACK, NONE, PASS, WHITE, copy_board, new_board
from goengine.patterns import shipped_policies
from goengine.patterns.policy import COLUMNS, TREE
from goengine.patterns.rollout import begin_flow, draw_move
from goengine.search.linear_policies import guess, new_rollout_scratch, new_tree_policy_scratch, recall, roll_out
from tests.patterns.helpers import surveyed
from tests.patterns.test_policies import listed

RULES = Rules.preset("tromp-taylor").with_komi(0.5)


@cache
def tree_policy() -> SimpleNamespace:
    """What `listed` wants to know of the shipped policy; its patterns are made once."""
    policy = shipped_policies.read_policy(TREE)
    patterns = policy.patterns()
    return SimpleNamespace(kind=TREE, weights=policy.weights, patterns=lambda: patterns)


def random_positions(size: int, seed: int, plies: int):
    """A game of legal moves drawn by chance, with a pass now and then; the same object after each of them."""
    draw, position = np.random.default_rng(seed), Position(size, RULES)
    yield position
    for _ in range(plies):
        *points, last = position.legal_moves()
        assert last == PASS
        position.play(PASS if not points or draw.random() < 0.08 else int(draw.choice(points)))
        yield position
        if position.is_over():
            return


def guessed(position: Position, tree_policy_scratch) -> np.ndarray:
    guess(position.game, tree_policy_scratch)
    return tree_policy_scratch.policy


def features_by_point(policy, position: Position) -> dict[int, list[int]]:
    """The numbers of the features of each candidate, as the trainer lists them from a board that is looked at afresh."""
    board, game = position.game.board, position.game
    last, earlier = int(game.recent[0]), int(game.recent[1])
    around = surveyed(board)
    if last not in (PASS, NONE):
        taken = np.flatnonzero((game.past[0] == position.to_play) & (board.color == 0))
        around.captured[: len(taken)], around.count[1] = taken, len(taken)
    table, _ = listed(policy, board, around, last, earlier, position.to_play)
    count, near = int(table.count[0]), table.near
    found = {int(table.point[i]): [int(f) for f in table.own[i, : COLUMNS[TREE]] if f >= 0] for i in range(count)}
    for point, feature in zip(near.point[: near.count[0]].tolist(), near.feature[: near.count[0]].tolist(), strict=True):
        if point in found:
            found[point].append(feature)
    return found


@pytest.mark.parametrize(("size", "seed", "plies"), [(5, 2, 60), (5, 7, 60), (9, 3, 120)])
def test_a_guess_is_the_sum_of_the_weights_of_the_features(size, seed, plies):
    """Of every sensible move; all others are far below, and a pass is as likely as an average move."""
    policy, tree_policy_scratch = tree_policy(), new_tree_policy_scratch(size)
    compared = rejected = kos = 0
    for position in random_positions(size, seed, plies):
        board, color = position.game.board, position.to_play
        expected = {p: policy.weights[features].sum(dtype=float) for p, features in features_by_point(policy, position).items()}
        sensible = {
            int(p)
            for p in coords.points(size)
            if board.color[p] == 0 and is_legal(board, p, color, False) and not fills_eye(board, p, color)
        }
        assert set(expected) == sensible
        found = guessed(position, tree_policy_scratch)
        by_point = {int(p): float(found[coords.to_index(int(p), size)]) for p in coords.points(size)}
        if not expected:
            assert (found[:-1] < found[-1] - 10).all()
            continue
        assert {p: by_point[p] for p in expected} == pytest.approx(expected, abs=1e-4)
        others = [logit for p, logit in by_point.items() if p not in expected]
        assert all(logit < min(expected.values()) - 10 for logit in others)
        assert math.exp(found[-1]) == pytest.approx(np.mean([math.exp(by_point[p]) for p in expected]), rel=1e-4)
        compared, rejected, kos = compared + len(expected), rejected + len(others), kos + (position.ko != PASS)
    assert compared > 300 and rejected > 300 and kos > 0


def after_d1(black: str) -> Position:
    """White has played D1; black stones without a liberty then are taken."""
    position = Position(7, RULES)
    own, other = ([coords.from_gtp(move, 7) for move in text.split()] for text in (black, "A2 B2 C2 E4"))
    position.set_up(own, other, WHITE)
    position.play(coords.from_gtp("D1", 7))
    return position


def first_moves(position: Position, count: int = 4000) -> dict[str, int]:
    """How often the first move of a rollout is which."""
    scratch, copy, generator = new_rollout_scratch(7), new_board(7), new_generator(5)
    moves: Counter[str] = Counter()
    for _ in range(count):
        copy_board(copy, position.game.board)
        begin_flow(copy, scratch.flow, scratch.factors)
        recall(position.game, np.int64(position.game.recent[0]), scratch.flow.around)
        last = np.int64(position.game.recent[0])
        point = draw_move(copy, scratch.flow, scratch.factors, last, position.to_play, generator)
        moves[coords.to_gtp(int(point), 7)] += 1
    return moves


def test_what_the_last_move_captured_is_known():
    """B1 is the vital point of what three black stones left; without them the same stones stand on the board."""
    taken, quiet = after_d1("A1 B1 C1"), after_d1("")
    assert np.array_equal(taken.game.board.color, quiet.game.board.color) and taken.to_play == quiet.to_play == BLACK
    scratch = new_tree_policy_scratch(7)
    more = guessed(taken, scratch).copy() - guessed(quiet, scratch)
    empty = [int(p) for p in coords.points(7) if taken.color(int(p)) == 0]
    changed = {coords.to_gtp(p, 7) for p in empty if abs(more[coords.to_index(p, 7)]) > 1e-6}
    assert "B1" in changed and changed <= {"A1", "B1", "C1"}
    assert more[coords.to_index(coords.from_gtp("B1", 7), 7)] > 0.5
    assert first_moves(taken)["B1"] > 1.3 * first_moves(quiet)["B1"]


@pytest.mark.parametrize("size", [5, 9])
def test_a_guess_does_not_depend_on_the_one_before(size):
    """The memory of a guesser that has seen other boards says what a fresh one says, and the game is as it was."""
    used = new_tree_policy_scratch(size)
    for i, position in enumerate(random_positions(size, 7, 40)):
        before = [array.copy() for array in (*position.game.board, position.game.recent, position.game.status)]
        first = guessed(position, used).copy()
        if i % 5 == 0:
            assert np.array_equal(first, guessed(position, new_tree_policy_scratch(size)))
        after = (*position.game.board, position.game.recent, position.game.status)
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


# Black has three eyes and 15 points, White three and 10: nobody has a move that does not fill an eye.
BOTH_LIVE = """
. X X O .
X X X O O
. X X O .
X X X O O
. X X O .
"""
# One owns the board; the other has no point and no stone.
ONE_LIVES = """
. X X X .
X X X X X
X X X X X
X X X X X
. X X X .
"""
# Two walls, and nobody has a stone behind the other's. Black has 36 points, White 45.
WALLS = """
. . . X O . . . .
. X . X O . O . .
. . . X O . . . .
. X X X O . . O .
. . . X O O . . .
. X . X O . . . .
. . X X O . O . .
. X . X O . . O .
. . . X O . . . .
"""


def swapped(diagram: str) -> str:
    return diagram.translate(str.maketrans("XO", "OX"))


FINISHED = {
    "both live": BOTH_LIVE,
    "both live, swapped": swapped(BOTH_LIVE),
    "one lives": ONE_LIVES,
    "one lives, swapped": swapped(ONE_LIVES),
}


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_where_no_move_is_sensible_one_passes(color):
    """Whatever the guess before it was."""
    tree_policy_scratch = new_tree_policy_scratch(5)
    assert guessed(Position(5, RULES), tree_policy_scratch).any()
    found = guessed(Position.from_diagram(BOTH_LIVE, RULES, to_play=color), tree_policy_scratch)
    assert (found[:-1] < found[-1] - 10).all()


def results(diagram: str, color: int, komi: float, count: int, seed: int = 1) -> list[float]:
    """What rollouts say to the player to move."""
    position = Position.from_diagram(diagram, RULES, to_play=color)
    size = position.size
    copy, rollout_scratch, generator = new_board(size), new_rollout_scratch(size), new_generator(seed)
    return [roll_out(position.game, copy, rollout_scratch, komi, generator) for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "komi", "black"),
    [
        ("both live", 0.5, 1.0),
        ("both live", 4.5, 1.0),
        ("both live", 5.0, 0.0),
        ("both live", 5.5, -1.0),
        ("both live, swapped", 0.5, -1.0),
        ("both live, swapped", -4.5, -1.0),
        ("both live, swapped", -5.0, 0.0),
        ("both live, swapped", -5.5, 1.0),
        ("one lives", 24.5, 1.0),
        ("one lives", 25.0, 0.0),
        ("one lives", 25.5, -1.0),
        ("one lives, swapped", 24.5, -1.0),
    ],
)
def test_a_rollout_counts_a_board_where_nothing_is_left_to_play(name, komi, black):
    """By area, less komi, and for the player to move."""
    assert results(FINISHED[name], BLACK, komi, 3) == [black] * 3
    assert results(FINISHED[name], WHITE, komi, 3) == [-black] * 3


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_rollouts_see_who_is_ahead_on_a_decided_board(color):
    """White leads by nine points; komi may turn that round. Without half points a rollout may end in a draw."""
    sign = 1 if color == BLACK else -1
    for komi, black in ((7.5, -1), (-30.5, 1)):
        said = results(WALLS, color, komi, 60)
        assert set(said) <= {1.0, -1.0} and np.mean(said) * sign * black > 0.9


def test_rollouts_differ_and_the_seed_gives_them_again():
    empty = "\n".join([". . . . ."] * 5)
    said = results(empty, BLACK, 3.0, 60)
    assert set(said) >= {1.0, -1.0} and set(said) <= {1.0, 0.0, -1.0}
    assert results(empty, BLACK, 3.0, 60) == said != results(empty, BLACK, 3.0, 60, seed=2)


def test_a_rollout_leaves_the_game_as_it_was():
    """It plays on the copy, which has a finished game then."""
    size, played = 9, 0
    copy, rollout_scratch, generator = new_board(size), new_rollout_scratch(size), new_generator(3)
    for position in random_positions(size, 5, 50):
        before = [array.copy() for array in (*position.game.board, *position.game[1:])]
        roll_out(position.game, copy, rollout_scratch, 7.5, generator)
        after = (*position.game.board, *position.game[1:])
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        played += not np.array_equal(copy.color, position.game.board.color)
    assert played > 40
