"""Remembers evaluations by key, in bounded memory.

Knows keys and arrays, nothing of positions: who makes a key promises that it names everything the encoding depends on. The
memory is a set-associative table, so that little has to be looked at: each key belongs to one set of `WAYS` places, and a new
key takes the place that was not used for the longest time. Policy and ownership are kept in float16. New answers are rounded in
the same way, so that an answer does not depend on whether it was remembered.
"""

import numpy as np

from goengine.core.jit import kernel
from goengine.evaluators.base import (
    NOT_CACHED,
    Batch,
    Evaluation,
    Evaluator,
    EvaluatorBase,
    FinishedEvaluation,
    Pending,
    empty_evaluation,
)

WAYS = 8
MEGABYTES = 128
_MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


class Cache(EvaluatorBase):
    """`inner`, asked only for what is not remembered. Rows with key NOT_CACHED always go to `inner`.

    Equal keys within one batch are evaluated once. The memory is for one board size; another size starts afresh.
    `hits` counts the rows answered without `inner`, `misses` the others.
    """

    def __init__(self, inner: Evaluator, megabytes: float = MEGABYTES):
        self.inner, self.megabytes, self.traits = inner, megabytes, inner.traits
        self.hits = self.misses = 0
        self._table: _CacheTable | None = None

    def submit(self, batch: Batch) -> Pending:
        table = self._table
        if table is None or table.size != batch.size:
            table = self._table = _CacheTable(batch.size, self.megabytes)
        answer = empty_evaluation(batch.rows, batch.size)
        missing = table.look_up(batch.keys, answer)
        ask, copies = _distinct(batch.keys, missing)
        self.misses += len(ask)
        self.hits += batch.rows - len(ask)
        if not len(ask):
            return FinishedEvaluation(answer)
        shown = batch if len(ask) == batch.rows else Batch(*(array[ask] for array in batch))
        return _Filling(self.inner.submit(shown), table, batch.keys[ask], answer, missing, copies)

    def clear(self) -> None:
        """Forget everything, the counters too."""
        self._table = None
        self.hits = self.misses = 0

    @property
    def capacity(self) -> int:
        """Evaluations that fit at the present board size; 0 before the first."""
        return 0 if self._table is None else self._table.places

    def __len__(self) -> int:
        return 0 if self._table is None else int(np.count_nonzero(self._table.keys))

    def close(self) -> None:
        self._table = None
        self.inner.close()


def _distinct(keys: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows to ask for, which of them answers each missing row): equal keys are asked for once."""
    wanted = keys[missing]
    if len(set(wanted.tolist())) == len(wanted):
        return missing, np.arange(len(missing))
    _, first, copies = np.unique(wanted, return_index=True, return_inverse=True)
    first_of_row = first[copies]
    first_of_row[wanted == NOT_CACHED] = np.flatnonzero(wanted == NOT_CACHED)
    asked, copies = np.unique(first_of_row, return_inverse=True)
    return missing[asked], copies


class _Filling:
    """A pending evaluation that completes an answer and is remembered."""

    def __init__(
        self,
        inner: Pending,
        table: "_CacheTable",
        keys: np.ndarray,
        answer: Evaluation,
        missing: np.ndarray,
        copies: np.ndarray,
    ):
        self.inner, self.table, self.keys = inner, table, keys.copy()
        self.answer, self.missing, self.copies = answer, missing, copies
        self.done = False

    def ready(self) -> bool:
        return self.done or self.inner.ready()

    def result(self) -> Evaluation:
        if not self.done:
            fresh = self.table.rounded(self.inner.result())
            self.table.insert(self.keys, fresh)
            if len(self.keys) == len(self.answer.value):  # nothing was known, and nothing asked twice
                self.answer = fresh
            else:
                for target, source in zip(self.answer, fresh, strict=True):
                    target[self.missing] = source[self.copies]
            self.done = True
        return self.answer


class _CacheTable:
    """The places, S sets of WAYS; place = set * WAYS + way. A key of 0 marks an empty place."""

    def __init__(self, size: int, megabytes: float):
        points = size * size
        bytes_per_place = 2 * (2 * points + 1) + 12 + 8 + 8
        sets = max(1, int(megabytes * 1e6 / bytes_per_place / WAYS))
        self.sets = 1 << (sets.bit_length() - 1)
        self.size, self.places, self.now = size, self.sets * WAYS, 0
        self.keys = np.zeros((self.sets, WAYS), np.uint64)
        self.used = np.zeros((self.sets, WAYS), np.int64)  # when the place was last read or written
        self.policy = np.empty((self.places, points + 1), np.float16)
        self.ownership = np.empty((self.places, points), np.float16)
        self.scalars = np.empty((self.places, 3), np.float32)  # value, score, score_stdev

    def look_up(self, keys: np.ndarray, answer: Evaluation) -> np.ndarray:
        """Fill the rows of `answer` that are known; the row numbers of the others."""
        self.now += 1
        places = np.empty(len(keys), np.int64)
        known = _find(self.keys, self.used, keys, self.now, places)
        if not known:
            return np.arange(len(keys))
        rows = np.flatnonzero(places >= 0)
        places, missing = places[rows], np.flatnonzero(places < 0)
        answer.policy[rows] = self.policy[places]
        answer.ownership[rows] = self.ownership[places]
        answer.value[rows], answer.score[rows], answer.score_stdev[rows] = self.scalars[places].T
        return missing

    def insert(self, keys: np.ndarray, evaluation: Evaluation) -> None:
        """Keep the rows whose key is not NOT_CACHED and whose numbers are ones, each in its set's place used longest ago."""
        scalars = np.stack(evaluation[1:4], axis=1)
        sound = np.isfinite(scalars.sum(axis=1) + evaluation.policy.sum(axis=1))
        self.now += 1
        places = np.empty(len(keys), np.int64)
        _take(self.keys, self.used, np.where(sound, keys, NOT_CACHED), self.now, places)
        rows = slice(None) if places.min() >= 0 else places >= 0
        self.policy[places[rows]] = evaluation.policy[rows]
        self.ownership[places[rows]] = evaluation.ownership[rows]
        self.scalars[places[rows]] = scalars[rows]

    @staticmethod
    def rounded(evaluation: Evaluation) -> Evaluation:
        """The evaluation as the table will give it back."""

        def half(array: np.ndarray) -> np.ndarray:
            return array.astype(np.float16).astype(np.float32)

        return evaluation._replace(policy=half(np.clip(evaluation.policy, -6e4, 6e4)), ownership=half(evaluation.ownership))


@kernel
def _find(table: np.ndarray, used: np.ndarray, keys: np.ndarray, now: int, places: np.ndarray) -> int:
    """Write the place of each key, or -1, and when those that are known were used. Returns how many are known."""
    known = 0
    for i in range(keys.size):
        places[i] = -1
        row = np.int64(((keys[i] * _MIX) >> _SHIFT) & np.uint64(table.shape[0] - 1))
        for way in range(WAYS):
            if keys[i] != NOT_CACHED and table[row, way] == keys[i]:
                places[i] = row * WAYS + way
                used[row, way] = now
                known += 1
                break
    return known


@kernel
def _take(table: np.ndarray, used: np.ndarray, keys: np.ndarray, now: int, places: np.ndarray) -> None:
    """Write a place for each key: its own, or the one of its set that was used longest ago; -1 for NOT_CACHED."""
    for i in range(keys.size):
        places[i] = -1
        if keys[i] == NOT_CACHED:
            continue
        row = np.int64(((keys[i] * _MIX) >> _SHIFT) & np.uint64(table.shape[0] - 1))
        oldest = 0
        for way in range(WAYS):
            if table[row, way] == keys[i]:  # known already where two pending batches held the same key
                oldest = way
                break
            if used[row, way] < used[row, oldest]:
                oldest = way
        table[row, oldest], used[row, oldest] = keys[i], now
        places[i] = row * WAYS + oldest
