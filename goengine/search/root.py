"""What is special about the root: noise and temperature in its priors, equivalent moves, the targets for training, the choice.

Reads and prepares the root of a tree between batches; the descents themselves know the root only by its number.
"""

from dataclasses import dataclass

import numpy as np

from goengine.board import coords, symmetry
from goengine.board.game_kernels import game_legal
from goengine.board.kernels import ko_point
from goengine.board.state import SIZE, TO_PLAY
from goengine.search import gumbel, noise
from goengine.search.constants import Plan, SearchConstants, no_plan
from goengine.search.formulas import exploration
from goengine.search.params import SearchParams
from goengine.search.tree import COUNT, FIRST, ROLLOUT_SUM, SORTED, UTILITY_SQUARES, UTILITY_SUM, VALUES, VISITED, VISITS, Tree


@dataclass(frozen=True)
class Root:
    """The root's moves in the order of its edges, with the priors as the net gave them."""

    moves: np.ndarray  # int16[n] points
    raw: np.ndarray  # float32[n]
    plan: Plan


def edges_of(tree: Tree) -> slice:
    """The root's edges in the pool."""
    first = int(tree.links[0, FIRST])
    return slice(first, first + int(tree.links[0, COUNT]))


def prepare(tree: Tree, params: SearchParams, generator: np.ndarray, simulations: int) -> Root:
    """Put temperature and noise into the priors of an evaluated root and order its edges.

    ``simulations`` is the length of sequential halving, where the params ask for it and no child has been visited.
    """
    span = edges_of(tree)
    visited = int(tree.links[0, VISITED])
    raw = tree.edge_prior[span].copy()
    priors = mixed_priors(raw, params, generator)
    scores = priors.copy()
    planned = params.gumbel_actions > 0 and visited == 0
    if planned:
        scores = np.log(np.maximum(priors, 1e-30))
        if params.gumbel_scale > 0:
            scores += params.gumbel_scale * noise.gumbel(generator, len(scores))
    moves = tree.edge_move[span].copy()
    rest = visited + np.lexsort((moves[visited:], -scores[visited:]))
    order = np.concatenate((np.arange(visited), rest)).astype(np.int64)
    tree.edge_move[span] = moves[order]
    tree.edge_prior[span] = priors[order]
    tree.links[0, SORTED] = len(moves)
    plan = no_plan()
    if planned and simulations > 0:
        considered = min(params.gumbel_actions, simulations, len(moves))
        plan = gumbel.make_plan(scores[order][:considered], simulations)
    return Root(moves[order], raw[order], plan)


def mixed_priors(raw: np.ndarray, params: SearchParams, generator: np.ndarray) -> np.ndarray:
    """The root's priors with temperature, then noise: (1 - epsilon) p + epsilon eta (Zero)."""
    priors = raw.astype(np.float64)
    if params.root_policy_temperature != 1.0:
        priors = priors ** (1.0 / params.root_policy_temperature)
        priors /= priors.sum()
    if params.dirichlet_total > 0 and len(priors) > 1:
        alphas = noise.dirichlet_parameters(priors, params.dirichlet_total, params.dirichlet_shaped)
        eta = noise.dirichlet(generator, alphas)
        priors = (1.0 - params.dirichlet_weight) * priors + params.dirichlet_weight * eta
    return priors


def symmetries_of(game, rules) -> list[int]:
    """The symmetries under which the position looks the same: stones, ko and legal moves; 0 is always among them."""
    size = int(game.board.info[SIZE])
    legal = np.zeros(size * size + 1, np.uint8)
    game_legal(game, rules, legal)
    points = coords.points(size)
    ko = ko_point(game.board, game.status[TO_PLAY])
    picture = game.board.color[points].astype(np.int16) + 4 * legal[:-1] + 8 * (points == ko)
    return [s for s in range(symmetry.COUNT) if np.array_equal(symmetry.flat(picture, s), picture)]


def equivalents(size: int, symmetries: list[int]) -> dict[int, tuple[int, int]]:
    """Points that need not be searched: point -> (its representative, a symmetry that carries the representative to it).

    The representative is the one nearest the upper right corner, as the first move is by custom.
    """
    twins: dict[int, tuple[int, int]] = {}
    if len(symmetries) == 1:
        return twins
    seen: set[int] = set()

    def custom(p: int) -> tuple[int, int]:
        row, column = coords.row_column(p, size)
        return column - row, -row

    for p in sorted((int(p) for p in coords.points(size)), key=custom, reverse=True):
        if p in seen:
            continue
        for s in symmetries:
            q = symmetry.point(p, s, size)
            seen.add(q)
            if q != p:
                twins.setdefault(q, (p, s))
    return twins


def child_table(tree: Tree, constants: SearchConstants) -> tuple[np.ndarray, np.ndarray]:
    """(visits float64[n], mean utility for the root's player float64[n]) of the root's visited edges."""
    first, visited = int(tree.links[0, FIRST]), int(tree.links[0, VISITED])
    rows = tree.stats[tree.edge_child[first : first + visited]]
    visits = rows[:, VISITS]
    utility = rows[:, UTILITY_SUM] / np.maximum(rows[:, VALUES], 1.0)
    return visits, with_rollouts(rows, utility, constants.rollout_weight)


def with_rollouts(rows: np.ndarray, values: np.ndarray, rollout_weight: float) -> np.ndarray:
    """Mean values of rows of stats with what the rollouts say, as `goengine.search.formulas.mean_utility` has it."""
    if rollout_weight == 0:
        return values
    share = np.where(rows[..., VALUES] > 0, rollout_weight, 1.0)
    return (1.0 - share) * values + share * rows[..., ROLLOUT_SUM] / np.maximum(rows[..., VISITS], 1.0)


def pruned_visits(tree: Tree, constants: SearchConstants) -> np.ndarray:
    """Target pruning (KataGo, arXiv 1902.10565, 3.2): the root's visits less those that only noise and forcing have caused.

    From each child but the most visited, up to n_forced visits are taken while its PUCT worth stays below that one's; a child
    left with one visit is dropped. float64[visited edges].
    """
    visits, utility = child_table(tree, constants)
    if len(visits) == 0 or constants.forced_playouts == 0:
        return visits.copy()
    span = edges_of(tree)
    priors = tree.edge_prior[span][: len(visits)].astype(np.float64)
    total = visits.sum()
    c = exploration(tree, 0, total, constants) * np.sqrt(total)
    star = int(np.argmax(visits))
    worth = utility[star] + c * priors[star] / (1.0 + visits[star])
    gap = np.maximum(worth - utility, 1e-9)
    needed = np.ceil(c * priors / gap - 1.0)  # fewest visits at which Q + U does not exceed that of the most visited child
    forced = np.floor(np.sqrt(constants.forced_playouts * priors * total))
    kept = np.maximum(visits - forced, np.minimum(visits, needed))
    kept = np.where(kept <= 1.0, 0.0, kept)
    kept[star] = visits[star]
    return kept


def target(tree: Tree, root: Root, params: SearchParams, constants: SearchConstants, size: int) -> np.ndarray:
    """What a policy should learn from this search: float32[N * N + 1], sum 1.

    Gumbel: the improved policy pi' of the net's own priors. Otherwise the visits, pruned where playouts were forced.
    """
    span = edges_of(tree)
    if params.gumbel_actions > 0:
        weights = np.empty(span.stop - span.start)
        searched = tree.edge_prior[span].copy()
        tree.edge_prior[span] = root.raw
        gumbel.improved_policy(tree, 0, constants, weights)
        tree.edge_prior[span] = searched
        moves = tree.edge_move[span]
    else:
        weights = pruned_visits(tree, constants)
        moves = tree.edge_move[span][: len(weights)]
        if weights.sum() <= 0:
            weights, moves = root.raw, root.moves
    return by_action(moves, weights, size)


def by_action(moves: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """Weights of points as a distribution in policy order: float32[N * N + 1]."""
    moves = moves.astype(np.int64)
    index = coords.to_indices(moves, size)
    out = np.zeros(size * size + 1, np.float32)
    out[index] = weights / weights.sum()
    return out


def lower_bounds(tree: Tree, params: SearchParams, constants: SearchConstants) -> tuple[np.ndarray, np.ndarray]:
    """(mean utility, radius) of the root's visited edges: the lower confidence bound is the difference.

    radius = lcb_stdevs * sqrt(variance / N), the variance with one more visit of the prior spread, so that a single visit has
    one. LZ and KataGo choose by it.
    """
    visits, utility = child_table(tree, constants)
    first = int(tree.links[0, FIRST])
    rows = tree.stats[tree.edge_child[first : first + len(visits)]]
    n = np.maximum(rows[:, VALUES], 1.0)
    mean = rows[:, UTILITY_SUM] / n
    spread = np.maximum(0.0, rows[:, UTILITY_SQUARES] - n * mean * mean) + params.cpuct_stdev_prior**2
    return utility, params.lcb_stdevs * np.sqrt(spread / n / n)


def best_edge(tree: Tree, root: Root, params: SearchParams, constants: SearchConstants) -> int:
    """The root's edge that the search would play, counted from its first; without visited ones the first."""
    visits, utility = child_table(tree, constants)
    if len(visits) == 0 or visits.max() <= 0:
        return 0
    if params.choice == "gumbel" and root.plan.scores.size:
        edge = gumbel.best_planned(tree, root.plan, constants)
        if edge >= 0:
            return int(edge) - int(tree.links[0, FIRST])
    if params.choice == "lcb":
        mean, radius = lower_bounds(tree, params, constants)
        eligible = visits >= max(1.0, params.lcb_min_visits * visits.max())
        return int(np.argmax(np.where(eligible, mean - radius, -np.inf)))
    # The most visits; of equals the better utility.
    return int(np.lexsort((-utility, -visits))[0])


def temperature_at(params: SearchParams, ply: int, size: int) -> float:
    """Temperature of the choice at a ply; plies scale with the side of the board."""
    scale = size / 19.0
    if params.temperature_half_life > 0:
        decay = 0.5 ** (ply / (params.temperature_half_life * scale))
        return params.temperature_final + (params.temperature - params.temperature_final) * decay
    return params.temperature if ply < params.temperature_plies * scale else params.temperature_final


def sampled_edge(tree: Tree, constants: SearchConstants, temperature: float, generator: np.ndarray) -> int:
    """A visited edge of the root drawn by (pruned visits)^(1/T); T must be positive."""
    weights = pruned_visits(tree, constants)
    weights = (weights / weights.max()) ** (1.0 / temperature)
    return noise.choose(generator, weights)
