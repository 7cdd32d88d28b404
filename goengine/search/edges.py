"""How a node gets its edges: one for every legal move, with the softmax of the net's logits as priors.

Most nodes of a tree are visited once, and nobody ever looks at their edges. So a new leaf only keeps the net's logits, as they
are, in the room that its edges will take (`reserve_edges`); the second visit, which knows the game there, makes the edges of
them (`unfold`). The root, and leaves that are walked through before the net has answered, get theirs at once.

Knows which moves are legal and the layout of the pool; no formula of the search.
"""

import math

import numpy as np

from goengine.board.game_kernels import game_legal
from goengine.board.state import SIZE, STRIDE, TO_PLAY, copy_array
from goengine.core.jit import inlined_kernel, kernel
from goengine.search.tree import COUNT, EDGES, FIRST, FOLDED, SORTED, VISITED, fetch_next

_1 = np.uint64(1)


@inlined_kernel
def _write_moves(tree, first, game, forbidden, depth, legal):
    """Write the moves from ``first`` on, the lowest number first and the others in policy order. Returns how many there are."""
    size = game.board.info[SIZE]
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
    last = first + count - 1
    if tree.edge_move[last] == 0:  # of equal priors the lowest point comes first, and a pass has the number 0
        tree.edge_move[first], tree.edge_move[last] = tree.edge_move[last], tree.edge_move[first]
    return count


@kernel
def make_edges(tree, node, game, rules, forbidden, depth, legal):
    """Give a node an edge for every legal move, with flat priors. ``forbidden`` holds unless it would leave no move.

    Returns False, and changes nothing, if the pool has no room.
    """
    first = tree.used[EDGES]
    if first + legal.size > tree.edge_move.size:
        return False
    game_legal(game, rules, legal)
    count = _write_moves(tree, first, game, forbidden, depth, legal)
    prior = 1.0 / count
    for e in range(first, first + count):
        tree.edge_prior[e] = prior
    tree.used[EDGES] = first + count
    tree.links[node, FIRST] = first
    tree.links[node, COUNT] = count
    tree.links[node, VISITED] = 0
    tree.links[node, SORTED] = 1
    return True


@kernel
def reserve_edges(tree, node, actions):
    """Take the room that the edges of a node may need, for its logits. Returns False, and changes nothing, if there is none."""
    first = tree.used[EDGES]
    if first + actions > tree.edge_move.size:
        return False
    tree.used[EDGES] = first + actions
    tree.links[node, FIRST] = first
    tree.links[node, COUNT] = actions
    tree.links[node, VISITED] = 0
    tree.links[node, SORTED] = FOLDED
    return True


@kernel
def unfold(tree, node, game, context, depth, logits):
    """Make the edges of a node that has kept its logits; ``game`` stands there. ``logits``: scratch float32[N * N + 1]."""
    first = np.int64(tree.links[node, FIRST])
    copy_array(logits, tree.edge_prior[first : first + logits.size])
    legal = context.scratch.legal
    game_legal(game, context.rules, legal)
    tree.links[node, COUNT] = _write_moves(tree, first, game, context.forbidden, depth, legal)
    fill_priors(tree, node, logits, context.constants.policy_temperature, game.board.info[STRIDE])


@kernel
def fill_priors(tree, node, logits, temperature, stride):
    """Softmax of the logits over the node's moves; ``logits`` float32[N * N + 1] in policy order."""
    size = stride - 1
    reciprocal = np.uint32(65536) // np.uint32(stride) + np.uint32(1)  # point // stride without a division, below 26 * 27
    first = np.int64(tree.links[node, FIRST])
    end = first + tree.links[node, COUNT]
    top = -np.inf
    for e in range(first, end):
        move = np.uint32(tree.edge_move[e])
        row = np.int64((move * reciprocal) >> np.uint32(16))
        logit = logits[np.int64(move) - stride - row if move > 0 else size * size]
        tree.edge_prior[e] = logit
        if logit > top:
            top = logit
    total = 0.0
    for e in range(first, end):
        p = math.exp((tree.edge_prior[e] - top) / temperature)
        tree.edge_prior[e] = p
        total += p
    for e in range(first, end):
        tree.edge_prior[e] /= total
    tree.links[node, SORTED] = tree.links[node, VISITED]
    fetch_next(tree, node)
