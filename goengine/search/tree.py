"""The tree as arrays: what they hold, how they grow within hard limits, how a subtree becomes the tree.

A node is a row; node 0 is the root. Its moves (edges) stand side by side in the edge pool::

    links[node]   PARENT MOVE FIRST COUNT VISITED SORTED OWN VIRTUAL          edge pool
                               |     |      |        |
                               +-----|------|--------|------>  FIRST      move prior child     VISITED edges have a child
                                     |      +--------|------>             move prior child
                                     |               +------>             move prior   -1      SORTED: best prior of the rest
                                     +---------------------->  + COUNT    move prior   -1      in no order

Unvisited children all have the same first play urgency, so only the one of highest prior can be chosen: selection looks at the
visited ones and at the next. Nobody ever sorts the rest; the next best is fetched when a child is made (`fetch_next`).

A node that was visited once is folded: in place of priors stand the net's logits, and there are no moves yet
(`goengine.search.edges`).

``stats[node]`` are sums over the visits of a node, for the player who moved there (so a parent compares its children as they
stand). OWN counts the visits that ended at the node itself; VISITS = OWN + the VISITS of all children.

A child always has a higher number than its parent. Knows no Go beyond colours and no formula of the search.
"""

from typing import NamedTuple

import numpy as np

from goengine.core.jit import inlined_kernel, kernel

# Columns of links.
PARENT, MOVE, FIRST, COUNT, VISITED, SORTED, OWN, VIRTUAL = range(8)
# Columns of stats.
VISITS, VALUES, VALUE_SUM, UTILITY_SUM, UTILITY_SQUARES, SCORE_SUM, SCORE_SQUARES, ROLLOUT_SUM = range(8)
# Columns of net: what the evaluator, or the rules at the end of a game, said of a node, for its player to move.
NET_VALUE, NET_SCORE, NET_STDEV, NET_UTILITY = range(4)
FOLDED = -1  # in SORTED: the COUNT places hold logits in policy order, and no edges yet
# States of a node: new; under evaluation; without children, though visited; with children; the game is over.
FRESH, PENDING, LEAF, EXPANDED, TERMINAL = range(5)
# Places in used.
NODES, EDGES, QUEUED = range(3)

QUEUE = 64  # ripe leaves that wait for an evaluator; of more, the latest wait until they are met again

OWNERSHIP_SCALE = 127.0
_NODE_BYTES = 8 * 8 + 8 * 4 + 4 * 4 + 2
_EDGE_BYTES = 2 + 4 + 4
_OTHER_BYTES = 4 * QUEUE + 4 * 8
_MOST_EDGES = 2**31 - 1  # links hold places in the pool as int32


class Tree(NamedTuple):
    """All nodes and edges; the layout is drawn above."""

    stats: np.ndarray  # float64[nodes, 8]
    links: np.ndarray  # int32[nodes, 8]
    net: np.ndarray  # float32[nodes, 4]
    state: np.ndarray  # uint8[nodes]
    to_play: np.ndarray  # uint8[nodes]
    ownership: np.ndarray  # int8[nodes, N * N], times OWNERSHIP_SCALE, for the player to move; [nodes, 0] if not kept
    edge_move: np.ndarray  # int16[edges]  points
    edge_prior: np.ndarray  # float32[edges]
    edge_child: np.ndarray  # int32[edges]  -1: none yet
    queue: np.ndarray  # int32[QUEUE]  leaves that are to be evaluated, the one that has waited longest first
    used: np.ndarray  # int64[4]  nodes, edges and places of the queue


def new_tree(points: int, nodes: int, edges: int) -> Tree:
    """An empty tree with room for that many nodes and edges; ``points`` is N * N, or 0 to keep no ownership."""
    return Tree(
        stats=np.zeros((nodes, 8)),
        links=np.zeros((nodes, 8), np.int32),
        net=np.zeros((nodes, 4), np.float32),
        state=np.zeros(nodes, np.uint8),
        to_play=np.zeros(nodes, np.uint8),
        ownership=np.zeros((nodes, points), np.int8),
        edge_move=np.zeros(edges, np.int16),
        edge_prior=np.zeros(edges, np.float32),
        edge_child=np.zeros(edges, np.int32),
        queue=np.zeros(QUEUE, np.int32),
        used=np.zeros(4, np.int64),
    )


def memory(points: int, nodes: int, edges: int) -> int:
    """Bytes of the nodes and edges of such a tree."""
    return nodes * (_NODE_BYTES + points) + edges * _EDGE_BYTES


def bytes_used(tree: Tree) -> int:
    """Bytes that the tree's arrays occupy."""
    return sum(array.nbytes for array in tree)


def _moved(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """What the old array holds in the first rows of the new one; the old one itself where that is not larger."""
    if old.shape == new.shape:
        return old
    new[: len(old)] = old
    return new


def grow(tree: Tree, nodes: int, edges: int, max_nodes: int, max_bytes: int) -> Tree:
    """The same tree with room for that many more nodes and edges, or as much of it as the limits allow.

    Room doubles, so growing costs little on average. Returns ``tree`` itself if there is room or none can be had.
    """
    need_nodes, need_edges = int(tree.used[NODES]) + nodes, int(tree.used[EDGES]) + edges
    have_nodes, have_edges, points = len(tree.state), len(tree.edge_move), tree.ownership.shape[1]
    if need_nodes <= have_nodes and need_edges <= have_edges:
        return tree
    want_nodes = have_nodes if need_nodes <= have_nodes else min(max(2 * have_nodes, need_nodes), max_nodes)
    want_edges = have_edges if need_edges <= have_edges else min(max(2 * have_edges, need_edges), _MOST_EDGES)
    max_bytes -= _OTHER_BYTES
    free = max_bytes - memory(points, want_nodes, want_edges)
    if free < 0 and want_edges > have_edges:
        want_edges = max(have_edges, want_edges + free // _EDGE_BYTES)
        free = max_bytes - memory(points, want_nodes, want_edges)
    if free < 0:
        want_nodes = max(have_nodes, want_nodes + free // memory(points, 1, 0))
    if want_nodes == have_nodes and want_edges == have_edges:
        return tree
    larger = new_tree(points, want_nodes, want_edges)
    return Tree._make(_moved(old, new) for old, new in zip(tree, larger, strict=True))


@kernel
def clear(tree, to_play):
    """Make the tree a single root that nobody has evaluated."""
    tree.used[:] = 0
    new_node(tree, -1, -1, to_play)


@inlined_kernel
def new_node(tree, parent, move, to_play):
    """Append a node without visits and return its number. The caller has checked that there is room."""
    node = tree.used[NODES]
    tree.used[NODES] = node + 1
    tree.stats[node, :] = 0
    tree.links[node, :] = 0
    tree.net[node, :] = 0
    tree.links[node, PARENT] = parent
    tree.links[node, MOVE] = move
    tree.state[node] = FRESH
    tree.to_play[node] = to_play
    return node


@inlined_kernel
def is_folded(tree, node):
    """Whether a node has logits and no edges yet."""
    return tree.links[node, SORTED] == FOLDED


@kernel
def fetch_next(tree, node):
    """See that the first unvisited edge of a node is the one of highest prior (of equal ones, the lowest point)."""
    first = tree.links[node, FIRST]
    visited = tree.links[node, VISITED]
    count = tree.links[node, COUNT]
    if visited >= count or visited < tree.links[node, SORTED]:
        return
    place = first + visited
    best = place
    prior = tree.edge_prior[place]
    for e in range(place + 1, first + count):
        p = tree.edge_prior[e]
        if p > prior or (p == prior and tree.edge_move[e] < tree.edge_move[best]):
            best = e
            prior = p
    _swap(tree, place, best)
    tree.links[node, SORTED] = visited + 1


@inlined_kernel
def _swap(tree, a, b):
    """Exchange two edges without children."""
    tree.edge_prior[a], tree.edge_prior[b] = tree.edge_prior[b], tree.edge_prior[a]
    tree.edge_move[a], tree.edge_move[b] = tree.edge_move[b], tree.edge_move[a]


@kernel
def find_child(tree, node, move):
    """The child of a node by a move, or -1."""
    first = tree.links[node, FIRST]
    for e in range(first, first + tree.links[node, VISITED]):
        if tree.edge_move[e] == move:
            return tree.edge_child[e]
    return -1


def reroot(tree: Tree, root: int) -> None:
    """Make ``root`` the tree's root and forget everything that is not below it; statistics stay as they are.

    Works in place, as a child has a higher number than its parent. No node may be under evaluation.
    """
    place = np.full(int(tree.used[NODES]), -1, np.int32)
    _compact_nodes(tree, root, place)
    _compact_queue(tree, place)
    order = np.argsort(tree.links[: int(tree.used[NODES]), FIRST], kind="stable")
    _compact_edges(tree, place, order)


def recycle(tree: Tree) -> bool:
    """Make room in a full tree: nodes with few visits lose what is below them and keep their sums. Whether there is room now.

    About half of the nodes go. A node that lost its children is a leaf again and grows anew when it is reached. No node may
    be under evaluation.
    """
    used = int(tree.used[NODES])
    parents = tree.links[1:used, PARENT]
    visits = tree.stats[parents[parents > 0], VISITS]
    if len(visits) < used // 8:
        return False  # the root's own children are all there is
    place = min(len(visits) - 1, used // 2)
    least = np.partition(visits, place)[place]
    if least >= tree.stats[0, VISITS]:
        return False
    _collapse(tree, least)
    reroot(tree, 0)
    return True


@kernel
def _collapse(tree, least):
    """Make every node but the root with at most that many visits a leaf; what was below it is no part of the tree any more."""
    for node in range(1, tree.used[NODES]):
        if tree.stats[node, VISITS] <= least and tree.links[node, COUNT] > 0:
            tree.links[node, COUNT] = 0
            tree.links[node, VISITED] = 0
            tree.links[node, SORTED] = 0
            tree.links[node, OWN] = np.int32(tree.stats[node, VISITS])
            tree.state[node] = LEAF
            values = tree.stats[node, VALUES]
            if 0 < values == tree.stats[node, VISITS]:  # no rollouts: what was found below stands for the evaluator's word
                tree.net[node, NET_VALUE] = -tree.stats[node, VALUE_SUM] / values
                tree.net[node, NET_SCORE] = -tree.stats[node, SCORE_SUM] / values
                tree.net[node, NET_UTILITY] = -tree.stats[node, UTILITY_SUM] / values


@kernel
def _compact_nodes(tree, root, place):
    """Move the nodes that are left to the front; ``place`` (int32[nodes], all -1) gets the new number of each."""
    kept = 0
    for node in range(root, tree.used[NODES]):
        parent = tree.links[node, PARENT]
        if node != root and (parent < root or place[parent] < 0 or tree.links[place[parent], COUNT] == 0):
            continue
        place[node] = kept
        for i in range(8):
            tree.stats[kept, i] = tree.stats[node, i]
            tree.links[kept, i] = tree.links[node, i]
        for i in range(4):
            tree.net[kept, i] = tree.net[node, i]
        for i in range(tree.ownership.shape[1]):
            tree.ownership[kept, i] = tree.ownership[node, i]
        tree.state[kept] = tree.state[node]
        tree.to_play[kept] = tree.to_play[node]
        tree.links[kept, PARENT] = -1 if node == root else place[parent]
        kept += 1
    tree.used[NODES] = kept
    tree.links[0, MOVE] = -1


@kernel
def _compact_queue(tree, place):
    """Give the leaves that wait their new numbers; those that are gone wait no more. The root is no leaf."""
    kept = 0
    for i in range(tree.used[QUEUED]):
        node = place[tree.queue[i]]
        if node > 0:
            tree.queue[kept] = node
            kept += 1
    tree.used[QUEUED] = kept


@kernel
def _compact_edges(tree, place, order):
    """Move the edges of the nodes that are left to the front of the pool; ``order`` are these nodes by their FIRST."""
    end = 0
    for i in range(order.size):
        node = order[i]
        first = tree.links[node, FIRST]
        count = tree.links[node, COUNT]
        if count == 0:
            continue
        for k in range(count):
            tree.edge_prior[end + k] = tree.edge_prior[first + k]
        if not is_folded(tree, node):
            for k in range(count):
                child = tree.edge_child[first + k]
                tree.edge_move[end + k] = tree.edge_move[first + k]
                tree.edge_child[end + k] = place[child] if child >= 0 else -1
        tree.links[node, FIRST] = end
        end += count
    tree.used[EDGES] = end
