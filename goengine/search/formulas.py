"""The formulas of the search as small kernels: exploration, first play urgency, a child's worth, the score's utility.

Everything is for the player to move at the node where the choice is made. Reads the tree, never writes it.
"""

import math

import numpy as np

from goengine.board.state import BLACK
from goengine.core.jit import inlined_kernel, kernel
from goengine.core.mix import mix
from goengine.search.tree import (
    COUNT,
    FIRST,
    NET_UTILITY,
    OWN,
    PENDING,
    ROLLOUT_SUM,
    TERMINAL,
    UTILITY_SQUARES,
    UTILITY_SUM,
    VALUES,
    VIRTUAL,
    VISITED,
    VISITS,
)

# Gauss-Hermite quadrature with five nodes: E[f(m + s X)] = sum of weight f(m + s node) for a standard normal X.
_NODES = np.array([-2.8569700138728056, -1.3556261799742659, 0.0, 1.3556261799742659, 2.8569700138728056])
_WEIGHTS = np.array([0.011257411327720693, 0.22207592200561263, 0.5333333333333333, 0.22207592200561263, 0.011257411327720693])


@inlined_kernel
def mean_utility(tree, node, rollout_weight):
    """Mean utility of a node for who moved there: (1 - lambda) W_v / N_v + lambda W_r / N_r (Lee); 0 without visits.

    Where no position has been valued yet, rollouts speak alone.
    """
    values, visits = tree.stats[node, VALUES], tree.stats[node, VISITS]
    q = tree.stats[node, UTILITY_SUM] / values if values > 0 else 0.0
    if rollout_weight > 0 and visits > 0:
        share = rollout_weight if values > 0 else 1.0
        q = (1.0 - share) * q + share * tree.stats[node, ROLLOUT_SUM] / visits
    return q


@inlined_kernel
def node_means(tree, node, constants):
    """(value, result of a rollout) of all that is known below a node, each a mean for its player to move.

    Where only one of the two is known it stands for both; 0 where nothing is.
    """
    values, visits = tree.stats[node, VALUES], tree.stats[node, VISITS]
    rollout = -tree.stats[node, ROLLOUT_SUM] / visits if visits > 0 else 0.0
    value = -tree.stats[node, UTILITY_SUM] / values if values > 0 else rollout
    return value, rollout


@inlined_kernel
def young_utility(tree, child, lost, value, rollout, constants):
    """Utility of a child as its parent compares it where rollouts are played; ``lost``: rollouts taken for lost.

    A few rollouts say little: their mean is taken with ``rollout_prior`` more that gave the parent's mean, ``rollout``. A child
    that has no value yet has the parent's, ``value``. The result of a finished game is no chance.
    """
    k = 0.0 if tree.state[child] == TERMINAL else constants.rollout_prior
    n = tree.stats[child, VISITS] + k + lost
    r = (tree.stats[child, ROLLOUT_SUM] + k * rollout - lost) / n if n > 0 else 0.0
    share = constants.rollout_weight
    if share == 1.0:
        return r
    values = tree.stats[child, VALUES]
    v = tree.stats[child, UTILITY_SUM] / values if values > 0 else value
    return (1.0 - share) * v + share * r


@inlined_kernel
def child_visits(tree, node, rollout_weight):
    """Visits of all children of a node together, those under way included, but not the descent that stands at the node."""
    total = tree.stats[node, VISITS] - tree.links[node, OWN] + tree.links[node, VIRTUAL] - 1.0
    if tree.state[node] == PENDING and rollout_weight == 0:
        total -= 1.0  # the descent that waits at the node itself; none does where rollouts end all visits
    return max(0.0, total)


@kernel
def exploration(tree, node, total, constants):
    """c_puct at a node: c + c_log ln((sum N + base) / base), times KataGo's factor for the spread of the utilities below."""
    c = constants.cpuct + constants.cpuct_log * math.log((total + constants.cpuct_base) / constants.cpuct_base)
    n = tree.stats[node, VALUES]
    if constants.cpuct_stdev_scale > 0 and n > 1:  # one value has no spread (KataGo)
        u = tree.stats[node, UTILITY_SUM] / n
        prior, weight = constants.cpuct_stdev_prior, constants.cpuct_stdev_weight
        squares = ((u * u + prior * prior) * weight + tree.stats[node, UTILITY_SQUARES]) / (weight + n - 1.0)
        c *= 1.0 + constants.cpuct_stdev_scale * (math.sqrt(max(0.0, squares - u * u)) / prior - 1.0)
    return c


@kernel
def first_play_urgency(tree, node, mass, constants):
    """Utility of a child without visits, where the visited ones hold ``mass`` of the prior.

    Relative (KataGo): the node's own utility, drawn to the net's opinion by 1 - mass^2, less reduction * sqrt(mass).
    """
    if constants.fpu_relative == 0:
        return constants.fpu_value
    share = mass * mass
    if constants.rollout_weight > 0:  # the net's opinion is one of values
        value, rollout = node_means(tree, node, constants)
        parent = (1.0 - constants.rollout_weight) * value + constants.rollout_weight * rollout
    else:
        parent = -share * mean_utility(tree, node, 0.0) + (1.0 - share) * tree.net[node, NET_UTILITY]
    reduction = constants.root_fpu_reduction if node == 0 else constants.fpu_reduction
    return parent - reduction * math.sqrt(mass)


@kernel
def wide_bonus(descent, edge, width):
    """Utility that an edge of the root gets for one descent, so that all are tried (KataGo wideRootNoise): in half of them
    width times the size of a standard normal. Drawn from the numbers of the descent and the edge alone.
    """
    word = mix(np.uint64(descent), np.uint64(edge))
    if word & np.uint64(1):
        return 0.0
    u = (np.float64(word >> np.uint64(32)) + 1.0) / 4294967297.0
    v = np.float64((word >> np.uint64(1)) & np.uint64(0x7FFFFFFF)) / 2147483648.0
    return width * abs(math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v))


@kernel
def choose_edge(tree, node, constants, may_grow):
    """The edge of highest Q + U (PUCT), visited ones first among equals; -1 if there is none.

    Descents under way count as visits, and ``virtual_loss`` of them as lost. ``may_grow``: an edge without child will do.
    """
    first = tree.links[node, FIRST]
    visited = tree.links[node, VISITED]
    total = child_visits(tree, node, constants.rollout_weight)
    c = exploration(tree, node, total, constants) * math.sqrt(total)
    forced = constants.forced_playouts * total if node == 0 else 0.0
    wide = constants.wide_root_noise if node == 0 else 0.0
    flatter = 1.0 / (4.0 * wide + 1.0)
    rolls = constants.rollout_weight > 0
    value, rollout = node_means(tree, node, constants) if rolls else (0.0, 0.0)
    best = -1
    best_worth = -1e30
    mass = 0.0
    for e in range(first, first + visited):
        child = np.int64(tree.edge_child[e])
        prior = np.float64(tree.edge_prior[e])
        mass += prior
        lost = constants.virtual_loss * tree.links[child, VIRTUAL]
        n = tree.stats[child, VISITS]
        q = 0.0
        if rolls:
            q = young_utility(tree, child, lost, value, rollout, constants)
        elif n + lost > 0:
            q = (mean_utility(tree, child, 0.0) * n - lost) / (n + lost)
        n += tree.links[child, VIRTUAL]
        if wide > 0:
            prior = prior**flatter
            q += wide_bonus(total, e, wide)
        worth = q + c * prior / (1.0 + n)
        if forced > 0 and n * n < forced * prior:
            worth = 1e20  # KataGo: n_forced = sqrt(k P sum N), before anything else
        if worth > best_worth:
            best_worth = worth
            best = e
    if may_grow and visited < tree.links[node, COUNT]:
        e = first + visited
        q, prior = first_play_urgency(tree, node, mass, constants), np.float64(tree.edge_prior[e])
        if wide > 0:
            prior = prior**flatter
            q += wide_bonus(total, e, wide)
        if best < 0 or q + c * prior > best_worth:
            best = e
    return best


@kernel
def score_utility(score, stdev, to_play, constants):
    """Utility of a score for the player to move (KataGo): static and dynamic part, each E[2/pi atan((x - centre) / width)]."""
    if constants.static_score == 0 and constants.dynamic_score == 0:
        return 0.0
    center = constants.center if to_play == BLACK else -constants.center
    utility = 0.0
    for i in range(5):
        x = score + stdev * _NODES[i]
        part = constants.static_score * math.atan(x / constants.static_width)
        part += constants.dynamic_score * math.atan((x - center) / constants.dynamic_width)
        utility += _WEIGHTS[i] * part
    return utility * (2.0 / math.pi)
