"""The games that self-play has made lately: which of them are learned from, and how often.

Reads a run's shards as they come, holds a window of the newest in the kernels' form, and says when enough games are there
for the next batch. What may be drawn depends on nothing but the shards in the folder, so a resumed run that finds the
same ones goes on as it would have. Knows no nets, and deletes nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine.array_file import RecordError
from goengine.features import FeatureSet
from goengine.zero.shards import FULL, Shard
from training import packs
from training.sampling import Draw, Games
from training.zero_sampling import Rows, RowSampler, find_horizon, weigh

HORIZON = 6.0  # plies that a later search counts ahead on 9x9, on average; in proportion to the area elsewhere
SURPRISE = 0.5  # share of draws in proportion to surprise; KataGo's
FAIR_GAMES = 200  # counted games that it takes to tell which komi is fair
LOOK_SECONDS = 1.0  # between two looks for new shards, and how long one may take


def window_rows(made: float, first: float) -> float:
    """How many of the newest rows are learned from when so many have been made: a power law that begins as `first` of `first`.

    KataGo's (Wu, arXiv 1902.10565, appendix C; alpha 0.75, beta 0.4, first 250,000 there).
    """
    alpha, beta = 0.75, 0.4
    return first * (1 + beta * ((made / first) ** alpha - 1) / alpha)


class Part(NamedTuple):
    """A shard in the kernels' form."""

    path: Path
    games: Games
    rows: Rows

    def count(self) -> int:
        """Number of rows."""
        return len(self.rows.position)


def load_part(path: Path, size: int) -> Part:
    """Read a shard. Raises RecordError, naming it, if it is damaged or foreign, or its games are not of that size."""
    shard = Shard.load(path)
    if shard.size != size:
        raise RecordError(f"{path}: games of size {shard.size} in a run of size {size}")
    known = np.flatnonzero(shard.owned)
    owner_row = np.full(len(shard), -1, np.int32)
    owner_row[known] = np.arange(len(known))
    games = packs.to_games(shard.games, owner_row, shard.owners[known])
    if fault := packs.first_fault(games):
        raise RecordError(f"{path}: game {fault[0]} has an impossible move at number {fault[1] + 1}")
    # Arrays that may be written, as joined ones are: a kernel is compiled anew for others.
    return Part(path, Games(*map(np.array, games)), _rows(shard, games))


def _rows(shard: Shard, games: Games) -> Rows:
    horizon = np.empty(len(shard.kind), np.float32)
    plies = max(HORIZON * shard.size**2 / 81, 1.0)
    find_horizon(games, shard.value.astype(np.float32), 1 - 1 / plies, horizon)
    position = np.flatnonzero(shard.kind == FULL)
    return Rows(
        position=position,
        policy_start=np.append(shard.policy_start[position], shard.policy_start[-1]),
        policy_index=np.array(shard.policy_index),
        policy_weight=shard.policy_weight.astype(np.float32),
        surprise=shard.surprise[position].astype(np.float32),
        horizon=horizon[position],
        upto=np.arange(1.0, len(position) + 1),
    )


def join(parts: Sequence[Part]) -> tuple[Games, Rows]:
    """All games of some parts, and their rows, which are drawn with the weight of their surprise among them."""
    moves = np.cumsum([0] + [part.games.moves.size for part in parts])
    entries = np.cumsum([0] + [part.rows.policy_index.size for part in parts])
    rows = [part.rows for part in parts]
    joined = {name: np.concatenate([getattr(row, name) for row in rows]) for name in Rows._fields}
    joined["position"] = np.concatenate([row.position + m for row, m in zip(rows, moves, strict=False)])
    starts = [row.policy_start[:-1] + e for row, e in zip(rows, entries, strict=False)]
    joined["policy_start"] = np.concatenate([*starts, entries[-1:]])
    joined["upto"] = weigh(joined["surprise"], SURPRISE)
    return packs.join([part.games for part in parts]), Rows(**joined)


def fair_komi(parts: Sequence[Games]) -> float | None:
    """Black's mean lead without komi in the counted games, to half a point; None if there are fewer than FAIR_GAMES."""
    leads = np.concatenate([np.zeros(0, np.float32), *(part.margin + part.komi for part in parts)])
    counted = leads[~np.isnan(leads)]
    return float(np.round(2 * counted.mean(dtype=np.float64)) / 2) if len(counted) >= FAIR_GAMES else None


@dataclass(frozen=True)
class ReplayConfig:
    """What is learned from; see the options of the command zero."""

    size: int  # of the board
    window: int  # rows that the window begins with
    first_rows: int  # before the first batch
    uses: float  # draws per row made, at most
    horizon_weight: float
    seed: int
    symmetries: bool = True


class Replay:
    """The window over a run's shards; a source of batches for `training.data.stream`.

    The newest shard is held back until a newer one comes, unless it is the only one: on it one may measure a net that has
    not learned from it.
    """

    def __init__(
        self,
        config: ReplayConfig,
        features: FeatureSet,
        paths: Callable[[], Sequence[Path]],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        """paths: all shards there are, the oldest first. tell: hears of shards that cannot be used; they are left out."""
        self.config, self.features = config, features
        self._paths, self._tell, self._clock = paths, tell, clock
        self._known: set[Path] = set()
        self._parts: list[Part] = []  # the window and the part held back, in the order of `paths`
        self._looked = -LOOK_SECONDS
        self.behind = True  # whether there are shards that nobody has looked at
        self._sampler: RowSampler | None = None
        self.shards = self.games = 0  # that could be read
        self._rows = 0  # of these
        self.fair_komi: float | None = None  # Black's mean lead without komi in the window; None: too few games are counted

    @property
    def held(self) -> Part | None:
        """The newest part, from which nothing is learned yet."""
        return self._parts[-1] if self.shards > 1 else None

    @property
    def window(self) -> list[Part]:
        """The parts that are learned from, the oldest first."""
        return self._parts[:-1] if self.shards > 1 else self._parts

    @property
    def rows(self) -> int:
        """Rows of the window."""
        return sum(part.count() for part in self.window)

    @property
    def plies(self) -> float | None:
        """Mean length of the window's games, None if there are none."""
        games = sum(part.games.size.size for part in self.window)
        return sum(part.games.moves.size for part in self.window) / games if games else None

    @property
    def made(self) -> int:
        """Rows of all parts that are or were learned from."""
        return self._rows - (self.held.count() if self.held else 0)

    def look(self) -> None:
        """Read shards that are new, for a second or so; the rest comes next time."""
        self._looked = started = self._clock()
        paths = self._paths()
        place = {path: i for i, path in enumerate(paths)}
        self.behind, before = False, self.shards
        for path in paths:
            if path in self._known:
                continue
            if self._clock() - started > LOOK_SECONDS:
                self.behind = True
                break
            self._known.add(path)
            try:
                part = load_part(path, self.config.size)
            except RecordError as error:
                self._tell(f"{error}; the shard is left out")
                continue
            self._parts = sorted([*self._parts, part], key=lambda part: place.get(part.path, -1))
            self.shards, self.games, self._rows = self.shards + 1, self.games + part.games.size.size, self._rows + part.count()
            self._forget()
        if before != self.shards:
            self._sampler = None
            self.fair_komi = fair_komi([part.games for part in self.window])

    def _forget(self) -> None:
        """Let go of the oldest parts, as long as the others fill the window."""
        window = self.window
        wanted, rows = window_rows(self.made, self.config.window), sum(part.count() for part in window)
        while len(window) > 1 and rows - window[0].count() >= wanted:
            rows -= window[0].count()
            window = window[1:]
        self._parts = [*window, *([self.held] if self.held else [])]

    def source(self, first: int, batch: int) -> tuple[RowSampler, int] | None:
        """What the batch that begins with sample `first` is drawn from; None: it must wait for games."""
        if self.behind or self._clock() - self._looked >= LOOK_SECONDS:
            self.look()
        made = self.made
        if self.behind or not made or made < self.config.first_rows or first + batch > self.config.uses * made:
            return None
        if self._sampler is None:
            draw = Draw(self.config.seed, int(self.config.symmetries), shuffle=1, vary=0.0)
            self._sampler = RowSampler(*join(self.window), self.features, draw, self.config.horizon_weight)
        return self._sampler, first

    def newest(self) -> RowSampler | None:
        """Rows that nothing was learned from, drawn alike and shown as they were played, with the result alone for value.

        None if there are none.
        """
        if self.held is None or not self.held.count():
            return None
        draw = Draw(self.config.seed, symmetries=0, shuffle=1, vary=0.0)
        return RowSampler(self.held.games, self.held.rows, self.features, draw, 0.0)
