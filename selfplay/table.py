"""Many games and their trees as arrays with a leading dimension: what they hold and how they are made.

A row of every array belongs to one game::

    forest[g]   the tree of the search for the move to come, a `goengine.search.tree.Tree`
    roots[g]    the game as it stands                leaves[g]  the same game at the leaf that waits for the net
    state[g]    where the game and its search stand  record: what has been played, and what each search said

Holds no rule of the game and no formula (`selfplay.kernels`, `goengine.search.batched_roots`).
"""

from typing import NamedTuple

import numpy as np

from goengine.board.rules import Rules
from goengine.board.stacked import new_games
from goengine.board.state import Game
from goengine.core.jit import inlined_kernel
from goengine.search.constants import Plan
from goengine.search.gumbel import halving
from goengine.search.tree import Tree, new_tree
from goengine.zero.selfplay_params import SelfPlayParams

# Columns of Table.state.
PLY, READY, IS_FULL, SIMULATIONS, CONSIDERED, TO_DRAW, LOST_FOR, GAVE_UP, PLAYED_OUT, ENDING, RULES, ENTRIES = range(12)
# How a game ends: not yet, by passes, all alive for certain, given up, broken off.
PLAYING, PASSED, DECIDED, RESIGNED, BROKEN_OFF = range(5)

_MOST_ENTRIES = 128  # policy entries a ply for which there is room on average


class Record(NamedTuple):
    """What the games have been so far; L plies at most, E entries of policies."""

    move: np.ndarray  # uint16[G, L]  points
    color: np.ndarray  # uint8[G, L]
    kind: np.ndarray  # uint8[G, L]   as in `goengine.zero.shards`
    value: np.ndarray  # float32[G, L]  of the root after the search, for the player to move; nan by policy
    score: np.ndarray  # float32[G, L]
    visits: np.ndarray  # uint16[G, L]
    surprise: np.ndarray  # float32[G, L]  KL(target || raw policy), nats
    start: np.ndarray  # int64[G, L + 1]  ply -> its first entry
    index: np.ndarray  # uint16[G, E]  policy index
    weight: np.ndarray  # float32[G, E]


class GameTable(NamedTuple):
    """G games on boards of N x N, A = N * N + 1 actions; see the picture above."""

    forest: Tree
    roots: Game
    leaves: Game
    state: np.ndarray  # int64[G, 12]
    komi: np.ndarray  # float64[G]
    temperature: np.ndarray  # float64[G]  temperature of moves by policy
    salt: np.ndarray  # uint64[G]
    generator: np.ndarray  # uint64[G, 2]
    rules: np.ndarray  # int64[R, 2]  ko, suicide
    visits: np.ndarray  # int32[2, M + 1, S]  plans of sequential halving: of cheap and full searches, by actions considered
    scores: np.ndarray  # float64[G, M]  g + logit of the first actions, falling
    cursor: np.ndarray  # int64[G, 1]  simulations begun
    raw_prior: np.ndarray  # float32[G, A]  the root's priors as the net gave them, by policy index
    node: np.ndarray  # int32[G, 1]  the leaf that waits for the net
    record: Record


def new_table(settings: SelfPlayParams, games: int) -> GameTable:
    """Room for that many games."""
    size, longest = settings.size, plies(settings)
    actions, simulations = size * size + 1, max(settings.visits, settings.cheap_visits)
    nodes = simulations + 2
    one = new_tree(0, nodes, nodes * actions)
    considered = min(settings.considered, settings.visits, actions)
    return GameTable(
        forest=Tree(*(np.repeat(array[None], games, axis=0) for array in one)),
        roots=new_games(size, games, longest + 2),
        leaves=new_games(size, games, longest + nodes + 2),
        state=np.zeros((games, 12), np.int64),
        komi=np.zeros(games),
        temperature=np.ones(games),
        salt=np.zeros(games, np.uint64),
        generator=np.zeros((games, 2), np.uint64),
        rules=np.array([(code.ko, code.suicide) for code in (Rules.preset(name).code() for name in settings.rules)], np.int64),
        visits=_plans(considered, (max(0, settings.cheap_visits - 1), settings.visits - 1)),  # the root takes a visit, too
        scores=np.zeros((games, considered)),
        cursor=np.zeros((games, 1), np.int64),
        raw_prior=np.zeros((games, actions), np.float32),
        node=np.zeros((games, 1), np.int32),
        record=_new_record(games, longest, longest * min(actions, _MOST_ENTRIES)),
    )


def plies(settings: SelfPlayParams) -> int:
    """Plies after which a game is broken off."""
    return max(8, round(settings.longest * settings.size**2))


def _plans(considered: int, simulations: tuple[int, int]) -> np.ndarray:
    plans = np.zeros((2, considered + 1, max(simulations)), np.int32)
    for kind, count in enumerate(simulations):
        for actions in range(1, considered + 1):
            plans[kind, actions, :count] = halving(actions, count)
    return plans


def _new_record(games: int, longest: int, entries: int) -> Record:
    shape = (games, longest)
    return Record(
        np.zeros(shape, np.uint16),
        np.zeros(shape, np.uint8),
        np.zeros(shape, np.uint8),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.uint16),
        np.zeros(shape, np.float32),
        np.zeros((games, longest + 1), np.int64),
        np.zeros((games, entries), np.uint16),
        np.zeros((games, entries), np.float32),
    )


@inlined_kernel
def tree_of(table, g):
    """The tree of game g, as views."""
    f = table.forest
    return Tree(
        f.stats[g], f.links[g], f.net[g], f.state[g], f.to_play[g], f.ownership[g], f.edge_move[g], f.edge_prior[g],
        f.edge_child[g], f.queue[g], f.used[g],
    )  # fmt: skip


@inlined_kernel
def plan_of(table, g):
    """The plan of sequential halving of game g; without one its length is 0."""
    considered, simulations = table.state[g, CONSIDERED], table.state[g, SIMULATIONS]
    length = simulations if considered > 0 else 0
    return Plan(table.visits[table.state[g, IS_FULL], considered, :length], table.scores[g, :considered], table.cursor[g])
