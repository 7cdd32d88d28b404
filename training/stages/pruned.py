"""Training what is left of a net that was cut, taught by the net as it was; and the weights that stay cut meanwhile.

Knows one training (`retrained`), its figures before and after, and which of a layer's weights are small (`small_weights`).
Which nets are made, and how far they are cut, is `training.laboratory`'s business.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from goengine.nets import quantize, weights_file
from goengine.nets.build import Net
from training.core.checkpoint import Counters, RunError, plain, write_text
from training.core.command_options import TaughtOptions, TrainingOptions
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Trainer
from training.stages.supervised import DistillStage, GamesStage, computes_half, device_name, freeze_norms_if_wanted, loop_config

BEFORE, RESULT = "before.json", "result.json"  # figures of a training in its folder: at its begin, and once it is over
WHOLE = "whole.json"  # figures of the net before anything was cut, in a run's folder
NET = "net.safetensors"  # that it leaves
Masks = Mapping[str, np.ndarray]  # by parameter: 1 where a weight stays, 0 where it is cut


class PrunedStage(DistillStage):
    """Positions of packed games with a teacher's answers, for a net some of whose weights stay 0."""

    def __init__(self, config: TaughtOptions, module: Net, teacher: weights_file.Checkpoint, masks: Masks | None = None):
        super().__init__(config, module, teacher)
        self._masks = {name: torch.from_numpy(np.asarray(mask, np.float32)) for name, mask in (masks or {}).items()}
        self._weights = dict(module.named_parameters())

    def _cut(self, module: Net | None = None) -> None:
        """Set the cut weights to 0 again; an optimizer's step may have moved them."""
        weights = self._weights if module is None else dict(module.named_parameters())
        with torch.no_grad():
            for name, mask in self._masks.items():
                weights[name].mul_(mask.to(weights[name].device))

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """As of the teacher's students."""
        self._cut()
        return super().loss(module, batch)

    def validate(self, module: Net, device_feed: DeviceFeed) -> dict[str, float]:  # type: ignore[override]  # as its base
        """Figures on held-out games."""
        self._cut(module)
        return super().validate(module, device_feed)

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net without the cut weights."""
        masks = {name: mask.numpy() for name, mask in self._masks.items()}
        super().save_net(path, {n: a * masks[n] if n in masks else a for n, a in arrays.items()}, counters, figures)


class Result(NamedTuple):
    """Figures of a training: on held-out games before and after it (top1, value_mse ...), and samples seen."""

    before: dict[str, float]
    after: dict[str, float]
    samples: int


def small_weights(net: Net, alpha: float, spared: int = 0) -> dict[str, np.ndarray]:
    """1 for each weight of a convolution or linear layer of at least alpha standard deviations of its layer, else 0; layers of
    fewer weights than `spared` are left whole and are not among them."""
    found = {}
    for name, parameter in net.named_parameters():
        if parameter.ndim >= 2 and parameter.numel() >= spared:
            weights = parameter.detach().numpy()
            found[name] = (np.abs(weights) >= alpha * weights.std()).astype(np.float32)
    return found


def shares_removed(masks: Masks) -> dict[str, float]:
    """Share of weights that is cut, by layer, and of all together under 'all'."""
    shares = {name.removesuffix(".weight"): 1 - float(mask.mean()) for name, mask in masks.items()}
    cut, every = sum(float((1 - mask).sum()) for mask in masks.values()), sum(mask.size for mask in masks.values())
    return {**shares, "all": cut / max(every, 1)}


def source_of(path: Path, option: str = "--weights") -> weights_file.Checkpoint:
    """The net that is to be cut. Raises RunError if it was trained with roundings, WeightsError if it cannot be read."""
    source = weights_file.load(path)
    if quantize.KEY in source.meta.data:
        raise RunError(f"{option} {path}: rounds already; begin with the net that it was made from")
    return source


def measured(stage: GamesStage, module: Net) -> dict[str, float]:
    """A net's figures on the held-out games of the stage."""
    device_feed = DeviceFeed(device_name(stage.config), computes_half(stage.config))
    module.to(device_feed.device).eval()
    with torch.inference_mode():
        figures = stage.validate(module, device_feed)
    module.train()
    return figures


def retrained(config: TrainingOptions, stage: GamesStage, module: Net, source: str, bound: Mapping[str, str]) -> Result | None:
    """Train a net in `config.run` for `config.steps` and leave its figures there; what is over is not trained again.

    source: where the net comes from, as of `freeze_norms_if_wanted`; bound: as of `Trainer`. None: stopped by a signal.
    """
    begun, told = config.run / BEFORE, config.run / RESULT
    if (found := finished(config.run)) is not None:
        return found
    if not begun.exists():
        config.run.mkdir(parents=True, exist_ok=True)
        write_text(begun, json.dumps(measured(stage, module)))
    before = json.loads(begun.read_text(encoding="utf-8"))
    freeze_norms_if_wanted(module, source, config, stage)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    trainer = Trainer(config.run, module, stage, loop_config(config), described=described, bound=bound)
    if not trainer.run():
        return None
    after = measured(stage, weights_file.load(config.run / NET).module())
    result = Result(before, after, trainer.counters.samples)
    write_text(told, json.dumps(result._asdict()))
    return result


def finished(folder: Path) -> Result | None:
    """The result of a training that is over, None of any other."""
    told = folder / RESULT
    return Result(**json.loads(told.read_text(encoding="utf-8"))) if told.exists() else None


def as_it_was(config: TrainingOptions, path: Path) -> dict[str, float]:
    """Figures of the net before anything was cut, on the held-out games; measured once."""
    told = config.run / WHOLE
    if not told.exists():
        config.run.mkdir(parents=True, exist_ok=True)
        module = source_of(path).module()
        write_text(told, json.dumps(measured(GamesStage(config, module), module)))
    found: dict[str, float] = json.loads(told.read_text(encoding="utf-8"))
    return found
