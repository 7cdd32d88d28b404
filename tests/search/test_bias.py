"""Subtree value bias correction: the books of buckets, through batches, growth, the next move and failures.

That whole trees are as the formulas want them is in `test_tree`, against the reference.
"""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.uniform import Scripted
from goengine.search.bias import situation
from goengine.search.params import LEE, PLAY, Limits
from goengine.search.search import Search
from goengine.search.tree import (
    BIAS_SUM,
    BIAS_WEIGHT,
    CORRECTION,
    NET_UTILITY,
    NODES,
    OWN,
    PARENT,
    UTILITY_SQUARES,
    UTILITY_SUM,
    VALUE_SUM,
    VALUES,
    bytes_used,
    memory,
)
from tests.search import reference
from tests.search.helpers import PLAIN, RULES, check_tree, noisy, position, search

BIASED = PLAIN.with_(subtree_bias=0.4, subtree_bias_exponent=0.7)
FIGHT = ". X O . . \n X O . O . \n . X O X . \n . X X O O \n . . O . ."


def told_by_key(tree) -> dict[int, np.ndarray]:
    """What the nodes of each bucket have told it last, summed up."""
    told: dict[int, np.ndarray] = {}
    for node in np.flatnonzero(tree.bucket[: tree.used[NODES]] >= 0):
        key = int(tree.table_keys[tree.bucket[node]])
        told[key] = told.get(key, 0) + tree.bias[node, [BIAS_SUM, BIAS_WEIGHT]]
    return told


def table(tree) -> dict[int, np.ndarray]:
    """The buckets by key."""
    return {int(tree.table_keys[i]): tree.table_sums[i].copy() for i in np.flatnonzero(tree.table_keys)}


def check_books(tree, params, forgotten: bool = True) -> None:
    """Sums are own utilities, corrected, and the children's; each node has told what its sums say; buckets know all of it."""
    check_tree(tree)
    count = int(tree.used[NODES])
    own = tree.links[:count, OWN].astype(float)
    utility = tree.net[:count, NET_UTILITY] + tree.bias[:count, CORRECTION]
    total, squares, below = -own * utility, own * utility**2, np.zeros(count)
    for node in range(count - 1, 0, -1):
        parent = tree.links[node, PARENT]
        total[parent] -= total[node]
        squares[parent] += squares[node]
        below[parent] += tree.stats[node, VALUES]
    assert tree.stats[:count, UTILITY_SUM] == pytest.approx(total, abs=1e-6)  # what a net says is kept in single precision
    assert tree.stats[:count, UTILITY_SQUARES] == pytest.approx(squares, abs=1e-6)
    members = np.flatnonzero((tree.bucket[:count] >= 0) & (below > 0) & (own > 0))
    assert len(members) > 3
    weight = below[members] ** params.subtree_bias_exponent
    mean = (-total[members] - own[members] * utility[members]) / below[members]
    told = (mean - tree.net[members, NET_UTILITY]) * weight
    assert tree.bias[members, BIAS_WEIGHT] == pytest.approx(weight, rel=1e-6)
    assert tree.bias[members, BIAS_SUM] == pytest.approx(told, abs=1e-6)
    if forgotten:
        known = table(tree)
        for key, sums in told_by_key(tree).items():
            assert known[key] == pytest.approx(sums, abs=1e-7)


@pytest.mark.parametrize(("leaves", "batches"), [(1, 1), (8, 1), (4, 2)])
@pytest.mark.parametrize("preset", ["plain", "play"])
def test_books(preset, leaves, batches):
    params = {
        "plain": BIASED,
        "play": PLAY.with_(subtree_bias=0.35, max_nodes=700),
    }[preset].with_(leaves=leaves, batches=batches)
    start = Position.from_diagram(FIGHT, RULES)
    engine, _ = search(start, noisy(3, score=preset == "play"), 900, params)
    check_books(engine.core.tree, params)
    assert (np.abs(engine.core.tree.bias[:, CORRECTION]) > 0.01).sum() > 50


def test_corrections_follow_their_buckets():
    """A correction is lambda times the bucket's mean at the node's last visit: that of the latest told is as it is now."""
    engine, _ = search(position(5, "C3"), noisy(3), 600, BIASED)
    tree = engine.core.tree
    for _ in range(20):
        engine.run(Limits(playouts=1))
        node = int(tree.used[NODES]) - 1  # made by the last visit, told and asked by it
        if tree.bucket[node] >= 0:
            sums = tree.table_sums[tree.bucket[node]]
            expected = 0.4 * sums[0] / sums[1] if sums[1] > 1e-3 else 0.0
            assert tree.bias[node, CORRECTION] == pytest.approx(expected, abs=0.05)


def test_the_next_move_forgets_most_of_what_is_lost():
    params = PLAIN.with_(subtree_bias=0.4, subtree_bias_forget=0.75, leaves=4)
    engine, result = search(position(5, "C3"), noisy(2), 1500, params)
    tree = engine.core.tree
    before, all_told = table(tree), told_by_key(tree)
    assert any(len(row) for row in before.values())
    game = position(5, "C3")
    game.play(result.moves[0].point)
    assert engine.set_position(game)
    kept = told_by_key(engine.core.tree)
    after = table(engine.core.tree)
    assert set(after) == set(kept)  # buckets without nodes are gone
    for key, sums in kept.items():
        assert after[key] == pytest.approx(sums + 0.25 * (all_told[key] - sums), abs=1e-7)
    engine.run(Limits(playouts=300))
    check_books(engine.core.tree, params, forgotten=False)
    assert engine.core.tree.bucket[0] >= 0  # the new root has told its bucket as a node, and goes on


def test_a_score_that_moves_its_centre():
    params = PLAY.with_(subtree_bias=0.35, temperature=0.0, leaves=2)
    engine, result = search(position(5, "C3 B2 D4"), noisy(1, score=True), 500, params)
    game = position(5, "C3 B2 D4")
    game.play(result.chosen)
    assert engine.set_position(game)
    engine.run(Limits(playouts=200))
    check_books(engine.core.tree, params, forgotten=False)


def test_failures_leave_no_trace():
    good, calls = noisy(4), 0

    def script(planes, values):
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            raise EvaluatorError("no")
        return good.script(planes, values)

    params = BIASED.with_(leaves=4)
    engine = Search(Scripted(script), params)
    engine.set_position(position(5, "C3"))
    for _ in range(200):
        try:
            engine.run(Limits(visits=700))
        except EvaluatorError:
            assert engine.core.in_flight == 0
    assert engine.visits == 700
    check_books(engine.core.tree, params)


def test_off_keeps_no_arrays():
    engine, _ = search(position(5), noisy(1), 50)
    assert all(len(array) == 0 for array in engine.core.tree[9:13])
    assert engine.core.tree.stats[0, UTILITY_SUM] == pytest.approx(engine.core.tree.stats[0, VALUE_SUM])


def test_memory_is_limited():
    engine, _ = search(position(9), noisy(1), 3000, BIASED.with_(max_memory_mb=1, leaves=8))
    tree = engine.core.tree
    assert bytes_used(tree) <= (1 << 20) + 64 and engine.core.full
    assert bytes_used(tree) - tree.used.nbytes == memory(0, len(tree.state), len(tree.edge_move), biased=True)


@pytest.mark.parametrize("other", [{}, {"to_play"}, {"before"}, {"far"}, {"near"}])
def test_situations(other):
    """Stones more than two lines away do not matter; everything else does."""

    def key(changed) -> tuple[int, tuple]:
        game = position(9, "E5 E6 " + ("pass" if "before" in changed else "D9"))
        if "far" in changed or "near" in changed:
            game.undo()
            game.play(coords.from_gtp("A1" if "far" in changed else "F7", 9))
            game.play(coords.PASS)
            game.play(coords.from_gtp("D9", 9))
            game.to_play = 2
        if "to_play" in changed:
            game.to_play = 1
        move = coords.from_gtp("F5", 9)
        return int(situation(game.game, move, np.zeros(200, np.uint16))), reference.situation(game, move)

    (one, slow), (two, slow_two) = key({}), key(other)
    assert (one == two) == (slow == slow_two) == (other in ({}, {"far"}))


def test_lee_keeps_its_utilities_when_the_centre_moves():
    """A leaf that has had several rollouts counts its value once, also after the sums are made anew at the next move."""
    engine, result = search(position(5), noisy(5, score=True), 600, LEE.with_(expansion_threshold=10))
    game = position(5)
    game.play(result.moves[0].point)
    assert engine.set_position(game)
    engine.run(Limits(playouts=50))
    tree = engine.core.tree
    used = int(tree.used[NODES])
    assert tree.stats[:used, UTILITY_SUM] == pytest.approx(tree.stats[:used, VALUE_SUM], abs=1e-3)
