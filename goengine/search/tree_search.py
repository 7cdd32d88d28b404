"""One game's search without an evaluator: it says which leaves want evaluating and takes the answers.

`goengine.search.search.Search` drives it with an evaluator; self-play drives many of them in lock step, a batch across games.
Knows positions, the tree and its limits; knows neither clocks nor nets.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from goengine.board import coords
from goengine.board.random import new_generator
from goengine.board.rules import RuleCode
from goengine.board.stacked import game_at, new_games
from goengine.board.state import SIZE, TO_PLAY, copy_game
from goengine.core.pretyped_kernel import PretypedKernel
from goengine.evaluators.base import Evaluation, Traits
from goengine.features import FeatureSet
from goengine.features.encoders import batch_encoder
from goengine.search import root as roots
from goengine.search import tree as trees
from goengine.search.backup import cancel_batch, recompute_utilities, update_batch
from goengine.search.constants import Found, Plan, SearchContext, flip, make_constants, new_scratch, no_plan
from goengine.search.edges import unfold
from goengine.search.gumbel import barriers
from goengine.search.leaves import RAMP, Leaves, new_leaves
from goengine.search.linear_policies import new_rollout_scratch, new_tree_policy_scratch
from goengine.search.params import Restriction, SearchParams
from goengine.search.rollout_threads import RolloutThreads
from goengine.search.select import select_batch
from goengine.search.simulate import guess_priors, simulate_batch, take_queued, withdraw_batch
from goengine.search.tree import EDGES, EXPANDED, NODES, QUEUED, SCORE_SUM, VALUES, VISITED, VISITS

_FIRST_NODES = 512
_PACE = 1.05  # by which the threshold changes at a time
_LATEST = 10_000.0  # threshold
_DEEPEST = np.iinfo(np.int16).max
_NO_NODES, _NO_KEYS = np.zeros(0, np.int32), np.zeros(0, np.uint64)


@dataclass(frozen=True)
class _Origin:
    """What a game's moves are counted from; another origin means another game."""

    size: int
    rules: RuleCode
    setup: object


class TreeSearch:
    """The tree of one position, its growth and its reuse. Not for two threads at a time."""

    def __init__(
        self,
        params: SearchParams,
        features: FeatureSet,
        seed: int = 0,
        *,
        use_score: bool = False,
        use_value: bool = True,
        net_priors: bool = True,
    ):
        """What of the evaluator is believed. Without its value rollouts speak alone; without its policy, the tree policy."""
        self.params = params
        self.features = features
        self.generator = new_generator(seed)
        self.root: roots.Root | None = None  # None until the root is evaluated and prepared
        self.restrictions: tuple[Restriction, ...] = ()
        self.twins: dict[int, tuple[int, int]] = {}  # moves left out for symmetry; see `roots.equivalents`
        self.in_flight = 0  # leaves selected and not yet answered
        self.threshold = float(params.expansion_threshold)  # as it was adapted, where rollouts are played
        self._score_proven, self._value_proven, self._net_priors = use_score, use_value, net_priors
        self._encode = PretypedKernel(batch_encoder(features))
        self._select_batch, self._update_batch = PretypedKernel(select_batch), PretypedKernel(update_batch)
        self._simulate_batch, self._guess_priors = PretypedKernel(simulate_batch), PretypedKernel(guess_priors)
        self._take_queued = PretypedKernel(take_queued)
        self._origin: _Origin | None = None
        self._moves: list[tuple[int, int]] = []
        self._simulations = params.gumbel_visits

    def use(self, params: SearchParams) -> None:
        """Search with other constants from now on; the tree stays unless they change what it holds. No leaf is under way."""
        same = params.shape() == self.params.shape()
        scored = self._uses_score
        if params.expansion_threshold != self.params.expansion_threshold:
            self.threshold = float(params.expansion_threshold)
        self.params = params
        if self._origin is None:
            return
        if not same:
            self._make_room(self.size, self._game.hashes.size, self._game)
            self.clear()
            return
        if self.root is not None:
            self.tree.edge_prior[roots.edges_of(self.tree)] = self.root.raw
            self.root = None
        self._set_center(0.0)
        if scored != self._uses_score:
            recompute_utilities(self.tree, self.constants)

    @property
    def _uses_score(self) -> bool:
        return self._score_proven or self.params.trust_score

    @property
    def size(self) -> int:
        """Board size. Raises AttributeError before the first position."""
        return self._origin.size

    @property
    def visits(self) -> int:
        """Visits of the root."""
        return int(self.tree.stats[0, VISITS])

    @property
    def full(self) -> bool:
        """Whether the tree has reached its limits: until it is recycled it is refined, and grows no more."""
        return int(self.tree.used[NODES]) >= len(self.tree.state) or (
            int(self.tree.used[EDGES]) + self.size * self.size + 1 > len(self.tree.edge_move)
        )

    def recycle(self) -> bool:
        """Make room in a full tree by forgetting what is least visited; see `tree.recycle`. Not while leaves are under way."""
        return self.full and self.in_flight == 0 and self.root is not None and trees.recycle(self.tree)

    # The position.

    def set_position(self, position) -> bool:
        """Search this `goengine.board.position.Position` from now on. Returns whether a subtree could be kept."""
        rules = position.code._replace(komi=float(position.white_bonus()))
        setup = (position.black_setup, position.white_setup)
        return self.set_game(position.game, rules, position.moves, setup)

    def set_game(self, game, rules: RuleCode, moves: Sequence[tuple[int, int]], setup: object = None) -> bool:
        """As `set_position`, for a game and the (colour, point) moves that led to it from ``setup``.

        The komi of ``rules`` is all that White gets beside the points on the board: the handicap bonus and a button that has
        been taken are in it.
        """
        rules = rules._replace(komi=float(rules.komi))  # kernels called by an `Entry` would cut 7.5 to the type of an earlier 7
        origin = _Origin(int(game.board.info[SIZE]), rules, setup)
        moves = list(moves)
        fits = self._origin is not None and origin.size == self.size and game.hashes.size == self._game.hashes.size
        kept = fits and origin == self._origin and self._follow(game, moves)
        if not fits:
            self._make_room(origin.size, game.hashes.size)
        if origin != self._origin:
            salt = hashlib.blake2b(repr(rules).encode(), digest_size=8).digest()
            self._salt = int.from_bytes(salt, "little")
        self._origin, self._moves, self.rules = origin, moves, rules
        self._passes = sum(point == coords.PASS for _, point in moves)
        copy_game(self._game, game)
        if kept:
            self._unfold_root()
        else:
            self.clear()
        return kept

    def _unfold_root(self) -> None:
        """A node that has become the root has its edges from the beginning."""
        if trees.is_folded.py_func(self.tree, 0):
            self._forbidden[:] = 0  # what was left out for symmetry was so at the old root only
            context = SearchContext(self.tree, self.constants, self.rules, self._forbidden, no_plan(), self._scratch)
            unfold(self.tree, 0, self._game, context, 0, self._scratch.logits)

    def _follow(self, game, moves: list[tuple[int, int]]) -> bool:
        """Walk the tree along the moves made since; True if what is left can be used."""
        old = len(self._moves)
        if moves[:old] != self._moves:
            return False
        if len(moves) == old:
            return self.tree.to_play[0] == game.status[TO_PLAY]
        if not self.params.reuse or self.restrictions or self.in_flight:
            return False
        node = 0
        for color, point in moves[old:]:
            if color != self.tree.to_play[node]:
                return False
            node = int(trees.find_child(self.tree, node, point))
            if node < 0:
                return False
        if self.tree.state[node] != EXPANDED or self.tree.to_play[node] != game.status[TO_PLAY]:
            return False
        if self.params.symmetry_pruning and len(roots.symmetries_of(game, self.rules)) > 1:
            return False
        trees.reroot(self.tree, node)
        self.root = None
        self.twins = {}
        return True

    @property
    def rolls(self) -> bool:
        """Whether visits end with rollouts: then each is complete before the evaluator answers."""
        return self.params.rollout_weight > 0

    @property
    def rollout_weight(self) -> float:
        """lambda: the params', or 1 where there is no other value."""
        return self.params.rollout_weight if self._value_proven or not self.rolls else 1.0

    @property
    def unfinished(self) -> int:
        """Visits that were begun and that the root does not count yet."""
        return 0 if self.rolls else self.in_flight

    def _make_room(self, size: int, capacity: int, game=None) -> None:
        """Arrays for another board size, or another shape of the tree; ``game`` is kept."""
        points = size * size if self.params.ownership else 0
        actions = size * size + 1
        nodes = min(_FIRST_NODES, self.params.max_nodes)
        self.tree = trees.new_tree(points, nodes, 8 * actions)
        self._games = new_games(size, self.params.leaves + 2, capacity)
        self._game = game_at.py_func(self._games, self.params.leaves)
        if game is not None:
            copy_game(self._game, game)
        self._scratch = new_scratch(size, self.params.leaves)
        self._feature_scratch = self.features.new_scratch(size)
        self._rollout_scratch = new_rollout_scratch(size) if self.rolls else None
        threads = self.params.rollout_threads if self.rolls else 1
        self._rollout_threads = RolloutThreads(threads, size, capacity, self.generator) if threads > 1 else None
        guesses = self.params.placeholder_priors or not self._net_priors
        self._tree_policy_scratch = new_tree_policy_scratch(size) if guesses else None

    def clear(self) -> None:
        """Forget the tree and keep the position."""
        trees.clear(self.tree, int(self._game.status[TO_PLAY]))
        self.root = None
        self.in_flight = 0
        self.twins = {}
        self._forbidden = _forbidden(self.restrictions, self.size)
        if self.params.symmetry_pruning and not self.restrictions:
            self.twins = roots.equivalents(self.size, roots.symmetries_of(self._game, self.rules))
            self._forbidden[self._game.status[TO_PLAY], list(self.twins)] = 1
        self._set_center(0.0)

    def agree(self, dead: Collection[int]) -> None:
        """Take these stones for dead where the game ends in the tree; another set than before begins a new tree."""
        marked = np.zeros_like(self._scratch.dead)
        marked[list(dead)] = self._game.board.color[list(dead)]
        if not np.array_equal(marked, self._scratch.dead):
            self._scratch.dead[:] = marked
            self.clear()

    def restrict(self, restrictions: Sequence[Restriction]) -> None:
        """Leave out moves from now on; another set of restrictions begins a new tree. An empty one lifts them."""
        restrictions = tuple(restrictions)
        if restrictions != self.restrictions:
            self.restrictions = restrictions
            if self._origin is not None:
                self.clear()

    # The search.

    def renew(self) -> None:
        """To be called before a run. Sequential halving starts anew each time, so it forgets a tree that it has searched."""
        if self.params.gumbel_actions > 0 and self.visits > 0:
            self.clear()

    def begin(self, simulations: int) -> None:
        """Begin a run of about that many visits on a renewed tree; sequential halving plans by the number."""
        self.renew()
        self._simulations = simulations
        self._prepare_root()

    def _prepare_root(self) -> None:
        """Once the root is evaluated: centre the score's utility, put noise into the priors."""
        if self.root is not None or self.tree.state[0] != EXPANDED:
            return
        row = self.tree.stats[0]
        self._set_center(-float(row[SCORE_SUM] / max(1.0, row[VALUES])))
        if self._uses_score:
            recompute_utilities(self.tree, self.constants)
        self.root = roots.prepare(self.tree, self.params, self.generator, self._simulations)

    def _set_center(self, score: float) -> None:
        """Centre of the score's utility (KataGo): the expected score for the player to move, drawn to 0 within one width."""
        width = self.params.dynamic_score_scale * self.size
        drawn = score * (1.0 - self.params.dynamic_score_zero)
        center = flip(int(self._game.status[TO_PLAY]), max(score - width, min(score + width, drawn)))
        self.constants = make_constants(
            self.params.with_(rollout_weight=self.rollout_weight),
            self.size,
            use_score=self._uses_score,
            center=center,
            passes=self._passes,
            salt=self._salt,
            net_priors=self._net_priors,
        )

    def new_leaves(self) -> Leaves:
        """Room for as many leaves as a batch may have."""
        return new_leaves(self.size, self.features, self.params.leaves)

    @property
    def appetite(self) -> int:
        """How many leaves the next `select` may find at most, however many are wanted."""
        if self.root is None:
            return 1 if self.in_flight == 0 else 0
        return max(0, min(self.params.leaves, max(1, self.visits // RAMP) - self.in_flight))

    def select(self, leaves: Leaves, want: int, budget: int) -> int:
        """Find up to ``want`` leaves in at most ``budget`` visits and encode them. Returns the number of visits begun.

        `leaves.count` says how many there are to evaluate; it is 0 if the search must wait for answers first, or if all visits
        ended where no evaluator is needed. Each call of `select` that found leaves is followed by `update` or `cancel`.
        """
        leaves.count = 0
        want = min(want, len(leaves.nodes), self.appetite)
        if self.root is None:
            budget = want
        most = 4 * want + 16
        few, budget = budget < most, min(budget, most)
        plan = self.root.plan if self.root else no_plan()
        if plan.cursor[0] < len(plan.visits):
            ends = barriers(len(plan.scores), len(plan.visits))
            if self.in_flight and plan.cursor[0] in ends:
                return 0
            budget = min(budget, next(end for end in ends if end > plan.cursor[0]) - int(plan.cursor[0]))
        if want <= 0 or budget <= 0:
            return 0
        leaves.count, begun = self._visit(leaves.nodes, leaves.keys, want, budget, plan)
        if self.rolls and not few:
            self._set_pace(leaves.count == want)
        if leaves.count:
            if self._tree_policy_scratch is not None:
                stride = self.size + 1
                self._guess_priors(self.tree, stride, self._games, leaves.nodes, leaves.count, self._tree_policy_scratch)
            self._encode(self._games, leaves.count, self.rules, self._feature_scratch, leaves.planes, leaves.values)
        self.in_flight += leaves.count
        return begun

    def _set_pace(self, full: bool) -> None:
        """After a batch: as many leaves should become ripe as the evaluator can take (Silver et al. 2016), so half are full."""
        self.threshold = min(max(1.0, self.threshold * (_PACE if full else 1 / _PACE)), _LATEST)

    def roll(self, budget: int) -> int:
        """Play up to ``budget`` visits that ask nothing, while the evaluator is busy. Returns how many; 0 without rollouts."""
        if not self.rolls or self.root is None or budget <= 0:
            return 0
        return self._visit(_NO_NODES, _NO_KEYS, 0, budget, no_plan())[1]

    def _visit(self, nodes: np.ndarray, keys: np.ndarray, want: int, budget: int, plan: Plan) -> tuple[int, int]:
        """(leaves found, visits begun): up to ``want`` leaves in at most ``budget`` visits."""
        p, actions = self.params, self.size * self.size + 1
        self.tree = trees.grow(self.tree, budget + 1, (want + 1) * actions, p.max_nodes, p.max_memory_mb << 20)
        context = SearchContext(self.tree, self.constants, self.rules, self._forbidden, plan, self._scratch)
        leaves = Found(self._games, nodes, keys)
        if not self.rolls:
            return self._select_batch(context, leaves, want, budget)
        pace = self.threshold
        found = self._take_queued(context, leaves, want) if want > 0 and self.tree.used[QUEUED] else 0
        if self._rollout_threads is not None:
            return self._rollout_threads.play(context, leaves, self._game, pace, found, want, budget)
        return self._simulate_batch(context, leaves, self._rollout_scratch, self.generator, pace, found, want, budget)

    def update(self, leaves: Leaves, answer: Evaluation) -> None:
        """Enter the answers to all leaves. Raises ValueError if their shapes are others, or one is not a number."""
        n, points = leaves.count, self.size * self.size
        arrays = Evaluation._make(np.ascontiguousarray(array, np.float32) for array in answer)
        if [array.shape for array in arrays] != [(n, points + 1), (n,), (n,), (n,), (n, points)]:
            self.cancel(leaves)
            raise ValueError(f"the shapes {[a.shape for a in arrays]} do not answer {n} positions of size {self.size}")
        visits = 0.0 if self.rolls else 1.0  # rollouts have completed them
        if not self._update_batch(self.tree, self.size + 1, self.constants, leaves.nodes, n, visits, arrays):
            self.cancel(leaves)
            raise ValueError("the evaluator gave a value, a score or a policy that is not a number")
        self.in_flight -= n
        self._prepare_root()

    def cancel(self, leaves: Leaves) -> None:
        """Give up leaves whose evaluation failed."""
        give_up = withdraw_batch if self.rolls else cancel_batch
        give_up(self.tree, leaves.nodes, leaves.count)
        self.in_flight -= leaves.count
        leaves.count = 0

    # What came of it.

    def best_edge(self) -> int:
        """The root's edge that the search would play, counted from its first. The root must be prepared."""
        return roots.best_edge(self.tree, self.root, self.params, self.constants)

    def choose(self) -> int:
        """The point to play: the best, or by chance where the params give this ply a temperature."""
        temperature = roots.temperature_at(self.params, len(self._moves), self.size)
        if temperature > 0 and self.tree.links[0, VISITED] > 0 and self.params.choice != "gumbel":
            edge = roots.sampled_edge(self.tree, self.constants, temperature, self.generator)
        else:
            edge = self.best_edge()
        return int(self.root.moves[edge])

    def root_ownership(self) -> np.ndarray | None:
        """The evaluator's ownership of the root, float32[N * N] for the player to move; None where none is known."""
        if self.root is None or not self.tree.ownership.shape[1]:
            return None
        return self.tree.ownership[0].astype(np.float32) / np.float32(trees.OWNERSHIP_SCALE)

    def root_policy(self) -> np.ndarray:
        """The priors of the moves searched at the root, as the evaluator gave them: float32[N * N + 1], nan for other moves."""
        policy = np.full(self.size * self.size + 1, np.nan, np.float32)
        policy[coords.to_indices(self.root.moves.astype(np.int64), self.size)] = self.root.raw
        return policy

    def target(self) -> np.ndarray:
        """What a policy should learn from this search: float32[N * N + 1]."""
        return roots.target(self.tree, self.root, self.params, self.constants, self.size)


def believed(traits: Traits) -> dict[str, bool]:
    """What `TreeSearch` may believe of an evaluator, as its arguments."""
    return {"use_score": traits.score_proven, "use_value": traits.value_proven, "net_priors": traits.policy_proven}


def _forbidden(restrictions: Sequence[Restriction], size: int) -> np.ndarray:
    """By colour and point, in how many plies from the root a move is left out: int16[4, P]."""
    table = np.zeros((4, coords.padded(size)), np.int16)
    everywhere = {coords.PASS, *map(int, coords.points(size))}
    for r in restrictions:
        points = sorted(everywhere - r.points if r.allow else everywhere & r.points)
        table[r.color, points] = np.maximum(table[r.color, points], min(r.depth, _DEEPEST))
    return table
