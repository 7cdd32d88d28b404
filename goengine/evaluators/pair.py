"""Two nets as one evaluator, as the first AlphaGo had them: the policy of one, the value of the other.

Either net may be missing; then nobody should believe the numbers in its place. A net that sees the planes `lee48` gets the
first 48 of `lee49`, so that both nets need one encoding only. Knows no backend.
"""

import numpy as np

from goengine.evaluators.base import (
    Batch,
    Evaluation,
    Evaluator,
    EvaluatorBase,
    EvaluatorError,
    FinishedEvaluation,
    Pending,
    Traits,
)
from goengine.evaluators.uniform import flat_evaluation

_PLANES = {
    ("lee48", "lee49"): 48
}  # (what a net sees, what is encoded): so many planes of the latter, from the first, are the former


class Pair(EvaluatorBase):
    """`policy` for the priors, `value` for all else; at least the features of one must hold those of the other.

    Raises EvaluatorError if they see different things.
    """

    def __init__(self, policy: Evaluator | None, value: Evaluator | None):
        self.policy, self.value = policy, value
        nets = [net for net in (policy, value) if net is not None]
        seen = [net.features for net in nets] or ["lee49"]
        features = next((name for name in seen if all(_fits(other, name) for other in seen)), None)
        if features is None:
            raise EvaluatorError(f"{nets[0].name} and {nets[1].name} see different features: {' and '.join(seen)}")
        self.traits = Traits(
            name="+".join("" if net is None else net.name for net in (policy, value)),
            features=features,
            policy_proven=policy is not None and policy.traits.policy_proven,
            value_proven=value is not None and value.traits.value_proven,
            score_proven=value is not None and value.traits.score_proven,
            ownership_proven=value is not None and value.traits.ownership_proven,
            device=" and ".join(dict.fromkeys(net.traits.device for net in nets)) or "cpu",
        )

    def submit(self, batch: Batch) -> Pending:
        if self.policy is None and self.value is None:
            return FinishedEvaluation(flat_evaluation(batch.rows, batch.size))
        return _Answering(self, batch)

    def ask(self, net: Evaluator, batch: Batch) -> Pending:
        """Put the batch to one of the nets."""
        count = _PLANES.get((net.features, self.features))
        return net.submit(batch if count is None else batch._replace(planes=np.ascontiguousarray(batch.planes[:, :count])))

    def close(self) -> None:
        for net in (self.policy, self.value):
            if net is not None:
                net.close()


def _fits(seen: str, encoded: str) -> bool:
    return seen == encoded or (seen, encoded) in _PLANES


class _Answering:
    """The batch of the policy is computed first, then that of the value: both at once would use twice the threads."""

    def __init__(self, pair: Pair, batch: Batch):
        self._pair, self._batch = pair, batch
        self._nets = [net for net in (pair.policy, pair.value) if net is not None]
        self._answers: list[Evaluation] = []
        self._running = pair.ask(self._nets[0], batch)
        self._evaluation: Evaluation | None = None

    def ready(self) -> bool:
        while len(self._answers) < len(self._nets):
            if not self._running.ready():
                return False
            self._next()
        return True

    def result(self) -> Evaluation:
        while len(self._answers) < len(self._nets):
            self._next()
        if self._evaluation is None:
            answers = iter(self._answers)
            flat = flat_evaluation(self._batch.rows, self._batch.size)
            policy = flat if self._pair.policy is None else next(answers)
            value = flat if self._pair.value is None else next(answers)
            self._evaluation = value._replace(policy=policy.policy)
        return self._evaluation

    def _next(self) -> None:
        """Take the answer of the net that is at work, and let the next one begin."""
        self._answers.append(self._running.result())
        if len(self._answers) < len(self._nets):
            self._running = self._pair.ask(self._nets[len(self._answers)], self._batch)
