"""The one training loop, for every stage.

Knows: steps, mixed precision, gradient clipping, averaged weights, the schedule, checkpoints, validation and the
log. A stage gives it batches and a loss; what the samples mean is the stage's business. The loop owns no data and
no Go.
"""

import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
import torch
from torch import nn

from goengine.options import format_duration
from goengine.progress import Progress
from training import checkpoint, optimizers
from training.checkpoint import Counters, RunError
from training.schedule import Schedule

Batch = dict[str, torch.Tensor]


class Stage(Protocol):
    """What the loop trains on."""

    def batches(self, first_sample: int) -> Iterator[Mapping[str, np.ndarray | torch.Tensor]]:
        """Endless batches beginning with sample number `first_sample`; the same number gives the same batch."""

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(loss, figures to show), figures detached. The loop adds `progress` to the batch: the share of the run done."""

    def validate(self, module: nn.Module, place: "Place") -> dict[str, float]:
        """Figures on held-out samples; may be empty."""

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net in the weights format."""


@dataclass(frozen=True)
class LoopConfig:
    """How to train, whatever the stage."""

    batch: int
    schedule: Schedule
    optimizer: optimizers.OptimizerConfig
    clip: float = 4.0  # of the gradient's norm
    average: float = 0.999  # decay of the averaged weights
    compile: bool = False
    device: str = "cpu"
    half: bool = True  # bfloat16 autocast
    save_every: float = 300.0  # seconds
    validate_every: float = 600.0  # seconds
    log_every: int = 50  # steps


class Place:
    """The device and its number format."""

    def __init__(self, device: str, half: bool):
        self.device = torch.device(device)
        self.half = half
        self._copied = torch.cuda.Event() if self.device.type == "cuda" else None

    def put(self, batch: Mapping[str, np.ndarray | torch.Tensor]) -> Batch:
        """The batch on the device. Planes travel as they are stored and become floats there.

        Copies to a GPU run while the CPU goes on; the next call waits for them, so that a lent buffer is read before
        it is filled again.
        """
        if self._copied is not None:
            self._copied.synchronize()
        moved = {}
        for name, array in batch.items():
            tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
            moved[name] = tensor.to(self.device, non_blocking=True)
        if self._copied is not None:
            self._copied.record()
        planes = moved["planes"]
        moved["planes"] = planes.to(torch.bfloat16 if self.half else torch.float32, memory_format=torch.channels_last)
        return moved

    def autocast(self) -> torch.autocast:
        """Context for a forward pass."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)


class Average:
    """Exponential moving average of a module's parameters and statistics, in float32."""

    def __init__(self, module: nn.Module, decay: float):
        self.decay = decay
        self.arrays = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the module; faster in the first steps, when the start is worth nothing."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        ours, theirs = [], []
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                ours.append(self.arrays[name])
                theirs.append(value)
            else:
                self.arrays[name].copy_(value)
        torch._foreach_lerp_(ours, theirs, share)


class _Stop:
    """Turns SIGTERM and SIGINT into a request to finish the step; a second signal ends at once."""

    def __init__(self):
        self.asked = False
        self._old: dict[int, object] = {}

    def __enter__(self) -> "_Stop":
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._old[number] = signal.signal(number, self._hear)
            except ValueError:  # not in the main thread: the caller has its own way to stop
                break
        return self

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)


class Trainer:
    """A run: `run()` goes from where the folder stands to the end of the schedule.

    described: what config.json and the state tell people. bound: facts by name that all processes of a run must share,
    such as its teacher's checksum; the constructor raises RunError where the folder's state was made with others.
    """

    def __init__(
        self,
        folder: Path,
        module: nn.Module,
        stage: Stage,
        config: LoopConfig,
        *,
        described: object = None,
        bound: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.folder, self.stage, self.config, self.clock = folder, stage, config, clock
        self.described = config if described is None else described
        self.bound = dict(bound or {})
        self.place = Place(config.device, config.half)
        self.module = module.to(self.place.device, memory_format=torch.channels_last)
        self.optimizer = optimizers.make(self.module, config.optimizer)
        self.average = Average(self.module, config.average)
        self.counters = Counters()
        self.figures: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.state_path.exists():
            self._resume()
        checkpoint.write_text(folder / "config.json", json.dumps(checkpoint.plain(self.described), indent=1) + "\n")
        self._forward = torch.compile(self.module) if config.compile else self.module

    @property
    def state_path(self) -> Path:
        return self.folder / "state.safetensors"

    def _resume(self) -> None:
        arrays, self.counters, saved = checkpoint.load_state(self.state_path)
        self._check_bound(saved)
        parts: dict[str, dict[str, np.ndarray]] = {"weights": {}, "average": {}, "optimizer": {}}
        for name, array in arrays.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = array
        try:
            state = {name: torch.from_numpy(np.array(array)) for name, array in parts["weights"].items()}
            self.module.load_state_dict(state)
            for name, array in parts["average"].items():
                self.average.arrays[name].copy_(torch.from_numpy(np.array(array)))
            optimizers.load_state(self.optimizer, self.module, parts["optimizer"])
        except (RuntimeError, KeyError) as error:
            raise RunError(f"{self.state_path} holds another net than asked for; take another --run folder") from error
        self._cut_log()

    def _check_bound(self, saved: dict) -> None:
        optimizer = self.config.optimizer.name
        now = {"optimizer": optimizer, **self.bound}
        before = {"optimizer": saved.get("loop", {}).get("optimizer", {}).get("name", optimizer), **saved.get("bound", {})}
        for name in now.keys() | before.keys():
            if now.get(name) != before.get(name):
                made = f"with the {name} {before[name]}" if name in before else f"without a {name}"
                raise RunError(f"{self.state_path} was made {made}; go on so, or take another --run folder")

    def _cut_log(self) -> None:
        """Forget what was logged after the checkpoint: those steps come again."""
        log = self.folder / "log.jsonl"
        if log.exists():
            lines = log.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= self.counters.step]
            checkpoint.write_text(log, "".join(line + "\n" for line in kept))

    def save(self) -> None:
        """Write the state, then the averaged net. Raises RunError if the disk does not take them."""
        arrays = {f"weights/{name}": _numpy(value) for name, value in self.module.state_dict().items()}
        arrays |= {f"average/{name}": _numpy(value) for name, value in self.average.arrays.items()}
        arrays |= {f"optimizer/{name}": value for name, value in optimizers.state_arrays(self.optimizer, self.module).items()}
        described = {"loop": checkpoint.plain(self.config), "run": checkpoint.plain(self.described), "bound": self.bound}
        checkpoint.save_state(self.state_path, arrays, self.counters, described)
        averaged = {name: _numpy(value) for name, value in self.average.arrays.items()}
        try:
            self.stage.save_net(self.folder / "net.safetensors", averaged, self.counters, self.figures)
        except OSError as error:
            raise RunError(
                f"cannot write {self.folder / 'net.safetensors'}: {error.strerror or error}; "
                "the training state is saved. Make room and start the same command again"
            ) from error

    def _step(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One update; returns figures on the device."""
        progress = self.config.schedule.progress(self.counters.step, self.counters.seconds)
        batch["progress"] = torch.tensor(progress)
        optimizers.set_rate(self.optimizer, self.config.schedule.factor(progress))
        with self.place.autocast():
            loss, figures = self.stage.loss(self._forward, batch)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.module, self.counters.step)
        return {"loss": loss.detach(), "norm": norm.detach(), **figures}

    def run(self) -> bool:
        """Train. Returns whether the schedule's end was reached; False after SIGTERM or SIGINT, with everything saved.

        Raises RunError if a checkpoint cannot be written or the loss is not finite.
        """
        schedule = self.config.schedule
        if schedule.done(self.counters.step, self.counters.seconds):
            return True
        begun = None
        saved = self.counters.seconds
        validated = saved - saved % self.config.validate_every  # restarts do not put measurements off
        reporter = _Reporter(self.folder / "log.jsonl", self.config)
        self.module.train()
        batches = self.stage.batches(self.counters.samples)
        with _Stop() as stop, Progress(self.folder.name, 1.0) as bar:
            for batch in batches:
                if begun is None:  # compiling kernels and waiting for the first batch is not training
                    begun = self.clock() - self.counters.seconds
                reporter.add(self._step(self.place.put(batch)))
                now = self.clock() - begun
                self.counters = Counters(self.counters.step + 1, self.counters.samples + self.config.batch, now)
                done = schedule.done(self.counters.step, now)
                if done or stop.asked or self.counters.step % self.config.log_every == 0:
                    reporter.report(self.counters, self.optimizer, bar, schedule)
                if now - validated >= self.config.validate_every or done:
                    validated = now
                    self._validate(reporter, bar)
                if now - saved >= self.config.save_every or done or stop.asked:
                    saved = now
                    self.save()
                if done or stop.asked:
                    break
        batches.close()
        reporter.close()
        return done

    def _validate(self, reporter: "_Reporter", bar: Progress) -> None:
        """Figures of the averaged net."""
        raw = {name: value.clone() for name, value in self.module.state_dict().items()}
        self.module.load_state_dict(self.average.arrays)
        self.module.eval()
        with torch.inference_mode():
            self.figures = self.stage.validate(self.module, self.place)
        self.module.load_state_dict(raw)
        self.module.train()
        if self.figures:
            reporter.write(
                {
                    "step": self.counters.step,
                    "samples": self.counters.samples,
                    "seconds": round(self.counters.seconds, 1),
                    "validation": {name: round(value, 5) for name, value in self.figures.items()},
                }
            )
            shown = "  ".join(f"{name} {value:.4f}" for name, value in self.figures.items())
            bar.message(f"step {self.counters.step}  {format_duration(self.counters.seconds)}  validation  {shown}")


class _Reporter:
    """Means of the figures since the last report, to the bar, the log and TensorBoard."""

    def __init__(self, path: Path, config: LoopConfig):
        self.config = config
        self._log = open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        self._board = _tensorboard(path.parent)
        self._sums: dict[str, torch.Tensor] = {}
        self._count = 0
        self._since: tuple[int, float] | None = None

    def add(self, figures: Mapping[str, torch.Tensor]) -> None:
        """Add one step's figures; they stay on the device, so that nothing waits for it."""
        for name, value in figures.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def report(self, counters: Counters, optimizer: torch.optim.Optimizer, bar: Progress, schedule: Schedule) -> None:
        """Show and log the means. Raises RunError if the loss is not finite."""
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        if not math.isfinite(means["loss"]):
            raise RunError(
                f"the loss is not finite at step {counters.step}; start again from the last checkpoint with a lower --rate"
            )
        rate = optimizer.param_groups[0]["lr"]
        line = {
            "step": counters.step,
            "samples": counters.samples,
            "seconds": round(counters.seconds, 1),
            "rate": round(rate, 7),
        }
        line |= {name: round(value, 5) for name, value in means.items()}
        if self._since:
            spent = max(counters.seconds - self._since[1], 1e-9)
            line["per_second"] = round((counters.samples - self._since[0]) / spent, 1)
        self._since = (counters.samples, counters.seconds)
        self.write(line)
        shown = [f"step {counters.step}", f"{line.get('per_second', 0):.0f} pos/s", f"loss {means['loss']:.3f}"]
        shown += [f"{name} {means[name]:.3f}" for name in ("policy", "top1", "mse") if name in means]
        bar.update(schedule.progress(counters.step, counters.seconds), "  ".join(shown))

    def write(self, line: dict) -> None:
        """One line of JSON, and TensorBoard where it is installed. Raises RunError if the disk does not take it."""
        try:
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
        except OSError as error:
            raise RunError(
                f"cannot write {self._log.name}: {error.strerror or error}; the last checkpoint stays valid"
            ) from error
        if self._board:
            for name, value in line.items():
                for inner, number in value.items() if isinstance(value, dict) else ((None, value),):
                    self._board.add_scalar(f"{name}/{inner}" if inner else f"train/{name}", number, line["step"])

    def close(self) -> None:
        """Close the files."""
        self._log.close()
        if self._board:
            self._board.close()


def _tensorboard(folder: Path):
    """A writer, or None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))


def _step_of(line: str) -> float:
    """The step of a line of the log; infinite for one that a kill cut short."""
    try:
        return json.loads(line)["step"]
    except json.JSONDecodeError:
        return math.inf


def _numpy(value: torch.Tensor) -> np.ndarray:
    return value.detach().cpu().contiguous().numpy()
