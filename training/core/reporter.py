"""What a run says of itself while it runs: the bar, a line of JSON for every report, TensorBoard where it is installed.

Knows names of figures and where they go. Knows neither nets nor how figures come about.
"""

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from goengine.core.progress import Progress
from training.core.checkpoint import Counters, RunError, what_is_left

AROUND_SECONDS = 60.0  # between two lines that tell what happens around the training

Around = Callable[[], Mapping[str, Mapping[str, float]]]


class Reporter:
    """Means of the figures since the last report, to the bar, the log and TensorBoard."""

    def __init__(self, path: Path | None, around: Around | None = None, unit: str = "pos"):
        """path: of the log; None: only the loss is watched, nothing is written.

        around: figures by group and name of what happens meanwhile; a report asks for them once a minute. unit: what people
        call a sample.
        """
        self._unit = unit
        self._around, self._asked = around, -math.inf
        self._log = None if path is None else open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        self._board = None if path is None else _tensorboard(path.parent)
        self._sums: dict[str, torch.Tensor] = {}
        self._count = 0
        self._since: tuple[int, float] | None = None

    def add(self, figures: Mapping[str, torch.Tensor]) -> None:
        """Add one step's figures; they stay on the device, so that nothing waits for it. NaN: a step that tells nothing."""
        known = [name for name in figures if name in self._sums]
        sums = torch._foreach_add([self._sums[name] for name in known], [figures[name] for name in known]) if known else []
        self._sums |= dict(figures) | dict(zip(known, sums, strict=True))
        self._count += 1

    def report(self, counters: Counters, rate: float, bar: Progress, progress: float) -> None:
        """Show and log the means, if there was a step. Raises RunError if the loss is not finite."""
        if not self._count:
            return
        sums = torch.stack([value.float() for value in self._sums.values()]).tolist()  # one wait for the device
        means = {name: value / self._count for name, value in zip(self._sums, sums, strict=True)}
        self._sums, self._count = {}, 0
        if not math.isfinite(means["loss"]):
            raise RunError(
                f"the loss is not finite at step {counters.step}; start again from the last checkpoint with a lower --rate"
            )
        line: dict[str, Any] = {
            "step": counters.step,
            "samples": counters.samples,
            "seconds": round(counters.seconds, 1),
            "rate": round(rate, 7),
        }
        means = {name: value for name, value in means.items() if math.isfinite(value)}  # the others are not known
        line |= {name: round(value, 5) for name, value in means.items()}
        if self._since:
            spent = max(counters.seconds - self._since[1], 1e-9)
            line["per_second"] = round((counters.samples - self._since[0]) / spent, 1)
        self._since = (counters.samples, counters.seconds)
        if self._log is not None and self._around is not None and time.monotonic() - self._asked >= AROUND_SECONDS:
            self._asked = time.monotonic()
            line |= self._around()
        self.write(line)
        shown = [f"step {counters.step}"]
        if (speed := line.get("per_second")) is not None:  # not known at the first report
            shown.append(f"{speed:.{0 if speed >= 10 else 1}f} {self._unit}/s")
        shown.append(f"loss {means['loss']:.3f}")
        shown += [f"{name} {means[name]:.3f}" for name in ("policy", "top1", "mse", "won") if name in means]
        bar.update(progress, "  ".join(shown))

    def write(self, line: Mapping[str, Any]) -> None:
        """One line of JSON, and TensorBoard where it is installed. Raises RunError if the disk does not take it."""
        if self._log is None:
            return
        try:
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
            self._to_board(line)
        except OSError as error:
            raise RunError(
                f"cannot write {self._log.name}: {error.strerror or error}; {what_is_left(Path(self._log.name).parent)}"
            ) from error

    def _to_board(self, line: Mapping[str, Any]) -> None:
        if self._board is None:
            return
        for name, value in line.items():
            for inner, number in value.items() if isinstance(value, dict) else ((None, value),):
                self._board.add_scalar(f"{name}/{inner}" if inner else f"train/{name}", number, line["step"])

    def close(self) -> None:
        """Close the files. Lines that a full disk did not take are lost; that was reported before."""
        for file in (self._log, self._board):
            with contextlib.suppress(OSError):
                if file is not None:
                    file.close()


def _tensorboard(folder: Path) -> Any:
    """A writer, or None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))


def step_of(line: str) -> float:
    """The step of a line of the log; infinite for one that a kill cut short."""
    try:
        return float(json.loads(line)["step"])
    except json.JSONDecodeError:
        return math.inf
