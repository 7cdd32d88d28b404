"""The options of the commands that train and ship a detector. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import Seconds, option
from training.core.command_options import LoopedOptions


@dataclass(frozen=True, kw_only=True)
class DetectorOptions(LoopedOptions):
    """Train a net that finds boards, stones and crossings on pictures which are drawn while it learns."""

    batch: int = option(16, "pictures per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("adamw", "kind of optimizer")
    channels: tuple[int, ...] = option((16, 24, 48, 64, 96), "channels behind each halving of the picture", least=4, most=512)
    blocks: tuple[int, ...] = option((0, 0, 3, 3, 3), "inverted blocks behind each halving", least=0, most=24)
    expansion: int = option(3, "how many times wider these blocks are inside", least=1, most=8)
    validation_pictures: int = option(64, "pictures of a measurement", least=1)
    validate_every: Seconds = option(Seconds(600), "time between measurements")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.channels) == len(self.blocks) == 5:
            raise ValueError("--channels and --blocks take five numbers each: the coarsest map has a point for 32 x 32 pixels")


@dataclass(frozen=True)
class ShipDetectorOptions:
    """Write a trained detector as the graph that goengine read uses (OpenVINO)."""

    weights: Path = option(help="net.safetensors of the command detector", positional=True)
    out: Path = option(help="file to write, NAME.xml; NAME.bin comes beside it")

    def __post_init__(self) -> None:
        if self.out.suffix != ".xml":
            raise ValueError(f"--out {self.out}: an OpenVINO file's name ends in .xml")
