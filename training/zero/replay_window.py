"""The games that self-play has made lately: which of them are learned from, and how often.

Reads a run's shards as they come, holds for each board size a window of the newest in the kernels' form, and says when
enough games are there for the next batch. What may be drawn depends on nothing but the shards in the folder, so a resumed
run that finds the same ones goes on as it would have. Knows no nets, and deletes nothing.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine.core.array_file import RecordError
from goengine.features import FeatureSet
from goengine.zero.run_folder import words
from goengine.zero.shards import FULL, Shard
from training.data import packs
from training.data.sampling import Draw, Games
from training.data.stream import Mixture
from training.zero.zero_sampling import RowSampler, SelfPlayRows, find_horizon, weigh

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
    rows: SelfPlayRows

    @property
    def size(self) -> int:
        """The board size of all games."""
        return int(self.games.size[0])

    def count(self) -> int:
        """Number of rows."""
        return len(self.rows.position)


def load_part(path: Path, sizes: Collection[int]) -> Part:
    """Read a shard. Raises RecordError, naming it, if it is damaged or foreign, or its games are of none of these sizes."""
    shard = Shard.load(path)
    if shard.size not in sizes:
        raise RecordError(f"{path}: games of size {shard.size} in a run of size {words(sizes)}")
    known = np.flatnonzero(shard.owned)
    owner_row = np.full(len(shard), -1, np.int32)
    owner_row[known] = np.arange(len(known))
    games = packs.to_games(shard.games, owner_row, shard.owners[known])
    if fault := packs.first_fault(games):
        raise RecordError(f"{path}: game {fault[0]} has an impossible move at number {fault[1] + 1}")
    # Arrays that may be written, as joined ones are: a kernel is compiled anew for others.
    return Part(path, Games(*map(np.array, games)), _rows(shard, games))


def _rows(shard: Shard, games: Games) -> SelfPlayRows:
    horizon = np.empty(len(shard.kind), np.float32)
    plies = max(HORIZON * shard.size**2 / 81, 1.0)
    find_horizon(games, shard.value.astype(np.float32), 1 - 1 / plies, horizon)
    position = np.flatnonzero(shard.kind == FULL)
    return SelfPlayRows(
        position=position,
        policy_start=np.append(shard.policy_start[position], shard.policy_start[-1]),
        policy_index=np.array(shard.policy_index),
        policy_weight=shard.policy_weight.astype(np.float32),
        surprise=shard.surprise[position].astype(np.float32),
        horizon=horizon[position],
        upto=np.arange(1.0, len(position) + 1),
    )


def join(parts: Sequence[Part]) -> tuple[Games, SelfPlayRows]:
    """All games of some parts, and their rows, which are drawn with the weight of their surprise among them."""
    moves = np.cumsum([0] + [part.games.moves.size for part in parts])
    entries = np.cumsum([0] + [part.rows.policy_index.size for part in parts])
    rows = [part.rows for part in parts]
    joined = {name: np.concatenate([getattr(row, name) for row in rows]) for name in SelfPlayRows._fields}
    joined["position"] = np.concatenate([row.position + m for row, m in zip(rows, moves, strict=False)])
    starts = [row.policy_start[:-1] + e for row, e in zip(rows, entries, strict=False)]
    joined["policy_start"] = np.concatenate([*starts, entries[-1:]])
    joined["upto"] = weigh(joined["surprise"], SURPRISE)
    return packs.join([part.games for part in parts]), SelfPlayRows(**joined)


def fair_komi(parts: Sequence[Games]) -> float | None:
    """The komi at which each side would have won half of the counted games, to half a point; None if there are fewer than
    FAIR_GAMES.

    It is the median of Black's leads. A mean would depend on the few games in which a whole side dies.
    """
    leads = np.concatenate([np.zeros(0, np.float32), *(part.margin + part.komi for part in parts)])
    counted = leads[~np.isnan(leads)]
    return float(np.round(2 * np.median(counted)) / 2) if len(counted) >= FAIR_GAMES else None


@dataclass(frozen=True)
class ReplayConfig:
    """What is learned from; see the options of the command zero. Rows are divided by share; each size has at least one."""

    shares: Mapping[int, float]  # of the batches, by board size
    window: int  # rows that the windows begin with
    first_rows: int  # before the first batch
    uses: float  # draws per row made, at most
    horizon_weight: float
    seed: int
    other_komi: float = 0.0  # share of samples of games with a result that are shown under another komi
    symmetries: bool = True


class Window:
    """The newest games of one board size; a source of batches for `training.data.stream.Mixture`.

    The newest shard is held back until a newer one comes, unless it is the only one: it serves to measure a net that has not
    learned from it.
    """

    def __init__(self, size: int, share: float, config: ReplayConfig, features: FeatureSet):
        """share: of the rows in `config` that are of this size."""
        self.size, self.config, self.features = size, config, features
        self.first = max(1.0, share * config.window)  # rows that it begins with
        self.first_rows = max(1.0, share * config.first_rows)  # before the first batch
        self._parts: list[Part] = []  # what is learned from and the part held back, in the order of the run's shards
        self._sampler: RowSampler | None = None
        self.shards = self.games = 0  # that have come
        self._rows = 0  # of these
        self.fair_komi: float | None = None  # in the window; None: too few games are counted
        self.waits = False  # whether there was no batch when one was asked for

    @property
    def held(self) -> Part | None:
        """The newest part, from which nothing is learned yet."""
        return self._parts[-1] if self.shards > 1 else None

    @property
    def parts(self) -> list[Part]:
        """The parts that are learned from, the oldest first."""
        return self._parts[:-1] if self.shards > 1 else self._parts

    @property
    def rows(self) -> int:
        """Rows that are learned from."""
        return sum(part.count() for part in self.parts)

    @property
    def plies(self) -> float | None:
        """Mean length of the games that are learned from, None if there are none."""
        games = sum(part.games.size.size for part in self.parts)
        return sum(part.games.moves.size for part in self.parts) / games if games else None

    @property
    def made(self) -> int:
        """Rows of all parts that are or were learned from."""
        return self._rows - (self.held.count() if self.held else 0)

    def add(self, part: Part, place: Mapping[Path, int]) -> None:
        """Take in a part. place: of the paths of all shards, in order. `renew` must follow before anything is drawn."""
        self._parts = sorted([*self._parts, part], key=lambda part: place.get(part.path, -1))
        self.shards, self.games, self._rows = self.shards + 1, self.games + part.games.size.size, self._rows + part.count()
        self._forget()

    def _forget(self) -> None:
        """Let go of the oldest parts, as long as the others fill the window."""
        kept = self.parts
        wanted, rows = window_rows(self.made, self.first), sum(part.count() for part in kept)
        while len(kept) > 1 and rows - kept[0].count() >= wanted:
            rows -= kept[0].count()
            kept = kept[1:]
        self._parts = [*kept, *([self.held] if self.held else [])]

    def renew(self) -> None:
        """Draw from the parts that there are now."""
        self._sampler = None
        self.fair_komi = fair_komi([part.games for part in self.parts])

    def source(self, first: int, batch: int) -> tuple[RowSampler, int] | None:
        """What the batch that begins with sample `first` of this size is drawn from; None: it must wait for games."""
        made = self.made
        self.waits = made < self.first_rows or first + batch > self.config.uses * made
        if self.waits:
            return None
        if self._sampler is None:
            draw = Draw(self.config.seed, int(self.config.symmetries), shuffle=1, vary=self.config.other_komi)
            self._sampler = RowSampler(*join(self.parts), self.features, draw, self.config.horizon_weight)
        return self._sampler, first

    def newest(self) -> RowSampler | None:
        """Rows of the newest shard, from which nothing was learned; None if there are none.

        Each row comes once, as it was played, and its value is the result alone.
        """
        if self.held is None or not self.held.count():
            return None
        draw = Draw(self.config.seed, symmetries=0, shuffle=1, vary=0.0)
        rows = self.held.rows._replace(upto=np.zeros(0))
        return RowSampler(self.held.games, rows, self.features, draw, 0.0)


class Replay:
    """The windows over a run's shards, one for each board size; a source of batches for `training.data.stream.stream`."""

    def __init__(
        self,
        config: ReplayConfig,
        features: FeatureSet,
        paths: Callable[[], Sequence[Path]],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        """paths: all shards there are, the oldest first. tell: hears of shards that cannot be used; they are left out."""
        whole = sum(config.shares.values())
        self.windows = {size: Window(size, share / whole, config, features) for size, share in config.shares.items()}
        self._dealt = Mixture(list(self.windows.values()), list(config.shares.values()))
        self._paths, self._tell, self._clock = paths, tell, clock
        self._known: set[Path] = set()
        self._looked = -LOOK_SECONDS
        self.behind = True  # whether there are shards that nobody has looked at

    @property
    def shards(self) -> int:
        """How many could be read."""
        return sum(window.shards for window in self.windows.values())

    @property
    def games(self) -> int:
        """How many these hold."""
        return sum(window.games for window in self.windows.values())

    @property
    def rows(self) -> int:
        """Rows that are learned from."""
        return sum(window.rows for window in self.windows.values())

    @property
    def made(self) -> int:
        """Rows that are or were learned from."""
        return sum(window.made for window in self.windows.values())

    @property
    def plies(self) -> dict[int, float]:
        """By board size, mean length of the games that are learned from; without sizes that have none."""
        return {size: window.plies for size, window in self.windows.items() if window.plies is not None}

    @property
    def fair_komi(self) -> dict[int, float]:
        """By board size, the komi that would be fair; without sizes of which too few games are counted."""
        return {size: window.fair_komi for size, window in self.windows.items() if window.fair_komi is not None}

    @property
    def awaited(self) -> Window:
        """The window that had no batch when it was its turn; else the first."""
        windows = list(self.windows.values())
        return next((window for window in windows if window.waits), windows[0])

    def look(self) -> None:
        """Read shards that are new, for a second or so; the rest comes next time."""
        self._looked = started = self._clock()
        paths = self._paths()
        place = {path: i for i, path in enumerate(paths)}
        self.behind, changed = False, set()
        for path in paths:
            if path in self._known:
                continue
            if self._clock() - started > LOOK_SECONDS:
                self.behind = True
                break
            self._known.add(path)
            try:
                part = load_part(path, self.windows)
            except RecordError as error:
                self._tell(f"{error}; the shard is left out")
                continue
            self.windows[part.size].add(part, place)
            changed.add(part.size)
        for size in changed:
            self.windows[size].renew()

    def source(self, first: int, batch: int) -> tuple[RowSampler, int] | None:
        """What the batch that begins with sample `first` is drawn from; None: it must wait for games."""
        if self.behind or self._clock() - self._looked >= LOOK_SECONDS:
            self.look()
        return None if self.behind else self._dealt.source(first, batch)

    def newest(self) -> dict[int, RowSampler]:
        """`Window.newest` by board size, without the sizes that have none."""
        found = {size: window.newest() for size, window in self.windows.items()}
        return {size: sampler for size, sampler in found.items() if sampler is not None}
