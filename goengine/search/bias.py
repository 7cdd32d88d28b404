"""Subtree value bias correction (KataGo, KataGoMethods.md): what the search learns of the net's errors in one place of the tree
corrects the net's value in others.

Nodes that were reached by the same local situation (`situation`) share a bucket. Each node with children tells its bucket how
far the mean utility below it lies from the net's own utility of it; each node's own utility is the net's plus ``factor`` times
the weighted mean of what the bucket has been told::

    correction(n) = factor * sum_m delta(m) w(m) / sum_m w(m)       over the nodes m of n's bucket,
    delta(m) = mean utility of m's children - net utility of m,     w(m) = (visits of m's children) ^ exponent

A node tells and asks whenever a visit passes through it. What it told last is kept beside it, so that telling anew is a
difference and nothing is ever summed up from the beginning. All utilities here are for the player to move at the node.

Buckets stand in an open hash table of twice as many places as the tree has nodes, so a free place is always found. In a tree
that corrects nothing all these arrays are empty.
"""

import numpy as np

from goengine.board.coords import PASS
from goengine.board.kernels import find_liberties, mix
from goengine.board.state import EDGE, EMPTY, KO, NONE, SIZE, STRIDE, TO_PLAY
from goengine.core.jit import inlined_kernel, kernel
from goengine.search.tree import (
    BIAS_SUM,
    BIAS_WEIGHT,
    CORRECTION,
    NET_STDEV,
    NET_UTILITY,
    OWN,
    TERMINAL,
    UTILITY_SQUARES,
    UTILITY_SUM,
    VALUES,
)

_REACH = 2  # the pattern around the last move is 5x5
_ATARI = 4  # added to the colour of a stone whose chain has one liberty
_LEAST_WEIGHT = 1e-3  # below it a bucket knows nothing: only rounding is left of what it was told


@kernel
def _colours(board, row, column, liberties):
    """The points of a row around a column, three bits each: colour, and whether the stone is in atari. Off the board: EDGE."""
    word = np.uint64(0)
    size = board.info[SIZE]
    for c in range(column - _REACH, column + _REACH + 1):
        code = EDGE
        if 0 < row <= size and 0 < c <= size:
            p = row * board.info[STRIDE] + c
            code = np.int64(board.color[p])
            chain = board.chain[p]
            if code != EMPTY and board.pseudo[chain] <= 4 and find_liberties(board, chain, 2, liberties) == 1:
                code += _ATARI
        word = (word << np.uint64(3)) | np.uint64(code)
    return word


@kernel
def situation(game, point, liberties):
    """The key of the bucket of the node that is reached by playing ``point`` in ``game``, which stands before it; never 0.

    In it: the player, the move, the move before, the ko, and the 5x5 points around the move with the stones in atari.
    ``liberties`` (uint16[>= 2]) is scratch.
    """
    board = game.board
    key = mix(np.uint64(game.status[TO_PLAY]), np.uint64(point))
    key = mix(key, np.uint64(game.recent[0] - NONE))
    key = mix(key, np.uint64(board.info[KO]))
    if point != PASS:
        stride = board.info[STRIDE]
        row, column = point // stride, point % stride
        for r in range(row - _REACH, row + _REACH + 1):
            key = mix(key, _colours(board, r, column, liberties))
    return key | np.uint64(1)


@inlined_kernel
def is_known(tree, node):
    """Whether an evaluator has said something of a node: the deviation of its score is never 0."""
    return tree.net[node, NET_STDEV] > 0


@inlined_kernel
def own_values(tree, node, rollout_weight):
    """How many of the values in the sums of a node are its own: with rollouts that of a position counts once, if known."""
    if rollout_weight > 0 and tree.state[node] != TERMINAL:
        return 1.0 if is_known(tree, node) else 0.0
    return np.float64(tree.links[node, OWN])


@kernel
def tell_and_ask(tree, node, constants):
    """Tell the bucket of a node what its subtree says, and correct the node's own utility by what the bucket knows.

    The sums of the node are those after the visit. Returns by how much its utility sum and its sum of squares must grow now,
    for the player to move; the caller enters that here and above.
    """
    place = np.int64(tree.bucket[node])
    own = own_values(tree, node, constants.rollout_weight)
    if place < 0 or own == 0:
        return 0.0, 0.0
    stats, bias, sums = tree.stats[node], tree.bias[node], tree.table_sums[place]
    net = np.float64(tree.net[node, NET_UTILITY])
    before = net + bias[CORRECTION]
    below = stats[VALUES] - own
    if below > 0:
        weight = below**constants.subtree_bias_exponent
        told = ((-stats[UTILITY_SUM] - own * before) / below - net) * weight
        sums[0] += told - bias[BIAS_SUM]
        sums[1] += weight - bias[BIAS_WEIGHT]
        bias[BIAS_SUM], bias[BIAS_WEIGHT] = told, weight
    bias[CORRECTION] = constants.subtree_bias * sums[0] / sums[1] if sums[1] > _LEAST_WEIGHT else 0.0
    after = net + bias[CORRECTION]
    return own * (after - before), own * (after * after - before * before)


@kernel
def correct_again(tree, node, constants):
    """As `tell_and_ask`, and enter the difference at the node itself: for sums that are made anew from the leaves up."""
    change, squares = tell_and_ask(tree, node, constants)
    tree.stats[node, UTILITY_SUM] -= change
    tree.stats[node, UTILITY_SQUARES] += squares
