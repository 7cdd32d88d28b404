"""The linear policies of `goengine.patterns` as the search uses them: rollouts from its leaves, priors until a net answers.

Both know the last move, and what it captured by the board before it, so their first move answers it as all later ones answer
theirs. Rollouts are counted by area under all rules, and know no button. Knows no tree.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.scoring import area
from goengine.board.stacked import policy_index
from goengine.board.state import BLACK, EMPTIES, NONE, PASS, SIZE, TO_PLAY, copy_board
from goengine.core.jit import inlined_kernel, kernel
from goengine.patterns import shipped_policies
from goengine.patterns.candidates import (
    Candidates,
    Patterns,
    add_tree_features,
    find_candidates,
    logits,
    new_candidates,
    number_squares,
)
from goengine.patterns.policy import COLUMNS, ROLLOUT, TREE, LinearPolicy
from goengine.patterns.rollout import Factors, Flow, begin_flow, new_flow, play_on
from goengine.patterns.surroundings import Surroundings, new_surroundings, recall_captured, survey

_COLUMNS = COLUMNS[TREE]
_SENSELESS = -15.0  # logit, below the least of the others, of moves that the policy does not consider


class RolloutScratch(NamedTuple):
    """What rollouts take: the policy, and memory for one of them."""

    factors: Factors
    flow: Flow
    owner: np.ndarray  # int8[P]
    stack: np.ndarray  # uint16[P]


class TreePolicyScratch(NamedTuple):
    """What the tree policy takes: its patterns and weights, and memory for one position."""

    patterns: Patterns
    weights: np.ndarray  # float32[features]
    around: Surroundings
    candidates: Candidates
    logit: np.ndarray  # float32[P]
    policy: np.ndarray  # float32[N * N + 1]


@functools.cache
def _policy(kind: str) -> LinearPolicy:
    return shipped_policies.read_policy(kind)


@functools.cache
def _factors() -> Factors:
    return _policy(ROLLOUT).factors()


@functools.cache
def _patterns() -> Patterns:
    return _policy(TREE).patterns()


def new_rollout_scratch(size: int) -> RolloutScratch:
    """Rollouts by the shipped policy on boards of this size. Raises PolicyError if its file is missing or damaged."""
    p = padded(size)
    return RolloutScratch(_factors(), new_flow(size), np.zeros(p, np.int8), np.zeros(p, np.uint16))


def new_tree_policy_scratch(size: int) -> TreePolicyScratch:
    """The shipped tree policy for boards of this size. Raises PolicyError if its file is missing or damaged."""
    memory = new_surroundings(size), new_candidates(size), np.zeros(padded(size), np.float32)
    return TreePolicyScratch(_patterns(), _policy(TREE).weights, *memory, np.zeros(size * size + 1, np.float32))


@kernel
def roll_out(game, copy, rollout_scratch, komi, generator):
    """Play a game to its end on ``copy``, a board, and count it by area: 1, 0 or -1 for the player to move."""
    copy_board(copy, game.board)
    size, to_play = game.board.info[SIZE], np.int64(game.status[TO_PLAY])
    last, flow, factors = np.int64(game.recent[0]), rollout_scratch.flow, rollout_scratch.factors
    begin_flow(copy, flow, factors)
    recall(game, last, flow.around)
    play_on(copy, flow, factors, last, to_play, generator, 3 * size * size)
    score = area(copy, rollout_scratch.owner, rollout_scratch.stack) - komi
    if score == 0:
        return 0.0
    return 1.0 if (score > 0) == (to_play == BLACK) else -1.0


@inlined_kernel
def recall(game, last, around):
    """List what the last move captured, if there is one."""
    if last != PASS and last != NONE:
        recall_captured(game.board, around, game.past[0], game.status[TO_PLAY])


@kernel
def guess(game, tree_policy_scratch):
    """Write the tree policy's logits into ``guesser.policy``. A pass is as likely as an average move."""
    board, candidates, policy = game.board, tree_policy_scratch.candidates, tree_policy_scratch.policy
    size, around = np.int64(board.info[SIZE]), tree_policy_scratch.around
    survey(board, around)
    around.count[0] = 0
    for i in range(board.info[EMPTIES]):
        p = np.int64(board.empties[i])
        around.changed[around.count[0]] = p
        around.count[0] += 1
    number_squares(board, around, tree_policy_scratch.patterns, candidates)
    recall(game, np.int64(game.recent[0]), around)
    last, earlier, color = np.int64(game.recent[0]), np.int64(game.recent[1]), np.int64(game.status[TO_PLAY])
    find_candidates(board, around, last, color, tree_policy_scratch.patterns, candidates)
    add_tree_features(board, around, last, earlier, color, tree_policy_scratch.patterns, candidates)
    logits(candidates, _COLUMNS, tree_policy_scratch.weights, tree_policy_scratch.logit)
    count = candidates.count[0]
    most, least = -np.inf, np.inf
    for i in range(count):
        most, least = max(most, tree_policy_scratch.logit[i]), min(least, tree_policy_scratch.logit[i])
    policy[:] = (least if count > 0 else 0.0) + _SENSELESS
    policy[size * size] = 0.0
    total = 0.0
    for i in range(count):
        p = np.int64(candidates.point[i])
        policy[policy_index(p, size, size)] = tree_policy_scratch.logit[i]
        total += math.exp(tree_policy_scratch.logit[i] - most)
    if count > 0:
        policy[size * size] = most + math.log(total / count)
