"""Policies by name, as commands take them: a weights file, or a net as the engine plays it, in int8 where its card says so.

In int8 lee-policy says 1.65 times as many moves a second as in bfloat16 (`python -m training forms --batch 96`, 19x19, a core
of a Zen 4). Knows who plays; games are `goengine.policy_play`'s business.
"""

import hashlib
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from goengine import features
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluator
from goengine.evaluators.load import graph_of, load
from goengine.policy_play.games import Policy, PolicyRows
from training.core.checkpoint import RunError
from training.stages.opponents import load_policy
from training.stages.players import Seat


class EvaluatorPolicy:
    """A net of the engine that plays by its policy."""

    def __init__(self, evaluator: Evaluator):
        self.features, self._evaluator = features.get(evaluator.features), evaluator

    def logits(self, rows: PolicyRows) -> np.ndarray:
        """As `goengine.policy_play.games.Policy`."""
        return self._evaluator.evaluate(Batch(rows.planes, rows.globals, np.full(len(rows.games), NOT_CACHED))).policy


def weights_path(name: str) -> Path | None:
    """The weights file of that name; None for the name or folder of a net with a card."""
    path = Path(name).expanduser()
    return path if path.suffix == ".safetensors" else None


def policy(name: str, size: int, seat: Seat, left: ExitStack) -> Policy:
    """Who plays under that name: a weights file through the seat, anything else as the engine plays it, until `left` closes.

    Raises WeightsError or RunError for a weights file that cannot be used, EvaluatorError for other nets.
    """
    if (path := weights_path(name)) is not None:
        return seat.policy(load_policy(path)[0])
    device = seat.device_feed.device
    evaluator = load(name, size=size, device="cpu" if device.type == "cpu" else str(device), threads=seat.threads)
    left.callback(evaluator.close)
    if not evaluator.traits.policy_proven:
        raise RunError(f"{name}: the net has no policy to play by")
    return EvaluatorPolicy(evaluator)


def fingerprint(name: str) -> str:
    """The SHA-256 of the weights that play under that name on a CPU. Raises as `policy`."""
    if (path := weights_path(name)) is not None:
        return load_policy(path)[1].sha256
    card, _, weights = graph_of(name)
    if "policy" not in card.spec.outputs:
        raise RunError(f"{name}: the net has no policy to play by")
    return hashlib.sha256(weights).hexdigest()
