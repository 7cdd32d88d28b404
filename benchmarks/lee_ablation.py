"""The first AlphaGo with parts left out (Silver et al. 2016, Extended Data Table 7): every variant against the full player.

    python benchmarks/lee_ablation.py                                       # 9x9, then 19x19, 20 games a pairing
    python benchmarks/lee_ablation.py --boardsize 9 --seconds 0.02 --games 2 --folder trial      # a quick trial

Plays lee-ablation-9x9.toml (below 13x13) or lee-ablation-19x19.toml as `goengine tournament` does, each into a folder of its
own, prints a table beside the paper's figures and draws a picture. The same command goes on where it was stopped; where
nothing is left to play it writes table and picture again.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from goengine.arena.collection import write_collection
from goengine.arena.log import LogError
from goengine.arena.picture import PictureError, Scale, draw_scales
from goengine.arena.strength.elo import Score
from goengine.arena.strength.ratings import rate
from goengine.arena.tournament import RESULT, Pairing, Standings
from goengine.arena.tournament_command import play, read_options
from goengine.core.options import Seconds, option, parse
from goengine.evaluators.base import EvaluatorError

HERE = Path(__file__).resolve().parent
FULL, GNUGO = "rollouts+value+policy", "GNU Go 3.8 level 10"
GNUGO_ELO = 431.0  # in the paper
PAPER = {  # on 19x19, 5 seconds a move, 48 CPUs and 8 GPUs; policy alone is without a search
    FULL: 2890.0,
    "value+policy": 2177.0,
    "rollouts+policy": 2416.0,
    "rollouts+value": 2077.0,
    "value": 1655.0,
    "rollouts": 1457.0,
    "policy": 1517.0,
    GNUGO: GNUGO_ELO,
}
TABLE, PICTURE = "lee-ablation.md", "lee-ablation.svg"


@dataclass(frozen=True, kw_only=True)
class AblationOptions:
    """The first AlphaGo with parts left out, each variant against the full player; a table and a picture beside the paper's."""

    boardsize: tuple[int, ...] = option((9, 19), "board sizes, one after the other", least=2, most=25)
    folder: Path = option(Path("runs/lee-ablation"), "games by board size, table and picture; continued if it exists")
    games: int | None = option(None, "games against the full player; those of the files if not given", least=1)
    seconds: Seconds | None = option(None, "seconds per move; those of the files if not given")
    parallel: int | None = option(None, "games at the same time; those of the files if not given", least=1)
    picture: Path | None = option(None, f"the picture; {PICTURE} in the folder if not given")
    keep: Path | None = option(None, "also write games and result of each size into lee-ablation-NxN in this folder")


class Row(NamedTuple):
    """A player of one size: its score against the full one, and its rating, with GNU Go at the paper's, and 95 % interval."""

    score: Score | None  # None: the full player
    elo: float
    low: float
    high: float


def played(options: AblationOptions, size: int) -> Standings:
    """The tournament of a size, after its missing games were played. Raises as `run_tournament`."""
    file = HERE / f"lee-ablation-{'9x9' if size < 13 else '19x19'}.toml"
    words = [f"--file={file}", f"--boardsize={size}"]
    words += [f"--{key}={value}" for key in ("games", "seconds", "parallel") if (value := getattr(options, key)) is not None]
    return play(read_options(words).tournament(), options.folder / f"{size}x{size}")


def rows(standings: Standings) -> dict[str, Row]:
    """By player, in the order of the file.

    The interval is that of the difference to the full player, whom alone everybody has met; the scale is moved so that GNU Go
    has the paper's rating.
    """
    scores = {(pairing.a, pairing.b): summary.score for pairing, summary in standings.matches.items()}
    ratings = {rating.name: rating for rating in rate(scores, [FULL, GNUGO], anchor=FULL)}
    move = GNUGO_ELO - ratings[GNUGO].elo
    found = {}
    for name in [FULL, *(b if a == FULL else a for a, b in scores)]:
        pairing, rating = Pairing.of(name, FULL), ratings[name]
        score = None if name == FULL else scores[pairing] if pairing.a == name else scores[pairing].reversed()
        found[name] = Row(score, rating.elo + move, rating.low + move, rating.high + move)
    return found


def markdown(by_size: dict[int, dict[str, Row]]) -> str:
    """The table: a line for each player, columns for each size, and the paper's figure."""
    head = ["rollouts", "value net", "policy net"]
    for size in by_size:
        head += [f"points, {size}x{size}", f"Elo, {size}x{size}", "95 %"]
    lines = [[*head, "AlphaGo, 19x19"], ["---"] * (len(head) + 1)]
    for name in dict.fromkeys(name for found in by_size.values() for name in found):
        cells = _parts(name)
        for found in by_size.values():
            cells += _cells(found.get(name))
        lines.append([*cells, f"{PAPER[name]:.0f}" if name in PAPER else ""])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _parts(name: str) -> list[str]:
    """Three cells: which parts a variant has, or what else plays."""
    parts = name.split("+")
    if not set(parts) <= {"rollouts", "value", "policy"}:
        return [name, "", ""]
    if name == "policy":
        return ["no", "no", "yes, no search"]
    return ["yes" if part in parts else "no" for part in ("rollouts", "value", "policy")]


def _cells(row: Row | None) -> list[str]:
    """Points, rating and interval of a player."""
    if row is None:
        return ["", "", ""]
    if row.score is None:
        return ["", f"{row.elo:.0f}", ""]
    return [f"{row.score.total:g} of {row.score.games}", f"{row.elo:.0f}", f"{row.low:.0f} to {row.high:.0f}"]


def scales(by_size: dict[int, dict[str, Row]]) -> list[Scale]:
    """A scale for each size, and the paper's."""
    ours = [
        Scale(f"ours, {size}x{size}", {name: (row.elo, row.low, row.high) for name, row in found.items()})
        for size, found in by_size.items()
    ]
    return [*ours, Scale("AlphaGo, 19x19", {name: (elo, elo, elo) for name, elo in PAPER.items()})]


def keep(folder: Path, kept: Path) -> None:
    """One collection of a size's games, and its result. Raises OSError or ValueError if they cannot be written."""
    write_collection(folder, kept / "games.sgfs.xz")
    shutil.copyfile(folder / RESULT, kept / RESULT)


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 when all is played and written, 2 if it cannot be, 130 if it was interrupted."""
    options = parse(AblationOptions, sys.argv[1:] if argv is None else argv, "lee_ablation")
    by_size = {}
    try:
        for size in options.boardsize:
            by_size[size] = rows(played(options, size))
            if options.keep is not None:
                keep(options.folder / f"{size}x{size}", options.keep / f"lee-ablation-{size}x{size}")
        text = markdown(by_size)
        (options.folder / TABLE).write_text(text, encoding="utf-8")
        draw_scales(scales(by_size), options.picture or options.folder / PICTURE)
    except (ValueError, OSError, LogError, EvaluatorError, PictureError) as error:
        sys.stderr.write(f"lee_ablation: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\nlee_ablation: stopped. The same command with --folder {options.folder} goes on with its games\n")
        return 130
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
