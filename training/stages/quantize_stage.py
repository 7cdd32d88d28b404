"""Training a net that computes on 8-bit integers: its roundings are in the loop, and the floating-point net teaches it.

Knows where the steps come from (positions of the training games) and what the weights file keeps of them. The scheme is
in `goengine.nets.quantize`, the losses are those of distillation. Does not export: shipping does.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine.nets import quantize, weights_file
from training.core.checkpoint import Counters, RunError, plain
from training.core.command_options import QuantizeOptions
from training.core.loop import Trainer
from training.stages.supervised import DistillStage, loop_config


class QuantizeStage(DistillStage):
    """Positions of packed games, seen by a net that rounds and by its teacher, which does not."""

    def __init__(self, config: QuantizeOptions, module: nn.Module, teacher: weights_file.Checkpoint):
        super().__init__(config, module, teacher)
        batches = self.batches(0)
        count = -(-config.calibration // config.batch)
        quantize.calibrate(module, ((batch["planes"], batch["globals"]) for batch in itertools.islice(batches, count)))
        batches.close()
        self.places = list(quantize.steps(module))

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net in the form of its spec, and its steps."""
        steps = {place: [float(arrays[f"{place}.step"]), int(arrays[f"{place}.zero"])] for place in self.places}
        self.card[quantize.KEY] = {"steps": steps}
        super().save_net(path, quantize.unfolded(arrays, self.spec), counters, figures)


def run(config: QuantizeOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does.

    Raises RunError if the net was trained with rounding already.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    source = weights_file.load(config.weights)
    if quantize.KEY in source.meta.data:
        raise RunError(f"--weights {config.weights}: rounds already; begin with the net that it was made from")
    teacher = source if config.teacher is None else weights_file.load(config.teacher)
    module = quantize.prepare(source.module())
    described = {"options": plain(config), "spec": dataclasses.asdict(source.spec)}
    bound = {"teacher": teacher.meta.sha256, "net": source.meta.sha256}
    stage = QuantizeStage(config, module, teacher)
    stage.card |= {"quantized_from": source.meta.sha256}
    return Trainer(config.run, module, stage, loop_config(config), described=described, bound=bound, began=began).run()
