"""The first half of a visit: from the root down to a leaf, for a whole batch of leaves in one call.

A descent walks along nodes alone, and its moves are then played on a scratch game in one go (`goengine.search.line`). So a leaf
has its full history for superko and for the features; that game stays at the leaf and is encoded from there. Leaves that need
no evaluator (finished games, a full tree) are backed up at once.
Virtual visits keep the descents of a batch, and of several batches under way, apart. Visits that play rollouts end otherwise:
see `goengine.search.simulate`.
"""

import numpy as np

from goengine.board.game_kernels import position_key
from goengine.board.rules import SCORING_TERRITORY
from goengine.board.stacked import game_at
from goengine.board.state import BLACK, PASS
from goengine.core.jit import inlined_kernel, kernel
from goengine.core.mix import mix
from goengine.search.backup import back_up, forget_descent, set_net
from goengine.search.edges import make_edges, reserve_edges, unfold
from goengine.search.formulas import choose_edge
from goengine.search.gumbel import choose_improved, choose_planned
from goengine.search.line import NOWHERE, go_along
from goengine.search.outcome import final_score, is_over
from goengine.search.tree import (
    COUNT,
    FRESH,
    LEAF,
    NODES,
    PENDING,
    TERMINAL,
    VIRTUAL,
    VISITED,
    fetch_next,
    is_folded,
    new_node,
)


@inlined_kernel
def _make_child(tree, node, edge):
    """The node behind an edge that nobody has walked."""
    child = new_node(tree, node, tree.edge_move[edge], 3 - tree.to_play[node])
    tree.edge_child[edge] = child
    tree.links[node, VISITED] += 1
    fetch_next(tree, node)
    return child


@inlined_kernel
def _finish_if_over(context, child, game, passes, button):
    """See whether the game is over at a new node behind a pass, where ``game`` stands after ``passes`` passes in all.

    Where rollouts are played it is over, too, if the next player wins by passing as well: rollouts would play on, and find a
    pass in the middle of a game as good as any move. So by area; a pass has a price under other rules, and with a button.
    ``button``: points for Black that the first pass below the root has won.
    """
    tree, rules = context.tree, context.rules
    if is_over(game, rules, passes):
        tree.state[child] = TERMINAL
        score = final_score(game.board, rules, context.scratch) + button
        if tree.to_play[child] != BLACK:
            score = -score
        set_net(tree, child, np.sign(score), score, 0.0, context.constants)
    elif context.constants.rollout_weight > 0 and rules.scoring != SCORING_TERRITORY and rules.button == 0:
        score = final_score(game.board, rules, context.scratch)
        if tree.to_play[child] != BLACK:
            score = -score
        if score > 0:
            tree.state[child] = TERMINAL
            set_net(tree, child, 1.0, score, 0.0, context.constants)


@inlined_kernel
def _next_edge(tree, node, constants, plan):
    """The edge to walk, or -1 to stay. A full tree is refined: only edges that have a child can be walked."""
    may_grow = tree.used[NODES] < tree.state.size
    edge = -1
    if node == 0 and may_grow and plan.cursor[0] < plan.visits.size:
        edge = choose_planned(tree, plan, constants)
    elif node > 0 and may_grow and constants.gumbel_interior != 0:
        edge = choose_improved(tree, node, constants)
    return edge if edge >= 0 else choose_edge(tree, node, constants, may_grow)


@kernel
def walk(context, root, game):
    """Walk from the root to a leaf, adding virtual visits. Returns (leaf, its depth, moves that ``game`` has gone along).

    The moves are in `scratch.line`. ``root`` is the root's game; ``game`` follows (`goengine.search.line`) only where something
    is asked of it, and may be NOWHERE at the end. The leaf is a node without children to go to: a finished game, a new node,
    one that has not grown, or one under evaluation that cannot be walked through.
    """
    tree, constants, line = context.tree, context.constants, context.scratch.line
    node = 0
    depth = 0
    gone = NOWHERE
    passes = constants.passes
    button = 0.0
    while True:
        tree.links[node, VIRTUAL] += 1
        state = tree.state[node]
        if state == TERMINAL or state == FRESH or state == LEAF or depth == line.size:
            return node, depth, gone
        if state == PENDING and (constants.placeholder_priors == 0 or tree.links[node, COUNT] == 0):
            return node, depth, gone
        if is_folded(tree, node):
            if tree.used[NODES] >= tree.state.size:
                return node, depth, gone
            gone = go_along(game, root, line, gone, depth, depth + 1)  # the next node is a new one
            unfold(tree, node, game, context, depth, context.scratch.logits)
        edge = _next_edge(tree, node, constants, context.plan)
        if edge < 0:
            return node, depth, gone
        move = tree.edge_move[edge]
        if move == PASS:
            if context.rules.button != 0 and passes == 0:
                button = 0.5 if tree.to_play[node] == BLACK else -0.5
            passes += 1
        line[depth] = move
        depth += 1
        child = np.int64(tree.edge_child[edge])
        if child < 0:
            child = np.int64(_make_child(tree, node, edge))
            if move == PASS:
                gone = go_along(game, root, line, gone, depth, depth)
                _finish_if_over(context, child, game, passes, button)
        node = child


# How a visit begins.
EVALUATE, DONE, COLLISION = range(3)


@kernel
def descend(context, root, game):
    """Walk from the root to a leaf. Returns (leaf, what it wants): EVALUATE, and then ``game`` stands there; of DONE the visit
    is backed up.
    """
    tree, constants = context.tree, context.constants
    node, depth, gone = walk(context, root, game)
    state = tree.state[node]
    if state == PENDING:
        return node, COLLISION
    wants = state == FRESH
    if state == FRESH or state == LEAF:
        go_along(game, root, context.scratch.line, gone, depth, depth)
        legal = context.scratch.legal
        if node > 0 and constants.net_priors != 0 and constants.placeholder_priors == 0:
            wants = reserve_edges(tree, node, legal.size) or wants
        else:
            wants = make_edges(tree, node, game, context.rules, context.forbidden, depth, legal) or wants
    if not wants:
        back_up(tree, node, 1.0, 1.0, 0.0, constants)
        return node, DONE
    tree.state[node] = PENDING
    return node, EVALUATE


@kernel
def select_batch(context, leaves, want, budget):
    """Find up to ``want`` leaves to evaluate, with at most ``budget`` visits begun. Returns (leaves, visits begun).

    ``leaves``: a `Found` with room for ``want``; the last but one of its games stands at the root.
    """
    plan, collided = context.plan, context.scratch.collided
    root_game = game_at(leaves.games, leaves.games.status.shape[0] - 2)
    found, done, collisions = 0, 0, 0
    while found < want and found + done < budget and collisions < want:
        game = game_at(leaves.games, found)
        node, ending = descend(context, root_game, game)
        if ending == COLLISION:
            collided[collisions] = node
            collisions += 1
            if plan.cursor[0] < plan.visits.size:
                break
            continue
        if plan.cursor[0] < plan.visits.size:
            plan.cursor[0] += 1
        if ending == DONE:
            done += 1
            continue
        leaves.nodes[found] = node
        leaves.keys[found] = mix(position_key(game), context.constants.salt)
        found += 1
    for i in range(collisions):
        forget_descent(context.tree, collided[i])
    return found, found + done
