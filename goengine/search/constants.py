"""What the kernels of the search take besides the tree: the constants as scalars, the root's plan, the scratch memory.

Translates `SearchParams` once; holds no formula.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.rules import RuleCode
from goengine.board.scoring import BensonScratch, new_benson_scratch
from goengine.board.state import BLACK, Game
from goengine.search.params import SearchParams
from goengine.search.tree import Tree

LONGEST_LINE = 1024  # plies; a descent ends there, and the value of the node where it ends counts once more


class SearchConstants(NamedTuple):
    """`SearchParams` for kernels; see there for the meaning and the source of each field that has the same name there."""

    cpuct: float
    cpuct_log: float
    cpuct_base: float
    cpuct_stdev_scale: float
    cpuct_stdev_prior: float
    cpuct_stdev_weight: float
    fpu_relative: int
    fpu_value: float
    fpu_reduction: float
    root_fpu_reduction: float
    policy_temperature: float
    wide_root_noise: float
    forced_playouts: float
    placeholder_priors: int
    virtual_loss: float
    rollout_weight: float
    rollout_prior: float
    net_priors: int
    static_score: float
    dynamic_score: float
    static_width: float  # points
    dynamic_width: float  # points
    center: float  # points for Black: where the dynamic part of the score's utility is 0
    c_visit: float
    c_scale: float
    gumbel_interior: int
    passes: int  # in the game before the root
    salt: np.uint64  # of the rules and komi, for the keys of a cache


class Plan(NamedTuple):
    """Sequential halving at the root; see `goengine.search.gumbel`. Empty arrays: the root chooses as other nodes do."""

    visits: np.ndarray  # int32[simulations]  the visits that the move to be tried next must have
    scores: np.ndarray  # float64[m]  g + logit of the root's first m edges, falling
    cursor: np.ndarray  # int64[1]  simulations begun


class SearchScratch(NamedTuple):
    """Working memory of the kernels for one board size."""

    owner: np.ndarray  # int8[P]
    stack: np.ndarray  # uint16[P]
    colors: np.ndarray  # uint8[P]
    alive: np.ndarray  # uint8[P]
    dead: np.ndarray  # uint8[P]  the colour of stones that come off when the game ends in the tree, else EMPTY
    benson: BensonScratch
    legal: np.ndarray  # uint8[N * N + 1]
    collided: np.ndarray  # int64[leaves]
    line: np.ndarray  # int16[LONGEST_LINE]  the moves of a descent
    logits: np.ndarray  # float32[N * N + 1]


class SearchContext(NamedTuple):
    """What every descent of a batch needs besides its game. Made anew for each batch: the tree is another one when it grows."""

    tree: Tree
    constants: SearchConstants
    rules: RuleCode
    forbidden: np.ndarray  # int16[4, P]  by colour and point: in how many plies from the root a move may not be searched
    plan: Plan
    scratch: SearchScratch


class Found(NamedTuple):
    """Where a batch puts its leaves: leaf i at place i of each."""

    games: Game  # stacked: the leaves', then the root's, then a scratch one, as `new_games` says
    nodes: np.ndarray  # int32[leaves]
    keys: np.ndarray  # uint64[leaves]


def make_constants(
    params: SearchParams, size: int, *, use_score: bool, center: float, passes: int, salt: int, net_priors: bool = True
) -> SearchConstants:
    """The constants for a board of that size. ``use_score``: the evaluator's score may enter the utility; ``net_priors``: its
    policy becomes the priors.
    """
    constants = {name: getattr(params, name) for name in SearchConstants._fields if hasattr(params, name)}
    constants |= {
        "static_width": params.static_score_scale * size,
        "dynamic_width": params.dynamic_score_scale * size,
        "center": center,
        "net_priors": net_priors,
        "passes": passes,
        "salt": salt,
    }
    if not use_score:
        constants |= {"static_score": 0.0, "dynamic_score": 0.0}
    return SearchConstants(**{name: SearchConstants.__annotations__[name](value) for name, value in constants.items()})


def no_plan() -> Plan:
    """The root chooses by PUCT."""
    return Plan(np.zeros(0, np.int32), np.zeros(0), np.zeros(1, np.int64))


def new_scratch(size: int, leaves: int) -> SearchScratch:
    """Working memory for boards of this size and batches of that many leaves."""
    p = padded(size)
    return SearchScratch(
        np.zeros(p, np.int8),
        np.zeros(p, np.uint16),
        np.zeros(p, np.uint8),
        np.zeros(p, np.uint8),
        np.zeros(p, np.uint8),
        new_benson_scratch(size),
        np.zeros(size * size + 1, np.uint8),
        np.zeros(leaves, np.int64),
        np.zeros(LONGEST_LINE, np.int16),
        np.zeros(size * size + 1, np.float32),
    )


def flip(color: int, number: float) -> float:
    """A number for Black as the same for that colour."""
    return number if color == BLACK else -number
