"""Options of how a net's training is divided: over processes, and in time. Imports no torch."""

from dataclasses import dataclass
from typing import Literal

from goengine.core.options import option
from goengine.nets.architecture import ArchitectureError, check

WORKERS = ("async", "backup")  # values of --parallel that bring workers
Parallel = Literal["data", "shard", "pipeline", "tensor", "async", "backup"]


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """What every command takes whose net may be split (docs/split-nets.md)."""

    parallel: Parallel = option(
        "data",
        "what torchrun's processes divide: data, each has the net and a share of the batch; shard, the same, and each keeps a "
        "share of weights, gradients and optimizer; pipeline, the trunk by blocks; tensor, the layers of transformer blocks. "
        "Or workers on a Ray cluster push gradients to a server: async, nobody waits; backup, a step takes the first and "
        "drops the others",
    )
    stages: int | None = option(
        None, "processes that a net is split over by pipeline and tensor; by default all that torchrun starts", least=1
    )
    microbatches: int = option(4, "equal parts of a batch that follow each other through a pipeline", least=1)
    accumulate: int = option(1, "equal parts of a batch that are computed one after the other, for less memory", least=1)
    recompute: bool = option(
        False, "keep of each block only what goes in, and compute it again for the gradient: less memory, a third more time"
    )

    def __post_init__(self) -> None:
        if self.stages is not None and self.parallel not in ("pipeline", "tensor"):
            raise ValueError(f"--stages {self.stages} is of --parallel pipeline or tensor, not of {self.parallel}")
        if self.parallel in WORKERS and (self.accumulate > 1 or self.recompute):
            given = "--recompute" if self.recompute else f"--accumulate {self.accumulate}"
            raise ValueError(
                f"{given}: workers of --parallel {self.parallel} do not save memory so; give them a smaller --batch"
            )
        if self.parallel == "pipeline" and self.accumulate > 1:
            raise ValueError(f"--accumulate {self.accumulate}: a pipeline has --microbatches for that")


@dataclass(frozen=True, kw_only=True)
class MemoryOptions:
    """Measure what each way to save memory in training saves (docs/split-nets.md): one step each, on a random batch."""

    net: str = option("b4c64", "an architecture: a preset such as b4c64, or a text such as c96:rrgrt2")
    size: int = option(19, "board size", least=2, most=25)
    batch: int = option(64, "positions per step, of all processes together", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("adamw", "kind of optimizer")
    half: bool = option(False, "compute in bfloat16")
    processes: int = option(2, "processes that split nets are held by", least=2, most=64)
    parts: int = option(4, "equal parts of a batch where it is cut", least=1)
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        try:
            check(self.net)
        except ArchitectureError as error:
            raise ValueError(f"--net {error}") from None
        if self.batch % (self.processes * self.parts):
            raise ValueError(f"--batch {self.batch} cannot be dealt to {self.processes} processes in {self.parts} equal parts")
        if self.parts < self.processes:
            raise ValueError(f"--parts {self.parts} cannot fill a pipeline of {self.processes} processes")
