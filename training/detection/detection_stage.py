"""Training a detector on pictures that are drawn while it learns: each sample has a number, and the number says the picture.

Knows the loop's protocol; the pictures are in `samples`, the loss in `detection_loss`, the net in `detector`.
"""

from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine.vision.default_boxes import BOARD, CLASSES, IGNORED, decode, default_boxes, encode, kept_boxes
from training.core.checkpoint import Counters, plain
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Stage, Trainer
from training.detection import detector_file
from training.detection.average_precision import AveragePrecision
from training.detection.detection_loss import Targets, detection_loss
from training.detection.detection_options import DetectorOptions
from training.detection.detector import DetectorSpec, build
from training.detection.matching import match
from training.detection.samples import Sample, sample
from training.detection.truths import Truths
from training.stages.supervised import loop_config

HELD_OUT = 1 << 40  # sample numbers from here on are only measured
SEEN, OVERLAP = 0.05, 0.45  # boxes that are measured: how sure at least, and IoU with a surer one at most


class DetectionStage(Stage):
    """Drawn pictures with the boxes on them."""

    unit = "pictures"

    def __init__(self, config: DetectorOptions):
        self.config = config
        self.spec = DetectorSpec(config.channels, config.blocks, config.expansion)
        self.defaults = default_boxes()

    def batches(self, first_sample: int) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on."""
        while True:
            yield self._batch([sample(self.config.seed, first_sample + i) for i in range(self.config.batch)])
            first_sample += self.config.batch

    def _batch(self, samples: list[Sample]) -> dict[str, np.ndarray]:
        told = [self._told(one.truths) for one in samples]
        planes = np.stack([one.pixels.transpose(2, 0, 1) for one in samples])
        return {"planes": planes, **{name: np.stack([one[name] for one in told]) for name in told[0]}}

    def _told(self, truths: Truths) -> dict[str, np.ndarray]:
        """What each default box should tell of a picture."""
        index, target = match(truths.boxes, truths.classes, self.defaults)
        boxes, sides = np.zeros((len(target), 4), np.float32), np.zeros((len(target), 4), np.float32)
        held = np.flatnonzero(target >= 0)
        boxes[held] = encode(truths.boxes[index[held]], self.defaults[held])
        sides[held] = truths.sides[index[held]]
        return {"target": target, "boxes": boxes, "sides": sides}

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a detector."""
        return detection_loss(module(batch["planes"]), Targets(batch["target"], batch["boxes"], batch["sides"]))

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """Average precision of each class and their mean, on pictures that are drawn for nothing else."""
        figures = [AveragePrecision() for _ in CLASSES]
        for number in range(self.config.validation_pictures):
            drawn = sample(self.config.seed, HELD_OUT + number)
            with torch.inference_mode(), device_feed.autocast():
                told = module(device_feed.put({"planes": drawn.pixels.transpose(2, 0, 1)[None].copy()})["planes"])
            scores = torch.sigmoid(told.classes[0]).cpu().numpy()
            boxes = decode(told.boxes[0].cpu().numpy(), self.defaults)
            measure(figures, drawn.truths, scores, boxes)
        values = {f"precision_{name}": figure.value() for name, figure in zip(CLASSES, figures, strict=True)}
        known = [value for value in values.values() if np.isfinite(value)]
        return {"precision": float(np.mean(known)), **{name: value for name, value in values.items() if np.isfinite(value)}}

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net."""
        card = {"pictures": counters.samples, "seconds": round(counters.seconds, 1), "figures": dict(figures)}
        detector_file.save(path, arrays, self.spec, card)


def measure(figures: list[AveragePrecision], truths: Truths, scores: np.ndarray, boxes: np.ndarray) -> None:
    """Add a picture to the figures of all classes. scores [D,classes], boxes [D,4]. What lies where nothing is asked is
    left out."""
    unasked = truths.boxes[truths.classes == IGNORED]
    for kind, figure in enumerate(figures):
        sure = np.flatnonzero(scores[:, kind] >= SEEN)
        kept = sure[kept_boxes(boxes[sure], scores[sure, kind], OVERLAP)]
        if kind != BOARD:
            for x, y, width, height in unasked:
                away = np.abs(boxes[kept, :2] - (x, y)) * 2
                kept = kept[(away >= (width, height)).any(axis=1)]
        figure.add(truths.boxes[truths.classes == kind], boxes[kept], scores[kept, kind])


def run(config: DetectorOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does."""
    if config.threads:
        torch.set_num_threads(config.threads)
    stage = DetectionStage(config)
    module = build(stage.spec, config.seed)
    described = {"options": plain(config), "spec": asdict(stage.spec)}
    return Trainer(config.run, module, stage, loop_config(config), described=described, began=began).run()
