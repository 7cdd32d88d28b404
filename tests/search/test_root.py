"""What is special about the root, each against its formula: noise, forced playouts, pruning, LCB, Gumbel, symmetry, limits."""

import math

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.state import BLACK, WHITE
from goengine.evaluators.uniform import Uniform
from goengine.search import gumbel, noise
from goengine.search import root as roots
from goengine.search.params import GUMBEL, PLAY, ZERO, Limits, Restriction
from goengine.search.search import Run, Search, unsure
from goengine.search.tree import FIRST, NET_STDEV, NET_UTILITY, NODES, OWN, OWNERSHIP_SCALE, UTILITY_SUM, VALUES, VISITS
from tests.search.helpers import PLAIN, RULES, check_tree, goals, names, noisy, position, search, symmetric

# actions, simulations -> visits that the action to be tried must have
HALVING = [
    (1, 4, [0, 1, 2, 3]),
    (2, 4, [0, 0, 1, 1]),
    (4, 8, [0, 0, 0, 0, 1, 1, 2, 2]),
    (4, 16, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
    (16, 16, [0] * 16),
    (16, 32, [0] * 16 + [1] * 8 + [2] * 4 + [3] * 4),
    (3, 6, [0, 0, 0, 1, 1, 2]),
]


@pytest.mark.parametrize(("actions", "simulations", "expected"), HALVING)
def test_halving(actions, simulations, expected):
    assert gumbel.halving(actions, simulations).tolist() == expected
    ends = gumbel.barriers(actions, simulations)
    assert ends[-1] == simulations and list(ends) == sorted(set(ends))


def _gumbel_reference(priors, g, net, values, simulations, considered, params):
    """Visits of sequential halving where every visit of action a gives ``values[a]``; plain loops."""
    logits = np.log(priors)
    start = np.argsort(-(g + logits), kind="stable")[:considered]
    visits = np.zeros(len(priors), int)
    remaining, done = list(start), 0
    phases = math.ceil(math.log2(considered))
    while done < simulations:
        for _ in range(max(1, simulations // (phases * len(remaining)))):
            for a in remaining:
                if done < simulations:
                    visits[a] += 1
                    done += 1

        def worth(a):
            return g[a] + logits[a] + (params.c_visit + visits.max()) * params.c_scale * (values[a] + 1) / 2

        remaining = sorted(remaining, key=worth, reverse=True)[: max(2, len(remaining) // 2)]
    played = [a for a in start if visits[a] == visits.max()]
    return visits, max(played, key=worth)


@pytest.mark.parametrize("leaves", [1, 4])
@pytest.mark.parametrize("simulations", [8, 16, 50])
def test_gumbel_visits_and_choice(leaves, simulations):
    """Every first move has a fixed value: with the policy flat below, its mean is that value however deep the search goes."""
    size = 4
    worth = np.random.default_rng(4).uniform(-0.5, 0.5, size * size + 1)
    evaluator = noisy(8)
    inner = evaluator.script

    def script(planes, values):
        answer = inner(planes, values)
        for row, plane in enumerate(planes):
            stones = plane[1] + plane[2]
            first = int(np.argmax(stones.ravel())) if stones.any() else size * size
            sign = 1 if int(stones.sum()) % 2 == 0 else -1
            answer.value[row] = sign * worth[first]
            answer.policy[row, -1] = -50
            if stones.sum() >= 1:  # below the first move only moves after it in scanning order: the first stays the first
                answer.policy[row, :first] = -50
            else:
                answer.policy[row, 8:] = -50  # late first moves would leave no later ones
        return answer

    evaluator.script = script
    params = GUMBEL.with_(gumbel_actions=8, leaves=leaves, ownership=False)
    engine, result = search(Position(size, RULES), evaluator, simulations + 1, params)
    check_tree(engine.core.tree)
    root = engine.core.root
    visits = {info.point: info.visits for info in result.moves}
    scores = root.plan.scores
    g = np.full(len(root.moves), -50.0)
    g[: len(scores)] = scores - np.log(root.raw[: len(scores)])
    q = np.array([worth[coords.to_index(int(point), size)] for point in root.moves])
    expected, played = _gumbel_reference(root.raw.astype(float), g, 0.0, q, simulations, min(8, simulations), params)
    assert visits == {int(p): n for p, n in zip(root.moves, expected, strict=True) if n}
    assert result.chosen == root.moves[played]


def test_improved_policy():
    """pi' = softmax(logits + sigma(completed Q)), against plain numpy; it prefers what the search found good."""
    engine, result = search(position(4, "B2"), noisy(6), 33, GUMBEL.with_(gumbel_actions=6))
    core = engine.core
    p = core.params
    visited = {info.point: info for info in result.moves}
    pi = core.root.raw.astype(float)
    n = np.array([visited[m].visits if m in visited else 0 for m in core.root.moves])
    q = np.array([visited[m].utility if m in visited else 0.0 for m in core.root.moves])
    searched = core.tree.edge_prior[roots.edges_of(core.tree)].astype(float)
    seen = n > 0
    mixed = (core.tree.net[0, NET_UTILITY] + n.sum() * (searched[seen] * q[seen]).sum() / searched[seen].sum()) / (1 + n.sum())
    completed = np.where(seen, q, mixed)
    logits = np.log(pi) + (p.c_visit + n.max()) * p.c_scale * (completed + 1) / 2
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    target = core.target()
    for move, share in zip(core.root.moves, expected, strict=True):
        assert target[coords.to_index(int(move), 4)] == pytest.approx(share, abs=1e-5)


def test_gumbel_without_noise_is_the_same_for_every_seed():
    params = GUMBEL.with_(gumbel_scale=0.0)
    results = [search(position(5), noisy(1), 40, params, seed=seed)[1] for seed in (1, 2)]
    assert [(m.point, m.visits) for m in results[0].moves] == [(m.point, m.visits) for m in results[1].moves]


@pytest.mark.parametrize("earlier", [1, 30, 41])
def test_gumbel_plans_every_run_on_the_same_position(earlier):
    params = GUMBEL.with_(gumbel_scale=0.0)
    expected = search(position(5), noisy(1), 41, params)[1]
    engine, _ = search(position(5), noisy(1), earlier, params)
    engine.set_position(position(5))
    result = engine.run(Limits(visits=41))
    assert len(engine.core.root.plan.visits) == 40
    assert [(m.point, m.visits) for m in result.moves] == [(m.point, m.visits) for m in expected.moves]


def test_gumbel_finds_the_win():
    _, result = search(position(5), goals(5, [["C3"]]), 65, GUMBEL.with_(gumbel_actions=32, gumbel_scale=0.0))
    assert names([result.chosen], 5) == ["C3"]


@pytest.mark.parametrize("alpha", [0.03, 0.5, 4.0])
def test_dirichlet(alpha):
    """Mean 1/n and variance m (1 - m) / (total + 1) of each part."""
    n, draws = 20, 4000
    generator = new_generator(7)
    samples = np.array([noise.dirichlet(generator, np.full(n, alpha)) for _ in range(draws)])
    assert samples.sum(axis=1) == pytest.approx(1.0)
    assert samples.mean(axis=0) == pytest.approx(1 / n, abs=5 * math.sqrt(1 / n / draws))
    assert samples.var(axis=0).mean() == pytest.approx(1 / n * (1 - 1 / n) / (n * alpha + 1), rel=0.1)


def test_gumbel_noise():
    draws = noise.gumbel(new_generator(3), 20000)
    assert draws.mean() == pytest.approx(0.5772, abs=0.05) and draws.var() == pytest.approx(math.pi**2 / 6, rel=0.05)


def test_the_dirichlet_total_is_spread_over_the_moves():
    priors = np.array([0.9, 0.05, 0.049, 0.001])
    assert noise.dirichlet_parameters(priors, 10.83, False) == pytest.approx(10.83 / 4)
    shaped = noise.dirichlet_parameters(priors, 10.83, True)
    assert shaped.sum() == pytest.approx(10.83)
    assert shaped[0] == shaped[1] == shaped[2] > shaped[3] == pytest.approx(10.83 / 8)


def test_noise_is_mixed_into_the_root_only():
    engine, _ = search(position(5), noisy(1), 2, ZERO)
    core = engine.core
    searched = core.tree.edge_prior[roots.edges_of(core.tree)]
    assert searched.sum() == pytest.approx(1.0, abs=1e-5)
    assert (searched >= 0.75 * core.root.raw - 1e-6).all() and not np.allclose(searched, core.root.raw)


def test_root_temperature():
    raw = np.array([0.7, 0.2, 0.1], np.float32)
    warm = roots.mixed_priors(raw, PLAIN.with_(root_policy_temperature=2.0), new_generator(1))
    expected = np.sqrt(raw.astype(float))
    assert warm == pytest.approx(expected / expected.sum(), abs=1e-6)


def test_forced_playouts_reach_their_number_and_are_pruned():
    """Each visited move has about sqrt(k P sum N) visits; pruning leaves of a bad one nothing and of the best one all."""
    params = PLAIN.with_(forced_playouts=2.0, cpuct=1.1)
    engine, result = search(position(5), goals(5, [["C3"]]), 800, params)
    core = engine.core
    total = sum(info.visits for info in result.moves)
    for info in result.moves:
        assert info.visits >= math.floor(math.sqrt(2.0 * info.prior * total)) - 1
    kept = roots.pruned_visits(core.tree, core.constants)
    visits, utility = roots.child_table(core.tree, core.constants)
    star = int(visits.argmax())
    assert kept[star] == visits[star] and (kept <= visits).all()
    c = params.cpuct * math.sqrt(total)
    priors = core.tree.edge_prior[roots.edges_of(core.tree)][: len(visits)]
    worth = utility[star] + c * priors[star] / (1 + visits[star])
    for e, n in enumerate(visits):
        if e == star:
            continue
        least = n
        while n - least < math.floor(math.sqrt(2.0 * priors[e] * total)) and utility[e] + c * priors[e] / least < worth:
            least -= 1  # with one visit less the worth is still below the star's
        assert kept[e] == (least if least > 1 else 0)
    target = core.target()
    assert coords.from_index(int(target.argmax()), 5) == result.chosen


def test_lcb_prefers_the_certain_move():
    engine, result = search(position(5), noisy(3), 600, PLAIN.with_(choice="lcb"))
    core = engine.core
    visits, _ = roots.child_table(core.tree, core.constants)
    mean, radius = roots.lower_bounds(core.tree, core.params, core.constants)
    allowed = visits >= 0.15 * visits.max()
    best = max(np.flatnonzero(allowed), key=lambda e: mean[e] - radius[e])
    assert result.chosen == core.root.moves[best] == result.moves[0].point
    few, many = int(visits.argmin()), int(visits.argmax())
    assert radius[few] > radius[many]
    info = result.moves[0]
    assert info.lcb == pytest.approx(max(-1.0, mean[best] - radius[best]), abs=1e-6)


def test_temperature_of_the_choice():
    step = PLAIN.with_(temperature=1.0, temperature_plies=30)
    assert [roots.temperature_at(step, ply, 19) for ply in (0, 29, 30)] == [1.0, 1.0, 0.0]
    assert [roots.temperature_at(step, ply, 9) for ply in (14, 15)] == [1.0, 0.0]
    half = PLAIN.with_(temperature=0.75, temperature_final=0.15, temperature_half_life=19)
    assert roots.temperature_at(half, 19, 19) == pytest.approx(0.45)
    engine = Search(Uniform(), PLAIN.with_(temperature=1.0, temperature_plies=30, ownership=False))
    chosen = set()
    for _ in range(12):
        engine.set_position(position(5))
        engine.clear()
        chosen.add(engine.run(Limits(visits=30)).chosen)
    assert len(chosen) > 4


def test_symmetry_pruning_on_the_empty_board():
    """Of the 25 points of the empty 5x5 board six differ; the others are reported as their mirror images."""
    _, result = search(position(5), symmetric(), 300, PLAIN.with_(symmetry_pruning=True))
    searched = {info.point for info in result.moves if info.symmetry_of is None}
    assert len(searched - {coords.PASS}) == 6
    mirrored = [info for info in result.moves if info.symmetry_of is not None]
    assert len(mirrored) == 25 - 6
    whole = search(position(5), symmetric(), 600)[1]
    values = {info.point: info.value for info in whole.moves}
    for info in mirrored:
        twin = next(other for other in result.moves if other.point == info.symmetry_of)
        assert (info.visits, info.value) == (twin.visits, twin.value) and info.pv[0] == info.point
        if {info.point, twin.point} <= set(values):
            assert values[info.point] == pytest.approx(values[twin.point], abs=0.1)
    after = position(5, "C3 C4")
    assert roots.symmetries_of(after.game, after.code) == [0, 2]


def test_no_symmetry_after_an_odd_move():
    _, result = search(position(5, "B3 C4"), symmetric(), 100, PLAIN.with_(symmetry_pruning=True))
    assert all(info.symmetry_of is None for info in result.moves)


def _points(text: str, size: int = 5) -> frozenset[int]:
    return frozenset(coords.from_gtp(name, size) for name in text.split())


def test_avoid_and_allow():
    engine = Search(Uniform(), PLAIN)
    engine.set_position(position(5))
    engine.restrict([Restriction(color=BLACK, points=_points("C3 D4 pass"), depth=1)])
    result = engine.run(Limits(visits=200))
    assert not {info.point for info in result.moves} & _points("C3 D4 pass")
    assert len(result.moves) == 23
    engine.restrict([Restriction(color=BLACK, points=_points("C3 D4"), depth=1, allow=True)])
    assert {info.point for info in engine.run(Limits(visits=50)).moves} == _points("C3 D4")
    engine.restrict([Restriction(color=WHITE, points=_points("C3"), depth=2, allow=True)])
    result = engine.run(Limits(visits=200))
    assert len(result.moves) == 26
    replies = {info.pv[1] for info in result.moves if len(info.pv) > 1 and info.point != next(iter(_points("C3")))}
    assert replies == _points("C3")
    engine.restrict([])
    assert len(engine.run(Limits(visits=200)).moves) == 26


def test_minimum_of_moves():
    engine = Search(noisy(1), PLAIN)
    engine.set_position(position(5))
    result = engine.run(Limits(visits=3), min_moves=10)
    assert len(result.moves) == 10
    assert [info.visits > 0 for info in result.moves[:3]] == [True, True, False]
    rest = [info.prior for info in result.moves[2:]]
    assert rest == sorted(rest, reverse=True)


def test_limits_and_reports():
    engine = Search(noisy(1), PLAIN.with_(leaves=4, batches=2))
    engine.set_position(position(5))
    seen = []
    result = engine.run(Limits(visits=120), on_report=seen.append, report_every=0.0)
    assert result.visits == 120 and len(seen) > 10 and seen[-1] is result
    assert [r.visits for r in seen] == sorted(r.visits for r in seen)
    assert engine.run(Limits(visits=120)).playouts == 0
    assert engine.run(Limits(playouts=30)).visits == 150
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    assert engine.run(Limits(), stop).visits > 150
    timed = engine.run(Limits(seconds=0.05))
    assert timed.playouts > 0 and timed.seconds < 5
    engine.clear()
    assert engine.run(Limits(seconds=0.0)).moves is not None  # at least the root is evaluated
    assert engine.visits >= 1


def test_a_decided_search_stops_early():
    engine = Search(goals(5, [["C3"]]), PLAIN.with_(leaves=1))
    engine.set_position(position(5))
    result = engine.run(Limits(visits=3000, early_stop=True))
    assert result.visits < 3000 and names([result.chosen], 5) == ["C3"]


def test_ownership_is_for_the_player_to_move():
    engine, _ = search(position(5, "C3"), noisy(1), 60, PLAIN.with_(ownership=True))
    result = engine.run(Limits(playouts=20), ownership=True)
    assert result.ownership.shape == (25,) and np.abs(result.ownership).max() <= 1
    tree = engine.core.tree
    expected = np.zeros(25)
    asked = [node for node in range(int(tree.used[NODES])) if tree.net[node, NET_STDEV] > 0]  # not by the end of the game
    for node in asked:
        sign = 1 if tree.to_play[node] == WHITE else -1
        expected += sign * tree.ownership[node] / OWNERSHIP_SCALE * tree.links[node, OWN]
    weight = tree.links[asked, OWN].sum()
    assert result.ownership == pytest.approx(expected / weight, abs=1e-5)


def test_score_enters_the_utility_only_where_it_is_proven():
    for proven in (False, True):
        engine, result = search(position(5, "C3"), noisy(1, score=proven), 200, PLAY.with_(leaves=1, batches=1))
        assert any(abs(info.utility - info.value) > 1e-3 for info in result.moves) == proven
        check_tree(engine.core.tree)


def test_utilities_follow_the_centre():
    """After a move the centre of the score moves: sums must be what they had been with that centre from the start."""
    from goengine.search.backup import recompute_utilities

    engine, _ = search(position(5, "C3"), noisy(1, score=True), 200, PLAY.with_(leaves=1, batches=1))
    core = engine.core
    before = core.tree.stats[: core.tree.used[NODES]].copy()
    recompute_utilities(core.tree, core.constants)
    assert core.tree.stats[: core.tree.used[NODES]] == pytest.approx(before, abs=1e-4)


@pytest.mark.parametrize("best", [0, 1])
def test_an_unsure_search_takes_longer(best):
    """Time runs on to `max_seconds` while the most visited move is not the best one."""
    engine, _ = search(position(5), noisy(3), 60, PLAIN)
    core = engine.core
    first = core.tree.links[0, FIRST]
    rows = core.tree.edge_child[first : first + 2]
    core.tree.stats[rows, VISITS] = 100, 60
    core.tree.stats[rows, VALUES] = 100, 60
    core.tree.stats[rows, UTILITY_SUM] = (90, 0) if best == 0 else (0, 54)
    assert unsure(core) == (best == 1)
    limits = Limits(seconds=1.0, max_seconds=4.0, early_stop=True)
    for elapsed, over in ((0.9, best == 0), (2.0, best == 0), (5.0, True)):
        run = Run(engine.core, limits)
        run.start -= elapsed
        run.begun = 60
        assert any(run.over() for _ in range(50)) == over
