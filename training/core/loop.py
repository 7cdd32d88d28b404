"""The one training loop, for every stage.

Knows: steps, gradient clipping, averaged weights, the schedule and the time budget, checkpoints and when to measure.
A stage gives it batches and a loss; what the samples mean is the stage's business. The loop owns no data and no Go.
"""

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import nn

from goengine.core.lock import FileLock
from goengine.core.options import format_duration
from goengine.core.progress import Progress
from goengine.core.stopping import told_to_stop
from goengine.nets import devices
from training.core import checkpoint, launch, optimizers, parallel, sharding
from training.core.average import Average
from training.core.checkpoint import STATE, Counters, RunError
from training.core.device_feed import Batch, DeviceFeed
from training.core.reporter import Reporter, step_of
from training.core.run_lock import lock_run
from training.core.schedule import Schedule
from training.core.strategy import MakeStrategy, StepPlan, Strategy

OVER = 1 - 1e-9  # shares of a run are quotients of sums

Numbers = int | Iterator[int]
Batches = Generator[Mapping[str, np.ndarray | torch.Tensor] | None, None, None]


class Stage(Protocol):
    """What the loop trains on. A stage inherits from this class."""

    unit: ClassVar[str] = "pos"  # what a sample is called
    drawn_by_server: ClassVar[bool] = False  # whether only the process with the run's folder can make batches
    progress: float = 0.0  # share of the run that was done when the last step began; the loop sets it
    # Makes what computes the gradients, and says which part of the net each process holds.
    make_strategy: MakeStrategy = Strategy

    def around(self) -> dict[str, dict[str, float]]:
        """Further figures for the log by group and name, such as what self-play does meanwhile; asked for once a minute."""
        return {}

    def batches(self, first_sample: Numbers) -> Batches:
        """Endless batches beginning with sample number `first_sample`; the same number gives the same batch. Or the batches
        that begin with these sample numbers, of an endless iterator, one after the other.

        None where there are no samples yet, after a moment's wait: the loop looks at its signals and the clock, and asks again.
        """

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(loss, figures to show), figures detached. The loop adds `progress` to the batch: the share of the run done."""

    def stepped(self, step: int) -> None:
        """So many steps are done; called after each step, and before the first of a process, where it may be called twice."""
        return

    def validate(self, module: nn.Module, device_feed: "DeviceFeed") -> dict[str, float]:
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
    accumulate: int = 1  # equal parts of a batch, computed one after the other
    recompute: bool = False  # blocks compute again for the backward pass what they did not keep
    device: str = "cpu"
    half: bool = True  # bfloat16 autocast
    save_every: float = 300.0  # seconds
    validate_every: float = 600.0  # seconds
    log_every: int = 50  # steps


class _Times:
    """What the seconds of a run went into."""

    def __init__(self, clock: Callable[[], float], began: float, counters: Counters):
        self._clock, self._began = clock, began
        self._last = self._since = began
        self.seconds, self.overhead, self._known = counters.seconds, counters.overhead, counters.reserve  # see `Counters`
        self.lap = 0.0  # what the last step took
        self.running = False  # whether the first step is over
        self._measured: dict[str, float] = {}  # what each kind of measurement or checkpoint took last

    @property
    def reserve(self) -> float:
        """Seconds that the last measurement and checkpoint will take."""
        return max(sum(self._measured.values()), self._known)

    @property
    def idle(self) -> float:
        """Seconds since the end of the last step, or of the wait after it."""
        return self._clock() - self._last

    def cost(self, name: str) -> float:
        """Seconds from the end of the last step, if this kind of measurement comes now."""
        return self._clock() - self._last + self._measured.get(name, self._known)

    def step(self) -> None:
        """A step has ended."""
        now = self._clock()
        if self.running:
            self.seconds += now - self._last
            self.lap = now - self._since
        else:
            self.overhead += now - self._began
            self.running = True
        self._last = self._since = now

    def measure(self, name: str, work: Callable[[], None]) -> None:
        """Do some work that comes again at the end of the run."""
        start = self._clock()
        work()
        self._since = self._clock()
        self._measured[name] = self._since - start


class Trainer:
    """A run: `run()` goes from where the folder stands to the end of the schedule.

    described: what config.json and the state tell people. bound: facts by name that all processes of a run must share,
    such as its teacher's checksum; the constructor raises RunError where the folder's state was made with others, or
    where another process trains in the folder. clock: seconds. began: what it showed when the command was started.

    A time budget is for everything from `began` to the end of `run`, over all processes of the run: start-up (which ends
    with the first step, because that one may compile), steps, measurements and checkpoints, the last ones included. What
    these last ones take is planned from the ones before. The learning rate follows the time without start-ups.

    Where torchrun started several processes (`training.core.parallel`), each of them has a trainer. The stage's batches are
    then this process's part of the joined batch, of which config.batch is the size; the first process alone uses the folder.
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
        began: float | None = None,
    ):
        parallel.check(config.batch)
        self.folder, self.stage, self.config, self.clock = folder, stage, config, parallel.shared(clock)
        self.described = config if described is None else described
        self.bound = dict(bound or {})
        self.began = parallel.first(lambda: clock() if began is None else began)
        self.device_feed = DeviceFeed(config.device, config.half)
        plan = StepPlan(self.device_feed.device, config.accumulate, config.recompute, config.compile)
        self.strategy = stage.make_strategy(module, plan)
        self.module = self.strategy.module
        self.optimizer = optimizers.make(self.module, config.optimizer)
        self.average = Average(self.module, config.average)
        self.counters = Counters()
        self.figures: dict[str, float] = {}
        self._sound = torch.ones((), dtype=torch.bool, device=self.device_feed.device)  # all gradients so far were numbers
        self.lock: FileLock | None = None
        try:
            if (found := parallel.first(self._open)) is not None:
                self._resume(*found)
            parallel.first(self._describe)
        except BaseException:
            self._release()
            raise
        self.times = _Times(self.clock, self.began, self.counters)

    @property
    def state_path(self) -> Path:
        return self.folder / STATE

    def _open(self) -> tuple[dict[str, np.ndarray], Counters] | None:
        """Take the folder. Returns (arrays, counters) of the state that is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = lock_run(self.folder)
        if not self.state_path.exists():
            return None
        arrays, counters, saved = checkpoint.load_state(self.state_path)
        self._check_bound(saved)
        return arrays, counters

    def _release(self) -> None:
        if self.lock is not None:
            self.lock.release()

    def _resume(self, arrays: Mapping[str, np.ndarray], counters: Counters) -> None:
        """Go on from a state."""
        self.counters = counters
        parts: dict[str, dict[str, np.ndarray]] = {"weights": {}, "average": {}, "optimizer": {}}
        for name, array in arrays.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = array
        try:
            own = {part: self.strategy.own(found) for part, found in parts.items()}
            self.module.load_state_dict(_held_as(self.average.arrays, own["weights"]))
            self.average.arrays |= _held_as(self.average.arrays, own["average"])
            optimizers.load_state(self.optimizer, self.module, own["optimizer"])
        except (RuntimeError, KeyError) as error:
            raise RunError(f"{self.state_path} holds another net than asked for; take another --run folder") from error

    def _check_bound(self, saved: dict[str, Any]) -> None:
        optimizer = self.config.optimizer.name
        now = {"optimizer": optimizer, **self.bound}
        before = {"optimizer": saved.get("loop", {}).get("optimizer", {}).get("name", optimizer), **saved.get("bound", {})}
        for name in now.keys() | before.keys():
            if now.get(name) != before.get(name):
                made = f"with the {name} {before[name]}" if name in before else f"without a {name}"
                raise RunError(f"{self.state_path} was made {made}; go on so, or take another --run folder")

    def _describe(self) -> None:
        """Write what the run is, and drop the log's lines after the checkpoint: those steps come again."""
        checkpoint.write_text(self.folder / "config.json", json.dumps(checkpoint.plain(self.described), indent=1) + "\n")
        log = self.folder / "log.jsonl"
        if log.exists():
            lines = log.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if step_of(line) <= self.counters.step]
            checkpoint.write_text(log, "".join(line + "\n" for line in kept))

    def save(self) -> None:
        """Write the state, then the averaged net. Raises RunError if the disk does not take them, or some gradient was none."""
        if not bool(self._sound):
            raise self._unsound()
        tensors = {
            "weights": self.module.state_dict(),
            "average": self.average.arrays,
            "optimizer": optimizers.state_tensors(self.optimizer, self.module),
        }
        gathered = {part: self.strategy.gathered(found) for part, found in tensors.items()}
        parallel.first(lambda: self._write(gathered))

    def _write(self, gathered: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        arrays = {f"{part}/{name}": array for part, found in gathered.items() for name, array in found.items()}
        described = {"loop": checkpoint.plain(self.config), "run": checkpoint.plain(self.described), "bound": self.bound}
        checkpoint.save_state(self.state_path, arrays, self.counters, described)
        try:
            self.stage.save_net(self.folder / "net.safetensors", gathered["average"], self.counters, self.figures)
        except OSError as error:
            raise RunError(
                f"cannot write {self.folder / 'net.safetensors'}: {error.strerror or error}; "
                "the training state is saved. Make room and start the same command again"
            ) from error

    def step(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One update from a batch on the device; returns figures there.

        Raises RunError, and updates nothing, if the gradients are not numbers. A GPU is not waited for: there the next
        checkpoint is refused.
        """
        progress = self.stage.progress = self._progress()
        batch["progress"] = torch.tensor(progress)
        optimizers.set_rate(self.optimizer, self.config.schedule.factor(progress))
        figures = self.strategy.learn(self.stage.loss, batch, self.device_feed.autocast)
        norm = self.strategy.norm().detach()
        self._sound = self._sound & norm.isfinite()
        if self.device_feed.device.type == "cpu" and not bool(self._sound):
            self.optimizer.zero_grad(set_to_none=True)
            raise self._unsound()
        self.strategy.clip(norm, self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.module, self.counters.step)
        return {**figures, "norm": norm}

    def _unsound(self) -> RunError:
        return RunError(
            f"the loss or its gradients are not finite at step {self.counters.step + 1}: weights were not saved since, and "
            f"{checkpoint.what_is_left(self.folder)}. Start again with a lower --rate"
        )

    def run(self, stop: threading.Event | None = None) -> bool:
        """Train, once. Returns whether the schedule's end was reached; False after SIGTERM or SIGINT, with everything saved.
        stop: what ends it in their place.

        Raises RunError if a checkpoint cannot be written, the loss is not finite, or the device fails or has no memory left.
        """
        try:
            if self._progress() >= OVER:
                return True
            leads = self.lock is not None
            reporter = Reporter(
                self.folder / "log.jsonl" if leads else None,
                self.stage.around,
                self.stage.unit,
            )
            self.stage.stepped(self.counters.step)
            batches = self.stage.batches(self.counters.samples)
            heard = told_to_stop() if stop is None else contextlib.nullcontext(stop)
            try:
                with heard as asked, Progress(self.folder.name, 1.0, stream=launch.stderr()) as bar:
                    return self._train(batches, reporter, asked, bar)
            except RuntimeError as error:
                if (why := devices.failure(error, self.device_feed.device)) is None:
                    raise
                raise RunError(f"at step {self.counters.step}: {why}; {checkpoint.what_is_left(self.folder)}") from error
            finally:
                batches.close()
                reporter.close()
        finally:
            self._release()

    def _train(self, batches: Batches, reporter: Reporter, stop: threading.Event, bar: Progress) -> bool:
        """The steps, and between them reports, measurements and checkpoints."""
        config, times = self.config, self.times
        validate_every, save_every = (self._at_most_a_quarter(every) for every in (config.validate_every, config.save_every))
        saved = self.counters.seconds
        validated = saved - saved % validate_every  # a restart does not delay a measurement
        self.module.train()
        for batch in self.device_feed.feed(batches):
            if batch is not None:
                self._learn(batch, reporter)
            asked = parallel.anybody(stop.is_set())
            if batch is None and not asked and self._progress(times.idle) < OVER:
                continue
            times.step()
            step, now = self.counters.step, times.seconds
            self.counters = Counters(step, self.counters.samples, now, times.overhead, times.reserve)
            done = self._progress(times.lap) >= OVER
            if done or asked or step % config.log_every == 0:
                reporter.report(self.counters, self.optimizer.param_groups[0]["lr"], bar, self._progress())
            if done or (now - validated >= validate_every and self._fits("validation")):
                validated = now
                times.measure("validation", lambda: self._validate(reporter, bar))
            if done and step != config.schedule.steps:  # the rest of the budget is for the checkpoint, and then it is spent
                left = (config.schedule.seconds or 0.0) - now
                self.counters = dataclasses.replace(self.counters, overhead=max(times.overhead + times.reserve, left))
            if done or asked or (now - saved >= save_every and self._fits("checkpoint")):
                saved = now
                times.measure("checkpoint", self.save)
            if done or asked:
                return done
        raise AssertionError("the stage's batches ended")

    def _learn(self, batch: Batch, reporter: Reporter) -> None:
        """One step, and its figures."""
        reporter.add(self.step(batch))
        self.device_feed.step_done()
        if not self.times.running:
            self.device_feed.finish()
        samples = self.counters.samples + self.config.batch
        self.counters = dataclasses.replace(self.counters, step=self.counters.step + 1, samples=samples)
        self.stage.stepped(self.counters.step)

    def _progress(self, more: float = 0.0) -> float:
        """Share of the run that is done, or would be after so many seconds more."""
        other = self.times.overhead + self.times.reserve
        return self.config.schedule.progress(self.counters.step, self.counters.seconds + more, other)

    def _fits(self, name: str) -> bool:
        """Whether there is time for this, a step, and this once more at the end."""
        return self._progress(self.times.lap + self.times.cost(name)) < 1

    def _at_most_a_quarter(self, every: float) -> float:
        """Of the budget: its end is planned with what a measurement and a checkpoint took before."""
        return min(every, self.config.schedule.seconds / 4) if self.config.schedule.seconds else every

    def _validate(self, reporter: Reporter, bar: Progress) -> None:
        """Figures of the averaged net."""
        self.figures = self.strategy.measured(self.average.arrays, lambda module: self.stage.validate(module, self.device_feed))
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


def _held_as(patterns: Mapping[str, torch.Tensor], arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Whole arrays as tensors that are held as those of the same names. Raises KeyError if there is none of a name,
    RuntimeError if it has another shape.
    """
    found = {}
    for name, array in arrays.items():
        if patterns[name].shape != array.shape:
            raise RuntimeError(f"{name} has the shape {array.shape}")
        found[name] = sharding.like(patterns[name], torch.from_numpy(np.array(array)))
    return found
