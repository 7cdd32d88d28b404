"""The options of `goengine review`. Imports nothing slow, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path

from goengine.core.options import MOST_THREADS, Seconds, option


@dataclass(frozen=True)
class ReviewOptions:
    """Review games: each move's win rate, lead and loss, the better lines, figures for both sides, a picture and a page.

    Writes GAME-review.sgf, .html, .svg and .png beside each file; the main line of each game is reviewed.
    """

    games: tuple[Path, ...] = option(
        help="SGF files, each of one game or several; .xz, too; pictures of boards (PNG, JPEG, WebP)", positional=True
    )
    out: Path | None = option(None, "folder for what is written; beside each file if not given")
    visits: int | None = option(
        None, "visits for each position; 100 if neither this nor --time is given", least=2, most=1 << 30
    )
    time: Seconds | None = option(None, "time for the whole review of all files, such as 90s or 5m")
    first: int = option(1, "number of the first move to review", short="--from", least=1)
    last: int | None = option(None, "number of the last move to review", short="--to", least=1)
    net: str | None = option(None, "name of a shipped net or path of one; the best for each board size if not given")
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)
    rules: str | None = option(None, "rules to judge by, such as japanese; the record's if not given")
    komi: float | None = option(None, "komi to judge by; the record's if not given", least=-400, most=400)
    ranks: str = option(
        "record", "whose eyes: a rank such as 5k, Black's and White's such as 5k,3d, record (BR and WR), or none"
    )
    seen: str | None = option(None, "the rank of what a stronger player would have seen; three stones stronger if not given")
    rank_net: str = option("auto", "the net that knows ranks: a name or a path; auto: the one that came along")
    variations: bool = option(True, "write better lines into the SGF")
    json: bool = option(False, "write the review as JSON instead of tables")

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"--to {self.last} is before --from {self.first}")
        if self.time is not None and self.time <= 0:
            raise ValueError("--time must be more than 0")
