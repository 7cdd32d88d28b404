"""Games of ranked players: which are held out, whose moves are learned how often, and what a net is told of both sides.

Knows ranks, servers and programs as packs keep them (`goengine.dataio.records`). A game is held out by a digest of itself, so
that every command that learns from or measures on the same games divides them alike, whatever pack they lie in.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from goengine.board.state import BLACK
from goengine.core.array_file import RecordError
from goengine.features import FeatureSet, zero_ranked
from goengine.ranks.scale import BANDS, Server, band
from training.data import packs
from training.data.sampling import Draw, Games, Targets, unit
from training.data.stream import Sampler

HELD_OUT = 26  # of 256 digests: a tenth
# How often the moves of each band are drawn. There are a hundred times as many of 6d as of 25k: they are drawn about alike,
# those of kyu players a little more often, because most of what ranks change happens there.
SHARES: Mapping[str, float] = dict(zip(BANDS, (0.08, 0.10, 0.13, 0.13, 0.13, 0.11, 0.11, 0.09, 0.07, 0.05), strict=True))
HIDDEN = 0.1  # share of samples that hide a side's rank, or the server, so that a net can do without
_MOST_REPEATS = 8  # of one position in a pass


def held_out(games: Games) -> np.ndarray:
    """bool[G]: whether a game is only measured; by BLAKE2b of its board size, set-up stones and moves."""
    found = np.zeros(len(games.size), bool)
    for g in range(len(found)):
        moves = slice(games.start[g], games.start[g + 1])
        stones = slice(games.setup_start[g], games.setup_start[g + 1])
        digest = hashlib.blake2b(bytes([games.size[g]]), digest_size=8)
        for part in (games.setup_points[stones], games.setup_colors[stones], games.moves[moves], games.colors[moves]):
            digest.update(np.ascontiguousarray(part).tobytes())
        found[g] = digest.digest()[0] < HELD_OUT
    return found


def split(games: Games) -> tuple[Games, Games]:
    """(games to learn from, games held out). Raises RecordError if there are none of either."""
    held = held_out(games)
    if held.all() or not held.any():
        raise RecordError(f"{len(held)} games are too few to hold some out; pack more of them")
    return packs.select(games, ~held), packs.select(games, held)


def sides(games: Games, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rank of the side to move, of the other, server), [K] each, at these positions; NaN for an unknown rank."""
    game = np.searchsorted(games.start, positions, "right") - 1
    own = (games.colors[positions] != BLACK).astype(np.int64)
    return games.ranks[game, own], games.ranks[game, 1 - own], games.server[game].astype(np.int64)


def bands(games: Games) -> np.ndarray:
    """int8[positions]: place in BANDS of the rank of the side to move; -1 for unknown ranks and for programs."""
    places = np.full(games.ranks.shape, -1, np.int8)
    for value in np.unique(games.ranks[~np.isnan(games.ranks)]):
        places[games.ranks == value] = BANDS.index(band(float(value)))
    places[:, 0][games.bots & 1 != 0] = -1
    places[:, 1][games.bots & 2 != 0] = -1
    game = np.repeat(np.arange(len(games.size)), np.diff(games.start))
    found: np.ndarray = places[game, (games.colors != BLACK).astype(np.int64)]
    return found


def drawn_positions(games: Games, total: int, seed: int, shares: Mapping[str, float] = SHARES) -> np.ndarray:
    """int64[about total]: positions of a pass, each band as often as its share says, none more than a few times.

    Raises RecordError if no move is by a player of known rank.
    """
    generator, found = np.random.default_rng(seed), bands(games)
    parts = []
    for place, name in enumerate(BANDS):
        own = np.flatnonzero(found == place)
        count = min(round(shares[name] * total), _MOST_REPEATS * len(own))
        if count:
            parts.append(np.resize(generator.permutation(own), count))
    if not parts:
        raise RecordError("no move of the games is by a person of known rank; pack games with BR and WR")
    return np.concatenate(parts)


class RankedSampler(Sampler):
    """A `Sampler` that tells the ranks of both sides, now and then hiding one. hidden: share of samples for each of
    the side to move, the other side and the server.
    """

    def __init__(self, games: Games, features: FeatureSet, draw: Draw, chosen: np.ndarray, hidden: float = HIDDEN):
        super().__init__(games, features, draw, chosen=chosen)
        self._hidden = hidden

    def fill(self, first: int, out: Targets) -> Targets:
        """Samples first, first + 1, ... in the rows of `out`."""
        super().fill(first, out)
        rows = len(out.policy)
        own, other, server = (np.array(part) for part in sides(self.games, self.positions(first, rows)))
        if self._hidden:
            drawn = np.array([[unit(self.draw.seed, first + i, 30 + k) for k in range(3)] for i in range(rows)]) < self._hidden
            own[drawn[:, 0]] = other[drawn[:, 1]] = np.nan
            server[drawn[:, 2]] = int(Server.UNKNOWN)
        zero_ranked.write_ranks(out.globals, own, other, server)
        return out
