"""The moves that a policy makes in games, and the positions it makes them in, kept to learn from: all, or some of each game.

Knows positions as `goengine.policy_play` shows them. Knows no learning.
"""

from typing import NamedTuple, Protocol

import numpy as np

from goengine.policy_play.games import FinishedPolicyGame, Policy, PolicyRows


class Moves(NamedTuple):
    """R moves of the learning player and the positions they were made in."""

    planes: np.ndarray  # uint8[R, C, N, N]
    globals: np.ndarray  # float32[R, G]
    legal: np.ndarray  # uint8[R, A]  1 for the moves that could be drawn
    game: np.ndarray  # int64[R]
    ply: np.ndarray  # int64[R]
    weight: np.ndarray  # float32[R]  how many of the game's moves each stands for

    def rows(self, chosen: np.ndarray) -> "Moves":
        """Some of them."""
        return Moves(*(array[chosen] for array in self))


def outcomes(finished: FinishedPolicyGame, moves: Moves) -> np.ndarray:
    """float32[R]: how the game ended for who made each move: 1, -1 or 0; nan for a game without a result."""
    return np.where(moves.ply % 2 == 0, 1, -1) * finished.result[moves.game]


class Recorder(Policy, Protocol):
    """A policy that keeps moves of its own."""

    def moves(self) -> Moves:
        """Those that it has kept."""


def recorder(inner: Policy, games: int, most: int, chance: np.random.Generator) -> Recorder:
    """A policy that keeps so many of its moves of each game, drawn by `chance`; 0: all."""
    return SomeMoves(inner, games, most, chance) if most else AllMoves(inner)


class AllMoves:
    """A policy that keeps the positions in which it had to move, ply by ply, a byte for a point of a plane.

    That is 23 MB for 128 games on 9x9 with 48 planes, and 330 MB on 19x19.
    """

    def __init__(self, inner: Policy):
        self.features, self._inner = inner.features, inner
        self._parts: list[tuple[np.ndarray, ...]] = []

    def logits(self, rows: PolicyRows) -> np.ndarray:
        """What the policy says."""
        planes, plies = rows.planes.astype(np.uint8), np.full(len(rows.games), rows.ply)
        self._parts.append((planes, rows.globals, rows.legal, rows.games, plies, np.ones(len(rows.games), np.float32)))
        return self._inner.logits(rows)

    def moves(self) -> Moves:
        """All of them."""
        return Moves(*(np.concatenate(arrays) for arrays in zip(*self._parts, strict=True)))


class SomeMoves:
    """A policy that keeps at most K positions of each game, any K of those in which it had to move alike.

    Each stands for as many of the game's moves as were made for each that is kept, so a sum over those kept has the expectation
    of the sum over all. How long a game becomes need not be known: a later position takes the place of an earlier one with the
    chance that keeps all alike (reservoir sampling, Vitter 1985). 128 games with K = 16 on 19x19 take 35 MB with 48 planes.
    """

    def __init__(self, inner: Policy, games: int, most: int, chance: np.random.Generator):
        self.features, self._inner, self._chance = inner.features, inner, chance
        self._made = np.zeros(games, np.int64)  # moves of each game
        self._shape = games, most
        self._kept: Moves | None = None  # arrays [games, K, ...]

    def logits(self, rows: PolicyRows) -> np.ndarray:
        """What the policy says."""
        made, most = self._made[rows.games], self._shape[1]
        place = np.where(made < most, made, self._chance.integers(0, made + 1))
        self._made[rows.games] += 1
        taken = place < most
        if self._kept is None:
            kinds = ((rows.planes, np.uint8), (rows.globals, np.float32), (rows.legal, np.uint8))
            arrays = (np.zeros((*self._shape, *array.shape[1:]), kind) for array, kind in kinds)
            self._kept = Moves(*arrays, *(np.zeros(self._shape, kind) for kind in (np.int64, np.int64, np.float32)))
        where = rows.games[taken], place[taken]
        for kept, array in zip(self._kept[:3], rows[:3], strict=True):
            kept[where] = array[taken]
        self._kept.game[where], self._kept.ply[where] = rows.games[taken], rows.ply
        return self._inner.logits(rows)

    def moves(self) -> Moves:
        """Those kept, game by game."""
        assert self._kept is not None, "no move has been made"
        count = np.minimum(self._made, self._shape[1])
        weight = (self._made / np.maximum(count, 1)).astype(np.float32)
        filled = np.arange(self._shape[1]) < count[:, None]
        return self._kept.rows(filled)._replace(weight=np.repeat(weight, count))
