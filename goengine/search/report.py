"""What a search tells: `SearchResult` and its moves, made from a tree at any time between batches.

All numbers are for the player to move at the root. Reads the tree, never changes it.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

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
    PARENT,
    SCORE_SQUARES,
    SCORE_SUM,
    UTILITY_SUM,
    VALUE_SUM,
    VALUES,
    VISITED,
    VISITS,
    Tree,
)
from goengine.search.tree_search import TreeSearch

LONGEST = 60  # moves of a principal variation
LEAST_SHIFT, RELATIVE_SHIFT = 2.0, 0.15  # a lead that is off by less, in points or as a share, is left as the net gave it
COUNTED = 1e-3  # points: a smaller deviation is no net's, but that of games which have ended
FAR_OFF = 10.0  # points: a net that errs so much about the score errs about the winner

Ownership = bool | Literal["moves"]  # whether a result has it; "moves": of the whole tree and of each move


@dataclass(frozen=True, kw_only=True)
class MoveInfo:
    """A move at the root. Numbers are for the player who would make it."""

    point: int
    visits: int
    value: float  # in [-1, 1]
    utility: float  # what the search maximizes: the value and, where trusted, the score
    score: float  # points
    score_stdev: float  # points
    prior: float  # as the net gave it, over the moves searched; `with_priors` gives the net's own
    lcb: float  # lower confidence bound of the value
    utility_lcb: float = -1.0  # of the utility, by which the best move is chosen where `SearchParams.choice` is "lcb"
    order: int  # 0 is the move to play
    pv: tuple[int, ...]  # begins with the move itself
    pv_visits: tuple[int, ...]
    symmetry_of: int | None = None  # the move that was searched in its stead
    ownership: np.ndarray | None = None  # float32[N * N] after the move, as `SearchResult.ownership`
    ownership_stdev: np.ndarray | None = None  # float32[N * N]  how far the evaluations below the move differ


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
    net_score_stdev: float = 0.0
    ownership: np.ndarray | None  # float32[N * N]: 1 = the player to move owns the point; None if not asked for
    moves: tuple[MoveInfo, ...]
    chosen: int  # point to play
    ownership_stdev: np.ndarray | None = None  # float32[N * N]

    def with_priors(self, policy: np.ndarray, size: int) -> "SearchResult":
        """The same result with probabilities over all legal moves as priors: float32[N * N + 1], nan where illegal."""
        moves = [replace(move, prior=float(np.nan_to_num(policy[coords.to_index(move.point, size)]))) for move in self.moves]
        return replace(self, moves=tuple(moves))

    def with_lead(self, lead: float) -> "SearchResult":
        """The same result in points that agree with a lead known for the root; itself where the lead is the net's own.

        Where the net was far off, its win rates mean as little, and follow from the points and their spread.
        """
        shift = lead - self.score
        if lead == self.net_score or abs(shift) <= max(LEAST_SHIFT, RELATIVE_SHIFT * abs(lead)):
            return self
        moves = tuple(replace(move, **_shifted(move, shift)) for move in self.moves)
        return replace(self, moves=moves, **_shifted(self, shift))

    def led_by(self, point: int) -> "SearchResult":
        """The same result with that move first; itself where it is already, or was not searched."""
        if not any(move.point == point for move in self.moves[1:]):
            return self
        moves = sorted(self.moves, key=lambda move: move.point != point)
        return replace(self, moves=tuple(replace(move, order=order) for order, move in enumerate(moves)))


def finite(value: float) -> float:
    """The value, or 0 for what is no number: clients cannot read nan."""
    value = float(value)
    return value if math.isfinite(value) else 0.0


def winrate(value: float) -> float:
    """Chance of winning in [0, 1] from a value in [-1, 1]."""
    return (finite(value) + 1) / 2


def _shifted(found: MoveInfo | SearchResult, shift: float) -> dict[str, float]:
    """Score and win rate when the net is known to be off by that many points; a counted end of the game keeps its own."""
    if found.score_stdev < COUNTED:
        return {}
    score = found.score + shift
    if abs(shift) < FAR_OFF:
        return {"score": score}
    value = math.erf(score / max(1.0, found.score_stdev) / math.sqrt(2))
    lcb = {"lcb": min(found.lcb, value)} if isinstance(found, MoveInfo) else {}
    return {"score": score, "value": value, **lcb}


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
def find_branches(tree, branch):
    """Write into ``branch`` (int32[nodes]) below which of the root's edges each node is; -1 for the root itself."""
    first = tree.links[0, FIRST]
    branch[0] = -1
    for e in range(tree.links[0, VISITED]):
        branch[tree.edge_child[first + e]] = e
    for node in range(1, tree.used[NODES]):
        if tree.links[node, PARENT] != 0:  # a parent has a lower number
            branch[node] = branch[tree.links[node, PARENT]]


@kernel
def mean_ownership(tree, branch, wanted, mean, stdev):
    """Ownership averaged over the evaluations below an edge of the root by the visits that ended there, for the root's player.

    ``wanted``: the edge, or -1 for the whole tree. ``mean`` and ``stdev`` are float64[N * N]. Finished games and unknown nodes
    do not count.
    """
    total = 0.0
    mean[:] = 0
    stdev[:] = 0
    for node in range(tree.used[NODES]):
        own = np.float64(tree.links[node, OWN])
        if own == 0 or tree.net[node, NET_STDEV] == 0 or (wanted >= 0 and branch[node] != wanted):
            continue
        sign = 1.0 if tree.to_play[node] == tree.to_play[0] else -1.0
        total += own
        for i in range(mean.size):
            owner = sign * tree.ownership[node, i] / OWNERSHIP_SCALE
            mean[i] += own * owner
            stdev[i] += own * owner * owner
    for i in range(mean.size):
        mean[i] /= max(1.0, total)
        stdev[i] = math.sqrt(max(0.0, stdev[i] / max(1.0, total) - mean[i] * mean[i]))


def make_result(
    search: TreeSearch,
    *,
    playouts: int,
    seconds: float,
    ownership: Ownership = False,
    min_moves: int = 0,
    chosen: int | None = None,
) -> SearchResult:
    """The result as the tree stands; the root must have been evaluated.

    ``ownership``: whether it is there, "moves" for that of each move, too. ``min_moves``: name at least that many moves,
    unvisited ones by their priors. ``chosen``: None = the best move.
    """
    tree = search.tree
    row, net = tree.stats[0], tree.net[0]
    value, score, stdev = _means(row, search.rollout_weight)
    branch = np.empty(int(tree.used[NODES]), np.int32)
    kept = ownership if tree.ownership.shape[1] else False
    if kept:
        find_branches(tree, branch)
    owner, spread = _ownership(tree, branch, -1) if kept else (None, None)
    moves = _moves(search, min_moves)
    if kept == "moves":
        moves = _with_ownership(search, branch, moves)
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
        net_score_stdev=float(net[NET_STDEV]),
        ownership=owner,
        ownership_stdev=spread,
        moves=tuple(moves),
        chosen=chosen,
    )


def _ownership(tree: Tree, branch: np.ndarray, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) below an edge of the root, or of the whole tree where it is -1: float32[N * N] each."""
    mean, stdev = np.empty(tree.ownership.shape[1]), np.empty(tree.ownership.shape[1])
    mean_ownership(tree, branch, edge, mean, stdev)
    return mean.astype(np.float32), stdev.astype(np.float32)


def _with_ownership(search: TreeSearch, branch: np.ndarray, moves: list[MoveInfo]) -> list[MoveInfo]:
    """The moves with the ownership below each; that of the whole tree where nothing has been evaluated there."""
    assert search.root is not None
    edges = {int(point): edge for edge, point in enumerate(search.root.moves[: search.tree.links[0, VISITED]])}
    found = {}
    for move in moves:
        if move.symmetry_of is None:
            found[move.point] = _ownership(search.tree, branch, edges.get(move.point, -1))
        else:
            view = search.twins[move.point][1]
            found[move.point] = tuple(symmetry.flat(array, view) for array in found[move.symmetry_of])
    return [replace(m, ownership=found[m.point][0], ownership_stdev=found[m.point][1]) for m in moves]


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
        utility_lcb=utility - radius,
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
