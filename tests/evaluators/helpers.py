"""Batches and scripts for the tests of evaluators."""

import numpy as np

from goengine.evaluators.base import Batch, Evaluation
from goengine.evaluators.uniform import flat_evaluation

PLANES, GLOBALS = 5, 3  # of the nets made for these tests; plane 0 is the board


def batch_of(rows: int, size: int, seed: int = 1) -> Batch:
    """Rows of random planes under distinct keys."""
    rng = np.random.default_rng(seed)
    planes = (rng.random((rows, PLANES, size, size)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    values = rng.normal(size=(rows, GLOBALS)).astype(np.float32)
    return Batch(planes, values, rng.integers(1, 2**64, rows, np.uint64, endpoint=False))


def take(batch: Batch, rows) -> Batch:
    """The chosen rows of a batch."""
    return Batch(*(array[rows] for array in batch))


def script(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """A function of the position that has no symmetry: every cell counts for its own place."""
    rows, _, size, _ = planes.shape
    answer = flat_evaluation(rows, size)
    weights = np.sin(np.arange(size * size, dtype=np.float32))
    points = (planes[:, 1] - 2 * planes[:, 2]).reshape(rows, size * size)
    answer.policy[:, :-1] = points * weights
    answer.policy[:, -1] = values[:, 0]
    answer.value[:] = np.tanh((points * weights).sum(axis=1) / size)
    answer.score[:] = 10 * answer.value
    answer.ownership[:] = np.tanh(points * np.roll(weights, 1))
    return answer


def assert_close(one: Evaluation, other: Evaluation, tolerance: float = 1e-5) -> None:
    """Every number of both is equal within the tolerance."""
    for name, a, b in zip(Evaluation._fields, one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
