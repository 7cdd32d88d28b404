"""Visits that end with a rollout, as the first AlphaGo's did (Silver et al., Nature 529 (2016), Methods, "Search algorithm").

A visit walks to a leaf, plays a rollout from there, and is complete: it waits for no net. A leaf that has had as many rollouts as
the threshold is evaluated and grows moves, whose priors are the tree policy's until the net answers; that answer comes as a
backup of its own (`answer_batch`), into the other channel. So nets and rollouts work at the same time, and if nets cannot keep
up, leaves wait their turn while rollouts go on.
"""

import numpy as np

from goengine.board.kernels import mix, position_key
from goengine.board.state import copy_game
from goengine.jit import kernel
from goengine.search.backup import back_up, enter, fill_priors, is_finite, ungrown
from goengine.search.linear import guess, roll_out
from goengine.search.select import game_at, make_edges, walk
from goengine.search.tree import FRESH, LEAF, NET_VALUE, PENDING, TERMINAL, VISITS

# What a visit leaves behind: nothing; a leaf to be evaluated; one that should be, but nobody is free.
NOTHING, RIPE, WAITING = range(3)


@kernel
def simulate(tree, game, spare, knobs, rules, forbidden, plan, generator, scratch, roller, threshold, free):
    """One visit. Returns (leaf, what it leaves behind). ``game`` stands at the leaf then; ``spare`` is a board for the rollout.

    ``threshold``: visits of a leaf with which it is evaluated, if the evaluator is ``free``; the root is at once.
    """
    node, depth = walk(tree, game, knobs, rules, plan, scratch)
    state = tree.state[node]
    if state == TERMINAL:
        back_up(tree, node, 1.0, 1.0, np.float64(tree.net[node, NET_VALUE]), knobs)
        return node, NOTHING
    back_up(tree, node, 1.0, 0.0, roll_out(game, spare, roller, rules.komi, generator), knobs)
    if state != FRESH and state != LEAF:
        return node, NOTHING
    tree.state[node] = LEAF
    if node > 0 and tree.stats[node, VISITS] < threshold:
        return node, NOTHING
    if not free:
        return node, WAITING
    if not make_edges(tree, node, game, rules, forbidden, depth, scratch.legal) and node > 0:
        return node, NOTHING
    tree.state[node] = PENDING
    return node, RIPE


@kernel
def simulate_batch(
    tree, games, knobs, rules, forbidden, plan, generator, scratch, roller, threshold, nodes, keys, want, budget
):
    """Play ``budget`` visits, or as many as bring ``want`` leaves. Returns (leaves, visits, leaves that wait for room).

    Arrays as in `goengine.search.select.select_batch`; the last of the stacked games is scratch.
    """
    root_game = game_at(games, games.status.shape[0] - 2)
    spare = game_at(games, games.status.shape[0] - 1).board
    found, done, waiting = 0, 0, 0
    while done < budget and (found < want or want == 0):
        game = game_at(games, found)
        copy_game(game, root_game)
        node, left = simulate(
            tree, game, spare, knobs, rules, forbidden, plan, generator, scratch, roller, threshold, found < want
        )
        done += 1
        waiting += left == WAITING
        if left == RIPE:
            nodes[found] = node
            keys[found] = mix(position_key(game), knobs.salt)
            found += 1
    return found, done, waiting


@kernel
def guess_priors(tree, stride, games, nodes, count, guesser):
    """Give the first ``count`` nodes, at which ``games`` stand, the tree policy's priors."""
    for i in range(count):
        guess(game_at(games, i), guesser)
        fill_priors(tree, np.int64(nodes[i]), guesser.policy, 1.0, stride)


@kernel
def answer_batch(tree, stride, knobs, nodes, count, policy, value, score, stdev, ownership):
    """Enter the evaluations of the first ``count`` nodes and back their values up, as `update_batch`; no visit is counted."""
    if not is_finite(count, policy, value, score, stdev):
        return False
    for i in range(count):
        node = np.int64(nodes[i])
        enter(tree, node, stride, knobs, policy[i], value[i], score[i], stdev[i], ownership[i])
        back_up(tree, node, 0.0, 1.0, 0.0, knobs)
    return True


@kernel
def withdraw_batch(tree, nodes, count):
    """The evaluation of the first ``count`` nodes has failed: they are leaves again, and keep their rollouts."""
    for i in range(count):
        ungrown(tree, np.int64(nodes[i]))
