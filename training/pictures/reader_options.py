"""The options of the commands about pictures of boards. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, option
from training.core.command_options import LoopedOptions


@dataclass(frozen=True, kw_only=True)
class ReaderOptions(LoopedOptions):
    """Train a net of the reader of pictures on drawn pictures: the U-Net that finds boards, or the net of crossings."""

    net: Literal["segment", "crossings"] = option("segment", "which of the nets")
    widths: str = option("", "channels of its levels, finest first, 32,48,64; by default as shipped")
    batch: int = option(16, "pictures per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("adamw", "kind of optimizer")
    validation_pictures: int = option(64, "pictures of a measurement", least=1)
    start: Path | None = option(None, "begin with the weights of this file (net.safetensors of such a run)")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.levels()

    def levels(self) -> tuple[int, ...]:
        """The widths as numbers; () if none are given. Raises ValueError if they are none."""
        try:
            widths = tuple(int(part) for part in self.widths.split(",")) if self.widths else ()
        except ValueError:
            raise ValueError(f"--widths {self.widths}: expected numbers with commas between, such as 32,48,64,80,96") from None
        if widths and (len(widths) < 4 or min(widths) < 2 or max(widths) > 1024):
            raise ValueError(f"--widths {self.widths}: at least 4 levels of 2 to 1024 channels")
        return widths


@dataclass(frozen=True, kw_only=True)
class ExportReaderOptions:
    """Write a net of the reader of pictures in the form in which it reads: OpenVINO, with a card of how it was made."""

    weights: Path = option(help="net.safetensors of the command reader")
    out: Path = option(help="folder to write into: segment.xml, .bin and .json, or crossings")


@dataclass(frozen=True, kw_only=True)
class ReadPicturesOptions:
    """Measure the reader on pictures whose positions are known: boards without an error, wrong crossings, corners."""

    folder: Path = option(
        help="folder with index.tsv, and pictures and truth as docs/formats.md says; drawn: pictures are drawn"
    )
    limit: int | None = option(None, "read so many pictures, the first; of drawn ones 100 by default", least=1)
    seed: int = option(1000, "of drawn pictures")
    reader: Literal["segment", "detect"] = option("segment", "which reader")
    threads: int = option(1, "threads of the nets", least=1, most=MOST_THREADS)
    weights: Path | None = option(None, "folder with the reader's nets; the shipped ones by default")
    failures: Path | None = option(None, "draw the boards that were read with errors here (.png)")
    json: bool = option(False, "print one JSON object")
