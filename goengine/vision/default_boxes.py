"""Default boxes of a detector: where they lie on a picture, how a box is told relative to one, how alike two boxes are.

SSD (Liu et al. 2016): on maps of three scales every place has boxes of a few sizes, and the net says for each what it holds and
how it has to move. Knows arrays; neither nets nor boards. A box is (centre x, centre y, width, height) in pixels.
"""

from typing import Final

import numpy as np

SIDE: Final = 384  # pixels, width and height of what a detector sees
STRIDES: Final = (8, 16, 32)  # pixels between two places of each map
SIZES: Final = ((10.0, 16.0, 26.0), (42.0, 68.0), (128.0, 224.0, 352.0))  # pixels, of the boxes at each place of each map
CLASSES: Final = ("board", "black", "white", "crossing")
BOARD, BLACK_STONE, WHITE_STONE, CROSSING = range(4)
NOTHING, IGNORED = -1, -2  # targets of default boxes that hold nothing, and of those that are not asked
SHIFT, SCALE = 0.1, 0.2  # SSD's variances: what a move of 1 of the net's output means


def default_boxes() -> np.ndarray:
    """float32 [D,4], map by map, row by row, place by place, size by size."""
    found = []
    for stride, sizes in zip(STRIDES, SIZES, strict=True):
        centres = (np.arange(SIDE // stride, dtype=np.float32) + 0.5) * stride
        y, x, size = np.meshgrid(centres, centres, np.array(sizes, np.float32), indexing="ij")
        found.append(np.stack((x, y, size, size), axis=-1).reshape(-1, 4))
    return np.concatenate(found)


def encode(boxes: np.ndarray, defaults: np.ndarray) -> np.ndarray:
    """Boxes [D,4] relative to default boxes [D,4], as the net tells them."""
    moves = (boxes[:, :2] - defaults[:, :2]) / (SHIFT * defaults[:, 2:])
    return np.concatenate((moves, np.log(boxes[:, 2:] / defaults[:, 2:]) / SCALE), axis=1)


def decode(told: np.ndarray, defaults: np.ndarray) -> np.ndarray:
    """The inverse of `encode`."""
    centres = defaults[:, :2] + told[:, :2] * SHIFT * defaults[:, 2:]
    return np.concatenate((centres, defaults[:, 2:] * np.exp(np.clip(told[:, 2:] * SCALE, -8, 8))), axis=1)


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box [4] with others [N,4], float [N]; 0 where they do not meet."""
    low = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    both = np.prod(np.maximum(high - low, 0.0), axis=1)
    found: np.ndarray = both / (np.prod(box[2:]) + np.prod(others[:, 2:], axis=1) - both)
    return found


def kept_boxes(boxes: np.ndarray, scores: np.ndarray, most: float) -> np.ndarray:
    """Non-maximum suppression: which of boxes [N,4], taken by falling scores [N], share no more than ``most`` (IoU) with one
    that was kept before. Returns indices, the highest score first."""
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][iou(boxes[left[0]], boxes[left[1:]]) <= most]
    return np.array(kept, np.int64)
