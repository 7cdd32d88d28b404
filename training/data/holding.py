"""Which games are held out: a tenth of all, by a digest of the game itself, so that every command divides games alike."""

import hashlib

import numpy as np

from training.data.sampling import Games

HELD_OUT = 26  # of 256 digests: a tenth


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
