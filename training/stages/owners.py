"""Training a head that divides the board on a finished net's trunk.

OpenVINO computes the trunk in the form in which the net plays, once for each batch, and torch trains the head alone: that costs
little more than playing. Knows the losses of both divisions; not what a head is worth in counting games (`training.measure`).
"""

import dataclasses
from collections.abc import Generator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from goengine import features
from goengine.evaluators.graph import Graph, read_model
from goengine.evaluators.load import graph_of
from goengine.evaluators.trunk_heads import TRUNK, trunk_alone
from goengine.nets import owners_head, weights_file
from training.core.checkpoint import Counters, RunError, plain
from training.core.command_options import board_shares
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Stage, Trainer
from training.core.owner_options import OwnersOptions
from training.data.final_owners import FinalOwners
from training.data.sampling import Draw, Targets
from training.data.stream import Mixture, Sampler, stream
from training.measure.segments import new_confusions, point_classes, stone_classes
from training.stages.supervised import loop_config


class OwnersStage(Stage):
    """Late positions of labelled games, as the trunk of a net sees them."""

    def __init__(self, config: OwnersOptions):
        card, graph, weights = graph_of(config.net)
        self.config, self.net = config, card
        self.spec = owners_head.head_spec(config.head, card.spec)
        self.trunk = Graph(trunk_alone(read_model(graph, weights)), config.threads or 0)
        draw = Draw(config.seed, int(config.symmetries), 1, config.vary)
        self.games = load_labels(config.labels)
        samplers = self._samplers(self.games, draw)
        shares = board_shares(config.sizes) or {size: len(sampler.chosen) for size, sampler in samplers.items()}
        if missing := set(shares) - set(samplers):
            raise RunError(f"--sizes asks for board size {min(missing)}; the labels have {', '.join(map(str, samplers))}")
        self.source = Mixture([samplers[size] for size in shares], list(shares.values()))
        self.held_out = self._samplers(load_labels(config.validation), Draw(0, symmetries=0, shuffle=1, vary=0.0))

    def _samplers(self, games: Mapping[int, FinalOwners], draw: Draw) -> dict[int, Sampler]:
        chosen = features.get(self.net.spec.features)
        return {size: Sampler(part.to_games(), chosen, draw, chosen=part.positions()) for size, part in games.items()}

    def _seen(self, targets: Targets) -> dict[str, np.ndarray]:
        own, other = targets.planes[:, 1] > 0, targets.planes[:, 2] > 0
        return {
            "seen": self.trunk(targets.planes, targets.globals)[TRUNK],
            "points": point_classes(targets.owner),
            "stones": stone_classes(targets.owner, own, other),
        }

    def batches(self, first_sample: int) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on."""
        for targets in stream(self.source, self.config.batch, first_sample):
            if targets is not None:
                yield self._seen(targets)

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Cross-entropy of the points' owners, and of the stones' fate."""
        out = module(batch["seen"])
        points = F.cross_entropy(out.points, batch["points"])
        stones = F.cross_entropy(out.stones, batch["stones"], reduction="sum") / (batch["stones"] >= 0).sum().clamp(min=1)
        right = (out.points.argmax(1) == batch["points"]).float().mean()
        loss = points + self.config.stones_weight * stones
        return loss, {"points": points.detach(), "stones": stones.detach(), "right": right}

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """IoU of each class on the held-out positions of each board size."""
        return {
            f"{name}_{size}": value
            for size, sampler in self.held_out.items()
            for name, value in self._iou(module, device_feed, sampler).items()
        }

    def _iou(self, module: nn.Module, device_feed: DeviceFeed, sampler: Sampler) -> dict[str, float]:
        points, stones = new_confusions()
        batch, total = self.config.batch, min(self.config.validation_positions, len(sampler.chosen))
        for first in range(0, total, batch):
            seen = self._seen(sampler.batch(first, min(batch, total - first)))
            with torch.inference_mode(), device_feed.autocast():
                out = module(device_feed.put({"seen": seen["seen"]})["seen"])
            points.add(seen["points"], out.points.argmax(1).cpu().numpy())
            stones.add(seen["stones"], out.stones.argmax(1).cpu().numpy())
        return {name: value for name, value in (points.iou() | stones.iou()).items() if np.isfinite(value)}

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged head, with the net that it stands on and its figures."""
        data = {
            "net": self.net.name,
            "net_sha256": self.net.files["net.safetensors"],
            "games": {str(size): len(part) for size, part in self.games.items()},
            "samples": counters.samples,
            "seconds": round(counters.seconds, 1),
            "iou": dict(figures),
        }
        form = weights_file.OWNERS_FORMAT
        weights_file.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=data, form=form)


def load_labels(paths: tuple[Path, ...]) -> dict[int, FinalOwners]:
    """The games of files of labels by board size. Raises RecordError as `FinalOwners.load` does."""
    found: dict[int, list[FinalOwners]] = {}
    for path in paths:
        part = FinalOwners.load(path)
        found.setdefault(int(part.games.size[0]), []).append(part)
    return {size: FinalOwners.join(parts) for size, parts in sorted(found.items())}


def run(config: OwnersOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does."""
    if config.threads:
        torch.set_num_threads(config.threads)
    stage = OwnersStage(config)
    module = owners_head.build(stage.spec, config.seed)
    described = {"options": plain(config), "spec": dataclasses.asdict(stage.spec)}
    bound = {"net": stage.net.files["net.safetensors"]}
    return Trainer(config.run, module, stage, loop_config(config), described=described, bound=bound, began=began).run()
