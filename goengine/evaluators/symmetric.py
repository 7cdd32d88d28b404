"""An evaluator that shows positions turned and mirrored to another one: one random symmetry per row, or the average of several.

A net is not quite symmetric. Random views remove the bias over many evaluations (Silver et al. 2016, methods); an average
removes it in each evaluation. Knows no backend; randomness comes from the caller's generator.
"""

import numpy as np

from goengine.board import symmetry
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluation, Evaluator, EvaluatorBase, Pending
from goengine.evaluators.turning import turned_planes, turned_points

# Mixed into the keys of rows that are shown in another view, so that a cache below never takes one for the other.
_TAGS = np.random.Generator(np.random.PCG64(20260102)).integers(1, 2**64, symmetry.COUNT, np.uint64, endpoint=False)
_TAGS[0] = 0
_MIX, _SHIFT = np.uint64(0xD6E8FEB86659FD93), np.uint64(32)


class Symmetric(EvaluatorBase):
    """Rows of `inner` seen through symmetries and turned back.

    views: 1 takes one random symmetry per row; 2..8 averages over that many different ones per row (8: all, nothing
    random). Probabilities are averaged, not logits. Raises ValueError if views is not 1..8.
    """

    def __init__(self, inner: Evaluator, generator: np.random.Generator, views: int = 1):
        if not 1 <= views <= symmetry.COUNT:
            raise ValueError(f"views: expected 1 to {symmetry.COUNT}, got {views}")
        self.inner, self.generator, self.views = inner, generator, views
        self.traits = inner.traits

    def submit(self, batch: Batch) -> Pending:
        symmetries = self._choose(batch.keys)
        planes, values, keys = batch if self.views == 1 else (np.repeat(array, self.views, axis=0) for array in batch)
        tagged = np.where(keys == NOT_CACHED, keys, keys ^ _TAGS[symmetries])
        shown = Batch(turned_planes(planes, symmetries), values, tagged)
        return _Turned(self.inner.submit(shown), symmetries, self.views)

    def close(self) -> None:
        self.inner.close()

    def _choose(self, keys: np.ndarray) -> np.ndarray:
        """Symmetries int[rows * views]: those of one row differ."""
        rows = len(keys)
        if self.views == 1:
            return self.generator.integers(0, symmetry.COUNT, rows)
        if self.views == symmetry.COUNT:
            return np.tile(np.arange(symmetry.COUNT), rows)
        order = self.generator.permuted(np.tile(np.arange(symmetry.COUNT), (rows, 1)), axis=1)
        return order[:, : self.views].ravel()


class SymmetricByKey(Symmetric):
    """As `Symmetric`, but the views are drawn from the key of each row: the same key always has the same views. So an answer
    depends neither on the order of the questions nor on the rest of the batch.
    """

    def __init__(self, inner: Evaluator, views: int = 1):
        super().__init__(inner, np.random.default_rng(0), views)

    def _choose(self, keys: np.ndarray) -> np.ndarray:
        drawn = ((keys * _MIX) >> _SHIFT).astype(np.int64)
        first, step = drawn % symmetry.COUNT, 2 * (drawn // symmetry.COUNT % 4) + 1  # an odd step meets all eight
        return ((first[:, None] + step[:, None] * np.arange(self.views)) % symmetry.COUNT).ravel()


class _Turned:
    """A pending evaluation whose rows have to be turned back, and averaged where there are several views."""

    def __init__(self, inner: Pending, symmetries: np.ndarray, views: int):
        self.inner, self.symmetries, self.views = inner, symmetries, views
        self.evaluation: Evaluation | None = None

    def ready(self) -> bool:
        return self.inner.ready()

    def result(self) -> Evaluation:
        if self.evaluation is None:
            seen, back = self.inner.result(), symmetry.INVERSE[self.symmetries]
            policy, ownership = turned_points(seen.policy, seen.ownership, back)
            turned = seen._replace(policy=policy, ownership=ownership)
            self.evaluation = turned if self.views == 1 else _average(turned, self.views)
        return self.evaluation


def _average(views: Evaluation, count: int) -> Evaluation:
    """The mean over each `count` rows in turn; the policy's in probabilities."""
    mean = {name: array.reshape(-1, count, *array.shape[1:]).mean(axis=1) for name, array in views._asdict().items()}
    exponents = np.exp(views.policy - views.policy.max(axis=1, keepdims=True))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    mean["policy"] = np.log(probabilities.reshape(-1, count, probabilities.shape[1]).mean(axis=1) + np.float32(1e-30))
    return Evaluation(**mean)
