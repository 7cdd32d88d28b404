"""The parameter server: the training loop of one process, with gradients that come from elsewhere.

It is the loop of `training.core.loop` with its folder, schedule, checkpoints and measurements; a batch is then one gradient,
or the mean of the first few of a step, and the stage's loss is computed by workers. Any number of threads may call `join`,
`pull`, `push` and `lease` while `run` goes on in another. A server that was killed goes on where its last checkpoint is;
gradients of the life before are known by the name of that life, and dropped. Knows neither Ray nor what is learned.
"""

import dataclasses
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.core.checkpoint import Counters, RunError
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Batches, Numbers, Stage, Trainer
from training.core.reporter import Reporter
from training.core.setup import Setup
from training.core.strategy import Autocast, Figures, Loss, StepPlan, Strategy
from training.parallel import staleness
from training.parallel.fingerprint import difference, fingerprint
from training.parallel.flat import FlatModule
from training.parallel.messages import Gradient, Weights
from training.parallel.staleness import Ledger, StalenessRule

PATIENCE = 0.2  # seconds between two looks of the loop at its clock while no gradient comes
PACES = 1000  # last gradients whose times are kept
HOPELESS = 100  # gradients in a row that are not numbers, after which the run ends
ALIVE = 60.0  # seconds after its last call that a worker counts as there


@dataclasses.dataclass(frozen=True)
class StepRule:
    """Which gradients make a step: one, whenever it comes, or the first `counted` at the present weights."""

    waits: bool = False
    counted: int = 1
    batch: int = 1  # samples of one gradient
    stale: StalenessRule = StalenessRule()


@dataclasses.dataclass
class Pending:
    """A gradient that waits for its use."""

    worker: str
    gradient: Gradient
    weight: float = 1.0
    age: int = 0
    done: bool = False


class PushedStage(Stage):
    """A stage whose gradients come from workers; everything else is the inner stage's."""

    def __init__(self, inner: Stage, server: "ParameterServer"):
        self.inner, self._server = inner, server
        self.unit = inner.unit  # type: ignore[misc]

    def around(self) -> dict[str, dict[str, float]]:
        """The inner stage's figures, and what becomes of gradients."""
        return {**self.inner.around(), "gradients": self._server.figures()}

    def batches(self, first_sample: Numbers) -> Batches:
        """A batch for each step's gradients, which the server keeps; None while there are too few."""
        while True:
            yield {"gradients": np.array(len(self._server.taken))} if self._server.take() else None

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Workers compute it."""
        raise AssertionError("a server computes no loss")

    def stepped(self, step: int) -> None:
        """As the inner stage."""
        self.inner.stepped(step)

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """As the inner stage."""
        return self.inner.validate(module, device_feed)

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """As the inner stage; and the record of gradients."""
        self._server.ledger.save(path.parent)
        self.inner.save_net(path, arrays, counters, figures)


class PushedGradients(Strategy):
    """A strategy whose gradients are those that the server has taken, with the statistics that came with them."""

    def __init__(self, module: nn.Module, plan: StepPlan, server: "ParameterServer") -> None:
        super().__init__(module, plan)
        self._server = server

    def learn(self, loss: Loss, batch: Batch, autocast: Autocast) -> Figures:
        """The mean of the taken gradients, into the module. Returns their mean figures."""
        return self._server.put()


class ServedTrainer(Trainer):
    """The loop, which shows the net after each step."""

    after_step: Callable[[], None] = staticmethod(lambda: None)

    def _learn(self, batch: Batch, reporter: Reporter) -> None:
        super()._learn(batch, reporter)
        self.after_step()


class ParameterServer:
    """A run whose gradients workers compute."""

    def __init__(self, setup: Setup, rule: StepRule, spent: float = 0.0):
        """spent: seconds of the budget that are gone. Raises RunError as `Trainer`, or if the record of gradients is broken."""
        self.rule, self._fingerprint = rule, fingerprint(setup)
        self._inner = setup.stage
        self.stage = PushedStage(setup.stage, self)
        self.stage.make_strategy = partial(PushedGradients, server=self)
        half = setup.loop.half and setup.loop.device == "cpu"
        loop = dataclasses.replace(setup.loop, device="cpu", compile=False, half=half)  # it only waits and makes steps
        began = time.monotonic() - spent
        rest: dict[str, Any] = {"described": setup.described, "bound": setup.bound, "began": began}
        self.trainer = ServedTrainer(setup.folder, setup.module, self.stage, loop, **rest)
        self.trainer.after_step = self._show
        self.ledger = Ledger.load(setup.folder)
        self._life, self._flat = uuid.uuid4().hex[:12], FlatModule(setup.module)
        self._changed = threading.Condition()
        self._drawing = threading.Lock()
        self._drawn: Batches | None = None
        self._queue: deque[Pending] = deque()
        self.taken: list[Pending] = []
        self._joined: dict[str, float] = {}  # when each worker was heard last
        self._next = self.trainer.counters.samples
        self._bad, self._ended, self._failure = 0, False, ""
        self._stop = threading.Event()
        self.news: list[str] = []
        self.computed: list[float] = []  # seconds that each used gradient took
        self._busy, self._since = 0.0, 0.0  # seconds that steps took here, and when the present one began
        # Workers may come before `run`, and need what this makes, such as opponents.
        self._inner.stepped(self.trainer.counters.step)
        self._weights = self._snapshot()

    # -- the loop's thread --

    def run(self) -> bool:
        """Learn until the schedule's end (True) or `stop` (False), as `Trainer.run`."""
        try:
            return self.trainer.run(self._stop)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def take(self) -> bool:
        """Wait a moment for the gradients of a step, which are `taken` then. Raises RunError if none that come are numbers."""
        with self._changed:
            self._changed.wait_for(self._sorted_out, PATIENCE)
            if self._failure:
                raise RunError(self._failure)
            if len(self._queue) < self.rule.counted:
                return False
            self.taken = [self._queue.popleft() for _ in range(self.rule.counted)]
            self.computed = [*self.computed[1 - PACES :], *(pending.gradient.seconds for pending in self.taken)]
            self._since = time.monotonic()
            return True

    def _sorted_out(self) -> bool:
        """Drop what is too old. Returns whether there is enough for a step, or the loop must look."""
        step, kept = self.trainer.counters.step, []
        for pending in self._queue:
            pending.age = step - pending.gradient.step
            pending.weight = float(pending.age == 0) if self.rule.waits else self.rule.stale.weight(pending.age)
            if pending.weight:
                kept.append(pending)
                continue
            self.ledger.note(pending.worker, staleness.LATE if self.rule.waits else staleness.STALE, pending.age)
            pending.done = True
        if len(kept) < len(self._queue):
            self._queue = deque(kept)
            self._changed.notify_all()
        return len(kept) >= self.rule.counted or bool(self._failure)

    def put(self) -> Figures:
        """The taken gradients' mean into the module. Returns their mean loss and figures."""
        self._inner.progress = self.stage.progress
        count, clip = len(self.taken), self.trainer.config.clip
        total, present = np.zeros(self._flat.weights, np.float32), np.zeros(len(self._flat.parameters), bool)
        for pending in self.taken:
            values, weight = pending.gradient.values, pending.weight / count
            if pending.weight < 1:  # what the clipping would make of it alone, damped: else a long one were as long as before
                weight *= min(1.0, clip / (float(np.linalg.norm(values)) + 1e-6))
            total += values if weight == 1 else values * np.float32(weight)
            present |= pending.gradient.present
            self.ledger.note(pending.worker, staleness.USED if pending.weight == 1 else staleness.DAMPED, pending.age)
        self._flat.write_gradients(total, present)
        mean = np.stack([pending.gradient.statistics for pending in self.taken]).mean(0, dtype=np.float32)
        self._flat.blend_statistics(mean, 1 / (1 + self.taken[0].age))  # old ones move it less: it would swing
        names = set.intersection(*(set(pending.gradient.figures) for pending in self.taken))
        figures = {name: float(np.mean([p.gradient.figures[name] for p in self.taken])) for name in sorted(names)}
        figures["staleness"] = float(np.mean([pending.age for pending in self.taken]))
        loss = float(np.mean([pending.gradient.loss for pending in self.taken]))
        return {name: torch.tensor(value) for name, value in {"loss": loss, **figures}.items()}

    def _show(self) -> None:
        """A step is done: workers see the new net."""
        snapshot = self._snapshot()
        self._busy += time.monotonic() - self._since
        with self._changed:
            self._weights = snapshot
            for pending in self.taken:
                pending.done = True
            self._changed.notify_all()

    def _snapshot(self) -> Weights:
        return Weights(self._life, self.trainer.counters.step, self.stage.progress, self._flat.read())

    # -- any thread --

    def stop(self) -> None:
        """Let `run` end with everything saved."""
        self._stop.set()

    def join(self, name: str, theirs: Mapping[str, str]) -> str:
        """As `Server.join`."""
        why = difference(self._fingerprint, theirs)
        with self._changed:
            if why:
                self._say(f"{name} {why}")
            else:
                self._joined[name] = time.monotonic()
        return why

    def pull(self, name: str) -> Weights:
        """As `Server.pull`."""
        with self._changed:
            known = name in self._joined
            if known:
                self._joined[name] = time.monotonic()
            weights = self._weights._replace(known=known, ended=self._ended)
        return weights._replace(batch=self._draw()) if known and not weights.ended else weights

    def push(self, name: str, gradient: Gradient) -> Weights:
        """As `Server.push`."""
        with self._changed:
            if name in self._joined and self._fits(name, gradient):
                pending = Pending(name, gradient)
                self._queue.append(pending)
                self._changed.notify_all()
                self._changed.wait_for(lambda: pending.done or self._ended)
        return self.pull(name)

    def _fits(self, name: str, gradient: Gradient) -> bool:
        """Whether it is a gradient of this net at weights that this server has shown."""
        fate = None
        if gradient.server != self._life or gradient.step > self.trainer.counters.step:
            fate = staleness.ORPHANED
        elif gradient.values.shape != (self._flat.weights,) or gradient.statistics.shape != (self._flat.statistics,):
            fate = staleness.MISFIT
        elif not (np.isfinite(gradient.loss) and all(np.isfinite(a).all() for a in (gradient.values, gradient.statistics))):
            fate = staleness.NOT_FINITE
        if fate is not None:
            self.ledger.note(name, fate)
        self._bad = 0 if fate is None else self._bad + (fate == staleness.NOT_FINITE)
        if fate == staleness.NOT_FINITE:
            self._say(f"a gradient of {name} has entries that are not numbers; it was dropped")
        if self._bad >= HOPELESS:
            self._failure = (
                f"the last {self._bad} gradients had entries that are not numbers; start again from the last checkpoint with a "
                "lower --rate"
            )
            self._changed.notify_all()
        return fate is None

    def lease(self, name: str, batches: int) -> int:
        """As `Server.lease`."""
        with self._changed:
            first, self._next = self._next, self._next + batches * self.rule.batch
        return first

    def _draw(self) -> Mapping[str, np.ndarray] | None:
        """A batch of our own, where only the server can draw them."""
        if not self._inner.drawn_by_server:
            return None
        with self._drawing:
            if self._drawn is None:
                self._drawn = self._inner.batches(self._next)
            batch = next(self._drawn)
            return None if batch is None else {key: np.array(value) for key, value in batch.items()}  # its memory is used again

    def _say(self, text: str) -> None:
        if text not in self.news[-20:]:
            self.news.append(text)

    def figures(self) -> dict[str, float]:
        """How many workers are there, what became of gradients, and how old they were."""
        now = time.monotonic()
        there = sum(now - heard < ALIVE for heard in self._joined.values())
        fates = {fate: float(self.ledger.fates[fate]) for fate in staleness.FATES if self.ledger.fates[fate]}
        return {"workers": float(there), "mean_staleness": round(self.ledger.mean_age, 3), **fates}

    def status(self) -> dict[str, Any]:
        """How the run stands, to be shown: counters, progress, `figures`, and messages since the start."""
        counters = dataclasses.asdict(self.trainer.counters)
        told = {"progress": self.stage.progress, "gradients": self.figures(), "news": list(self.news)}
        times = {"computed": list(self.computed), "busy": self._busy}
        return {**counters, **told, **times, "bytes": 4 * (self._flat.weights + self._flat.statistics)}

    def standing(self) -> Any:
        """What the stage says of its run; None if it says nothing."""
        told = getattr(self._inner, "standing", None)
        return None if told is None else told()
