"""Which default box of a detector should tell which true box (SSD, Liu et al. 2016, section 2.2). Kernels over arrays."""

import numpy as np

from goengine.core.jit import inlined_kernel, kernel
from goengine.vision.default_boxes import IGNORED, NOTHING

LEAST, SURE = 0.35, 0.5  # IoU: below the first a default box holds nothing, from the second on it holds the box


@inlined_kernel
def _iou(a, i, b, j):
    """Of row i of boxes a and row j of boxes b, both (centre x, centre y, width, height)."""
    width = min(a[i, 0] + a[i, 2] / 2, b[j, 0] + b[j, 2] / 2) - max(a[i, 0] - a[i, 2] / 2, b[j, 0] - b[j, 2] / 2)
    height = min(a[i, 1] + a[i, 3] / 2, b[j, 1] + b[j, 3] / 2) - max(a[i, 1] - a[i, 3] / 2, b[j, 1] - b[j, 3] / 2)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[i, 2] * a[i, 3] + b[j, 2] * b[j, 3] - width * height)


@kernel
def _match(truth, classes, defaults, best, index, target, shared):
    for d in range(len(defaults)):
        index[d], target[d], shared[d] = -1, NOTHING, 0.0
    for n in range(len(truth)):
        best[n], most = -1, 0.0
        for d in range(len(defaults)):
            dx, dy = abs(defaults[d, 0] - truth[n, 0]) * 2, abs(defaults[d, 1] - truth[n, 1]) * 2
            if dx >= truth[n, 2] + defaults[d, 2] or dy >= truth[n, 3] + defaults[d, 3]:
                continue
            if classes[n] == IGNORED:
                if dx < truth[n, 2] and dy < truth[n, 3] and defaults[d, 2] < truth[n, 2] / 2:
                    target[d] = IGNORED
                continue
            value = _iou(truth, n, defaults, d)
            if value > shared[d]:
                shared[d], index[d] = value, n
            if value > most:
                most, best[n] = value, d
    for d in range(len(defaults)):
        if shared[d] >= SURE:
            target[d] = classes[index[d]]
        elif shared[d] >= LEAST:
            target[d] = IGNORED
    for n in range(len(truth)):
        d = best[n]
        if d >= 0 and shared[d] < SURE:
            shared[d], index[d], target[d] = SURE, n, classes[n]


def match(truth: np.ndarray, classes: np.ndarray, defaults: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(index of a true box, what is to be told) of each default box, int64 [D] both.

    truth float32 [N,4], classes int64 [N], defaults float32 [D,4]. A default box gets the true box that it shares most with, if
    that is enough; a true box that would get none takes the one that shares most with it. A true box of the class IGNORED asks
    nothing of the small default boxes inside it that hold nothing else.
    """
    count = len(defaults)
    index, target = np.empty(count, np.int64), np.empty(count, np.int64)
    best = np.empty(len(truth), np.int64)
    _match(truth, classes, defaults, best, index, target, np.empty(count))
    return index, target
