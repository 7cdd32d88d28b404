"""The options of `python -m training forms`. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import option
from training.core.command_options import check_packs

FormName = Literal["f64", "f32", "bf16", "f16", "int8", "int8-trained", "int8-weights", "int4-weights"]
FORMS: tuple[FormName, ...] = ("f64", "f32", "bf16", "f16", "int8", "int8-trained", "int8-weights", "int4-weights")


@dataclass(frozen=True, kw_only=True)
class FormsOptions:
    """Compare the number formats of a net: file size, speed, same first move, value off, and Elo by a match at equal visits."""

    weights: Path = option(help="the net (net.safetensors of a run or of a shipped net)")
    out: Path = option(help="folder for the files of the forms, and the matches")
    games: Path = option(help="a pack of held-out games of one board size, to compare on")
    calibration_games: Path = option(help="a pack of other games: int8 steps are found on their positions")
    int8: Path | None = option(None, "the net trained with roundings (net.safetensors of quantize), for int8-trained")
    forms: tuple[FormName, ...] = option(FORMS, "which ones; int8-trained only with --int8")
    positions: int = option(4000, "held-out positions", least=1)
    calibration: int = option(512, "positions that int8 steps are found on", least=1)
    batch: int = option(8, "positions of a batch when speed is measured", least=1)
    rounds: int = option(7, "in which the forms take turns when speed is measured", least=1)
    seconds: float = option(0.5, "of a form in a round", most=3600)
    match_games: int = option(0, "games of each form against f32; 0: none", least=0)
    match_visits: int = option(32, "visits of a move in these games", least=1)
    seed: int = option(0, "of the draws")
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        check_packs("--games", self.games)
        check_packs("--calibration-games", self.calibration_games)
        if "f32" not in self.forms:
            raise ValueError("--forms: f32 is what the others are compared with; name it, too")
        if self.match_games % 2:
            raise ValueError(f"--match-games {self.match_games}: an even number; each opening is played with both colours")
