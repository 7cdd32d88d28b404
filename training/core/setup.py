"""What a stage makes out of its options, before anything is opened: all that a trainer needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from training.core.loop import LoopConfig, Stage, Trainer


@dataclass(frozen=True)
class Setup:
    """What is trained, on what, how, and where it is kept.

    Making one opens no folder of a run: a worker makes its own from the same options.
    """

    folder: Path
    module: nn.Module
    stage: Stage
    loop: LoopConfig
    described: object
    bound: Mapping[str, str] = field(default_factory=dict)

    def trainer(self, began: float | None) -> Trainer:
        """The loop in this process. Raises RunError as `Trainer`."""
        return Trainer(self.folder, self.module, self.stage, self.loop, described=self.described, bound=self.bound, began=began)
