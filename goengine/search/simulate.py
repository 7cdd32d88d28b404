"""Visits that end with a rollout, as the first AlphaGo's did (Silver et al., Nature 529 (2016), Methods, "Search algorithm").

A visit walks to a leaf, plays a rollout from there, and is complete: it waits for no net. A leaf that has had as many rollouts
as the threshold is evaluated and grows moves, whose priors may be the tree policy's until the net answers; that answer comes as
a backup of its own (`update_batch`), into the other channel. So nets and rollouts work at the same time, and if nets cannot
keep up, leaves wait in a queue while rollouts go on; the next batch takes them first. One thread plays visits one by one
(`simulate_batch`); several play the rollouts of a wave of visits.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.game_kernels import position_key
from goengine.board.stacked import game_at, new_games
from goengine.board.state import Game, copy_game
from goengine.core.jit import inlined_kernel, kernel
from goengine.core.mix import mix
from goengine.search.backup import back_up, forget_descent, ungrown
from goengine.search.edges import fill_priors, make_edges
from goengine.search.line import NOWHERE, go_along
from goengine.search.linear_policies import guess, roll_out
from goengine.search.select import walk
from goengine.search.tree import FRESH, LEAF, MOVE, NET_VALUE, PARENT, PENDING, QUEUED, TERMINAL, VISITS


@kernel
def begin_visit(context, root, game):
    """Walk to a leaf, where ``game`` stands then. Returns (leaf, its depth); -1 for the leaf if the visit is complete."""
    tree = context.tree
    node, depth, gone = walk(context, root, game)
    if tree.state[node] == TERMINAL:
        back_up(tree, node, 1.0, 1.0, np.float64(tree.net[node, NET_VALUE]), context.constants)
        return -1, depth
    go_along(game, root, context.scratch.line, gone, depth, depth)
    return node, depth


@kernel
def end_visit(context, node, depth, game, rollout, threshold, free):
    """Back a rollout up. Returns whether the leaf is to be evaluated now.

    ``threshold``: visits of a leaf with which it is ripe for that, the root at once; if nobody is ``free`` to do it, the leaf
    joins the queue (`take_queued`).
    """
    tree = context.tree
    back_up(tree, node, 1.0, 0.0, rollout, context.constants)
    state = tree.state[node]
    if state != FRESH and state != LEAF:
        return False
    tree.state[node] = LEAF
    if node > 0 and tree.stats[node, VISITS] < threshold:
        return False
    if not free:
        _queue(tree, node)
        return False
    return _prepare(context, node, depth, game)


@inlined_kernel
def _prepare(context, node, depth, game):
    """Make a leaf ready for its evaluation; ``game`` stands there. Returns False if there is no room for its moves."""
    tree = context.tree
    grown = make_edges(tree, node, game, context.rules, context.forbidden, depth, context.scratch.legal)
    if not grown and node > 0:
        return False
    tree.state[node] = PENDING
    return True


@kernel
def _queue(tree, node):
    """Put a ripe leaf at the end of the queue, unless it is there or the queue is full."""
    count = tree.used[QUEUED]
    if count == tree.queue.size or node == 0:
        return
    for i in range(count):
        if tree.queue[i] == node:
            return
    tree.queue[count] = node
    tree.used[QUEUED] = count + 1


@kernel
def take_queued(context, leaves, want):
    """Begin a batch with up to ``want`` leaves of the queue. Returns how many.

    Those that were evaluated since, met by another visit, are passed over. ``leaves`` as in `simulate_batch`.
    """
    tree, line = context.tree, context.scratch.line
    root_game = game_at(leaves.games, leaves.games.status.shape[0] - 2)
    found, taken = 0, 0
    while taken < tree.used[QUEUED] and found < want:
        node = np.int64(tree.queue[taken])
        taken += 1
        if tree.state[node] != LEAF:
            continue
        depth = _line_to(tree, node, line)
        game = game_at(leaves.games, found)
        go_along(game, root_game, line, NOWHERE, depth, depth)
        if _prepare(context, node, depth, game):
            _note(leaves, found, node, game, context.constants.salt)
            found += 1
    left = tree.used[QUEUED] - taken
    for i in range(left):
        tree.queue[i] = tree.queue[i + taken]
    tree.used[QUEUED] = left
    return found


@kernel
def _line_to(tree, node, line):
    """Write the moves from the root to a node. Returns how many they are."""
    depth = 0
    at = node
    while tree.links[at, PARENT] >= 0:
        depth += 1
        at = np.int64(tree.links[at, PARENT])
    for i in range(depth - 1, -1, -1):
        line[i] = tree.links[node, MOVE]
        node = np.int64(tree.links[node, PARENT])
    return depth


@kernel
def _note(leaves, found, node, game, salt):
    """Leaf number ``found`` of a batch."""
    leaves.nodes[found] = node
    leaves.keys[found] = mix(position_key(game), salt)


@kernel
def simulate_batch(context, leaves, rollout_scratch, generator, threshold, found, want, budget):
    """Play ``budget`` visits, or as many as bring ``want`` leaves, ``found`` of which are there. Returns (leaves, visits).

    ``leaves`` as in `goengine.search.select.select_batch`; the last of its games is scratch.
    """
    games = leaves.games
    root_game = game_at(games, games.status.shape[0] - 2)
    spare = game_at(games, games.status.shape[0] - 1).board
    done = 0
    while done < budget and (found < want or want == 0):
        game = game_at(games, found)
        node, depth = begin_visit(context, root_game, game)
        done += 1
        if node < 0:
            continue
        z = roll_out(game, spare, rollout_scratch, context.rules.komi, generator)
        if end_visit(context, node, depth, game, z, threshold, found < want):
            _note(leaves, found, node, game, context.constants.salt)
            found += 1
    return found, done


class Wave(NamedTuple):
    """Visits whose rollouts are played at the same time; S of them at most."""

    games: Game  # S of them
    node: np.ndarray  # int64[S]
    depth: np.ndarray  # int64[S]
    result: np.ndarray  # float64[S]  of the rollout, for the player to move


def new_wave(size: int, visits: int, capacity: int) -> Wave:
    """Room for that many visits; ``capacity``: plies of a game."""
    return Wave(new_games(size, visits, capacity), np.zeros(visits, np.int64), np.zeros(visits, np.int64), np.zeros(visits))


@kernel
def begin_wave(context, wave, root_game, visits):
    """Begin so many visits, which virtual loss keeps apart. Returns how many of them need a rollout."""
    count = 0
    for _ in range(visits):
        game = game_at(wave.games, count)
        wave.node[count], wave.depth[count] = begin_visit(context, root_game, game)
        count += wave.node[count] >= 0
    return count


@kernel
def roll_wave(wave, first, last, spare, rollout_scratch, komi, generator):
    """Play the rollouts of a part of a wave; parts may be played at the same time, each with its own memory."""
    for i in range(first, last):
        wave.result[i] = roll_out(game_at(wave.games, i), spare, rollout_scratch, komi, generator)


@kernel
def end_wave(context, wave, count, leaves, threshold, found, want):
    """Back all rollouts up. Returns the number of leaves to evaluate, up to ``want``; ``found`` were there before.

    ``leaves`` as in `simulate_batch`.
    """
    for i in range(count):
        game, node = game_at(wave.games, i), wave.node[i]
        z, depth = wave.result[i], wave.depth[i]
        if end_visit(context, node, depth, game, z, threshold, found < want):
            copy_game(game_at(leaves.games, found), game)
            _note(leaves, found, node, game, context.constants.salt)
            found += 1
    return found


@kernel
def break_off(tree, wave, count):
    """Take back the visits of a wave whose rollouts were not all played."""
    for i in range(count):
        forget_descent(tree, wave.node[i])


@kernel
def guess_priors(tree, stride, games, nodes, count, tree_policy_scratch):
    """Give the first ``count`` nodes, at which ``games`` stand, the tree policy's priors."""
    for i in range(count):
        guess(game_at(games, i), tree_policy_scratch)
        fill_priors(tree, np.int64(nodes[i]), tree_policy_scratch.policy, 1.0, stride)


@kernel
def withdraw_batch(tree, nodes, count):
    """The evaluation of the first ``count`` nodes has failed: they are leaves again, and keep their rollouts."""
    for i in range(count):
        ungrown(tree, np.int64(nodes[i]))
