"""Two value channels, the expansion threshold, placeholder priors; the choice below Gumbel's root; a change of constants."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.state import BLACK, WHITE
from goengine.evaluators.base import Evaluation, EvaluatorBase, Traits
from goengine.evaluators.uniform import Uniform, flat_evaluation
from goengine.search import gumbel
from goengine.search import tree as trees
from goengine.search.backup import back_up, update_batch
from goengine.search.constants import make_constants
from goengine.search.formulas import mean_utility, node_means, young_utility
from goengine.search.params import GUMBEL, LEE, PLAY, ZERO, Limits
from goengine.search.search import Search
from goengine.search.tree import (
    COUNT,
    EXPANDED,
    FIRST,
    LEAF,
    NET_STDEV,
    NODES,
    OWN,
    PARENT,
    ROLLOUT_SUM,
    TERMINAL,
    UTILITY_SUM,
    VALUE_SUM,
    VALUES,
    VIRTUAL,
    VISITED,
    VISITS,
)
from tests.search.helpers import PLAIN, check_tree, goals, names, noisy, position, search


@pytest.mark.parametrize("leaves", [1, 8])
def test_threshold_and_counts(leaves):
    """A leaf is valued and grows after n_thr rollouts; its value counts once, and every visit brings a rollout."""
    engine = Search(noisy(4), LEE.with_(leaves=leaves))
    engine.set_position(position(5, "C3"))
    core = engine.core
    leaves_of = core.new_leaves()
    while core.visits < 900:
        core.threshold = 12.0
        core.select(leaves_of, leaves, 900 - core.visits)
        if leaves_of.count:
            core.update(leaves_of, engine.evaluator.evaluate(leaves_of.batch))
    tree = core.tree
    check_tree(tree)
    used = int(tree.used[NODES])
    state, visits, own = tree.state[:used], tree.stats[:used, VISITS], tree.links[:used, OWN]
    assert (visits[1:][state[1:] == EXPANDED] >= 12).all() and (state[1:] == EXPANDED).any()
    assert (visits[state == LEAF] < 12).all() and not (tree.net[:used, NET_STDEV] > 0)[state == LEAF].any()
    valued = np.where(state == TERMINAL, own, state == EXPANDED).astype(float)
    for node in range(used - 1, 0, -1):
        valued[tree.links[node, PARENT]] += valued[node]
    assert np.array_equal(tree.stats[:used, VALUES], valued)
    assert tree.stats[0, VISITS] == 900 > tree.stats[0, VALUES] > 10
    assert np.abs(tree.stats[:used, ROLLOUT_SUM] / visits).max() <= 1


def scripted_tree():
    """(tree, stride, knobs of lambda = 0.25) of a root with one child that has one child."""
    tree, constants = trees.new_tree(25, 8, 40), make_constants(
        LEE.with_(rollout_weight=0.25), 5, use_score=False, center=0.0, passes=0, salt=0
    )  # fmt: skip
    trees.clear(tree, BLACK)
    trees.new_node.py_func(tree, 0, 14, WHITE)
    trees.new_node.py_func(tree, 1, 15, BLACK)
    tree.links[:3, VIRTUAL] = 9
    return tree, 6, constants


def test_two_channels_go_up_apart():
    """Rollouts and values of a leaf reach the root each in its own sums and counts, with the sign of who moved there."""
    tree, stride, constants = scripted_tree()
    for z in (1.0, 1.0, -1.0):  # for Black, who is to move at node 2
        back_up(tree, 2, 1.0, 0.0, z, constants)
    assert tree.stats[:3, VISITS].tolist() == [3, 3, 3] and tree.stats[:3, VALUES].tolist() == [0, 0, 0]
    assert tree.stats[:3, ROLLOUT_SUM].tolist() == [-1, 1, -1] and tree.links[:3, VIRTUAL].tolist() == [6, 6, 6]
    assert mean_utility(tree, 2, 0.25) == pytest.approx(-1 / 3)  # rollouts alone
    answer = Evaluation(*(np.array([x], np.float32) for x in (np.zeros(26), 0.5, 3.0, 8.0, np.zeros(25))))
    assert update_batch(tree, stride, constants, np.array([2], np.int32), 1, 0.0, answer)
    assert tree.stats[:3, VISITS].tolist() == [3, 3, 3] and tree.stats[:3, VALUES].tolist() == [1, 1, 1]
    assert tree.stats[:3, VALUE_SUM].tolist() == [-0.5, 0.5, -0.5] and tree.links[:3, VIRTUAL].tolist() == [6, 6, 6]
    assert mean_utility(tree, 2, 0.25) == pytest.approx(0.75 * -0.5 + 0.25 * -1 / 3)
    back_up(tree, 1, 1.0, 0.0, -1.0, constants)  # a loss for White, who is to move at node 1
    assert tree.stats[:2, ROLLOUT_SUM].tolist() == [-2, 2]
    assert tree.stats[:3, VISITS].tolist() == [4, 4, 3] and tree.links[:3, OWN].tolist() == [0, 1, 3]


def test_what_is_no_number_changes_nothing():
    tree, stride, constants = scripted_tree()
    before = [array.copy() for array in tree]
    answer = Evaluation(*(np.array([x], np.float32) for x in (np.zeros(26), np.nan, 3.0, 8.0, np.zeros(25))))
    assert not update_batch(tree, stride, constants, np.array([2], np.int32), 1, 0.0, answer)
    assert all(np.array_equal(one, other) for one, other in zip(before, tree, strict=True))


def test_young_children_are_compared_as_their_parent_stands():
    """A few rollouts count beside so many of the parent's mean; a child without a value has the parent's."""
    tree, _, constants = scripted_tree()
    constants = constants._replace(rollout_prior=6.0)
    for z in (1.0, 1.0, -1.0, 1.0):  # for Black, who is to move at node 0: the parent's mean is 0.5
        back_up(tree, 0, 1.0, 0.0, z, constants)
    back_up(tree, 1, 1.0, 0.0, 1.0, constants)  # a loss for Black
    back_up(tree, 1, 1.0, 0.0, 1.0, constants)
    value, rollout = node_means(tree, 0, constants)
    assert value == rollout == pytest.approx(0.0)
    assert young_utility(tree, 1, 0.0, 0.3, 0.5, constants) == pytest.approx(0.75 * 0.3 + 0.25 * (6 * 0.5 - 2) / 8)
    assert young_utility(tree, 1, 3.0, 0.3, 0.5, constants) == pytest.approx(0.75 * 0.3 + 0.25 * (6 * 0.5 - 5) / 11)
    alone = constants._replace(rollout_weight=1.0)
    assert young_utility(tree, 2, 0.0, 0.3, 0.5, alone) == pytest.approx(0.5)  # nothing of its own
    assert young_utility(tree, 2, 0.0, 0.3, 0.5, alone._replace(rollout_prior=0.0)) == 0


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_one_channel_alone(weight):
    """lambda = 0 never looks at rollouts; lambda = 1 plays by them alone and sees who holds the board."""
    if weight == 0:
        params = LEE.with_(rollout_weight=0.0, expansion_threshold=1)
        engine, _ = search(position(5), goals(5, [["C3"]]), 400, params)
        assert not engine.core.tree.stats[: engine.core.tree.used[NODES], ROLLOUT_SUM].any()
        assert names([engine.run(Limits(playouts=1)).chosen], 5) == ["C3"]
    else:
        params = LEE.with_(rollout_weight=1.0, expansion_threshold=4)
        _, result = search(position(5, "B2 pass B4 pass D4 pass D2 pass"), Uniform(), 300, params)
        assert result.value > 0.8


def test_where_no_value_is_believed_rollouts_count_for_all():
    traits = Traits(name="valueless", features="zero", value_proven=False)
    lost = position(5, "pass B2 pass B4 pass D4 pass D2")
    values = [search(lost, Slow(noisy(4), 0, t), 300, LEE.with_(expansion_threshold=4))[1].value for t in (traits, None)]
    assert values[0] < -0.8 < values[1]


@pytest.mark.parametrize(("moves", "lost"), [("C3", True), ("C3 C4 pass B4 D4", False)])
def test_a_pass_that_loses_at_once_is_seen(moves, lost):
    """White passes: where Black then wins by passing as well, no rollout says otherwise; else rollouts go on from there."""
    engine, result = search(position(5, moves), Uniform(), 400, LEE.with_(rollout_weight=1.0))
    node = trees.find_child(engine.core.tree, 0, coords.PASS)
    assert node > 0 and (engine.core.tree.state[node] == TERMINAL) == lost
    assert not lost or next(m.value for m in result.moves if m.point == coords.PASS) == -1


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


def test_one_without_the_other_is_told():
    for wrong in ({"rollout_weight": 0.0}, {"gumbel_actions": 4}):
        with pytest.raises(ValueError, match="rollout"):
            LEE.with_(**wrong)


class Slow(EvaluatorBase):
    """Answers as another evaluator does, once it was asked some times whether it is ready."""

    def __init__(self, inner, questions, traits=None):
        self.inner, self.questions, self.traits = inner, questions, traits or inner.traits
        self.batches = 0

    def submit(self, batch):
        self.batches += 1
        return SlowAnswer(self.inner.evaluate(batch), self.questions)


class SlowAnswer:
    def __init__(self, evaluation, questions):
        self.evaluation, self.questions = evaluation, questions

    def ready(self):
        self.questions -= 1
        return self.questions < 0

    def result(self):
        return self.evaluation


def test_rollouts_go_on_while_the_net_is_at_work():
    """A slow net is asked less, leaves grow later, and all visits are played all the same."""
    trees_of = {}
    for questions in (0, 30):
        slow = Slow(noisy(4), questions)
        engine, result = search(position(5, "C3"), slow, 3000, LEE)
        check_tree(engine.core.tree)
        assert result.visits == 3000 == result.playouts
        trees_of[questions] = slow.batches, engine.core.threshold
    assert trees_of[30][0] < trees_of[0][0] / 2 and trees_of[30][1] > trees_of[0][1]


def test_leaves_under_evaluation_have_the_tree_policy_s_priors():
    """Before the net answers, and for good where its policy is not to be believed."""
    unbelieved = Traits(name="valued", features="zero", policy_proven=False)
    for traits, stays in ((None, False), (unbelieved, True)):
        engine = Search(Slow(noisy(4), 0, traits), LEE)
        engine.set_position(position(9, "E5 E4"))
        core, leaves = engine.core, engine.core.new_leaves()
        core.select(leaves, 1, 1)
        guessed = core.tree.edge_prior[: core.tree.links[0, COUNT]].copy()
        moves = core.tree.edge_move[: core.tree.links[0, COUNT]]
        assert guessed.sum() == pytest.approx(1, abs=1e-5) and guessed.max() > 5 * guessed.mean()
        near = [coords.from_gtp(name, 9) for name in ("D4", "F4", "E3")]
        assert guessed[np.isin(moves, near)].sum() > 0.3  # where one plays after contact
        core.update(leaves, engine.evaluator.inner.evaluate(leaves.batch))
        assert np.allclose(np.sort(core.tree.edge_prior[: len(guessed)]), np.sort(guessed)) == stays


@pytest.mark.parametrize("threads", [2, 3])
def test_rollouts_on_several_threads(threads):
    """All visits are played, no virtual loss is left, two channels are kept, and a seed gives the same tree again."""
    params = LEE.with_(rollout_threads=threads)
    found = [search(position(5, "C3"), Slow(noisy(4), 3), 2000, params, seed=2) for _ in range(2)]
    for engine, result in found:
        tree = engine.core.tree
        check_tree(tree)
        assert result.visits == 2000 and 10 < tree.stats[0, VALUES] < 2000
        assert (np.abs(tree.stats[:, ROLLOUT_SUM]) <= tree.stats[:, VISITS]).all()
    assert found[0][1].moves == found[1][1].moves
    _, one = search(position(5, "B2 pass B4 pass D4 pass D2 pass"), Uniform(), 400, params.with_(rollout_weight=1.0))
    assert one.value > 0.8


@pytest.mark.parametrize("threads", [1, 2])
def test_a_selection_goes_on_until_the_batch_is_full(threads):
    """However many rollouts are played side by side, the batch takes as many leaves as it has room for, and no more."""
    many = 20  # more than a wave of two threads
    params = LEE.with_(rollout_threads=threads, expansion_threshold=1, leaves=many)
    engine, _ = search(position(9), noisy(3), 300, params)
    core, leaves = engine.core, engine.core.new_leaves()
    core.threshold = 1.0
    core.select(leaves, many, 3000)
    assert leaves.count == many and len(set(leaves.nodes.tolist())) == many
    core.update(leaves, engine.evaluator.evaluate(leaves.batch))
    check_tree(core.tree)


def test_a_failed_evaluation_leaves_rollouts_and_no_moves():
    class Failing(EvaluatorBase):
        traits = Traits(name="failing", features="zero")

        def submit(self, batch):
            raise RuntimeError("no net")

    engine = Search(Failing(), LEE)
    engine.set_position(position(5))
    with pytest.raises(RuntimeError, match="no net"):
        engine.run(Limits(visits=50))
    assert engine.core.tree.state[0] == LEAF and engine.core.in_flight == 0 and engine.visits == 1
    check_tree(engine.core.tree)


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
        gumbel.improved_policy(tree, node, core.constants, policy)
        n = np.zeros(count)
        n[:visited] = tree.stats[tree.edge_child[first : first + visited], VISITS]
        expected = int(np.argmax(policy - n / (1 + n.sum())))
        assert gumbel.choose_improved(tree, node, core.constants) - first == expected
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

        def ready(self):
            return False

        def result(self):
            log.append("result")
            return flat_evaluation(self.rows, self.size)

    engine, result = search(position(9), Asynchronous(), 500, PLAIN.with_(leaves=4, batches=2))
    text = " ".join(log)
    assert result.visits == 500 and "submit submit result submit result submit result" in text
    assert log.count("submit") == log.count("result")
    check_tree(engine.core.tree)
