"""Kernels from games of self-play to training samples: what a search found, and how the game went on.

Beside `training.data.sampling`, whose games and order of work they share, they know the searched policy of a position, how
much it surprised the net, and the values that later searches of the game had. Sample number k is a pure function of
(seed, k, the games it is drawn from). Know no files and no nets.
"""

from collections.abc import Hashable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numba import njit

from goengine.board.state import BLACK
from goengine.core.jit import kernel
from goengine.features import FeatureSet
from training.data.sampling import (
    NO_RESULT,
    Draw,
    Games,
    Targets,
    game_of,
    moved,
    place_of,
    replay,
    rules_of,
    symmetry_of,
    unit,
    write_owners,
    write_planes,
    write_reply,
    write_result,
)
from training.data.stream import Allocate, Sampler, new_targets


class SelfPlayRows(NamedTuple):
    """R positions of some games that teach a policy, with E entries of policies."""

    position: np.ndarray  # int64[R]      numbered through the games, ascending
    policy_start: np.ndarray  # int64[R + 1]  row r owns the entries [start, end) of the next two
    policy_index: np.ndarray  # uint16[E]   row * N + column on a board of size N, N * N for a pass
    policy_weight: np.ndarray  # float32[E]
    surprise: np.ndarray  # float32[R]    divergence of the policy from the net's own
    horizon: np.ndarray  # float32[R]     mean value of what came after, for Black; nan where nothing is known
    upto: np.ndarray  # float64[R]        weights in the draw, summed up; empty: every row once in a pass


def weigh(surprise: np.ndarray, share: float) -> np.ndarray:
    """`SelfPlayRows.upto` where `share` of the draws go to positions in proportion to their surprise, the rest to all alike.

    KataGo's policy surprise weighting (Wu, arXiv 1902.10565; its share is a half).
    """
    total = surprise.sum(dtype=np.float64)
    relative = surprise * (len(surprise) / total) if total > 0 else np.ones(len(surprise))
    return np.cumsum((1 - share) + share * relative.astype(np.float64))


@kernel
def find_horizon(games, value, decay, out):
    """What came after each position, for Black: the mean of later searches' values, weighted with powers of `decay`.

    `value` float32[positions] is the value of each position's search, for the player to move, nan where there was none: such
    positions are left out. The game's result stands at its end for all that would have followed; without a result the
    searches stand alone. `out` float32[positions]: nan where nothing is known.
    """
    for g in range(games.size.size):
        total, weight = 0.0, 0.0
        if games.result[g] != NO_RESULT:
            total, weight = np.float64(games.result[g]), 1.0
        for i in range(games.start[g + 1] - 1, games.start[g] - 1, -1):
            out[i] = total / weight if weight > 0 else np.nan
            total *= decay
            weight *= decay
            if not np.isnan(value[i]):
                total += (1 - decay) * (value[i] if games.colors[i] == BLACK else -value[i])
                weight += 1 - decay


@kernel
def row_of(rows, draw, number):
    """The row that sample `number` shows: by its weight, or each once in a pass."""
    if draw.shuffle == 0 or rows.upto.size == 0:
        return place_of(rows.position.size, draw, number)
    wanted = unit(draw.seed, number, 30) * rows.upto[-1]
    low, high = 0, rows.position.size - 1
    while low < high:
        middle = (low + high) // 2
        if rows.upto[middle] > wanted:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def write_policy(rows, row, s, size, out):
    """The searched policy of a row through symmetry s, as shares float32[N * N + 1] that add up to 1."""
    out[:] = 0
    total = np.float32(0)
    for i in range(rows.policy_start[row], rows.policy_start[row + 1]):
        out[moved(np.int64(rows.policy_index[i]), s, size, size)] += rows.policy_weight[i]
        total += rows.policy_weight[i]
    for i in range(out.size):
        out[i] /= total


@kernel
def mix_horizon(horizon, color, share, out, b):
    """Mix what came after into the value of row b; without a result it is the value, with its share for weight."""
    if np.isnan(horizon):
        return
    own = horizon if color == BLACK else -horizon
    if out.value_weight[b] > 0:
        out.value[b] = (1 - share) * out.value[b] + share * own
    else:
        out.value[b], out.value_weight[b] = own, share


@kernel
def other_komi(games, g, draw, number):
    """Points that White gets more in a sample's komi, mostly 0: as often as `draw.vary` says a game is shown under another
    komi, with the result that it then has.

    Half points, up to three times the board's side, with a standard deviation of as many points as the board has lines. Games
    between equals are played at about the fair komi, so a net that has seen nothing else may come to ignore the komi, and
    then misjudges handicap games. A resigned game does not say by how much it was lost: it is shown with a komi far in its
    winner's favour only, at least one and a half times the board's side, which leaves the result as it was. (With less, the
    games whose results might have changed would be missing, and such a komi would look better than it is.)
    """
    if draw.vary <= 0 or unit(draw.seed, number, 10) >= draw.vary or games.result[g] == NO_RESULT:
        return 0.0
    if np.isnan(games.margin[g]):
        return -np.sign(games.result[g]) * np.round(3 * games.size[g] * (1 + unit(draw.seed, number, 12))) / 2
    spread = unit(draw.seed, number, 12) + unit(draw.seed, number, 13) + unit(draw.seed, number, 14) - 1.5
    return np.round(4 * np.float64(games.size[g]) * spread) / 2


@cache
def row_filler(encode):
    """Kernel fill(rows, share, games, draw, first, out, memory), as `training.data.sampling.filler`.

    share: of the horizon in the value's target.
    """

    @njit(nogil=True, error_model="numpy", _nrt=False)
    def fill(rows, share, games, draw, first, out, memory):
        game, planes = memory.game, memory.planes
        side = planes.shape[1]
        for b in range(out.value.size):
            number = first + b
            row = row_of(rows, draw, number)
            position = rows.position[row]
            g = game_of(games.start, position)
            color = games.colors[position]
            replay(games, g, position - games.start[g], game)
            shift = other_komi(games, g, draw, number)
            rules = rules_of(games, g, shift)
            s = symmetry_of(draw, number)
            encode(game, rules, memory.scratch, planes, out.globals[b])
            write_planes(planes, s, side, out.planes[b])
            write_policy(rows, row, s, side, out.policy[b])
            write_reply(games, g, position, color, s, out, b, side)
            write_result(games, g, color, -shift, True, out, b)
            if shift == 0:  # the later searches were for the game's own komi
                mix_horizon(rows.horizon[row], color, share, out, b)
            write_owners(games, g, color, s, out, b, side)

    return fill


class RowSampler(Sampler):
    """Fills batches with samples of the rows of some games; thread-safe."""

    def __init__(self, games: Games, rows: SelfPlayRows, features: FeatureSet, draw: Draw, horizon_weight: float):
        """horizon_weight: share of the horizon in the value's target. `draw.vary` is the share of samples under another
        komi, see `other_komi`. Raises ValueError if there are no rows.
        """
        if len(rows.position) == 0:
            raise ValueError("there must be rows to draw from")
        super().__init__(games, features, draw)
        self.rows = rows
        self._fill = partial(row_filler(features.encode), rows, horizon_weight)

    @property
    def form(self) -> Hashable:
        """As `Sampler`, whose policies have another type."""
        return self.side, "searches"

    def buffers(self, batch: int, allocate: Allocate = np.zeros) -> Targets:
        """Room for `batch` samples; the policy is float32[batch, N * N + 1]."""
        out = new_targets(batch, self.features, self.side, allocate)
        return out._replace(policy=allocate((batch, self.side**2 + 1), np.float32))
