"""From packed games in memory to a stream of batches.

Knows: batch buffers, the threads that fill them ahead of the trainer, and the order in which batches come out. The
kernels release the GIL, so threads share the games and scale like processes without their copies. Knows no losses,
and torch only to pin buffers.
"""

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import numpy as np

from goengine.board.state import BLACK, new_game
from goengine.core.array_file import RecordError
from goengine.features import FeatureSet, zero_ranked
from goengine.ranks.scale import Server
from training.data.sampling import Draw, Games, SamplingScratch, Targets, filler, place_of, unit

INPUTS = 16  # positions in a batch of `net_inputs`
Allocate = Callable[[tuple[int, ...], Any], np.ndarray]


def new_targets(batch: int, features: FeatureSet, side: int, allocate: Allocate = np.zeros) -> Targets:
    """Buffers for `batch` samples on planes of `side` x `side`."""
    return Targets(
        planes=allocate((batch, features.planes, side, side), np.uint8),
        globals=allocate((batch, features.globals), np.float32),
        policy=allocate((batch,), np.int64),
        opponent=allocate((batch,), np.int64),
        value=allocate((batch,), np.float32),
        value_weight=allocate((batch,), np.float32),
        score=allocate((batch,), np.float32),
        score_weight=allocate((batch,), np.float32),
        owner=allocate((batch, side, side), np.int8),
        owner_weight=allocate((batch,), np.float32),
    )


def pinned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array in page-locked memory, from which a GPU copies while the CPU works."""
    import torch

    return torch.zeros(shape, dtype=getattr(torch, np.dtype(dtype).name), pin_memory=True).numpy()


class Sampler:
    """Fills batches with samples of some games; thread-safe, one working memory per call at a time.

    chosen: int64[K], the positions, numbered through all games, that alone are drawn; None: all are.
    """

    def __init__(
        self, games: Games, features: FeatureSet, draw: Draw, side: int | None = None, chosen: np.ndarray | None = None
    ):
        if games.moves.size == 0:
            raise ValueError("there are no positions to draw from")
        sizes = np.unique(games.size)
        self.side = int(sizes.max()) if side is None else side
        if len(sizes) != 1:
            raise RecordError(f"games of several board sizes ({', '.join(map(str, sizes))}); a sampler has one, a mixture many")
        self.games, self.features, self.draw = games, features, draw
        self.size = int(sizes[0])
        self.chosen = np.zeros(0, np.int64) if chosen is None else chosen
        self._fill = partial(filler(features.encode), self.chosen)
        self._spare: deque[SamplingScratch] = deque()

    @property
    def form(self) -> Hashable:
        """See `Filler`."""
        return self.side, "moves"

    def fill(self, first: int, out: Targets) -> Targets:
        """Samples first, first + 1, ... in the rows of `out`."""
        try:
            memory = self._spare.pop()
        except IndexError:
            planes = np.zeros((self.features.planes, self.side, self.side), np.uint8)
            memory = SamplingScratch(new_game(self.size), self.features.new_scratch(self.size), planes)
        self._fill(self.games, self.draw, first, out, memory)
        self._spare.append(memory)
        if self.features.name == zero_ranked.NAME:
            self._tell_ranks(first, out)
        return out

    def _tell_ranks(self, first: int, out: Targets) -> None:
        """Write both sides' ranks and the server into the globals, now and then hiding one."""
        rows, seed = len(out.policy), self.draw.seed
        own, other, server = (np.array(part) for part in sides(self.games, self.positions(first, rows)))
        if self.draw.hidden:
            drawn = [[unit(seed, first + row, 30 + part) for part in range(3)] for row in range(rows)]
            hidden = np.array(drawn) < self.draw.hidden
            own[hidden[:, 0]] = other[hidden[:, 1]] = np.nan
            server[hidden[:, 2]] = int(Server.UNKNOWN)
        zero_ranked.write_ranks(out.globals, own, other, server)

    def buffers(self, batch: int, allocate: Allocate = np.zeros) -> Targets:
        """Room for `batch` samples."""
        return new_targets(batch, self.features, self.side, allocate)

    def batch(self, first: int, count: int) -> Targets:
        """Samples first .. first + count - 1 in new buffers."""
        return self.fill(first, self.buffers(count))

    def positions(self, first: int, count: int) -> np.ndarray:
        """int64[count]: the positions, numbered through all games, that these samples show."""
        found = [place_of(len(self.chosen) or self.games.moves.size, self.draw, first + i) for i in range(count)]
        return self.chosen[found] if len(self.chosen) else np.array(found, np.int64)

    def places(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(game, moves before it), int64[count] each, of the positions that these samples show."""
        positions = self.positions(first, count)
        games = np.searchsorted(self.games.start, positions, "right") - 1
        return games, positions - self.games.start[games]

    def source(self, first: int, batch: int) -> tuple["Sampler", int]:
        """(sampler, number of its first sample) of the batch that begins with sample `first` of the run."""
        return self, first


def sides(games: Games, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rank of the side to move, of the other, server), [K] each, at these positions; NaN for an unknown rank."""
    game = np.searchsorted(games.start, positions, "right") - 1
    own = (games.colors[positions] != BLACK).astype(np.int64)
    return games.ranks[game, own], games.ranks[game, 1 - own], games.server[game].astype(np.int64)


def deal(number: int, shares: Sequence[float]) -> tuple[int, int]:
    """(which share item `number` of an endless row belongs to, how many of that share came before it).

    The shares are dealt as evenly as whole items allow: of 0.8 and 0.2, every fifth item is of the second.
    """
    left = math.fsum(shares)
    for place, share in enumerate(shares[:-1]):
        before = math.floor(number * (share / left) + 0.5)
        if math.floor((number + 1) * (share / left) + 0.5) > before:
            return place, before
        number -= before
        left -= share
    return len(shares) - 1, number


class Filler(Protocol):
    """What makes a batch: a `Sampler`, or another with the same part in `stream`."""

    form: Hashable  # of its buffers; fillers of one stream with equal forms take each other's

    def buffers(self, batch: int, allocate: Allocate) -> Targets:
        """Room for `batch` samples."""

    def fill(self, first: int, out: Targets) -> Targets:
        """Samples first, first + 1, ... in the rows of `out`; called by several threads."""


class Source(Protocol):
    """What says where each batch comes from."""

    def source(self, first: int, batch: int) -> tuple[Filler, int] | None:
        """(filler, number of its first sample) of the batch that begins with sample `first`; None: it is not there yet."""


class Mixture:
    """Several sources, such as one per board size: each batch comes from one of them, as often as its share says.

    The number of a batch alone decides from which source it comes, and which samples of that source it has. A pass over the
    games of one size does not wait for a pass over another. But if the source whose turn it is has no batch yet, the others
    wait for it.
    """

    def __init__(self, sources: Sequence[Source], shares: Sequence[float]):
        """Shares need not add up to one. Raises ValueError if one is not above 0."""
        if len(sources) != len(shares) or not all(share > 0 for share in shares):
            raise ValueError(f"{len(sources)} sources need as many shares above 0, not {tuple(shares)}")
        self.sources, self.shares = tuple(sources), tuple(shares)

    def source(self, first: int, batch: int) -> tuple[Filler, int] | None:
        """As `Source.source`; each source numbers its own samples, without gaps."""
        number, rest = divmod(first, batch)
        place, before = deal(number, self.shares)
        return self.sources[place].source(before * batch + rest, batch)


def mixture(
    games: Mapping[int, Games],
    features: FeatureSet,
    draw: Draw,
    shares: Mapping[int, float],
    chosen: Mapping[int, np.ndarray] | None = None,
) -> Sampler | Mixture:
    """What draws from the games of each board size: in proportion to their positions, or as often as `shares` says.

    chosen: of each size, as of `Sampler`. Raises RecordError if `shares` names other sizes than there are.
    """
    sizes = ", ".join(map(str, games))
    if shares and set(shares) - set(games):
        missing = ", ".join(str(size) for size in shares if size not in games)
        raise RecordError(f"--sizes asks for board size {missing}; the games have {sizes}")
    counts = {size: part.moves.size if chosen is None else len(chosen[size]) for size, part in games.items()}
    used = {size: share for size, share in shares.items() if share} or counts
    samplers = [Sampler(games[size], features, draw, chosen=None if chosen is None else chosen[size]) for size in used]
    return samplers[0] if len(samplers) == 1 else Mixture(samplers, list(used.values()))


def net_inputs(
    games: Mapping[int, Games], features: FeatureSet, draw: Draw, positions: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Small batches of (planes, globals) as nets take them, `positions` or a few more in all; board sizes take turns."""
    samplers = [Sampler(games[size], features, draw) for size in sorted(games)]
    for number in range(-(-positions // INPUTS)):
        turn, place = divmod(number, len(samplers))
        targets = samplers[place].batch(turn * INPUTS, INPUTS)
        yield targets.planes.astype(np.float32), targets.globals.copy()


def stream(
    sampler: Source,
    batch: int,
    first: int | Iterator[int],
    *,
    threads: int = 1,
    ahead: int = 4,
    allocate: Allocate = np.zeros,
    part: tuple[int, int] = (0, 1),
) -> Iterator[Targets | None]:
    """Endless batches in order, made ahead by `threads` threads. A batch is valid until the next but one is asked for.

    first: the number of the first batch's first sample; or an iterator of such numbers, one for each batch.
    Each batch is made by one thread; `ahead` batches wait or are in the making, and never fewer than threads + 1. None comes
    where the source has no batch yet and all before it are given; it is asked again when the next one is.
    part: (i, n) for the i-th of n equal parts of each batch, from 0, whose size is `batch` all the same.
    """
    ahead, rows = max(ahead, threads + 1), batch // part[1]
    numbers = itertools.count(first, batch) if isinstance(first, int) else first
    number = next(numbers)  # of the next batch
    free: dict[Hashable, deque[Targets]] = defaultdict(deque)  # by form; at most ahead + 2 in use, of all forms together
    waiting: deque[tuple[Hashable, Future]] = deque()
    lent: deque[tuple[Hashable, Targets]] = deque()
    pool = ThreadPoolExecutor(threads, "samples")
    try:
        while True:
            while len(waiting) < ahead and (found := sampler.source(number, batch)) is not None:
                source, own = found
                buffers = free[source.form]
                out = buffers.popleft() if buffers else source.buffers(rows, allocate)
                waiting.append((source.form, pool.submit(source.fill, own + part[0] * rows, out)))
                number = next(numbers)
            if not waiting:
                yield None
                continue
            form, future = waiting.popleft()
            ready = future.result()
            lent.append((form, ready))
            yield ready
            if len(lent) > 1:
                form, done = lent.popleft()
                free[form].append(done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
