"""Gumbel search (Danihelka et al., ICLR 2022): sequential halving at the root, completed Q values, the improved policy.

Q enters sigma as a number in [0, 1], as in the paper's games: q01 = (Q + 1) / 2. All formulas are for the player to move.
"""

import math
from functools import lru_cache

import numpy as np

from goengine.core.jit import inlined_kernel, kernel
from goengine.search.constants import Plan
from goengine.search.formulas import mean_utility
from goengine.search.tree import COUNT, FIRST, NET_UTILITY, VIRTUAL, VISITED, VISITS


@lru_cache(maxsize=256)
def halving(actions: int, simulations: int) -> np.ndarray:
    """Visits that the action to be tried must have at each simulation: int32[simulations], read-only.

    ``actions`` start; in each of ceil(log2 m) phases every remaining action gets floor(n / (ceil(log2 m) * remaining)) visits,
    at least one; then the better half stays, at least two.
    """
    if actions <= 1:
        plan = np.arange(simulations, dtype=np.int32)
    else:
        phases = math.ceil(math.log2(actions))
        visits = [0] * actions
        order: list[int] = []
        remaining = actions
        while len(order) < simulations:
            for _ in range(max(1, simulations // (phases * remaining))):
                order.extend(visits[:remaining])
                visits[:remaining] = [n + 1 for n in visits[:remaining]]
            remaining = max(2, remaining // 2)
        plan = np.array(order[:simulations], np.int32)
    plan.setflags(write=False)
    return plan


@lru_cache(maxsize=256)
def barriers(actions: int, simulations: int) -> tuple[int, ...]:
    """Simulations at which a new phase begins, so that all earlier results must be known; the last is the end."""
    if actions <= 1:
        return (simulations,)
    phases = math.ceil(math.log2(actions))
    ends, remaining, at = [], actions, 0
    while at < simulations:
        at += remaining * max(1, simulations // (phases * remaining))
        remaining = max(2, remaining // 2)
        ends.append(min(at, simulations))
    return tuple(ends)


def make_plan(scores: np.ndarray, simulations: int) -> Plan:
    """The plan for actions with these g + logits (float64[m], falling) and that many simulations."""
    return Plan(halving(len(scores), simulations).copy(), np.ascontiguousarray(scores, np.float64), np.zeros(1, np.int64))


@kernel
def most_visits(tree, node):
    """The most visits of a child."""
    first = tree.links[node, FIRST]
    most = 0.0
    for e in range(first, first + tree.links[node, VISITED]):
        most = max(most, tree.stats[tree.edge_child[e], VISITS])
    return most


@kernel
def sigma(q, most, constants):
    """sigma(q) = (c_visit + max N) c_scale q01."""
    return (constants.c_visit + most) * constants.c_scale * 0.5 * (q + 1.0)


@kernel
def mixed_value(tree, node, rollout_weight):
    """v_mix = (v + sum N * sum pi q / sum pi) / (1 + sum N): the net's value, and the visited children's Q by prior."""
    first = tree.links[node, FIRST]
    total, mass, weighted = 0.0, 0.0, 0.0
    for e in range(first, first + tree.links[node, VISITED]):
        child = np.int64(tree.edge_child[e])
        n = tree.stats[child, VISITS]
        if n > 0:
            total += n
            mass += tree.edge_prior[e]
            weighted += tree.edge_prior[e] * mean_utility(tree, child, rollout_weight)
    value = np.float64(tree.net[node, NET_UTILITY])
    if mass <= 0:
        return value
    return (value + total * weighted / mass) / (1.0 + total)


@kernel
def choose_planned(tree, plan, constants):
    """The root's edge that sequential halving tries next, or -1 if none has the planned visits.

    Among the first m edges with the planned number of visits (visits under way included) this is the edge of highest g + logit
    + sigma(q). The planned number is the paper's max N at the beginning of the present round, so the order within a round does
    not depend on how many leaves are under way.
    """
    planned = plan.visits[plan.cursor[0]]
    first = tree.links[0, FIRST]
    visited = tree.links[0, VISITED]
    best = -1
    best_worth = -np.inf
    for i in range(min(plan.scores.size, tree.links[0, COUNT])):
        if i >= visited:
            if planned == 0 and (best < 0 or plan.scores[i] > best_worth):
                best = first + visited
            break
        child = np.int64(tree.edge_child[first + i])
        n = tree.stats[child, VISITS]
        if n + tree.links[child, VIRTUAL] != planned:
            continue
        q = mean_utility(tree, child, constants.rollout_weight) if n > 0 else -1.0
        worth = plan.scores[i] + sigma(q, planned, constants)
        if worth > best_worth:
            best_worth = worth
            best = first + i
    return best


@kernel
def choose_improved(tree, node, constants):
    """Below the root: the edge of highest pi'(a) - N(a) / (1 + sum N), or -1 if there is none; pi' as in `improved_policy`.

    Unvisited moves all have q = v_mix, so only the one of highest prior can be chosen, and their sum needs no loop.
    """
    first = tree.links[node, FIRST]
    visited = tree.links[node, VISITED]
    most = most_visits(tree, node)
    mixed = sigma(mixed_value(tree, node, constants.rollout_weight), most, constants)
    top = mixed
    total = 1.0
    for e in range(first, first + visited):
        child = np.int64(tree.edge_child[e])
        total += tree.stats[child, VISITS] + tree.links[child, VIRTUAL]
        if tree.stats[child, VISITS] > 0:
            top = max(top, sigma(mean_utility(tree, child, constants.rollout_weight), most, constants))
    mass, weights = 0.0, 0.0
    for e in range(first, first + visited):
        mass += tree.edge_prior[e]
        weights += tree.edge_prior[e] * math.exp(_completed(tree, e, mixed, most, constants) - top)
    weights += max(0.0, 1.0 - mass) * math.exp(mixed - top)
    best = -1
    best_worth = -np.inf
    for e in range(first, min(first + visited + 1, first + tree.links[node, COUNT])):
        n = 0.0
        strength = mixed
        if e < first + visited:
            child = np.int64(tree.edge_child[e])
            n = tree.stats[child, VISITS] + tree.links[child, VIRTUAL]
            strength = _completed(tree, e, mixed, most, constants)
        worth = tree.edge_prior[e] * math.exp(strength - top) / weights - n / total
        if worth > best_worth:
            best_worth = worth
            best = e
    return best


@inlined_kernel
def _completed(tree, edge, mixed, most, constants):
    """sigma(completed Q) of an edge that has a child; ``mixed`` is sigma(v_mix)."""
    child = np.int64(tree.edge_child[edge])
    if tree.stats[child, VISITS] == 0:
        return mixed
    return sigma(mean_utility(tree, child, constants.rollout_weight), most, constants)


@kernel
def best_planned(tree, plan, constants):
    """The edge that the search plays: of the m considered and most visited, the highest g + logit + sigma(q); or -1."""
    first = tree.links[0, FIRST]
    most = most_visits(tree, 0)
    best = -1
    best_worth = -np.inf
    for i in range(min(plan.scores.size, tree.links[0, VISITED])):
        child = np.int64(tree.edge_child[first + i])
        if tree.stats[child, VISITS] < most:
            continue
        worth = plan.scores[i] + sigma(mean_utility(tree, child, constants.rollout_weight), most, constants)
        if worth > best_worth:
            best_worth = worth
            best = first + i
    return best


@kernel
def improved_policy(tree, node, constants, out):
    """pi' = softmax(logits + sigma(completed Q)) over the node's edges, into ``out`` (float64[>= COUNT]), in the pool's order.

    Completed: q of visited moves, v_mix of the others. Zero priors stay zero. For the root call it before noise is mixed in,
    or with the priors restored.
    """
    first = tree.links[node, FIRST]
    count = tree.links[node, COUNT]
    most = most_visits(tree, node)
    mixed = mixed_value(tree, node, constants.rollout_weight)
    top = -np.inf
    for i in range(count):
        q = mixed
        if i < tree.links[node, VISITED]:
            child = np.int64(tree.edge_child[first + i])
            if tree.stats[child, VISITS] > 0:
                q = mean_utility(tree, child, constants.rollout_weight)
        out[i] = math.log(max(1e-30, tree.edge_prior[first + i])) + sigma(q, most, constants)
        top = max(top, out[i])
    total = 0.0
    for i in range(count):
        out[i] = math.exp(out[i] - top)
        total += out[i]
    for i in range(count):
        out[i] /= total
