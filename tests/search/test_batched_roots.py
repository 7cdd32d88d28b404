"""The root's kernels of self-play against the numpy versions that the engine's search uses."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.search import batched_roots
from goengine.search import root as slow
from goengine.search.params import GUMBEL, Limits, SearchParams
from goengine.search.search import Search
from goengine.search.tree import COUNT, FIRST, VISITED
from tests.search.helpers import RULES, noisy

PUCT = SearchParams(
    cpuct=1.1, fpu_relative=True, root_fpu_reduction=0.0, forced_playouts=2.0, dirichlet_total=10.0, ownership=False
)


def searched(params: SearchParams, visits: int, seed: int = 1):
    """The core of a finished search on 5x5."""
    engine = Search(noisy(seed), params, seed)
    position = Position(5, RULES)
    position.play(coords.from_gtp("C3", 5))
    engine.set_position(position)
    engine.run(Limits(visits=visits))
    return engine.core


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("visits", [2, 9, 60, 400])
def test_pruned_visits_are_those_of_the_search(visits, seed):
    core = searched(PUCT, visits, seed)
    out = np.zeros(26)
    total = batched_roots.pruned_visits(core.tree, core.constants, out)
    expected = slow.pruned_visits(core.tree, core.constants)
    assert out[: len(expected)] == pytest.approx(expected)
    assert total == pytest.approx(expected.sum())


@pytest.mark.parametrize("params", [PUCT, GUMBEL.with_(ownership=False)], ids=["puct", "gumbel"])
def test_the_target_is_that_of_the_search(params):
    core = searched(params, 40)
    out, size = np.zeros(26), 5
    planned = params.gumbel_actions > 0
    if planned:  # self-play mixes no noise into Gumbel's priors, and the search none either
        assert np.array_equal(core.tree.edge_prior[slow.edges_of(core.tree)], core.root.raw)
    batched_roots.learn_target(core.tree, core.constants, planned, out)
    count = core.tree.links[0, COUNT]
    moves = core.tree.edge_move[slow.edges_of(core.tree)]
    expected = slow.target(core.tree, core.root, params, core.constants, size)
    assert slow.by_action(moves, out[:count], size) == pytest.approx(expected, abs=1e-6)


def test_the_best_actions_come_first_and_keep_their_priors():
    core = searched(PUCT.with_(dirichlet_total=0.0), 1)
    tree = core.tree
    span = slow.edges_of(tree)
    before = dict(zip(tree.edge_move[span].tolist(), tree.edge_prior[span].tolist(), strict=True))
    scores = np.zeros(6)
    batched_roots.plan_gumbel(tree, new_generator(1), False, scores)
    best = sorted(before.values(), reverse=True)
    assert scores == pytest.approx(np.log(best[:6]))
    assert tree.edge_prior[span][:6] == pytest.approx(best[:6])
    assert dict(zip(tree.edge_move[span].tolist(), tree.edge_prior[span].tolist(), strict=True)) == before


def test_gumbel_noise_draws_actions_by_their_priors():
    core = searched(PUCT.with_(dirichlet_total=0.0), 1)
    tree, generator = core.tree, new_generator(5)
    span, first = slow.edges_of(tree), int(tree.links[0, FIRST])
    priors = dict(zip(tree.edge_move[span].tolist(), tree.edge_prior[span].astype(float).tolist(), strict=True))
    drawn, count = dict.fromkeys(priors, 0), 20_000
    for _ in range(count):  # the maximum of g + logit is a draw from the policy (Gumbel-max)
        batched_roots.plan_gumbel(tree, generator, True, np.zeros(3))
        drawn[int(tree.edge_move[first])] += 1
    for move, prior in priors.items():
        assert drawn[move] / count == pytest.approx(prior, abs=5 * (prior / count) ** 0.5 + 1e-3)


def test_dirichlet_noise_keeps_a_distribution_and_its_mean():
    noise = batched_roots.Noise(0, 1.0, 10.0, 0.25)
    total = 0.0
    for seed in range(300):
        core = searched(PUCT.with_(dirichlet_total=0.0), 1)
        span = slow.edges_of(core.tree)
        before = dict(zip(core.tree.edge_move[span].tolist(), core.tree.edge_prior[span].tolist(), strict=True))
        batched_roots.mix_dirichlet(core.tree, new_generator(seed), noise, np.zeros(26))
        after = dict(zip(core.tree.edge_move[span].tolist(), core.tree.edge_prior[span].tolist(), strict=True))
        assert sum(after.values()) == pytest.approx(1.0, abs=1e-5)
        assert max(after.values()) == core.tree.edge_prior[span][0]  # the next edge to be walked
        total = total + np.array([after[move] - 0.75 * before[move] for move in before])
        assert core.tree.links[0, VISITED] == 0
    assert total / 300 == pytest.approx(np.full(len(total), 0.25 / len(total)), abs=0.004)


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, [0.1, 0.2, 0.7]), (0.5, [1 / 54, 4 / 54, 49 / 54])])
def test_moves_are_drawn_by_their_visits(temperature, expected):
    generator, counts = new_generator(3), np.zeros(3)
    for _ in range(20_000):
        counts[batched_roots.drawn(generator, np.array([1.0, 2.0, 7.0, 99.0]), 3, temperature)] += 1
    assert counts / 20_000 == pytest.approx(expected, abs=0.015)
