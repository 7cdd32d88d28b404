"""What a net is told of the players: numbers behind its other global inputs, for both sides and their server.

A rank is written as bumps of Gauss over the scale, three stones apart, and a straight line: neighbouring ranks look alike, so
that a few games of 17k teach something of 18k too, and both sides share one way of writing (not one set of weights). What is
unknown has a flag of its own, and all else 0. Knows only numpy.
"""

from typing import Final

import numpy as np

from goengine.ranks.scale import HIGHEST, LOWEST, PROFESSIONAL, Server

CENTRES: Final = np.arange(-29.0, 10.1, 3.0, dtype=np.float32)  # 30k, 27k, ... 7d, 10
WIDTH: Final = 3.0  # stones: standard deviation of a bump
UNKNOWN, PROFESSIONALS, LINE, BUMPS = 0, 1, 2, 3  # places among the numbers of a side
SIDE: Final = BUMPS + len(CENTRES)  # numbers for one side: the side to move first, then the other
SERVERS: Final = len(Server)
INPUTS: Final = 2 * SIDE + SERVERS
NOT_KNOWN: Final = float("nan")  # the rank of somebody of whom nothing is known


def side_inputs(ranks: np.ndarray) -> np.ndarray:
    """Numbers on the scale [B], NaN where unknown -> float32[B, SIDE]."""
    ranks = np.asarray(ranks, np.float32)
    known = ~np.isnan(ranks)
    values = np.clip(np.where(known, ranks, 0), LOWEST, PROFESSIONAL + 1)
    out = np.zeros((len(ranks), SIDE), np.float32)
    out[:, UNKNOWN] = ~known
    out[:, PROFESSIONALS] = known & (values > HIGHEST)
    out[:, LINE] = values / 10 * known
    out[:, BUMPS:] = np.exp(-0.5 * ((values[:, None] - CENTRES) / WIDTH) ** 2) * known[:, None]
    return out


def rank_inputs(to_move: np.ndarray, other: np.ndarray, server: np.ndarray) -> np.ndarray:
    """Ranks of the side to move and of the other [B] (NaN: unknown) and servers [B] -> float32[B, INPUTS]."""
    servers = np.eye(SERVERS, dtype=np.float32)[np.asarray(server, np.int64)]
    return np.concatenate([side_inputs(to_move), side_inputs(other), servers], axis=1)
