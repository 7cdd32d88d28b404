"""The stages of training: what each one feeds the loop and writes down.

Knows the supervised stage (positions of recorded games, their next move and their result) and distillation (the same
positions with what a teacher says of them). A stage is a `Stage` for `training.core.loop`; its options are in
`training.core.command_options`. Does not know the loop's inside.
"""

import dataclasses
import importlib.util
from collections.abc import Callable, Collection, Generator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.core.machine import cpu_has, usable_cores
from goengine.nets import architecture, build, devices, process_sums, spec, weights_file
from goengine.nets.norms import freeze_batch_norm
from training.core import launch, parallel
from training.core.checkpoint import Counters, RunError, plain
from training.core.command_options import (
    DistillOptions,
    LearningOptions,
    LoopedOptions,
    SupervisedOptions,
    TaughtOptions,
    TrainingOptions,
    board_shares,
    keeps_norms,
)
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import LoopConfig, Numbers, Stage
from training.core.losses import LossWeights, total_loss
from training.core.messages import warn
from training.core.optimizers import OptimizerConfig
from training.core.schedule import Schedule
from training.core.setup import Setup
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler, Source, mixture, pinned, stream
from training.measure.evaluate import Figures, Predict, Predictions, by_size, combine, measure_with, metrics_for
from training.parallel import choice, cluster
from training.stages.distillation import Hint, Teacher, TeacherWeights, distillation_loss, hint_factor


def device_name(config: LoopedOptions) -> str:
    """The device in torch's words. Raises RunError if there is none of that name here."""
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    name = devices.torch_device(config.device)
    if missing := devices.missing(name):
        raise RunError(f"--device {config.device}: {missing}")
    return name


def may_compile(config: LoopedOptions) -> bool:
    """Whether torch should compile the net: as asked for, else on a GPU if what torch needs for that is there.

    Unless asked for, what cannot be compiled after all runs as it is.
    """
    if config.compile is not None:
        return config.compile
    if not device_name(config).startswith("cuda") or not importlib.util.find_spec("triton"):
        return False
    torch._dynamo.config.suppress_errors = True
    return True


def workers(config: TrainingOptions) -> int:
    """Threads that make batches: as asked for; else one beside torch's own on a CPU, and half of the cores on a GPU machine,
    where all of them would slow the thread that launches the steps.
    """
    if config.workers is not None:
        return config.workers
    return max(1, usable_cores() // 2) if device_name(config).startswith("cuda") else 1


def computes_half(config: LoopedOptions) -> bool:
    """Whether to compute in bfloat16: as asked for, else where the hardware does it; other CPUs take ten times as long."""
    if config.half is not None:
        return config.half
    if device_name(config).startswith("cuda"):
        return devices.has_bfloat16(torch.device(device_name(config)))
    return cpu_has("avx512bf16", "amx-bf16", "bf16")


def loop_config(config: LoopedOptions, splits: bool = False) -> LoopConfig:
    """The loop's part of the options. splits: the command can split its net. Raises RunError if it cannot, and should."""
    learning = config if isinstance(config, LearningOptions) else None
    if learning is not None and learning.parallel != "data" and not splits:
        raise RunError(f"--parallel {learning.parallel}: this command learns in one process, or in several by data")
    return LoopConfig(
        batch=config.batch,
        schedule=Schedule(config.steps, config.budget, config.warmup),
        optimizer=OptimizerConfig(config.optimizer, config.rate, config.decay),
        clip=config.clip,
        average=config.average,
        compile=may_compile(config),
        device=device_name(config),
        half=computes_half(config),
        save_every=config.save_every,
        validate_every=config.validate_every,
        log_every=config.log_every,
        accumulate=1 if learning is None else learning.accumulate,
        recompute=learning is not None and learning.recompute,
    )


def loss_weights(config: LearningOptions, net: spec.NetSpec) -> LossWeights:
    """The loss's part of the options, for the heads that the net has."""
    weights = LossWeights(
        policy=1.0,
        value=config.value_weight,
        opponent=config.opponent_weight,
        ownership=config.ownership_weight,
        score=config.score_weight,
        score_stdev=config.stdev_weight,
    )
    return weights.of_heads(net.outputs)


def check_features(name: str) -> None:
    """Raises RunError if there is no such feature set."""
    if name not in features.names():
        raise RunError(f"--features {name}: there is no such feature set; possible: {', '.join(features.names())}")


def fresh_or_loaded(net: str, feature_name: str, seed: int) -> build.Net:
    """An architecture's net with new weights, or the net in a weights file.

    Raises RunError if there is no such net or feature set, or the architecture is wrong.
    """
    if architecture.is_architecture(net):
        check_features(feature_name)
        chosen = features.get(feature_name)
        try:
            return build.build(architecture.parse(net, chosen.name, chosen.planes, chosen.globals), seed)
        except architecture.ArchitectureError as error:
            raise RunError(f"--net {error}") from None
    if not Path(net).exists():
        known = f"a preset ({', '.join(architecture.PRESETS)}), an architecture (such as c96:rrgrdgrr)"
        raise RunError(f"--net {net}: neither {known} nor a weights file")
    return weights_file.load(net).module().train()


class LearnedGames(Protocol):
    """Games to learn from: `source` draws their positions, `card` says what they are, its `sizes` their board sizes."""

    source: Source
    card: Mapping[str, Any]


class Measured(Protocol):
    """Games that are only measured."""

    def figures(self, predict: Predict, outputs: Set[str], positions: int, batch: int) -> dict[str, float]:
        """Figures of what a net tells (`NetSpec.outputs`) on so many positions of each board size, and their mean over all."""


class RecordedGames:
    """Packed games to learn from: `source` draws their positions, `card` says what they are."""

    def __init__(self, paths: Sequence[Path], feature_name: str, draw: Draw, shares: Mapping[int, float]):
        """shares: as of `training.data.stream.mixture`. Raises RecordError as that, or as `packs.load_sizes`."""
        games = packs.load_sizes(paths, warn)
        self.source: Source = mixture(games, features.get(feature_name), draw, shares)
        used = {size: part for size, part in games.items() if shares.get(size, not shares)}
        self.card: Mapping[str, Any] = {
            "packs": [path.name for path in paths],
            "games": sum(len(part.size) for part in used.values()),
            "positions": sum(part.moves.size for part in used.values()),
            "sizes": list(used),
        }


def recorded_games(config: TrainingOptions, feature_name: str) -> RecordedGames:
    """The packs that the options name, drawn as they say."""
    draw = Draw(config.seed, int(config.symmetries), 1, config.vary, config.results)
    return RecordedGames(config.data, feature_name, draw, board_shares(config.sizes))


class HeldOut:
    """Packed games that are only measured."""

    def __init__(self, path: Path | None, feature_name: str, sizes: Collection[int] = range(26)):
        """path: None for no games. sizes: board sizes that are measured. Raises RecordError as `packs.load_sizes`."""
        games = packs.load_sizes((path,), warn) if path is not None else {}
        draw = Draw(0, symmetries=0, shuffle=1, vary=0.0)
        self._samplers = [Sampler(part, features.get(feature_name), draw) for size, part in games.items() if size in sizes]
        self.sizes = {sampler.size for sampler in self._samplers}

    def figures(self, predict: Predict, outputs: Set[str], positions: int, batch: int) -> dict[str, float]:
        """Figures of what a net tells (`NetSpec.outputs`) on some positions of each board size, and their mean over all; empty
        without games.
        """
        parts = {}
        for sampler in self._samplers:
            count = min(positions, sampler.games.moves.size)
            parts[sampler.size] = measure_with(predict, sampler, count, batch)
        if not parts:
            return {}
        total = combine(list(parts.values()))
        told = {size: _kept(figures, outputs) for size, figures in parts.items()}
        return _kept(total, outputs) | by_size(told)


def _kept(figures: Figures, outputs: Set[str]) -> dict[str, float]:
    names = metrics_for(outputs)
    return {name: value for name, value in figures.as_dict().items() if name in names}


class GamesStage(Stage):
    """Positions of packed games with their moves and results, for `training.core.loop`."""

    def __init__(
        self, config: TrainingOptions, module: build.Net, games: LearnedGames | None = None, held_out: Measured | None = None
    ):
        """games, held_out: instead of the packs that the options name."""
        self.config, self.spec = config, module.spec
        self.weights = loss_weights(config, module.spec)
        self.games = recorded_games(config, module.spec.features) if games is None else games
        self.card = dict(self.games.card)
        self.held_out = HeldOut(config.validation, module.spec.features) if held_out is None else held_out

    def batches(self, first_sample: Numbers) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on, or those that begin with these."""
        allocate = pinned if device_name(self.config).startswith("cuda") else np.zeros
        threads, part = workers(self.config), (process_sums.rank(), process_sums.count())
        source = self.games.source
        for targets in stream(source, self.config.batch, first_sample, threads=threads, allocate=allocate, part=part):
            yield targets._asdict()

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of all targets. Boards fill the planes, because a batch has one size."""
        return total_loss(module(batch["planes"], batch["globals"], True), batch, self.weights)

    def validate(self, module: build.Net, device_feed: DeviceFeed) -> dict[str, float]:
        """Figures on the held-out games: so many positions of each board size, and their mean over all."""
        predict, config = predictor(module, device_feed), self.config
        return self.held_out.figures(predict, module.spec.outputs, config.validation_positions, config.batch)

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net with its configuration and data card."""
        self.write(path, arrays, self.spec, counters, figures)

    def write(
        self,
        path: Path,
        arrays: Mapping[str, np.ndarray],
        net: spec.NetSpec,
        counters: Counters,
        figures: Mapping[str, float],
    ) -> None:
        """Write one averaged net, with the figures that it had on held-out games."""
        card = {
            **self.card,
            "samples": counters.samples,
            "seconds": round(counters.seconds, 1),
            "validation": {name: value for name, value in figures.items() if np.isfinite(value)},
        }
        weights_file.save(path, arrays, net, step=counters.step, config=plain(self.config), data=card)


def check_student(student: spec.NetSpec, teacher: spec.NetSpec, option: str) -> None:
    """Raises RunError, which begins with `option`, if the two see different features or the teacher lacks a head."""
    if (student.features, student.planes, student.globals) != (teacher.features, teacher.planes, teacher.globals):
        raise RunError(
            f"{option}: the teacher sees the features {teacher.features} ({teacher.planes} planes, {teacher.globals} "
            f"globals), the student {student.features} ({student.planes}, {student.globals}); both must see the same"
        )
    if missing := student.outputs - teacher.outputs:
        raise RunError(f"{option}: the teacher says nothing of {', '.join(sorted(missing))}, which the student would learn")


def teacher_weights(config: TaughtOptions, net: spec.NetSpec) -> TeacherWeights:
    """The part of the options that the teacher alone uses, for the heads that the student has."""
    return TeacherWeights(
        policy=config.teacher_weight,
        soft=config.soft_weight,
        temperature=config.temperature,
        opponent=config.opponent_weight if "opponent" in net.outputs else 0.0,
        stdev=config.stdev_weight if "score" in net.outputs else 0.0,
        trust=config.trust,
    )


class DistillStage(GamesStage):
    """The same positions, with the answers of a teacher beside what the games tell."""

    def __init__(
        self, config: TaughtOptions, module: build.Net, teacher: weights_file.Checkpoint, hint: tuple[float, float] = (0.0, 1.0)
    ):
        """hint: (weight of hints at first, share of the run over which it fades).

        Raises RunError if the teacher sees other features than the student, or lacks one of its heads.
        """
        check_student(module.spec, teacher.spec, f"--teacher {config.teacher}")
        super().__init__(config, module)
        if self.weights.policy is not None:
            self.weights = dataclasses.replace(self.weights, policy=config.hard_weight)
        self.card |= {"teacher": teacher.meta.sha256}
        net, device = teacher.module(), device_name(config)
        self.teacher, self.teacher_weights = Teacher(net, device, config.teacher_views), teacher_weights(config, module.spec)
        self.hint_weight, self.hint_share = hint
        self.hint = Hint(module, net) if self.hint_weight else None

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss against games and teacher, who sees the same batch in the same number format."""
        told, middle = self.teacher(batch["planes"], batch["globals"], True)
        output = module(batch["planes"], batch["globals"], True)
        loss, figures = distillation_loss(output, told, batch, self.weights, self.teacher_weights)
        factor = hint_factor(float(batch["progress"]), self.hint_share)
        if self.hint and factor > 0:
            distance = self.hint.distance(middle)
            loss, figures["hint"] = loss + self.hint_weight * factor * distance, distance.detach()
        return loss, figures

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged student without its hint."""
        super().save_net(path, Hint.without(arrays), counters, figures)


def predictor(module: nn.Module, device_feed: DeviceFeed) -> Predict:
    """A torch module as a function from numpy to `Predictions`."""

    def predict(planes: np.ndarray, values: np.ndarray) -> Predictions:
        batch = device_feed.put({"planes": planes, "globals": values})
        with torch.inference_mode(), device_feed.autocast():
            output = module(batch["planes"], batch["globals"], True)
        value = torch.tanh(output.value.float() / 2)
        return Predictions(*(part.float().cpu().numpy() for part in (output.policy, value, output.score)))

    return predict


def learn(make: Callable[[Any], Setup], config: SupervisedOptions, began: float | None, splits: bool = False) -> bool:
    """Train what `make` makes of the options, as they say: alone, with others in step, or by the gradients of workers.

    splits: whether its net may be split over processes.
    """
    if cluster.many(config):
        return cluster.learn(make, config, began)
    if config.threads:
        torch.set_num_threads(config.threads)
    with parallel.joined(device_name(config), choice.ways(config) if splits else 1) as mesh:
        made = make(config)
        made.stage.make_strategy = choice.strategy(config, mesh)
        return made.trainer(began).run()


def supervised(
    config: SupervisedOptions,
    began: float | None = None,
    games: LearnedGames | None = None,
    held_out: Measured | None = None,
    bound: Mapping[str, str] | None = None,
) -> bool:
    """Run the stage. Returns whether the run is complete (False: stopped by a signal, everything saved).

    began: what `time.monotonic` showed when the command started, where the budget begins. games, held_out: as of `GamesStage`;
    bound: as of `Trainer`. Started by torchrun, all its processes train one net; each draws its own part of every batch, so
    each needs the packs. So does each worker.
    """
    return learn(partial(setup, games=games, held_out=held_out, bound=bound), config, began, splits=True)


def setup(
    config: SupervisedOptions,
    games: LearnedGames | None = None,
    held_out: Measured | None = None,
    bound: Mapping[str, str] | None = None,
) -> Setup:
    """What the stage trains."""
    module = fresh_or_loaded(config.net, config.features, config.seed)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    stage = GamesStage(config, module, games, held_out)
    freeze_norms_if_wanted(module, config.net, config, stage)
    return Setup(config.run, module, stage, loop_config(config, splits=True), described, bound or {})


def freeze_norms_if_wanted(module: build.Net, source: str, config: TrainingOptions, stage: GamesStage) -> None:
    """Let normalisations of a net that came from `source` (`fresh_or_loaded`) keep their statistics if the options, or the
    games' board sizes, ask for it.
    """
    if keeps_norms(config.keep_norms, source, len(stage.card["sizes"])):
        freeze_batch_norm(module)


def distill(config: DistillOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `supervised` does."""
    if launch.launched() > 1:
        parallel.check(config.batch)
    return learn(distill_setup, config, began)


def distill_setup(config: DistillOptions) -> Setup:
    """What the stage trains."""
    teacher = weights_file.load(config.teacher)
    module = fresh_or_loaded(config.net, config.features, config.seed)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    stage = DistillStage(config, module, teacher, (config.hint_weight, config.hint_share))
    freeze_norms_if_wanted(module, config.net, config, stage)
    bound = {"teacher": teacher.meta.sha256}
    return Setup(config.run, module, stage, loop_config(config), described, bound)
