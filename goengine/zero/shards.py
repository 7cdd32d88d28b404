"""Shards: some finished games of self-play with what their searches said, in one file.

A shard is where self-play and training meet. It is written whole and checked at the door, so that kernels may trust it;
only whether its moves are possible is left to whoever replays them. Points are policy indices as in `goengine.dataio.records`:
row * N + column, N * N for a pass. Does not know how games are played or learned from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.dataio.records import GamePack, GameRecord, PackBuilder

OPENING, CHEAP, FULL = range(3)  # how a move was found: without a search, by a cheap one, by one whose policy is a target

FORMAT = "goengine self-play"
VERSION = 1
_GAMES = "games/"  # before the names of the pack's arrays in the file
_FAR = 0.02  # how far from 1 a policy may add up: its weights are rounded to 11 bits

# name -> (dtype, what its length is: moves M, M + 1, policy entries E, games G)
_ARRAYS = {
    "kind": (np.uint8, "M"),
    "value": (np.float16, "M"),
    "score": (np.float16, "M"),
    "visits": (np.uint16, "M"),
    "surprise": (np.float16, "M"),
    "policy_start": (np.int64, "M+1"),
    "policy_index": (np.uint16, "E"),
    "policy_weight": (np.float16, "E"),
    "owners": (np.int8, "G"),
    "owned": (np.uint8, "G"),
    "seed": (np.uint64, "G"),
}


@dataclass(frozen=True)
class Shard:
    """G whole games of one board size N and one net: M moves in all, E entries of policies."""

    games: GamePack
    kind: np.ndarray  # uint8[M]          OPENING, CHEAP or FULL
    value: np.ndarray  # float16[M]       the root's mean value after the search, for the player to move; nan at OPENING
    score: np.ndarray  # float16[M]       the root's mean score, for the player to move; nan at OPENING
    visits: np.ndarray  # uint16[M]
    surprise: np.ndarray  # float16[M]    divergence of the target from the net's raw policy, in nats, at FULL; else 0
    policy_start: np.ndarray  # int64[M + 1]  a FULL move owns the entries [start, end) of the next two, others own none
    policy_index: np.ndarray  # uint16[E]
    policy_weight: np.ndarray  # float16[E]   adds up to about 1 for a move
    owners: np.ndarray  # int8[G, N * N]  1 Black, -1 White, 0 neither, at the end of the game; zeros where nobody knows
    owned: np.ndarray  # uint8[G]         1 where `owners` are known
    seed: np.ndarray  # uint64[G]         of the game
    net: str  # name of the net that played
    settings: Mapping[str, Any]  # how: `SelfPlayParams.to_json`

    def __len__(self) -> int:
        return len(self.games)

    @property
    def size(self) -> int:
        """The board size of all games."""
        return int(self.games.size[0])

    def rows(self) -> int:
        """Number of moves of kind FULL."""
        return int((self.kind == FULL).sum())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the shard beside ``path`` and rename it into place."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        games = {f"{_GAMES}{name}": array for name, array in self.games.arrays().items()}
        meta = {"format": FORMAT, "version": VERSION, "net": self.net, "settings": dict(self.settings)}
        write_arrays(path, games | arrays, meta | {"rules": list(self.games.rule_names)})

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Shard:
        """Read and check a shard. Raises RecordError, naming the file and what is wrong with it."""
        arrays, meta = read_arrays(path, FORMAT, VERSION)
        try:
            return _shard(arrays, meta)
        except RecordError as error:
            raise RecordError(f"{path}: {error}") from None

    def fault(self) -> str:
        """What is wrong with the arrays beside the games, or an empty text."""
        games, moves, entries = len(self.games), len(self.games.moves), len(self.policy_index)
        if not games:
            return "there are no games"
        if (self.games.size != self.games.size[0]).any():
            return "the games are of several board sizes"
        counted = ~np.isnan(self.games.margin)
        if (np.sign(self.games.margin[counted]) != self.games.outcome[counted]).any():
            return "a game's outcome is not that of its score"
        lengths = {"G": games, "M": moves, "M+1": moves + 1, "E": entries}
        for name, (_, length) in _ARRAYS.items():
            if len(getattr(self, name)) != lengths[length]:
                return f"array '{name}' has {len(getattr(self, name))} elements, not {lengths[length]}"
        if self.owners.shape != (games, self.size**2):
            return f"'owners' are not of {self.size**2} points"
        return self._fault_of_searches() or self._fault_of_policies()

    def _fault_of_searches(self) -> str:
        if (self.kind > FULL).any():
            return "'kind' has a value that is none of the three"
        searched = self.kind != OPENING
        with np.errstate(invalid="ignore"):
            if not (np.abs(self.value[searched]) <= 1).all():
                return "a search has a value outside -1 .. 1"
        if not np.isfinite(self.score[searched]).all():
            return "a search has a score that is not finite"
        if not (np.isnan(self.value[~searched]).all() and np.isnan(self.score[~searched]).all()):
            return "a move without a search has a value or a score"
        if not (np.isfinite(self.surprise) & (self.surprise >= 0)).all():
            return "'surprise' has a value that is negative or not finite"
        if (self.owners < -1).any() or (self.owners > 1).any() or (self.owned > 1).any():
            return "'owners' or 'owned' has a value that means nothing"
        return ""

    def _fault_of_policies(self) -> str:
        start, end = self.policy_start[:-1], self.policy_start[1:]
        if self.policy_start[0] != 0 or self.policy_start[-1] != len(self.policy_index) or (end < start).any():
            return f"'policy_start' does not ascend from 0 to {len(self.policy_index)}"
        if ((end > start) != (self.kind == FULL)).any():
            return "a full search has no policy, or another move has one"
        if (self.policy_index > self.size**2).any():
            return "a policy is for a point off its board"
        if not (np.isfinite(self.policy_weight) & (self.policy_weight >= 0)).all():
            return "a policy has a weight that is negative or not finite"
        if not len(self.policy_index):
            return ""
        sums = np.add.reduceat(self.policy_weight.astype(np.float64), start[end > start])
        return "a policy does not add up to 1" if (np.abs(sums - 1) > _FAR).any() else ""


def _shard(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Shard:
    """A shard of what its file holds. Raises RecordError, saying what is wrong with it."""
    games = {name.removeprefix(_GAMES): array for name, array in arrays.items() if name.startswith(_GAMES)}
    pack = GamePack.from_arrays(games, meta.get("rules"))
    for name, (dtype, _) in _ARRAYS.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].ndim != (2 if name == "owners" else 1):
            raise RecordError(f"array '{name}' is missing or not of {np.dtype(dtype).name}")
    net, settings = meta.get("net"), meta.get("settings")
    if not isinstance(net, str) or not isinstance(settings, dict):
        raise RecordError("it does not say which net played, and how")
    shard = Shard(pack, **{name: arrays[name] for name in _ARRAYS}, net=net, settings=settings)
    if reason := shard.fault():
        raise RecordError(reason)
    return shard


@dataclass(frozen=True)
class SearchedGame:
    """A finished game of m moves with what every search said. Fields as in `Shard`."""

    record: GameRecord
    kind: np.ndarray  # uint8[m]
    value: np.ndarray  # float32[m]
    score: np.ndarray  # float32[m]
    visits: np.ndarray  # uint16[m]
    surprise: np.ndarray  # float32[m]
    policies: tuple[np.ndarray, np.ndarray, np.ndarray]  # start int64[m + 1], index uint16, weight float32
    owners: np.ndarray | None  # int8[N * N]: 1 Black, -1 White, 0 neither; None where nobody has counted
    seed: int


class ShardBuilder:
    """Collects the finished games of one net on one board size, and makes a shard of them."""

    def __init__(self, size: int, net: str, settings: Mapping[str, Any]) -> None:
        """settings: `SelfPlayParams.to_json`."""
        self.size, self.net, self.settings = size, net, settings
        self._pack = PackBuilder()
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in _ARRAYS}
        self.positions = 0  # moves of all games
        self._entries = 0

    def __len__(self) -> int:
        return len(self._pack)

    def add(self, game: SearchedGame) -> None:
        """Append a game. The numbers themselves are judged by `shard`.

        Raises RecordError, and leaves everything as it was, if the game is of another size or its arrays do not have its
        length.
        """
        start, index, weight = game.policies
        moves, points = len(game.record.moves), self.size**2
        if game.record.size != self.size:
            raise RecordError(f"a game of size {game.record.size} among games of size {self.size}")
        by_move = (game.kind, game.value, game.score, game.visits, game.surprise)
        if {*map(len, by_move), len(start) - 1} != {moves}:
            raise RecordError(f"a game of {moves} moves has arrays of other lengths")
        if not start[0] == 0 <= start[-1] == len(index) == len(weight):
            raise RecordError("a game's policies do not begin at 0 and end with their entries")
        known = np.zeros(points, np.int8) if game.owners is None else game.owners
        if np.shape(known) != (points,):
            raise RecordError(f"a game's owners are not of {points} points")
        self._pack.add(game.record)
        row = (*by_move, start[1:] + self._entries, index, weight, known[None], [game.owners is not None], [game.seed])
        for (name, (dtype, _)), part in zip(_ARRAYS.items(), row, strict=True):
            self._parts[name].append(np.array(part, dtype))
        self.positions += moves
        self._entries += len(index)

    def shard(self) -> Shard:
        """Everything added so far. Raises RecordError if there is nothing, or if a number is not what a shard may hold."""
        empty = {name: np.zeros((0, self.size**2) if name == "owners" else 0, dtype) for name, (dtype, _) in _ARRAYS.items()}
        empty["policy_start"] = np.zeros(1, np.int64)
        arrays = {name: np.concatenate([empty[name], *parts]) for name, parts in self._parts.items()}
        shard = Shard(self._pack.pack(), **arrays, net=self.net, settings=self.settings)
        if reason := shard.fault():
            raise RecordError(reason)
        return shard


def write_sgf(shard: Shard, folder: Path) -> list[Path]:
    """Write each game of a shard as an SGF file into a folder, which is made if need be; returns their paths.

    The files are named by the game's place and seed. Raises OSError if the folder cannot be written.
    """
    from goengine.dataio.sgf import write_game  # for people alone, so nobody else waits for sgfmill

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for g in range(len(shard)):
        path = folder / f"{g:04d}-{int(shard.seed[g]):016x}.sgf"
        path.write_bytes(write_game(shard.games.game(g), {"PB": shard.net, "PW": shard.net}))
        paths.append(path)
    return paths
