"""The options of `goengine rank`. Imports nothing slow, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, option


@dataclass(frozen=True)
class RankOptions:
    """Estimate how strong the players of games are, from their moves: a rank for each player, with an interval.

    Games of the same player's name count together. With --compare the estimates are held against the ranks in the records.
    """

    games: tuple[Path, ...] = option(help="SGF files, each of one game or several; .xz, too", positional=True)
    net: str = option("auto", "the net that knows ranks: a name or a path; auto: the one that came along")
    prior: Literal["flat", "server"] = option("server", "what is likely before any move: all ranks alike, or as on a server")
    opponents: Literal["unknown", "record"] = option("unknown", "whether the net may know the opponent's rank in the record")
    interval: float = option(0.8, "share of cases in which the interval is to hold the rank", least=0.05, most=0.99)
    least: int = option(30, "moves of a player below which games are too short to say anything", least=1)
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)
    json: bool = option(False, "write JSON instead of a table")
    compare: bool = option(
        False, "compare with the ranks in the records, side by side: errors by band, and whether intervals hold"
    )
    together: int = option(1, "with --compare, sides of the same rank that are taken for one player", least=1)
    most: int | None = option(None, "with --compare, at most so many games of each file", least=1)
    parts: str = option("0-255", "with --compare, parts of the games by a hash of their moves, of 256, such as 0-25")
    picture: Path | None = option(None, "with --compare, draw the estimates over the ranks: .svg or .png")
    fit: bool = option(False, "with --compare, fit temperature and spread to these games and print them")

    def __post_init__(self) -> None:
        self.range()
        if not self.compare:
            given = {"together": self.together != 1, "most": self.most is not None, "parts": self.parts != "0-255"}
            given |= {"picture": self.picture is not None, "fit": self.fit}
            wrong = [f"--{name}" for name, there in given.items() if there]
            if wrong:
                raise ValueError(f"{', '.join(wrong)} goes with --compare only")

    def range(self) -> tuple[int, int]:
        """The first and last part of 256. Raises ValueError if the text is none."""
        first, dash, last = self.parts.partition("-")
        if not (dash and first.isdigit() and last.isdigit() and 0 <= int(first) <= int(last) <= 255):
            raise ValueError(f"--parts {self.parts}: expected two numbers from 0 to 255 such as 0-25")
        return int(first), int(last)
