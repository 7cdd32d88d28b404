"""The set ``zero_ranked``: ``zero`` and, behind its globals, what is known of the players' ranks (`goengine.ranks.inputs`).

A position knows no ranks, so the encoder writes that nothing is known of them. Who knows more writes it into a batch:
`write_ranks`, as `goengine.evaluators.ranked` does.
"""

import numpy as np

from goengine.core.jit import kernel
from goengine.features import zero
from goengine.ranks.inputs import INPUTS, SIDE, UNKNOWN, rank_inputs
from goengine.ranks.scale import Server

PLANES = zero.PLANES
GLOBALS = zero.GLOBALS + INPUTS
NAME = "zero_ranked"
_FIRST = zero.GLOBALS
_UNKNOWN_SERVER = 2 * SIDE + int(Server.UNKNOWN)

new_scratch = zero.new_scratch


@kernel
def encode(game, rules, scratch, planes, values):
    """See `goengine.features.FeatureSet`."""
    zero.encode(game, rules, scratch, planes, values)
    for i in range(_FIRST, GLOBALS):
        values[i] = 0
    values[_FIRST + UNKNOWN] = 1
    values[_FIRST + SIDE + UNKNOWN] = 1
    values[_FIRST + _UNKNOWN_SERVER] = 1


def write_ranks(values: np.ndarray, to_move: np.ndarray, other: np.ndarray, server: np.ndarray) -> None:
    """Write the players' ranks (NaN: unknown) and servers, [B] each, into encoded globals float32[B, GLOBALS]."""
    values[:, _FIRST:] = rank_inputs(to_move, other, server)
