"""What a search can be told: its constants (`SearchParams`, with the presets), its limits, and moves to leave out.

Each constant stands here once, with its name in the paper and the source of its value. Knows neither trees nor evaluators.

Sources: Lee = Silver et al., Nature 529 (2016); Zero = Silver et al., Nature 550 (2017); AlphaZero = Silver et al., Science 362
(2018); KataGo = Wu, arXiv 1902.10565, and its KataGoMethods.md and default configurations; Gumbel = Danihelka et al., ICLR
2022; LZ = Leela Zero.
"""

import dataclasses
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

CHOICES = ("visits", "lcb", "gumbel")

_ANY = (0.0, 1e6)
_SHARE = (0.0, 1.0)
_POSITIVE = (1e-3, 1e6)
_TEMPERATURE = (0.01, 1e6)  # colder ones leave nothing of most priors
_COUNT = (1, 10**6)
_RANGES: Mapping[str, tuple[float, float]] = {  # by field; of the others, `_ANY`
    "cpuct_base": _POSITIVE,
    "cpuct_stdev_prior": _POSITIVE,
    "cpuct_stdev_weight": _POSITIVE,
    "fpu_value": (-1e6, 1e6),
    "policy_temperature": _TEMPERATURE,
    "root_policy_temperature": _TEMPERATURE,
    "dirichlet_weight": _SHARE,
    "expansion_threshold": _COUNT,
    "leaves": (1, 4096),
    "batches": (1, 64),
    "rollout_weight": _SHARE,
    "rollout_threads": (1, 1024),
    "dynamic_score_zero": _SHARE,
    "dynamic_score_scale": _POSITIVE,
    "static_score_scale": _POSITIVE,
    "wide_root_noise": (0.0, 5.0),
    "lcb_min_visits": _SHARE,
    "gumbel_visits": _COUNT,
    "max_nodes": (1, 2**31 - 1),
    "max_memory_mb": (1, 2**31 - 1),
}


@dataclass(frozen=True, kw_only=True)
class SearchParams:
    """The constants of a search. Raises ValueError if one of them makes no sense."""

    # Exploration: U = c P sqrt(sum N) / (1 + N), c = cpuct + cpuct_log ln((sum N + cpuct_base) / cpuct_base).
    cpuct: float = 1.0  # c_puct; KataGo's default for play 1.0, its paper 1.1, Lee 5
    cpuct_log: float = 0.0  # KataGo cpuctExplorationLog 0.45 for play; AlphaZero 1
    cpuct_base: float = 500.0  # KataGo cpuctExplorationBase 500; AlphaZero 19652
    cpuct_stdev_scale: float = 0.0  # KataGo cpuctUtilityStdevScale 0.85: c grows with the spread of the utilities below a node
    cpuct_stdev_prior: float = 0.4  # KataGo cpuctUtilityStdevPrior, sigma_0
    cpuct_stdev_weight: float = 2.0  # KataGo cpuctUtilityStdevPriorWeight, visits
    # First play urgency: the utility of a child without visits.
    fpu_relative: bool = False  # False: fpu_value (Lee, Zero: Q = 0). True: the parent's less reduction sqrt(visited prior)
    fpu_value: float = 0.0
    fpu_reduction: float = 0.2  # KataGo fpuReductionMax 0.2
    root_fpu_reduction: float = 0.1  # KataGo rootFpuReductionMax 0.1; 0 where the root has noise
    # Priors.
    policy_temperature: float = 1.0  # softmax temperature of all priors; Lee beta = 0.67
    root_policy_temperature: float = 1.0  # on top of it at the root; KataGo's paper 1.03
    dirichlet_total: float = 0.0  # sum of the Dirichlet's parameters; Zero 0.03 * 361 = 10.83; 0 = no noise
    dirichlet_weight: float = 0.25  # epsilon; Zero 0.25
    dirichlet_shaped: bool = False  # KataGo: half of the total goes to moves of high prior
    wide_root_noise: float = 0.0  # KataGo analysisWideRootNoise: 0.04 looks at more moves, 1 at all; 0 = off
    # Forced playouts and target pruning at the root.
    forced_playouts: float = 0.0  # k; a visited child of the root gets sqrt(k P sum N) visits; KataGo 2; 0 = off
    # Leaves and batches.
    expansion_threshold: int = 1  # n_thr: rollouts after which a leaf is evaluated and grows; Lee 40 (adapted), Zero 1
    placeholder_priors: bool = False  # Lee: a leaf under evaluation has the tree policy's priors and is walked through
    virtual_loss: float = 1.0  # n_vl; Lee 3, Zero's descendants 1
    leaves: int = 1  # positions in a batch
    batches: int = 1  # batches under way; 2 lets the tree work while the net does
    # Value channels: Q = (1 - lambda) W_v / N_v + lambda W_r / N_r.
    rollout_weight: float = 0.0  # lambda; Lee 0.5; 0 = no rollouts are played
    rollout_prior: float = 0.0  # k; n rollouts of a child count n / (n + k), the rest is its parent's mean; ours 10, Lee 0
    rollout_threads: int = 1  # that play them, the search's own among them; the paper's match version had 40
    # Score in the utility, where the evaluator's score is proven.
    static_score: float = 0.0  # KataGo staticScoreUtilityFactor 0.10 for play
    dynamic_score: float = 0.0  # KataGo dynamicScoreUtilityFactor 0.30 for play
    dynamic_score_zero: float = 0.2  # KataGo dynamicScoreCenterZeroWeight: the centre is drawn to 0
    dynamic_score_scale: float = 0.75  # KataGo dynamicScoreCenterScale
    static_score_scale: float = 2.0  # KataGo: scale of the static part, in multiples of the board's side
    trust_score: bool = False  # use the score even if the evaluator does not call it proven
    # Choice of the move.
    choice: str = "visits"  # 'visits' (Lee, Zero), 'lcb' (LZ, KataGo) or 'gumbel'
    lcb_stdevs: float = 5.0  # KataGo lcbStdevs 5
    lcb_min_visits: float = 0.15  # KataGo minVisitPropForLCB 0.15, of the most visits
    temperature: float = 0.0  # of the choice by N^(1/T), at the beginning; Zero 1
    temperature_final: float = 0.0  # later; Zero 0, KataGo 0.1 to 0.2
    temperature_plies: int = 0  # plies on 19x19 (in proportion elsewhere) at the first temperature; Zero 30
    temperature_half_life: float = 0.0  # KataGo 19 plies on 19x19: halves the difference instead of a step; 0 = step
    # Gumbel.
    gumbel_actions: int = 0  # m considered actions; Gumbel 16; 0 = PUCT at the root
    gumbel_scale: float = 1.0  # of the noise g; 0 for evaluation
    gumbel_visits: int = 64  # simulations of the halving where the limits name none
    c_visit: float = 50.0  # Gumbel: sigma(q) = (c_visit + max N) c_scale q, q in [0, 1]
    c_scale: float = 1.0
    gumbel_interior: bool = False  # Gumbel: below the root choose by pi' - N / (1 + sum N), not by PUCT
    # The tree.
    reuse: bool = True  # keep the subtree when the game goes on
    symmetry_pruning: bool = False  # KataGo rootSymmetryPruning: of equivalent first moves search one
    ownership: bool = True  # keep each node's ownership (N * N bytes), for the average over the tree
    max_nodes: int = 2_000_000
    max_memory_mb: int = 2048

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            raise ValueError(f"choice '{self.choice}' is none of {', '.join(CHOICES)}")
        for field in dataclasses.fields(self):
            low, high = _RANGES.get(field.name, _ANY)
            value = getattr(self, field.name)
            if not isinstance(value, str) and not low <= value <= high:  # so written, nan is refused
                raise ValueError(f"{field.name} must be from {low:g} to {high:g}, not {str(value)[:40]}")
        if self.rollout_weight > 0 and self.gumbel_actions > 0:
            raise ValueError("rollout_weight: rollouts do not go with gumbel_actions; set one of them to 0")
        if self.rollout_weight == 0 and self.expansion_threshold > 1:
            raise ValueError(
                "expansion_threshold: leaves that grow later need rollouts; set rollout_weight, or the threshold to 1"
            )
        if self.choice == "gumbel" and self.gumbel_actions < 1:
            raise ValueError("choice 'gumbel' needs gumbel_actions of at least 1")

    def with_(self, **changes: Any) -> "SearchParams":
        """The same constants with some changed."""
        return dataclasses.replace(self, **changes)

    def shape(self) -> tuple[Hashable, ...]:
        """What decides which arrays a search needs and what its tree holds; a tree of another shape cannot be reused."""
        return (
            self.leaves,
            self.ownership,
            self.max_nodes,
            self.max_memory_mb,
            self.symmetry_pruning,
            self.policy_temperature,
            self.placeholder_priors,
            self.rollout_threads,
            self.rollout_weight > 0,
        )


LEE = SearchParams(
    cpuct=5.0,
    fpu_relative=True,  # KataGo; at 0, as in the paper, a player who is behind tries everything once before he looks again
    rollout_prior=10.0,  # not the paper's, who had thousands of rollouts a move: the first ones are 1 or -1 by chance
    policy_temperature=0.67,
    rollout_weight=0.5,
    expansion_threshold=40,
    placeholder_priors=True,
    virtual_loss=3.0,
    leaves=8,
    batches=2,
)
ZERO = SearchParams(
    cpuct=1.25,  # not published; AlphaZero's constant
    dirichlet_total=10.83,
    temperature=1.0,
    temperature_plies=30,
    leaves=8,
)
GUMBEL = SearchParams(
    cpuct=1.25,
    gumbel_actions=16,
    choice="gumbel",
    gumbel_interior=True,
    fpu_relative=True,
    root_fpu_reduction=0.0,
    fpu_reduction=0.0,
    reuse=False,
)
PLAY = SearchParams(
    cpuct=1.0,
    cpuct_log=0.45,
    cpuct_stdev_scale=0.85,
    fpu_relative=True,
    choice="lcb",
    static_score=0.1,
    dynamic_score=0.3,
    symmetry_pruning=True,
    temperature=0.3,  # for the first moves only, so that not all games begin alike; KataGo 0.5 falling to 0.1
    temperature_plies=12,
    leaves=8,
    batches=2,
)
PRESETS = {"LEE": LEE, "ZERO": ZERO, "GUMBEL": GUMBEL, "PLAY": PLAY}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a run ends: at the first limit reached. Without any, only ``should_stop`` ends it."""

    visits: int | None = None  # of the root, those kept from earlier runs included
    playouts: int | None = None  # new ones in this run
    seconds: float | None = None  # the usual time
    max_seconds: float | None = None  # while the most visited move is not the best one; None = `seconds`
    early_stop: bool = False  # stop when no other move can still catch up with the leader
    min_playouts: int = 1  # before `should_stop` and time are obeyed

    def less(self, seconds: float) -> "Limits":
        """The same limits with so many seconds taken off the time, where there is one; none is left below 0."""
        usual, longest = (None if time is None else max(0.0, time - seconds) for time in (self.seconds, self.max_seconds))
        return dataclasses.replace(self, seconds=usual, max_seconds=longest)


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """Moves that one colour must not play (or must not leave) in the first ``depth`` plies of the search."""

    color: int
    points: frozenset[int]
    depth: int
    allow: bool = False  # True: only these moves, False: not these moves
