"""Games of ranked players: which are held out, and whose moves are learned how often.

Knows ranks, servers and programs as packs keep them (`goengine.dataio.records`). A game is held out by a digest of itself, so
that every command that learns from or measures on the same games divides them alike, whatever pack they lie in.
"""

from collections.abc import Mapping

import numpy as np

from goengine.board.state import BLACK
from goengine.core.array_file import RecordError
from goengine.ranks.scale import BANDS, band
from training.data import packs
from training.data.holding import held_out
from training.data.sampling import Games

# How often the moves of each band are drawn. There are a hundred times as many of 6d as of 25k: they are drawn about alike,
# those of kyu players a little more often, because most of what ranks change happens there.
SHARES: Mapping[str, float] = dict(zip(BANDS, (0.08, 0.10, 0.13, 0.13, 0.13, 0.11, 0.11, 0.09, 0.07, 0.05), strict=True))
HIDDEN = 0.1  # share of samples that hide a side's rank, or the server, so that a net can do without
_MOST_REPEATS = 8  # of one position in a pass


def split(games: Games) -> tuple[Games, Games]:
    """(games to learn from, games held out). Raises RecordError if there are none of either."""
    held = held_out(games)
    if held.all() or not held.any():
        raise RecordError(f"{len(held)} games are too few to hold some out; pack more of them")
    return packs.select(games, ~held), packs.select(games, held)


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
