"""The options of ``goengine play``. Imports nothing slow, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path

from goengine.core.options import MOST_THREADS, Seconds, option
from goengine.player.engine_options import EngineOptions


@dataclass(frozen=True)
class PlayOptions:
    """Play a game against the engine in the terminal."""

    size: int = option(19, "board size, 2 to 25", least=2, most=25)
    color: str = option("black", "your colour, black or white")
    level: int = option(20, "strength of the engine from 1 (weak) to 20 (full)", least=1, most=20)
    rank: str | None = option(None, "play as people of a rank do, 30k to 9d, such as 12k or 3d")
    rank_net: str = option("auto", "the net that knows ranks: a name or a path; auto: the one that came along")
    handicap: int = option(0, "stones that Black gets, 2 to 9", most=9)
    time: Seconds = option(Seconds(3.0), "time that the engine thinks on a move, such as 1 or 10s")
    visits: int | None = option(None, "visits per move at most", least=1)
    net: str | None = option(None, "name of a shipped net or path of a weights file")
    book: str = option(
        "auto", "openings: auto (the engine's own, unless a net is named), shipped (with any net), none, or a book's file"
    )
    rules: str = option("chinese", "a preset such as japanese, aga, tromp-taylor")
    komi: float | None = option(None, "points for White; the usual komi of the rules, or 0.5 with a handicap", least=None)
    load: Path | None = option(None, "go on from the end of this SGF file")
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)

    def __post_init__(self) -> None:
        if not 2 <= self.size <= 25:
            raise ValueError(f"--size must be from 2 to 25, not {self.size}")
        if self.color.lower() not in ("black", "white", "b", "w"):
            raise ValueError(f"--color must be black or white, not '{self.color}'")
        if not 1 <= self.level <= 20:
            raise ValueError(f"--level must be from 1 to 20, not {self.level}")
        EngineOptions(level=self.level, rank=self.rank)
