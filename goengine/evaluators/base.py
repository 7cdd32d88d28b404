"""What every evaluator takes, gives and promises: the contract between the search and the nets.

Knows only numpy: no backend, no board and no feature set is imported here, so the search may depend on this module and
on nothing else of the package. All numbers are for the player to move.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self, runtime_checkable

import numpy as np

NOT_CACHED = np.uint64(0)  # the key of a row that no cache may keep


class EvaluatorError(Exception):
    """An evaluator cannot be made or cannot answer; the message says why and what to do."""


class Batch(NamedTuple):
    """Encoded positions of one board size N. A row is one position; the evaluator only reads the arrays."""

    planes: np.ndarray  # float32[B, C, N, N]  plane 0 is 1 on the board
    globals: np.ndarray  # float32[B, G]
    keys: np.ndarray  # uint64[B]  names everything that the encoding depends on; NOT_CACHED = keep nothing

    @property
    def rows(self) -> int:
        """Number of positions."""
        return len(self.planes)

    @property
    def size(self) -> int:
        """Board size."""
        return int(self.planes.shape[-1])


class Evaluation(NamedTuple):
    """Answers row by row, all float32; A = N * N + 1 actions, the last of them the pass."""

    policy: np.ndarray  # [B, A]  logits, over all actions, legal or not
    value: np.ndarray  # [B]  in [-1, 1]: wins minus losses
    score: np.ndarray  # [B]  expected lead in points, komi included
    score_stdev: np.ndarray  # [B]  its standard deviation, > 0
    ownership: np.ndarray  # [B, N * N]  in [-1, 1]: 1 = the player to move owns the point

    def take(self, rows: np.ndarray | slice) -> "Evaluation":
        """The chosen rows (an index array or a slice), in that order."""
        return Evaluation(*(array[rows] for array in self))


def empty_evaluation(rows: int, size: int) -> Evaluation:
    """Arrays of the right shapes and types, not filled in."""
    f = np.float32
    return Evaluation(
        np.empty((rows, size * size + 1), f),
        np.empty(rows, f),
        np.empty(rows, f),
        np.empty(rows, f),
        np.empty((rows, size * size), f),
    )


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What the caller must know of an evaluator before it believes a number.

    A head is proven if a test on held-out games showed that it carries information. An unproven head still gives numbers;
    nobody should use them for a decision.
    """

    name: str
    features: str  # name of the feature set that encodes its input
    policy_proven: bool = True
    value_proven: bool = True
    score_proven: bool = False
    ownership_proven: bool = False
    device: str = "cpu"  # for people: device and precision, such as 'cpu bf16'


class Pending(Protocol):
    """An evaluation under way."""

    def ready(self) -> bool:
        """Whether `result` need not wait. Raises what `result` raises."""
        ...

    def result(self) -> Evaluation:
        """Wait for the answer; may be called again and then gives the same arrays."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """From encoded positions to evaluations. Not for two threads at a time; several may be pending at once."""

    @property
    def traits(self) -> Traits: ...

    @property
    def name(self) -> str: ...

    @property
    def features(self) -> str: ...

    def evaluate(self, batch: Batch) -> Evaluation:
        """The answers, now."""
        ...

    def submit(self, batch: Batch) -> Pending:
        """Start, and return at once where the backend can. The batch's arrays must stay unchanged until `result()`."""
        ...

    def close(self) -> None:
        """Give back threads and memory; nothing may be evaluated afterwards. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class FinishedEvaluation:
    """A `Pending` that is done."""

    evaluation: Evaluation

    def ready(self) -> bool:
        return True

    def result(self) -> Evaluation:
        return self.evaluation


class EvaluatorBase:
    """The parts that evaluators share. A subclass sets `traits` and defines `evaluate`, or `submit`, or both."""

    traits: Traits

    @property
    def name(self) -> str:
        return self.traits.name

    @property
    def features(self) -> str:
        return self.traits.features

    def evaluate(self, batch: Batch) -> Evaluation:
        return self.submit(batch).result()

    def submit(self, batch: Batch) -> Pending:
        return FinishedEvaluation(self.evaluate(batch))

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
