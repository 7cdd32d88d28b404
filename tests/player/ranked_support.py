"""Ranked policies for tests, which say what a test tells them."""

from pathlib import Path

import numpy as np

from goengine.evaluators.base import Traits
from goengine.evaluators.ranked import RankedPolicy
from goengine.evaluators.uniform import Scripted, flat_evaluation
from goengine.features import zero
from goengine.ranks.inputs import LINE

RANK = zero.GLOBALS + LINE  # where the rank of the side to move stands, over 10


def ranked_policy(script=None, name="ranked") -> RankedPolicy:
    """A ranked policy that answers with ``script(planes, globals)``, by default: the later points, the more the weaker.

    The move before the last point of the board is then the favourite of the weakest, and all moves are alike to a 1k.
    """

    def later(planes: np.ndarray, values: np.ndarray):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        points = np.linspace(0.0, 1.0, answer.policy.shape[1] - 1, dtype=np.float32)
        answer.policy[:, :-1] = -10 * values[:, RANK, None] * points
        answer.policy[:, -1] = -8.0
        return answer

    return RankedPolicy(Scripted(script or later, traits=Traits(name=name, features="zero_ranked")))


def tiny_ranked_net(folder: Path) -> Path:
    """The file of a ranked net that has learned nothing."""
    from goengine import features
    from goengine.nets import architecture, build, weights_file

    chosen = features.get("zero_ranked")
    net = build.build(architecture.parse("b1c8", chosen.name, chosen.planes, chosen.globals), 3)
    weights_file.save(folder / "tiny.safetensors", net, net.spec)
    return folder / "tiny.safetensors"
