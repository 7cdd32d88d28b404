"""The loss of a detector: focal for what default boxes hold, smooth L1 for where it is, cross-entropy for the sides.

Lin et al., Focal Loss for Dense Object Detection, 2017; Girshick, Fast R-CNN, 2015. Knows tensors.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from goengine.vision.default_boxes import BOARD, IGNORED
from training.detection.detector import Detected

FOCUS: Final = 2.0  # the power with which sure answers count less
HELD: Final = 0.5  # weight of boxes that hold something; the rest of 1 is that of those that do not
SIDES: Final = 0.3  # weight


class Targets(NamedTuple):
    """target int64 [B,D]: class, NOTHING or IGNORED; boxes float32 [B,D,4] as told; sides float32 [B,D,4], 0 or 1."""

    target: Tensor
    boxes: Tensor
    sides: Tensor


def focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Focal loss of each logit; wanted: 0 or 1, of the same shape."""
    plain = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    missed = torch.sigmoid(torch.where(wanted > 0.5, -logits, logits))  # probability of the wrong answer
    found: Tensor = torch.where(wanted > 0.5, HELD, 1 - HELD) * missed.pow(FOCUS) * plain
    return found


def detection_loss(told: Detected, targets: Targets) -> tuple[Tensor, dict[str, Tensor]]:
    """(loss, its parts detached), of a batch; each part is a mean over the default boxes that hold something."""
    target = targets.target
    held = target >= 0
    count = held.sum().clamp(min=1)
    wanted = F.one_hot(target.clamp(min=0), told.classes.shape[2]).float() * held[..., None]
    classes = (focal(told.classes, wanted) * (target != IGNORED)[..., None]).sum() / count
    boxes = F.smooth_l1_loss(told.boxes[held], targets.boxes[held], reduction="sum") / (4 * count)
    points = held & (target != BOARD)
    sides = F.binary_cross_entropy_with_logits(told.sides[points], targets.sides[points], reduction="sum") / count
    right = (told.classes.argmax(2) == target)[held].float().mean()
    loss = classes + boxes + SIDES * sides
    return loss, {"classes": classes.detach(), "boxes": boxes.detach(), "sides": sides.detach(), "right": right.detach()}
