"""The options of `python -m training prune`. Imports no torch, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import option
from training.core.command_options import TaughtOptions

MOST_ALPHA = 10.0  # deviations; no weight of a trained layer is that large


@dataclass(frozen=True, kw_only=True)
class PruneOptions(TaughtOptions):
    """Cut a trained net and train what is left: inner channels, for a family of faster nets (--shares or --milliseconds), or
    single weights, as an experiment (--alphas). The net as it was teaches what is left of it."""

    weights: Path = option(help="the net (net.safetensors of a run or of a shipped net)")
    teacher: Path | None = option(None, "weights file of a stronger net to learn from; by default the net as it was")
    alphas: tuple[float, ...] = option(
        (), "cut the weights below so many deviations of their layer, each time of the whole net: 0.5 1 1.5 2 2.6"
    )
    spared: int = option(1000, "with --alphas: layers of fewer weights stay whole", least=0)
    shares: tuple[float, ...] = option((), "nets that take this share of the net's time, such as 0.7 0.5 0.35")
    milliseconds: tuple[float, ...] = option((), "nets that take so long for a move of --visits positions on one core")
    visits: int = option(100, "positions of a move, for --milliseconds", least=1)
    timed_size: int = option(19, "board size on which time is measured", least=2, most=25)
    timed_batch: int = option(8, "positions of a batch when time is measured", least=1)
    precision: Literal["auto", "f32", "bf16", "f16"] = option("auto", "number format in which time is measured")
    cut: float = option(0.1, "share of the inner kernels' weights that is cut at once, before training goes on", most=0.9)
    chunk: int = option(16, "channels that are cut together; CPUs compute 8 or 16 at once", least=1)
    scored: int = option(2048, "training positions on which channels are judged", least=1)
    finish: int = option(0, "further steps of training for each net of the family", least=0)
    compare: tuple[Literal["taught", "alone"], ...] = option(
        (), "train each size from scratch, for as many samples: taught by the same teacher, or alone"
    )
    rate: float | None = option(0.005, "peak learning rate of each training; more shakes the net")
    average: float = option(0.99, "decay of the averaged weights, which are the result", most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        kinds = [name for name in ("alphas", "shares", "milliseconds") if getattr(self, name)]
        if len(kinds) != 1:
            given = ", ".join(f"--{name}" for name in kinds) or "none"
            raise ValueError(f"give one of --alphas, --shares and --milliseconds; given: {given}")
        for alpha in self.alphas:
            if not 0 < alpha <= MOST_ALPHA:
                raise ValueError(f"--alphas {alpha:g}: expected deviations above 0, at most {MOST_ALPHA:g}")
        for share in self.shares:
            if not 0 < share < 1:
                raise ValueError(f"--shares {share:g}: a share of the net's time is above 0 and below 1")
        if any(not value > 0 for value in self.milliseconds):
            raise ValueError("--milliseconds: expected times above 0")
        for name in kinds:
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"--{name}: one value is there twice")
        if not 0 < self.cut <= 0.9:
            raise ValueError(f"--cut {self.cut:g}: a share above 0, at most 0.9")
        if self.steps is None or self.budget is not None:
            raise ValueError("--steps says how long each training is; a prune run has no --budget")
        if self.validation is None:
            raise ValueError("--validation is needed: games that are only measured")
