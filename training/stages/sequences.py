"""Training models of move tokens: a recurrent one, a decoder, and one that sees a position through a finished net's trunk.

The trunk is computed by OpenVINO, as it plays, and does not learn; the lines' ranks are hidden now and then, as for ranked
nets.
Knows the loss, cross-entropy over the moves of people; legal moves are a matter of measuring and playing.
"""

import dataclasses
import itertools
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from goengine.evaluators.load import graph_of
from goengine.nets.sequence import sequence_file, sequence_model
from goengine.nets.sequence.sequence_spec import SequenceSpec
from goengine.ranks.inputs import UNKNOWN
from goengine.sequence.lines import HEADS
from training.core.checkpoint import Counters, plain
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Numbers, Stage
from training.core.rank_options import SequenceOptions
from training.core.setup import Setup
from training.data import packs, ranked
from training.data.sampling import Draw, unit
from training.data.sequences import BEFORE, NOTHING, LineSampler, TokenGames
from training.data.stream import Sampler
from training.measure import by_rank
from training.measure.sequence_logits import TrunkMemory, of_sequence
from training.stages.supervised import loop_config


def losses(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(mean cross-entropy in nats, share of moves that were the likeliest) over the moves that are learned."""
    known = targets != NOTHING
    flat, wanted = logits[known].float(), targets[known]
    return F.cross_entropy(flat, wanted), (flat.argmax(1) == wanted).float().mean()


class SequenceStage(Stage):
    """Lines of ranked games; measured by band on those held out."""

    unit = "line"

    def __init__(self, config: SequenceOptions, spec: SequenceSpec):
        self.config, self.spec = config, spec
        learned, held = ranked.split(packs.load(config.data))
        chosen = ranked.drawn_positions(learned, config.drawn, config.seed)
        draw = Draw(config.seed, int(config.symmetries), 1, 0.0)
        self.lines = LineSampler(TokenGames.of(learned), spec, draw, chosen)
        self.memory = TrunkMemory(spec.trunk) if spec.trunk else None
        self.boards = None if self.memory is None else Sampler(learned, self.memory.features, draw, chosen=chosen)
        self.held, self.moves = held, by_rank.measured_moves(held, config.validation_positions)
        self.card: dict[str, Any] = {"packs": [path.name for path in config.data], "games": len(learned.size)}

    def batches(self, first_sample: Numbers) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on."""
        numbers = itertools.count(first_sample, self.config.batch) if isinstance(first_sample, int) else first_sample
        for number in numbers:
            yield self.batch(number)

    def batch(self, first: int) -> dict[str, np.ndarray]:
        """The batch that begins with that sample."""
        found = dict(self.lines.batch(first, self.config.batch))
        for row in range(self.config.batch):
            for side in (0, 1):
                if unit(self.config.seed, first + row, 40 + side) < ranked.HIDDEN:
                    found["ranks"][row, side] = 0
                    found["ranks"][row, side, UNKNOWN] = 1
        if self.memory is not None and self.boards is not None:
            found["features"] = self.memory.of_sampler(self.boards, first, self.config.batch)
        return found

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Cross-entropy of the moves of people."""
        inputs = [batch[name] for name in ("tokens", "colors", "turn", "ranks", "features") if name in batch]
        loss, top1 = losses(module(*inputs), batch["targets"])
        return loss, {"policy": loss.detach(), "top1": top1.detach()}

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """Bits and top-1 of the held-out moves of each band, over legal moves."""
        logits = of_sequence(module, self.spec, self.memory)(self.held, self.moves.positions)
        found = by_rank.by_band(logits, self.moves)
        return by_rank.told(found)

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged model."""
        card = {**self.card, "samples": counters.samples, "seconds": round(counters.seconds, 1), "validation": dict(figures)}
        sequence_file.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=card)


def setup(config: SequenceOptions) -> Setup:
    """What the stage trains."""
    channels = graph_of(config.trunk)[0].spec.widths[-1] if config.trunk else 0
    longest = config.longest or (HEADS + BEFORE + config.ahead if config.trunk else 320)
    spec = SequenceSpec(config.kind, config.width, config.layers, config.heads, longest, channels, config.trunk)
    stage, module = SequenceStage(config, spec), sequence_model.build(spec, config.seed)
    described = {"options": plain(config), "spec": dataclasses.asdict(spec)}
    return Setup(config.run, module, stage, loop_config(config), described)


def run(config: SequenceOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does."""
    if config.threads:
        torch.set_num_threads(config.threads)
    return setup(config).trainer(began).run()
