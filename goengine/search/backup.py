"""The second half of a visit: the evaluator's answer enters the leaf, and its value goes up to the root.

The value is for the player to move at the leaf; it changes sign in one line, in `back_up`.
"""

import math

import numpy as np

from goengine.board.state import copy_array
from goengine.core.jit import inlined_kernel, kernel
from goengine.search.edges import fill_priors
from goengine.search.formulas import score_utility
from goengine.search.tree import (
    COUNT,
    EXPANDED,
    FIRST,
    FRESH,
    LEAF,
    NET_SCORE,
    NET_STDEV,
    NET_UTILITY,
    NET_VALUE,
    NODES,
    OWN,
    OWNERSHIP_SCALE,
    PARENT,
    ROLLOUT_SUM,
    SCORE_SQUARES,
    SCORE_SUM,
    SORTED,
    TERMINAL,
    UTILITY_SQUARES,
    UTILITY_SUM,
    VALUE_SUM,
    VALUES,
    VIRTUAL,
    VISITED,
    VISITS,
    is_folded,
)


@inlined_kernel
def is_known(tree, node):
    """Whether an evaluator has said something of a node: the deviation of its score is never 0."""
    return tree.net[node, NET_STDEV] > 0


@inlined_kernel
def own_values(tree, node, rollout_weight):
    """How many of the values in a node's sums are its own. With rollouts: the value of its position, if known."""
    if rollout_weight > 0 and tree.state[node] != TERMINAL:
        return 1.0 if is_known(tree, node) else 0.0
    return np.float64(tree.links[node, OWN])


@kernel
def set_net(tree, node, value, score, stdev, constants):
    """Write what is known of a node itself, for its player to move."""
    tree.net[node, NET_VALUE] = value
    tree.net[node, NET_SCORE] = score
    tree.net[node, NET_STDEV] = stdev
    tree.net[node, NET_UTILITY] = value + score_utility(score, stdev, tree.to_play[node], constants)


@kernel
def back_up(tree, leaf, visits, values, rollout, constants):
    """Add to ``leaf`` and to all nodes above it: ``visits`` of it, ``values`` times its own value, the result of a rollout.

    A visit takes its descent's virtual visit away. ``visits``, ``values``: 0.0 or 1.0; ``rollout``: for the player to move at
    the leaf.
    """
    tree.links[leaf, OWN] += np.int32(visits)
    value = values * tree.net[leaf, NET_VALUE]
    score = values * tree.net[leaf, NET_SCORE]
    stdev = values * tree.net[leaf, NET_STDEV]
    utility = np.float64(tree.net[leaf, NET_UTILITY])
    gain = values * utility  # of the sums of utilities, for the player to move at the leaf
    squares = values * utility * utility
    sign = 1.0
    node = leaf
    while node >= 0:
        sign = -sign  # sums are for the player who moved to the node: the only change of sign in a visit
        stats = tree.stats[node]
        stats[VISITS] += visits
        stats[ROLLOUT_SUM] += sign * rollout
        stats[VALUES] += values
        stats[VALUE_SUM] += sign * value
        stats[SCORE_SUM] += sign * score
        stats[SCORE_SQUARES] += score * score + stdev * stdev
        stats[UTILITY_SUM] += sign * gain
        stats[UTILITY_SQUARES] += squares
        tree.links[node, VIRTUAL] -= np.int32(visits)
        node = np.int64(tree.links[node, PARENT])


@kernel
def forget_descent(tree, leaf):
    """Take away the virtual visits of a descent that is given up."""
    node = leaf
    while node >= 0:
        tree.links[node, VIRTUAL] -= 1
        node = np.int64(tree.links[node, PARENT])


@kernel
def is_finite(count, answer):
    """Whether all values, scores and logits of the first ``count`` rows are numbers."""
    strange = False
    for i in range(count):
        if not (math.isfinite(answer.value[i]) and math.isfinite(answer.score[i]) and math.isfinite(answer.score_stdev[i])):
            return False
        logits = answer.policy[i]
        for k in range(logits.size):  # without a way out of the loop, many at a time
            strange |= logits[k] - logits[k] != 0  # nan for nan and for both infinities
    return not strange


@kernel
def enter(tree, node, stride, constants, answer, row):
    """Enter a row of evaluations at a node: what it says of the position, and the priors of its moves, or what makes them."""
    if not is_known(tree, node):  # a leaf that found no room to grow is asked again: its value has counted
        set_net(tree, node, answer.value[row], answer.score[row], answer.score_stdev[row], constants)
        ownership, kept = answer.ownership[row], tree.ownership[node]
        for k in range(kept.size):
            kept[k] = np.int8(np.rint(OWNERSHIP_SCALE * max(-1.0, min(1.0, ownership[k]))))
    if tree.links[node, COUNT] > 0:
        if is_folded(tree, node):
            first = np.int64(tree.links[node, FIRST])
            copy_array(tree.edge_prior[first : first + answer.policy.shape[1]], answer.policy[row])
        elif constants.net_priors != 0:
            fill_priors(tree, node, answer.policy[row], constants.policy_temperature, stride)
        tree.state[node] = EXPANDED
    else:
        tree.state[node] = LEAF


@kernel
def update_batch(tree, stride, constants, nodes, count, visits, answer):
    """Enter the evaluations of the first ``count`` nodes (int32[count]) and back their values up.

    ``visits``: 1.0 where the evaluation completes a visit, 0.0 where a rollout has done so and the value comes after it.
    ``answer``: a `goengine.evaluators.base.Evaluation`. Returns False, and changes nothing, if a value, score or logit is no
    number.
    """
    if not is_finite(count, answer):
        return False
    for i in range(count):
        node = np.int64(nodes[i])
        enter(tree, node, stride, constants, answer, i)
        back_up(tree, node, visits, 1.0, 0.0, constants)
    return True


@kernel
def cancel_batch(tree, nodes, count):
    """Take back the selection of leaves whose evaluation failed: they are as if never reached."""
    for i in range(count):
        node = np.int64(nodes[i])
        ungrown(tree, node)
        forget_descent(tree, node)


@kernel
def ungrown(tree, node):
    """A leaf whose evaluation was given up: as it was before it grew, unless descents have walked through it."""
    if tree.links[node, VISITED] > 0:  # it keeps the priors that they saw, and has no value of its own
        tree.state[node] = EXPANDED
    else:
        tree.links[node, COUNT] = 0
        tree.links[node, SORTED] = 0
        tree.state[node] = LEAF if tree.links[node, OWN] > 0 else FRESH


@kernel
def recompute_utilities(tree, constants):
    """Compute all utilities again after the constants changed (the centre of the score): own values and children, from the
    leaves up.
    """
    for node in range(tree.used[NODES]):
        own = own_values(tree, node, constants.rollout_weight)
        utility = 0.0
        if own > 0:
            net = tree.net[node]
            utility = net[NET_VALUE] + score_utility(net[NET_SCORE], net[NET_STDEV], tree.to_play[node], constants)
            tree.net[node, NET_UTILITY] = utility
            utility = np.float64(tree.net[node, NET_UTILITY])  # as it is kept, in single precision
        tree.stats[node, UTILITY_SUM] = -own * utility
        tree.stats[node, UTILITY_SQUARES] = own * utility * utility
    for node in range(tree.used[NODES] - 1, 0, -1):
        parent = np.int64(tree.links[node, PARENT])
        tree.stats[parent, UTILITY_SUM] -= tree.stats[node, UTILITY_SUM]
        tree.stats[parent, UTILITY_SQUARES] += tree.stats[node, UTILITY_SQUARES]
