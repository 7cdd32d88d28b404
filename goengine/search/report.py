"""What a search tells: `SearchResult` and its moves, made from a tree at any time between batches.

All numbers are for the player to move at the root. Reads the tree, never changes it.
"""

from dataclasses import dataclass, replace

import numpy as np

from goengine.board import coords, symmetry
from goengine.core.jit import kernel
from goengine.search import root as roots
from goengine.search.tree import (
    COUNT,
    FIRST,
    MOVE,
    NET_SCORE,
    NET_STDEV,
    NET_VALUE,
    NODES,
    OWN,
    OWNERSHIP_SCALE,
    SCORE_SQUARES,
    SCORE_SUM,
    UTILITY_SUM,
    VALUE_SUM,
    VALUES,
    VISITED,
    VISITS,
)
from goengine.search.tree_search import TreeSearch

LONGEST = 60  # moves of a principal variation


@dataclass(frozen=True, kw_only=True)
class MoveInfo:
    """A move at the root. Numbers are for the player who would make it."""

    point: int
    visits: int
    value: float  # in [-1, 1]
    utility: float  # what the search maximizes: the value and, where trusted, the score
    score: float  # points
    score_stdev: float  # points
    prior: float  # as the net gave it, over the moves searched
    lcb: float  # lower confidence bound of the value
    order: int  # 0 is the move to play
    pv: tuple[int, ...]  # begins with the move itself
    pv_visits: tuple[int, ...]
    symmetry_of: int | None = None  # the move that was searched in its stead


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """A search as it stands. ``moves`` in order, the best first; moves of equal worth by symmetry come after their own."""

    visits: int
    playouts: int  # in this run
    nodes: int
    seconds: float  # of this run
    to_play: int
    value: float
    utility: float
    score: float
    score_stdev: float
    net_value: float  # of the root alone
    net_score: float
    ownership: np.ndarray | None  # float32[N * N]: 1 = the player to move owns the point; None if not asked for
    moves: tuple[MoveInfo, ...]
    chosen: int  # point to play

    def led_by(self, point: int) -> "SearchResult":
        """The same result with that move first; itself where it is already, or was not searched."""
        if not any(move.point == point for move in self.moves[1:]):
            return self
        moves = sorted(self.moves, key=lambda move: move.point != point)
        return replace(self, moves=tuple(replace(move, order=order) for order, move in enumerate(moves)))


@kernel
def principal_variation(tree, node, points, visits):
    """Most visited children below a node (of equals the first), into both arrays (int64). Returns how many."""
    length = 0
    while length < points.size:
        best = -1
        most = 0.0
        first = tree.links[node, FIRST]
        for e in range(first, first + tree.links[node, VISITED]):
            n = tree.stats[tree.edge_child[e], VISITS]
            if n > most:
                most = n
                best = np.int64(tree.edge_child[e])
        if best < 0:
            return length
        node = best
        points[length] = tree.links[node, MOVE]
        visits[length] = np.int64(most)
        length += 1
    return length


@kernel
def mean_ownership(tree, out):
    """Ownership averaged over all evaluations in the tree by the visits that ended there, for the root's player.

    ``out`` is float64[N * N]. Finished games and unknown nodes do not count.
    """
    total = 0.0
    out[:] = 0
    for node in range(tree.used[NODES]):
        own = np.float64(tree.links[node, OWN])
        if own == 0 or tree.net[node, NET_STDEV] == 0:
            continue
        weight = own if tree.to_play[node] == tree.to_play[0] else -own
        total += own
        for i in range(out.size):
            out[i] += weight * tree.ownership[node, i]
    for i in range(out.size):
        out[i] /= OWNERSHIP_SCALE * max(1.0, total)


def make_result(
    search: TreeSearch, *, playouts: int, seconds: float, ownership: bool, min_moves: int = 0, chosen: int | None = None
) -> SearchResult:
    """The result as the tree stands; the root must have been evaluated.

    ``min_moves``: name at least that many moves, unvisited ones by their priors. ``chosen``: None = the best move.
    """
    tree = search.tree
    row, net = tree.stats[0], tree.net[0]
    value, score, stdev = _means(row, search.rollout_weight)
    owner = None
    if ownership and tree.ownership.shape[1]:
        mean = np.empty(tree.ownership.shape[1])
        mean_ownership(tree, mean)
        owner = mean.astype(np.float32)
    moves = _moves(search, min_moves)
    if chosen is None:
        chosen = moves[0].point if moves else coords.PASS
    return SearchResult(
        visits=search.visits,
        playouts=playouts,
        nodes=int(tree.used[NODES]),
        seconds=seconds,
        to_play=int(tree.to_play[0]),
        value=-value,
        utility=-float(roots.with_rollouts(row, row[UTILITY_SUM] / max(1.0, row[VALUES]), search.rollout_weight)),
        score=-score,
        score_stdev=stdev,
        net_value=float(net[NET_VALUE]),
        net_score=float(net[NET_SCORE]),
        ownership=owner,
        moves=tuple(moves),
        chosen=chosen,
    )


def _means(row: np.ndarray, rollout_weight: float) -> tuple[float, float, float]:
    """(value, score, stdev of the score) of a row of stats, for the player who moved there."""
    n = max(1.0, row[VALUES])
    value = roots.with_rollouts(row, row[VALUE_SUM] / n, rollout_weight)
    score = row[SCORE_SUM] / n
    return float(value), float(score), float(np.sqrt(max(0.0, row[SCORE_SQUARES] / n - score * score)))


def _moves(search: TreeSearch, min_moves: int) -> list[MoveInfo]:
    """The visited moves of the root in order, then as many unvisited ones as are asked for, then the symmetric ones."""
    tree, root = search.tree, search.root
    if root is None:
        return []
    first, visited = int(tree.links[0, FIRST]), int(tree.links[0, VISITED])
    visits, _ = roots.child_table(tree, search.constants)
    utility, radius = roots.lower_bounds(tree, search.params, search.constants)
    best = search.best_edge()
    order = sorted(np.flatnonzero(visits).tolist(), key=lambda e: (e != best, -visits[e], -root.raw[e]))
    infos: list[MoveInfo] = []
    for e in order:
        child = int(tree.edge_child[first + e])
        infos.append(_visited_move(search, e, child, float(utility[e]), float(radius[e]), len(infos)))
    for e in range(visited, int(tree.links[0, COUNT])):
        if len(infos) >= min_moves:
            break
        infos.append(_unvisited_move(search, e, len(infos)))
    return infos + _symmetric_moves(search, infos)


def _visited_move(search: TreeSearch, edge: int, child: int, utility: float, radius: float, order: int) -> MoveInfo:
    tree = search.tree
    points, counts = np.empty(LONGEST, np.int64), np.empty(LONGEST, np.int64)
    length = principal_variation(tree, child, points, counts)
    value, score, stdev = _means(tree.stats[child], search.rollout_weight)
    visits = int(tree.stats[child, VISITS])
    point = int(search.root.moves[edge])
    return MoveInfo(
        point=point,
        visits=visits,
        value=value,
        utility=utility,
        score=score,
        score_stdev=stdev,
        prior=float(search.root.raw[edge]),
        lcb=max(-1.0, value - radius),
        order=order,
        pv=(point, *points[:length].tolist()),
        pv_visits=(visits, *counts[:length].tolist()),
    )


def _unvisited_move(search: TreeSearch, edge: int, order: int) -> MoveInfo:
    """A move that nobody has tried: it has the root's numbers and no certainty."""
    point = int(search.root.moves[edge])
    value, score, stdev = _means(search.tree.stats[0], search.rollout_weight)
    return MoveInfo(
        point=point,
        visits=0,
        value=-value,
        utility=-value,
        score=-score,
        score_stdev=stdev,
        prior=float(search.root.raw[edge]),
        lcb=-1.0,
        order=order,
        pv=(point,),
        pv_visits=(0,),
    )


def _symmetric_moves(search: TreeSearch, infos: list[MoveInfo]) -> list[MoveInfo]:
    """The moves left out for symmetry, as their representatives seen in the mirror."""
    known = {info.point: info for info in infos}
    mirrored: list[MoveInfo] = []
    twins = [(known[twin], point, s) for point, (twin, s) in search.twins.items() if twin in known]
    for info, point, s in sorted(twins, key=lambda row: (row[0].order, row[1])):
        fields = {name: getattr(info, name) for name in MoveInfo.__dataclass_fields__}
        fields |= {
            "point": point,
            "order": len(infos) + len(mirrored),
            "pv": tuple(symmetry.point(p, s, search.size) for p in info.pv),
            "symmetry_of": info.point,
        }
        mirrored.append(MoveInfo(**fields))
    return mirrored
