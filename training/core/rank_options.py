"""The options of the commands that learn from games of ranked players. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, option
from goengine.nets.sequence.sequence_spec import Kind
from goengine.ranks.scale import rank_value
from training.core.command_options import LoopedOptions, TrainingOptions, check_packs


@dataclass(frozen=True, kw_only=True)
class RankedOptions(TrainingOptions):
    """Train a net of the features zero_ranked to play as people of given ranks; a tenth of the games is held out."""

    net: str = option(help="weights file to begin with (see grow --features zero_ranked), or an architecture for a fresh net")
    drawn: int = option(2_000_000, "positions of a pass, divided among bands of ranks about evenly", least=1)
    vary: float = option(0.0, "share of samples shown under other rules and komi, with the result they give", most=1)
    keep_norms: bool | None = option(True, "normalise by the statistics that the net came with, not by each batch's")
    validation_positions: int = option(3000, "held-out moves of a measurement, of all bands alike", least=1)


@dataclass(frozen=True, kw_only=True)
class SequenceOptions(LoopedOptions):
    """Train a model of move tokens with rank tokens at their head; a tenth of the games is held out. 19x19 alone."""

    data: tuple[Path, ...] = option(help="packed games with ranks (see the command pack)")
    kind: Kind = option("decoder", "gru: recurrent, board-free; decoder: a transformer")
    trunk: str = option("", "a shipped net whose trunk shows a decoder the position; by default it is board-free")
    width: int = option(128, "of the model's states", least=8, most=1024)
    layers: int = option(3, "of the model", least=1, most=24)
    heads: int = option(4, "of attention", least=1, most=64)
    longest: int = option(0, "tokens of a line; 0: 320, or with a trunk as many as --ahead needs", most=2048)
    ahead: int = option(16, "moves behind a position that a decoder with a trunk learns to say", least=1, most=300)
    drawn: int = option(2_000_000, "positions of a pass, divided among bands of ranks about evenly", least=1)
    symmetries: bool = option(True, "show each line through a random symmetry")
    batch: int = option(64, "lines per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("adamw", "kind of optimizer")
    rate: float | None = option(0.002, "peak learning rate")
    validation_positions: int = option(3000, "held-out moves of a measurement, of all bands alike", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_packs("--data", *self.data)
        if self.kind == "gru" and self.trunk:
            raise ValueError("--trunk: a gru is board-free; --kind decoder sees a position")
        if self.width % self.heads:
            raise ValueError(f"--heads {self.heads}: the width {self.width} cannot be divided among them")


@dataclass(frozen=True, kw_only=True)
class SequenceExportOptions:
    """Write a model of move tokens as OpenVINO files, with which it plays without torch."""

    weights: Path = option(help="the model (net.safetensors of a run of the command sequence)")
    out: Path = option(help="file to write, NAME.xml; NAME.bin lies beside it")

    def __post_init__(self) -> None:
        if self.out.suffix != ".xml":
            raise ValueError(f"--out {self.out}: an OpenVINO file is named NAME.xml")


@dataclass(frozen=True, kw_only=True)
class CompareRanksOptions:
    """Measure models of people's moves on held-out games, by band of ranks and by phase of the game."""

    games: tuple[Path, ...] = option(help="packs of games with ranks; only their held-out tenth is measured")
    models: tuple[str, ...] = option(help="nets (names, folders, .safetensors) and sequence models (.safetensors)")
    moves: int = option(6000, "moves to measure on, of all bands alike", least=1)
    told: str = option("", "tell models that both players are of this rank, such as 9d, or 'unknown', instead of the truth")
    views: int = option(1, "symmetries of each position whose answers are averaged, of nets", least=1, most=8)
    seed: int = option(0, "of the draw")
    threads: int = option(1, "threads of a model", least=1, most=MOST_THREADS)
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        check_packs("--games", *self.games)
        told_rank(self.told)


def told_rank(text: str) -> float:
    """The rank of `--told` on the scale, NaN for 'unknown' (and for nothing). Raises ValueError if it is no rank."""
    return rank_value(text) if text not in ("", "unknown") else float("nan")
