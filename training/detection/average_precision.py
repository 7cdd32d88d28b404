"""How well boxes were found: average precision, the area under the curve of precision over recall, class by class.

As in PASCAL VOC from 2010 on (Everingham et al. 2010): precision at a recall is the best at that recall or beyond. Knows
arrays.
"""

import numpy as np

from goengine.vision.default_boxes import iou

ENOUGH = 0.5  # IoU with a true box


class AveragePrecision:
    """Of one class, over many pictures."""

    def __init__(self) -> None:
        self._scores: list[np.ndarray] = []
        self._right: list[np.ndarray] = []
        self._true = 0

    def add(self, truth: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> None:
        """A picture: true boxes [N,4], found ones [M,4] with scores [M]. Each true box is found once, by the surest box."""
        order = np.argsort(-scores, kind="stable")
        right = np.zeros(len(boxes), bool)
        left = np.ones(len(truth), bool)
        for rank, found in enumerate(order):
            shared = iou(boxes[found], truth) * left
            if len(truth) and shared.max() >= ENOUGH:
                left[shared.argmax()] = False
                right[rank] = True
        self._scores.append(scores[order])
        self._right.append(right)
        self._true += len(truth)

    def value(self) -> float:
        """The average precision, 0 to 1; not a number without true boxes."""
        if not self._true:
            return float("nan")
        scores, right = np.concatenate(self._scores), np.concatenate(self._right)
        right = right[np.argsort(-scores, kind="stable")]
        hits = np.cumsum(right)
        precision = hits / np.arange(1, len(right) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float(best[right].sum() / self._true)
