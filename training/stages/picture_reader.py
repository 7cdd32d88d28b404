"""Training of the reader's nets on drawn pictures; each picture is drawn when it is needed, and never again."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.core.checkpoint import Counters, RunError, plain
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Numbers, Stage, Trainer
from training.pictures import nets, reader_file, samples
from training.pictures.nets import CELL, ReaderSpec
from training.pictures.reader_options import ReaderOptions
from training.stages.supervised import loop_config

WIDTHS = {"segment": ReaderSpec().widths, "crossings": (24, 32, 48, 96)}
ACROSS = 21  # crossings of a straightened board in a batch, with those around it: smaller ones are filled up, larger ones cut
HELD_OUT = 1 << 32  # added to the seed for pictures that are only measured
PEAKS = 4.0  # how much more a crossing's middle weighs than a place between crossings
LAST = 0.2  # weight of the mark on the last stone


class ReaderStage(Stage):
    """Drawn pictures without end."""

    unit: ClassVar[str] = "pictures"

    def __init__(self, config: ReaderOptions, spec: ReaderSpec, before: Mapping[str, Any] | None = None):
        """before: the story of the net that the run begins with."""
        self.config, self.spec, self.before = config, spec, before

    def _batch(self, seed: int, first: int, count: int) -> dict[str, np.ndarray]:
        make = _segment_batch if self.spec.kind == "segment" else _crossings_batch
        return make(seed, range(first, first + count))

    def batches(self, first_sample: Numbers) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on."""
        if not isinstance(first_sample, int):
            raise RunError("pictures are drawn by the process that learns from them")
        while True:
            yield self._batch(self.config.seed, first_sample, self.config.batch)
            first_sample += self.config.batch

    def loss(self, module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropies of the maps and of the stones."""
        out = module(batch["pixels"].float().contiguous(memory_format=torch.channels_last)).float()
        return (_segment_loss if self.spec.kind == "segment" else _crossings_loss)(out, batch)

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """The same figures on other pictures."""
        sums: dict[str, float] = {}
        total = -(-self.config.validation_pictures // self.config.batch)
        for number in range(total):
            batch = device_feed.put(self._batch(self.config.seed + HELD_OUT, number * self.config.batch, self.config.batch))
            with torch.inference_mode(), device_feed.autocast():
                loss, figures = self.loss(module, batch)
            for name, value in {"loss": loss, **figures}.items():
                sums[name] = sums.get(name, 0.0) + float(value) / total
        return sums

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net with what it was made of."""
        story = {
            "pictures": counters.samples,
            "seconds": round(counters.seconds, 1),
            "figures": dict(figures),
            "config": plain(self.config),
            "before": self.before,
        }
        reader_file.save(path, arrays, self.spec, story)


def _segment_batch(seed: int, numbers: range) -> dict[str, np.ndarray]:
    drawn = [samples.segment_sample(seed, number) for number in numbers]
    return {
        "pixels": np.stack([sample.pixels for sample in drawn]).transpose(0, 3, 1, 2),
        "maps": np.stack([sample.maps for sample in drawn]),
        "stones": np.stack([sample.stones for sample in drawn]),
    }


def _crossings_batch(seed: int, numbers: range) -> dict[str, np.ndarray]:
    pixels = np.zeros((len(numbers), ACROSS * CELL, ACROSS * CELL, 3), np.uint8)
    stones = np.full((len(numbers), ACROSS, ACROSS), samples.IGNORED, np.int8)
    last = np.zeros((len(numbers), ACROSS, ACROSS), np.uint8)
    for place, number in enumerate(numbers):
        drawn = samples.crossings_sample(seed, number, CELL)
        part = drawn.pixels[: ACROSS * CELL, : ACROSS * CELL]
        pixels[place, : part.shape[0], : part.shape[1]] = part
        rows, columns = (min(side, ACROSS - 1) for side in drawn.stones.shape)
        stones[place, 1 : rows + 1, 1 : columns + 1] = drawn.stones[:rows, :columns]
        last[place, 1 : rows + 1, 1 : columns + 1] = drawn.last[:rows, :columns]
    return {"pixels": pixels.transpose(0, 3, 1, 2), "stones": stones, "last": last}


def _stones_loss(logits: Tensor, stones: Tensor) -> tuple[Tensor, Tensor]:
    """(cross-entropy where stones are known, share of wrong answers there)."""
    known = stones.long()
    loss = F.cross_entropy(logits, known, ignore_index=samples.IGNORED, reduction="sum")
    count = (known >= 0).sum().clamp(min=1)
    wrong = ((logits.argmax(1) != known) & (known >= 0)).sum() / count
    return loss / count, wrong


def _segment_loss(out: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    truth = batch["maps"].float() / 255
    each = F.binary_cross_entropy_with_logits(out[:, :3], truth, reduction="none")
    board, crossing, edge = each[:, 0].mean(), (each[:, 1] * (1 + PEAKS * truth[:, 1])).mean(), each[:, 2].mean()
    stones, wrong = _stones_loss(out[:, 3:], batch["stones"])
    seen, real = out[:, 0] > 0, truth[:, 0] > 0.5
    iou = (seen & real).sum() / (seen | real).sum().clamp(min=1)
    figures = {"board": board, "crossing": crossing, "edge": edge, "stones": stones, "wrong": wrong, "iou": iou}
    return board + 2 * crossing + edge + 0.5 * stones, {name: value.detach() for name, value in figures.items()}


def _crossings_loss(out: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    stones, wrong = _stones_loss(out[:, :3], batch["stones"])
    known = batch["stones"] >= 0
    last = F.binary_cross_entropy_with_logits(out[:, 3][known], batch["last"].float()[known])
    return stones + LAST * last, {"stones": stones.detach(), "wrong": wrong, "last": last.detach()}


def run(config: ReaderOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does."""
    if config.threads:
        torch.set_num_threads(config.threads)
    spec = ReaderSpec(config.net, config.levels() or WIDTHS[config.net])
    module, before = nets.build(spec, config.seed), None
    if config.start is not None:
        module, spec, before = reader_file.load(config.start)
        if spec.kind != config.net:
            raise RunError(f"--start {config.start} is a net for {spec.kind}, not for {config.net}")
    module = module.to(memory_format=torch.channels_last)
    described = {"options": plain(config), "spec": plain(spec)}
    stage = ReaderStage(config, spec, before)
    return Trainer(config.run, module, stage, loop_config(config), described=described, bound={}, began=began).run()
