"""Policies for tests: functions of what they are shown."""

from collections.abc import Callable

import numpy as np

from goengine import features
from goengine.policy_play.games import PolicyRows


class Scripted:
    """Answers by a function of the rows, and remembers who asked: (ply, numbers of games)."""

    def __init__(self, answer: Callable[[PolicyRows], np.ndarray] | None = None, name: str = "agz17"):
        self.features = features.get(name)
        self.answer = answer or (lambda rows: np.zeros(rows.legal.shape))
        self.asked: list[tuple[int, list[int]]] = []

    def logits(self, rows: PolicyRows) -> np.ndarray:
        self.asked.append((rows.ply, rows.games.tolist()))
        return self.answer(rows).astype(np.float32)


def steep(rows: PolicyRows) -> np.ndarray:
    """A fixed opening_filter that has no symmetry, and depends on the stones."""
    batch, actions = rows.legal.shape
    opening_filter = np.sin(1.7 * np.arange(actions) + rows.planes[:, 1].reshape(batch, -1).sum(1)[:, None])
    return 2.0 * opening_filter
