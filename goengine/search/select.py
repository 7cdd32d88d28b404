"""The first half of a visit: from the root down to a leaf, for a whole batch of leaves in one call.

A descent replays its moves on a scratch game, so that a leaf has its full history for superko and for the features; that game
stays at the leaf and is encoded from there. Leaves that need no evaluator (finished games, a full tree) are backed up at once.
Virtual visits keep the descents of a batch, and of several batches under way, apart. Visits that play rollouts end otherwise:
see `goengine.search.simulate`.
"""

import numpy as np

from goengine.board.kernels import game_legal, game_play, mix, position_key
from goengine.board.stacked import game_at
from goengine.board.state import BLACK, PASS, SIZE, TO_PLAY, copy_game
from goengine.core.jit import inlined_kernel, kernel
from goengine.search.backup import back_up, forget_descent, set_net
from goengine.search.formulas import choose_edge
from goengine.search.gumbel import choose_improved, choose_planned
from goengine.search.outcome import final_score, is_over
from goengine.search.tree import (
    COUNT,
    EDGES,
    FIRST,
    FRESH,
    LEAF,
    NODES,
    PENDING,
    SORTED,
    TERMINAL,
    VIRTUAL,
    VISITED,
    fetch_next,
    new_node,
)


@kernel
def make_edges(tree, node, game, rules, forbidden, depth, legal):
    """Give a node an edge for every legal move, with flat priors. ``forbidden`` holds unless it would leave no move.

    Returns False, and changes nothing, if the pool has no room.
    """
    first = tree.used[EDGES]
    if first + legal.size > tree.edge_move.size:
        return False
    size = game.board.info[SIZE]
    game_legal(game, rules, legal)
    barred = forbidden[game.status[TO_PLAY]]
    for attempt in range(2):
        count = 0
        index = 0
        for row in range(size + 1):
            for column in range(size if row < size else 1):
                if legal[index]:
                    point = (row + 1) * (size + 1) + column + 1 if row < size else 0
                    if attempt == 1 or barred[point] <= depth:
                        tree.edge_move[first + count] = point
                        tree.edge_child[first + count] = -1
                        count += 1
                index += 1
        if count > 0:
            break
    prior = 1.0 / count
    for e in range(first, first + count):
        tree.edge_prior[e] = prior
    tree.used[EDGES] = first + count
    tree.links[node, FIRST] = first
    tree.links[node, COUNT] = count
    tree.links[node, VISITED] = 0
    tree.links[node, SORTED] = 0
    fetch_next(tree, node)
    return True


@inlined_kernel
def _make_child(context, node, edge, game, passes, button):
    """The node behind an edge that nobody has walked; ``game`` stands there, after ``passes`` passes in all.

    ``button``: points for Black that the first pass below the root has won.
    """
    tree, rules = context.tree, context.rules
    child = new_node(tree, node, tree.edge_move[edge], game.status[TO_PLAY])
    tree.edge_child[edge] = child
    tree.links[node, VISITED] += 1
    fetch_next(tree, node)
    if tree.edge_move[edge] == PASS and is_over(game, rules, passes):
        tree.state[child] = TERMINAL
        score = final_score(game.board, rules, context.scratch) + button
        if tree.to_play[child] != BLACK:
            score = -score
        set_net(tree, child, np.sign(score), score, 0.0, context.constants)
    return child


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
def walk(context, game):
    """Walk from the root to a leaf, adding virtual visits. Returns (leaf, its depth).

    ``game`` stands at the root and then at the leaf, which is a node without children to go to: a finished game, a new node,
    one that has not grown, or one under evaluation that cannot be walked through.
    """
    tree, constants = context.tree, context.constants
    node = 0
    depth = 0
    passes = constants.passes
    button = 0.0
    while True:
        tree.links[node, VIRTUAL] += 1
        state = tree.state[node]
        if state == TERMINAL or state == FRESH or state == LEAF:
            return node, depth
        if state == PENDING and (constants.placeholder_priors == 0 or tree.links[node, COUNT] == 0):
            return node, depth
        edge = _next_edge(tree, node, constants, context.plan)
        if edge < 0:
            return node, depth
        if tree.edge_move[edge] == PASS:
            if context.rules.button != 0 and passes == 0:
                button = 0.5 if game.status[TO_PLAY] == BLACK else -0.5
            passes += 1
        child = np.int64(tree.edge_child[edge])
        game_play(game, tree.edge_move[edge], game.status[TO_PLAY])
        depth += 1
        if child < 0:
            child = _make_child(context, node, edge, game, passes, button)
        node = child


# How a visit begins.
EVALUATE, DONE, COLLISION = range(3)


@kernel
def descend(context, game):
    """Walk from the root to a leaf, where ``game`` stands then. Returns (leaf, what it wants); of DONE it is backed up."""
    tree = context.tree
    node, depth = walk(context, game)
    state = tree.state[node]
    if state == PENDING:
        return node, COLLISION
    wants = state == FRESH
    if state == FRESH or state == LEAF:
        wants = make_edges(tree, node, game, context.rules, context.forbidden, depth, context.scratch.legal) or wants
    if not wants:
        back_up(tree, node, 1.0, 1.0, 0.0, context.constants)
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
        copy_game(game, root_game)
        node, ending = descend(context, game)
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
