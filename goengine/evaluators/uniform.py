"""Evaluators without a net: `Uniform`, which knows nothing, and `Scripted`, which says what a test tells it.

They live in the package so that every test of the search and every measurement without a net uses the same ones.
"""

from collections.abc import Callable

import numpy as np

from goengine.evaluators.base import Batch, Evaluation, EvaluatorBase, Traits

STDEV = 20.0  # points; the deviation of a score that nobody has estimated

Script = Callable[[np.ndarray, np.ndarray], Evaluation]


def flat_evaluation(rows: int, size: int) -> Evaluation:
    """Flat policy, value 0, score 0, nobody's points: a start that a script may change in place."""
    f = np.float32
    return Evaluation(
        np.zeros((rows, size * size + 1), f),
        np.zeros(rows, f),
        np.zeros(rows, f),
        np.full(rows, STDEV, f),
        np.zeros((rows, size * size), f),
    )


class Uniform(EvaluatorBase):
    """Flat policy and value 0 for every position, whatever feature set encodes it."""

    def __init__(self, features: str = "zero"):
        self.traits = Traits(name="uniform", features=features, value_proven=False)

    def evaluate(self, batch: Batch) -> Evaluation:
        return flat_evaluation(batch.rows, batch.size)


class Scripted(EvaluatorBase):
    """Answers with `script(planes, globals)`, which gets the arrays of the batch and returns an `Evaluation`.

    The script must answer each row from that row alone. `calls` and `rows` count what it was asked.
    """

    def __init__(self, script: Script, features: str = "zero", traits: Traits | None = None):
        self.traits = traits or Traits(name="scripted", features=features)
        self.script = script
        self.calls = self.rows = 0

    def evaluate(self, batch: Batch) -> Evaluation:
        self.calls += 1
        self.rows += batch.rows
        return Evaluation(*(np.asarray(array, np.float32) for array in self.script(batch.planes, batch.globals)))
