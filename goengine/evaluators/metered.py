"""Counts what passes through an evaluator, and the time spent waiting for it. For measurements; knows no backend."""

import time

from goengine.evaluators.base import Batch, Evaluation, Evaluator, EvaluatorBase, Pending


class Counting(EvaluatorBase):
    """`inner` with counters: batches, rows, and the seconds that the caller waited (to submit and for the answer)."""

    def __init__(self, inner: Evaluator):
        self.inner, self.traits = inner, inner.traits
        self.reset()

    def reset(self) -> None:
        """All counters to 0."""
        self.batches = self.rows = 0
        self.seconds = 0.0

    def submit(self, batch: Batch) -> Pending:
        start = time.perf_counter()
        pending = self.inner.submit(batch)
        self.seconds += time.perf_counter() - start
        self.batches += 1
        self.rows += batch.rows
        return _Counted(pending, self)

    def close(self) -> None:
        self.inner.close()


class _Counted:
    def __init__(self, inner: Pending, counter: Counting):
        self.inner, self.counter = inner, counter

    def ready(self) -> bool:
        return self.inner.ready()

    def result(self) -> Evaluation:
        start = time.perf_counter()
        evaluation = self.inner.result()
        self.counter.seconds += time.perf_counter() - start
        return evaluation
