"""The stages of training: what each one feeds the loop and writes down.

Knows the supervised stage: positions of recorded games, their next move and their result. Each stage is a dataclass of options plus a
`Stage` for `training.loop`. Does not know the loop's inside.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.nets import build, checkpoint, spec
from goengine.options import Seconds, option
from training import packs
from training.checkpoint import Counters, RunError, plain
from training.data import Sampler, pinned, stream
from training.evaluate import Predictions, measure_with
from training.loop import Batch, LoopConfig, Place, Trainer
from training.losses import LossWeights, total_loss
from training.optimizers import Name, OptimizerConfig
from training.sampling import Draw
from training.schedule import Schedule


@dataclass(frozen=True)
class Supervised:
    """Train a net to predict the moves and results of recorded games; the same command goes on where a run stopped."""

    data: tuple[Path, ...] = option(help="packed games (see the command pack)")
    run: Path = option(help="folder of the run: checkpoints, log, the net")
    validation: Path | None = option(None, "packed games that are only measured")
    net: str = option("b4c64", "a preset's name for a fresh net, or a weights file to begin with")
    features: str = option("zero", "feature set of a fresh net")
    budget: Seconds | None = option(None, "stop after this time of training, 25m or 2h; the learning rate falls towards it")
    steps: int | None = option(None, "stop after so many steps; with both, whichever comes first")
    batch: int = option(256, "positions per step")
    optimizer: Name = option("sgd", "kind of optimizer")
    rate: float | None = option(None, "peak learning rate; each optimizer has its own default")
    decay: float | None = option(None, "weight decay; each optimizer has its own default")
    warmup: float = option(0.01, "share of the run in which the rate rises")
    clip: float = option(4.0, "longest gradient")
    average: float = option(0.999, "decay of the averaged weights, which are the result")
    value_weight: float = option(LossWeights.value, "weight of the result in the loss")
    score_weight: float = option(LossWeights.score, "weight of the score")
    ownership_weight: float = option(LossWeights.ownership, "weight of who owns each point at the end")
    vary: float = option(0.5, "share of samples shown under other rules and komi, with the result they give")
    symmetries: bool = option(True, "show each position through a random symmetry")
    seed: int = option(1, "of the first weights and of the order of samples")
    threads: int | None = option(None, "threads of the net on a CPU; by default all cores")
    workers: int = option(1, "threads that make batches")
    device: str = option("auto", "cpu, cuda, cuda:1; auto takes a GPU where there is one")
    half: bool = option(True, "compute in bfloat16")
    compile: bool = option(False, "let torch compile the net first; worth it on a GPU only")
    save_every: Seconds = option(Seconds(300), "time between checkpoints")
    validate_every: Seconds = option(Seconds(600), "time between measurements")
    validation_positions: int = option(4096, "positions of a measurement")
    log_every: int = option(50, "steps between two lines of the log")

    def __post_init__(self):
        Schedule(self.steps, self.budget, self.warmup)
        if self.batch < 1 or self.workers < 1:
            raise ValueError("batch and workers must be at least 1")

    def device_name(self) -> str:
        """The device in torch's words."""
        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def loop(self) -> LoopConfig:
        """The loop's part of the options."""
        return LoopConfig(
            batch=self.batch, schedule=Schedule(self.steps, self.budget, self.warmup),
            optimizer=OptimizerConfig(self.optimizer, self.rate, self.decay), clip=self.clip, average=self.average, compile=self.compile,
            device=self.device_name(), half=self.half, save_every=self.save_every, validate_every=self.validate_every,
            log_every=self.log_every)

    def weights(self) -> LossWeights:
        """The loss's part of the options."""
        return LossWeights(value=self.value_weight, score=self.score_weight, ownership=self.ownership_weight)


def fresh_or_loaded(net: str, feature_name: str, seed: int) -> build.Net:
    """A preset's net with new weights, or the net in a weights file. Raises RunError if `net` is neither."""
    if net in spec.PRESETS:
        chosen = features.get(feature_name)
        return build.build(spec.preset(net, chosen.name, chosen.planes, chosen.globals), seed)
    if not Path(net).exists():
        raise RunError(f"--net {net}: neither a preset ({', '.join(spec.PRESETS)}) nor a weights file")
    return checkpoint.load(net).module().train()


class GamesStage:
    """Positions of packed games with their moves and results, for `training.loop`."""

    def __init__(self, config: Supervised, module: build.Net):
        self.config, self.spec = config, module.spec
        self.weights = config.weights()
        chosen = features.get(module.spec.features)
        games = packs.load(config.data)
        self.card = {"packs": [path.name for path in config.data], "games": len(games.size), "positions": int(games.moves.size)}
        self.sampler = Sampler(games, chosen, Draw(config.seed, int(config.symmetries), 1, config.vary))
        self.held_out = None
        if config.validation is not None:
            self.held_out = Sampler(packs.load((config.validation,)), chosen, Draw(0, symmetries=0, shuffle=1, vary=0.0))

    def batches(self, first_sample: int) -> Iterator[Mapping[str, np.ndarray]]:
        """Batches from that sample on."""
        allocate = pinned if self.config.device_name().startswith("cuda") else np.zeros
        for targets in stream(self.sampler, self.config.batch, first_sample, threads=self.config.workers, allocate=allocate):
            yield targets._asdict()

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of all targets. Boards fill the planes, because a sampler has one size."""
        return total_loss(module(batch["planes"], batch["globals"], True), batch, self.weights)

    def validate(self, module: nn.Module, place: Place) -> dict[str, float]:
        """Figures on the held-out games."""
        if self.held_out is None:
            return {}
        count = min(self.config.validation_positions, self.held_out.games.moves.size)
        figures = measure_with(predictor(module, place), self.held_out, count, self.config.batch).as_dict()
        del figures["positions"]
        return figures

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net with its configuration and data card."""
        card = {**self.card, "samples": counters.samples, "seconds": round(counters.seconds, 1), "validation": {name: value for name, value in figures.items() if np.isfinite(value)}}
        checkpoint.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=card)


def predictor(module: nn.Module, place: Place):
    """A torch module as a function from numpy to `Predictions`."""

    def predict(planes: np.ndarray, values: np.ndarray) -> Predictions:
        batch = place.put({"planes": planes, "globals": values})
        with torch.inference_mode(), place.autocast():
            output = module(batch["planes"], batch["globals"], True)
        value = torch.tanh(output.value.float() / 2)
        return Predictions(*(part.float().cpu().numpy() for part in (output.policy, value, output.score)))

    return predict


def supervised(config: Supervised) -> bool:
    """Run the stage. Returns whether the run is complete (False: stopped by a signal, everything saved)."""
    if config.threads:
        torch.set_num_threads(config.threads)
    module = fresh_or_loaded(config.net, config.features, config.seed)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    return Trainer(config.run, module, GamesStage(config, module), config.loop(), described=described).run()
