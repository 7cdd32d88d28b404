"""The root of a self-play search, in kernels: noise in its priors, the policy to learn, the move to play.

The same as `goengine.search.root` does with numpy for one game, which the tests compare it with; here for thousands of moves
a second. Knows the tree and the search's formulas; keeps no records.
"""

import math
from typing import NamedTuple

import numpy as np

from goengine.board.random import uniform
from goengine.board.stacked import policy_index
from goengine.core.jit import kernel
from goengine.search.formulas import exploration, mean_utility
from goengine.search.gumbel import best_planned, improved_policy
from goengine.search.noise import gumbel_draw, log_gamma_draw
from goengine.search.tree import COUNT, FIRST, SORTED, VISITED, VISITS, fetch_next

_SMALLEST = 1e-30  # a prior below it counts as it, in logarithms


class Noise(NamedTuple):
    """What a full search puts into the root's priors."""

    actions: int  # m of sequential halving; 0: PUCT
    temperature: float
    dirichlet_total: float
    dirichlet_weight: float


@kernel
def keep_raw_prior(tree, size, raw_prior):
    """Write the root's priors by policy index into ``raw_prior`` (float32[A])."""
    raw_prior[:] = 0
    first = tree.links[0, FIRST]
    for e in range(first, first + tree.links[0, COUNT]):
        raw_prior[policy_index(np.int64(tree.edge_move[e]), size, size)] = tree.edge_prior[e]


@kernel
def plan_gumbel(tree, generator, noisy, scores):
    """Bring the actions of highest g + logit to the front, and their worths into ``scores`` (float64[m], m <= COUNT)."""
    first, count = tree.links[0, FIRST], tree.links[0, COUNT]
    for i in range(scores.size):
        scores[i] = -np.inf
    for e in range(first, first + count):  # insertion among the best so far
        worth = math.log(max(_SMALLEST, tree.edge_prior[e])) + (gumbel_draw(generator) if noisy else 0.0)
        if worth <= scores[scores.size - 1]:
            continue
        place = min(e - first, scores.size - 1)
        move, prior = tree.edge_move[e], tree.edge_prior[e]
        tree.edge_move[e], tree.edge_prior[e] = tree.edge_move[first + place], tree.edge_prior[first + place]
        while place > 0 and scores[place - 1] < worth:
            scores[place] = scores[place - 1]
            tree.edge_move[first + place] = tree.edge_move[first + place - 1]
            tree.edge_prior[first + place] = tree.edge_prior[first + place - 1]
            place -= 1
        scores[place] = worth
        tree.edge_move[first + place], tree.edge_prior[first + place] = move, prior
    tree.links[0, SORTED] = scores.size


@kernel
def mix_dirichlet(tree, generator, noise, draws):
    """Temperature, then (1 - epsilon) p + epsilon eta (Zero), into the root's priors. ``draws``: scratch float64[>= COUNT]."""
    first, count = tree.links[0, FIRST], tree.links[0, COUNT]
    total = 0.0
    for e in range(first, first + count):
        tree.edge_prior[e] = tree.edge_prior[e] ** (1.0 / noise.temperature)
        total += tree.edge_prior[e]
    top = -np.inf
    for i in range(count):
        draws[i] = log_gamma_draw(generator, noise.dirichlet_total / count)
        top = max(top, draws[i])
    mass = 0.0
    for i in range(count):
        draws[i] = math.exp(draws[i] - top)
        mass += draws[i]
    weight = noise.dirichlet_weight if count > 1 else 0.0
    for i in range(count):
        tree.edge_prior[first + i] = (1.0 - weight) * tree.edge_prior[first + i] / total + weight * draws[i] / mass
    tree.links[0, SORTED] = 0
    fetch_next(tree, 0)


@kernel
def pruned_visits(tree, constants, out):
    """Target pruning, as `goengine.search.root.pruned_visits`, into ``out`` (float64[>= VISITED]); returns their sum."""
    first, visited = tree.links[0, FIRST], tree.links[0, VISITED]
    total, star = 0.0, 0
    for i in range(visited):
        out[i] = tree.stats[tree.edge_child[first + i], VISITS]
        total += out[i]
        if out[i] > out[star]:
            star = i
    if constants.forced_playouts == 0 or visited == 0:
        return total
    c = exploration(tree, 0, total, constants) * math.sqrt(total)
    best = mean_utility(tree, np.int64(tree.edge_child[first + star]), constants.rollout_weight)
    worth = best + c * tree.edge_prior[first + star] / (1.0 + out[star])
    kept = out[star]
    for i in range(visited):
        if i == star:
            continue
        prior = np.float64(tree.edge_prior[first + i])
        gap = max(worth - mean_utility(tree, np.int64(tree.edge_child[first + i]), constants.rollout_weight), 1e-9)
        needed = math.ceil(c * prior / gap - 1.0)
        forced = math.floor(math.sqrt(constants.forced_playouts * prior * total))
        out[i] = max(out[i] - forced, min(out[i], needed))
        if out[i] <= 1.0:
            out[i] = 0.0
        kept += out[i]
    return kept


@kernel
def learn_target(tree, constants, planned, out):
    """The policy to learn over the root's edges, in the pool's order, into ``out`` (float64[>= COUNT]).

    Gumbel (``planned``): the improved policy; else the visits, pruned where playouts were forced. Sums to 1.
    """
    if planned:
        improved_policy(tree, 0, constants, out)
        return
    total = pruned_visits(tree, constants, out)
    for i in range(tree.links[0, COUNT]):
        out[i] = out[i] / total if i < tree.links[0, VISITED] else 0.0


@kernel
def drawn(generator, weights, count, temperature):
    """An index below ``count``, drawn by weights^(1/T)."""
    top = 0.0
    for i in range(count):
        top = max(top, weights[i])
    total = 0.0
    for i in range(count):
        total += (weights[i] / top) ** (1.0 / temperature)
    left = uniform(generator) * total
    last = 0
    for i in range(count):
        share = (weights[i] / top) ** (1.0 / temperature)
        if share > 0:
            last = i
            left -= share
            if left < 0:
                break
    return last


@kernel
def drawn_prior(tree, generator, temperature):
    """An edge of the root drawn by prior^(1/T)."""
    first = tree.links[0, FIRST]
    return first + drawn(generator, tree.edge_prior[first:], tree.links[0, COUNT], temperature)


@kernel
def chosen(tree, plan, constants, generator, temperature, scratch):
    """The edge to play: drawn by (pruned) visits^(1/T), or at temperature 0 the best. ``scratch``: float64[>= COUNT]."""
    first, visited = tree.links[0, FIRST], tree.links[0, VISITED]
    if temperature == 0 and plan.scores.size:
        return best_planned(tree, plan, constants)
    pruned_visits(tree, constants, scratch)
    if temperature > 0:
        return first + drawn(generator, scratch, visited, temperature)
    best = 0
    for i in range(1, visited):
        if scratch[i] > scratch[best]:
            best = i
    return first + best
