"""From packed games in memory to a stream of batches.

Knows: batch buffers, the threads that fill them ahead of the trainer, and the order in which batches come out. The
kernels release the GIL, so threads share the games and scale like processes without their copies. Knows no losses,
and torch only to pin buffers.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from goengine.array_file import RecordError
from goengine.board.state import new_game
from goengine.features import FeatureSet
from training.sampling import Draw, Games, Targets, filler

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
    """Fills batches with samples of some games; thread-safe, one working memory per call at a time."""

    def __init__(self, games: Games, features: FeatureSet, draw: Draw, side: int | None = None):
        if games.moves.size == 0:
            raise ValueError("there are no positions to draw from")
        sizes = np.unique(games.size)
        self.side = int(sizes.max()) if side is None else side
        if len(sizes) != 1:
            raise RecordError(f"games of several board sizes ({', '.join(map(str, sizes))}); pack and use each size by itself")
        self.games, self.features, self.draw = games, features, draw
        self.size = int(sizes[0])
        self._fill = filler(features.encode)
        self._spare: deque[tuple] = deque()

    def fill(self, first: int, out: Targets) -> Targets:
        """Samples first, first + 1, ... in the rows of `out`."""
        try:
            memory = self._spare.pop()
        except IndexError:
            planes = np.zeros((self.features.planes, self.side, self.side), np.uint8)
            memory = new_game(self.size), self.features.new_scratch(self.size), planes
        self._fill(self.games, self.draw, first, out, *memory)
        self._spare.append(memory)
        return out

    def batch(self, first: int, count: int) -> Targets:
        """Samples first .. first + count - 1 in new buffers."""
        return self.fill(first, new_targets(count, self.features, self.side))


def stream(
    sampler: Sampler, batch: int, first: int, *, threads: int = 1, ahead: int = 4, allocate: Allocate = np.zeros
) -> Iterator[Targets]:
    """Endless batches in order, made ahead by `threads` threads. A batch is valid until the next but one is asked for.

    Each batch is made by one thread; `ahead` batches wait or are in the making.
    """
    ahead = max(ahead, threads + 1)
    free = deque(new_targets(batch, sampler.features, sampler.side, allocate) for _ in range(ahead + 2))
    waiting: deque[Future] = deque()
    lent: deque[Targets] = deque()
    pool = ThreadPoolExecutor(threads, "samples")
    try:
        while True:
            while len(waiting) < ahead:
                waiting.append(pool.submit(sampler.fill, first, free.popleft()))
                first += batch
            ready = waiting.popleft().result()
            lent.append(ready)
            yield ready
            if len(lent) > 1:
                free.append(lent.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
