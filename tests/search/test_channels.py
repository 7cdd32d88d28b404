"""Two value channels, the expansion threshold, placeholder priors; the choice below Gumbel's root; a change of constants."""

import numpy as np
import pytest

from goengine.evaluators.base import EvaluatorBase, Traits
from goengine.evaluators.uniform import Uniform, flat_evaluation
from goengine.search import gumbel
from goengine.search.formulas import mean_utility
from goengine.search.params import GUMBEL, LEE, PLAY, ZERO, Limits
from goengine.search.search import Search
from goengine.search.tree import (
    COUNT,
    FIRST,
    LEAF,
    NODES,
    OWN,
    ROLLOUT_SUM,
    TERMINAL,
    VALUE_SUM,
    VALUES,
    VISITED,
    VISITS,
)
from tests.search.helpers import PLAIN, check_tree, goals, names, noisy, position, search


@pytest.mark.parametrize("leaves", [1, 8])
def test_threshold_and_counts(leaves):
    """A leaf grows after n_thr visits; each position's value counts once, and every visit brings a rollout."""
    engine, result = search(position(5, "C3"), noisy(4), 900, LEE.with_(expansion_threshold=12, leaves=leaves))
    tree = engine.core.tree
    check_tree(tree)
    used = int(tree.used[NODES])
    grown = tree.links[1:used, COUNT] > 0
    visits = tree.stats[1:used, VISITS]
    assert (visits[grown] >= 12).all() and (visits[tree.state[1:used] == LEAF] < 12).all() and grown.any()
    valued = 1.0 - (tree.state[:used] == TERMINAL) + tree.links[:used, OWN] * (tree.state[:used] == TERMINAL)
    for node in range(used - 1, 0, -1):
        valued[tree.links[node, 0]] += valued[node]
    assert np.array_equal(tree.stats[:used, VALUES], valued)
    assert tree.stats[0, VISITS] == 900 > tree.stats[0, VALUES]
    assert np.abs(tree.stats[:used, ROLLOUT_SUM] / tree.stats[:used, VISITS]).max() <= 1
    root = tree.stats[0]
    expected = 0.5 * root[VALUE_SUM] / root[VALUES] + 0.5 * root[ROLLOUT_SUM] / root[VISITS]
    assert result.value == pytest.approx(-expected)
    first = int(tree.links[0, FIRST])
    child = int(tree.edge_child[first])
    assert mean_utility(tree, child, 0.5) == pytest.approx(
        0.5 * tree.stats[child, VALUE_SUM] / tree.stats[child, VALUES]
        + 0.5 * tree.stats[child, ROLLOUT_SUM] / tree.stats[child, VISITS]
    )


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_one_channel_alone(weight):
    """lambda = 0 never looks at rollouts; lambda = 1 plays by them alone and sees who holds the board."""
    params = LEE.with_(rollout_weight=weight, expansion_threshold=4)
    if weight == 0:
        engine, _ = search(position(5), goals(5, [["C3"]]), 400, params)
        assert not engine.core.tree.stats[: engine.core.tree.used[NODES], ROLLOUT_SUM].any()
        assert names([engine.run(Limits(playouts=1)).chosen], 5) == ["C3"]
    else:
        _, result = search(position(5, "B2 pass B4 pass D4 pass D2 pass"), Uniform(), 300, params)
        assert result.value > 0.8


def test_rollouts_do_not_disturb_the_seed():
    one, other = (search(position(5), noisy(1), 200, LEE, seed=seed)[1] for seed in (3, 3))
    assert one.moves == other.moves


def test_choice_below_gumbels_root():
    """argmax pi'(a) - N(a) / (1 + sum N), against the improved policy written out."""
    engine, _ = search(position(4, "B2"), noisy(6), 300, GUMBEL.with_(gumbel_actions=4))
    core = engine.core
    tree = core.tree
    checked = 0
    for node in range(1, int(tree.used[NODES])):
        first, count, visited = (int(tree.links[node, k]) for k in (FIRST, COUNT, VISITED))
        if visited < 2:
            continue
        policy = np.empty(count)
        gumbel.improved_policy(tree, node, core.knobs, policy)
        n = np.zeros(count)
        n[:visited] = tree.stats[tree.edge_child[first : first + visited], VISITS]
        expected = int(np.argmax(policy - n / (1 + n.sum())))
        assert gumbel.choose_improved(tree, node, core.knobs) - first == expected
        checked += 1
    assert checked > 5


def test_other_constants_on_the_same_tree():
    """A cheap search without noise may follow a full one with noise, and the other way round."""
    engine = Search(noisy(1), ZERO)
    engine.set_position(position(5, "C3"))
    engine.run(Limits(visits=50))
    noised = engine.core.tree.edge_prior[: engine.core.tree.links[0, COUNT]].copy()
    engine.use(ZERO.with_(dirichlet_total=0.0))
    result = engine.run(Limits(visits=100))
    core = engine.core
    assert result.visits == 100
    plain = core.tree.edge_prior[: core.tree.links[0, COUNT]]
    assert np.array_equal(plain, core.root.raw) and not np.allclose(np.sort(plain), np.sort(noised))
    check_tree(core.tree)
    engine.use(PLAY.with_(leaves=3, batches=2))
    assert engine.visits == 0 and engine.run(Limits(visits=60)).visits == 60
    check_tree(engine.core.tree)


def test_trust_in_the_score_may_come_and_go():
    """The utilities are those of a search that had the constants from the start; rollouts need a tree of their own."""
    plain = PLAY.with_(leaves=1, batches=1)
    trusting = plain.with_(trust_score=True)
    engine, _ = search(position(5, "C3"), noisy(1), 50, plain)
    engine.use(trusting)
    assert any(abs(m.utility - m.value) > 1e-3 for m in engine.run(Limits(playouts=1)).moves)
    engine.use(plain)
    assert all(abs(m.utility - m.value) < 1e-6 for m in engine.run(Limits(playouts=1)).moves)
    check_tree(engine.core.tree)
    engine.use(plain.with_(rollout_weight=0.5))
    assert engine.visits == 0


def test_several_leaves_differ():
    """The leaves of a batch are different nodes, and virtual loss spreads them over the moves."""
    engine, _ = search(position(5), Uniform(), 100, PLAIN.with_(leaves=8))
    core = engine.core
    leaves = core.new_leaves()
    core.begin(100)
    assert core.select(leaves, 8, 100) >= leaves.count == 8
    assert len(set(leaves.nodes.tolist())) == 8 and len(set(leaves.keys.tolist())) == 8
    core.cancel(leaves)
    assert not core.tree.links[: core.tree.used[NODES], 7].any()


def test_batches_overlap():
    """The next batch is selected and submitted before the first one's answer is asked for."""
    log = []

    class Asynchronous(EvaluatorBase):
        traits = Traits(name="asynchronous", features="zero")

        def submit(self, batch):
            log.append("submit")
            return Answer(batch.rows, batch.size)

    class Answer:
        def __init__(self, rows, size):
            self.rows, self.size = rows, size

        def result(self):
            log.append("result")
            return flat_evaluation(self.rows, self.size)

    engine, result = search(position(9), Asynchronous(), 500, PLAIN.with_(leaves=4, batches=2))
    text = " ".join(log)
    assert result.visits == 500 and "submit submit result submit result submit result" in text
    assert log.count("submit") == log.count("result")
    check_tree(engine.core.tree)
