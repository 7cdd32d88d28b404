"""The options of the commands that learn from games of ranked players. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path

from goengine.core.options import MOST_THREADS, option
from training.core.command_options import TrainingOptions, check_packs


@dataclass(frozen=True, kw_only=True)
class RankedOptions(TrainingOptions):
    """Train a net of the features zero_ranked to play as people of given ranks; a tenth of the games is held out."""

    net: str = option(help="weights file to begin with (see grow --features zero_ranked), or an architecture for a fresh net")
    drawn: int = option(2_000_000, "positions of a pass, divided among bands of ranks about evenly", least=1)
    vary: float = option(0.0, "share of samples shown under other rules and komi, with the result they give", most=1)
    keep_norms: bool | None = option(True, "normalise by the statistics that the net came with, not by each batch's")
    validation_positions: int = option(3000, "held-out moves of a measurement, of all bands alike", least=1)


@dataclass(frozen=True, kw_only=True)
class CompareRanksOptions:
    """Measure models of people's moves on held-out games, by band of ranks and by phase of the game."""

    games: tuple[Path, ...] = option(help="packs of games with ranks; only their held-out tenth is measured")
    models: tuple[str, ...] = option(help="nets (names, folders, .safetensors) and sequence models (.safetensors)")
    moves: int = option(6000, "moves to measure on, of all bands alike", least=1)
    views: int = option(1, "symmetries of each position whose answers are averaged, of nets", least=1, most=8)
    seed: int = option(0, "of the draw")
    threads: int = option(1, "threads of a model", least=1, most=MOST_THREADS)
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        check_packs("--games", *self.games)
