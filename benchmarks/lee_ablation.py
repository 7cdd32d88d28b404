"""The first AlphaGo with parts left out, each against the whole one, beside what the paper found (Extended Data Table 7).

    python benchmarks/lee_ablation.py --size 9 --seconds 0.1 --folder benchmarks/lee-ablation-9x9
    python benchmarks/lee_ablation.py --size 19 --seconds 0.2 --folder benchmarks/lee-ablation-19x19

The games are a tournament in --folder, continued if it exists; the table (Markdown) and ablation.svg are made of it. The
paper's ratings (Silver et al., Nature 529 (2016)) are of 19x19, at 5 seconds on 48 CPUs and 8 GPUs.
"""

import itertools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from goengine.arena import tournament_command
from goengine.arena.tournament import RESULT
from goengine.core.canvas import COLOURS, FAINT, GRID, INK, OTHER, canvas, save
from goengine.core.options import option, parse

WHOLE = "rollouts+value+policy"
PICTURE = "ablation.svg"
_ALONE = "rollout_weight=0,expansion_threshold=1"


class Variant(NamedTuple):
    """A player: nets and settings beside the preset, and its rating in the paper."""

    nets: str
    settings: str
    paper: int | None


VARIANTS: dict[str, Variant] = {
    WHOLE: Variant("{policy}+{value}", "", 2890),
    "value+policy": Variant("{policy}+{value}", _ALONE, 2177),
    "rollouts+policy": Variant("{policy}+", "rollout_weight=1", 2416),
    "rollouts+value": Variant("+{value}", "", 2077),
    "value": Variant("+{value}", _ALONE, 1655),
    "rollouts": Variant("+", "rollout_weight=1", 1457),
    "policy": Variant("{policy}+", f"{_ALONE},visits=1", 1517),
}
ZERO, PROGRAM = "Zero", "GNU Go 3.8 level 10"
PAPER = {name: variant.paper for name, variant in VARIANTS.items()} | {PROGRAM: 431}


@dataclass(frozen=True)
class Options:
    """The ablation on one board size."""

    folder: Path = option(help="the games, the table and the picture")
    size: int = option(9, "board size")
    seconds: float = option(0.2, "of a move, for all but GNU Go", least=0)
    games: int = option(20, "of a pairing", least=2)
    parallel: int = option(2, "games at a time, each player on one core", least=1)
    policy: str = option("lee", "the policy net")
    value: str = option("lee", "the value net")
    zero: str = option("b8c96-rl", "the net that plays as Zero")
    gnugo: str = option("gnugo --mode gtp --level 10 --chinese-rules --resign-allowed", "the program; empty: none")


def words(options: Options) -> list[str]:
    """The tournament as words of `goengine tournament`: all against the whole player."""
    found = [f"--folder={options.folder}", f"--boardsize={options.size}", f"--games={options.games}", "--gauntlet"]
    found += [f"--anchor={WHOLE}", f"--parallel={options.parallel}", "--threads=1", "--laps=2"]
    players = []
    for name, variant in VARIANTS.items():
        settings = ["preset=LEE", variant.settings, "" if "visits" in variant.settings else f"seconds={options.seconds}"]
        nets = variant.nets.format(policy=options.policy, value=options.value)
        players.append(f"{name}={nets}@{','.join(filter(None, settings))}")
    players.append(f"{ZERO}={options.zero}@seconds={options.seconds}")
    return [*found, "--player", *players, *([f"{PROGRAM}={options.gnugo}"] if options.gnugo else [])]


def rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The players, the best first: name, Elo against the whole player with its interval, points and games, the paper's Elo."""
    found = []
    for rating in told["ratings"]:
        paper = PAPER.get(rating["name"])
        against = None if paper is None else paper - VARIANTS[WHOLE].paper
        points = round(2 * rating["points"] * rating["games"]) / 2
        found.append(
            {**{key: rating[key] for key in ("name", "elo", "low", "high", "games")}, "points": points, "paper": against}
        )
    return found


def table(found: list[dict[str, Any]]) -> str:
    """The players as Markdown."""
    lines = ["| player | won against the whole one | Elo, 95 % | AlphaGo, 19x19 |", "|---|---|---|---|"]
    for row in found:
        paper = "" if row["paper"] is None else f"{row['paper']:+d}" if row["paper"] else "0 (2890)"
        if row["name"] == WHOLE:
            lines.append(f"| **{WHOLE}** | | 0 | {paper} |")
            continue
        elo = f"{row['elo']:+.0f} ({row['low']:+.0f} to {row['high']:+.0f})"
        lines.append(f"| {row['name']} | {row['points']:g} of {row['games']} | {elo} | {paper} |")
    return "\n".join(lines)


def spread(heights: list[float], gap: float) -> list[float]:
    """The heights of labels, at least so far apart, as near to those of what they name as that allows; in the same order."""
    order = sorted(range(len(heights)), key=lambda i: (-heights[i], i))
    places = list(heights)
    for above, below in itertools.pairwise(order):
        places[below] = min(places[below], places[above] - gap)
    shift = sum(heights[i] - places[i] for i in order) / len(order)
    return [place + shift for place in places]


def draw(found: list[dict[str, Any]], size: int, path: Path) -> None:
    """Both scales side by side, with a line from each player's place here to its place in the paper."""
    figure, (axes,) = canvas(height=5.4, title=f"Parts left out: ours on {size}x{size}, AlphaGo's on 19x19")
    compared = [row for row in found if row["paper"] is not None and row["name"] != PROGRAM]  # far below all others there
    colours = {row["name"]: COLOURS[i % len(COLOURS)] for i, row in enumerate(compared)} | {WHOLE: INK}
    every = [row[key] for row in found for key in ("low", "high")] + [row["paper"] for row in compared]
    gap = (max(every) - min(every)) / 24
    for i, (row, height) in enumerate(zip(found, spread([row["elo"] for row in found], gap), strict=True)):
        colour, x = colours.get(row["name"], OTHER), -0.03 * (i % 5)  # intervals beside each other
        axes.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=4, alpha=0.25, solid_capstyle="round")
        axes.plot(x, row["elo"], "o", color=colour, markersize=6)
        label(axes, f"{row['name']}  {row['elo']:+.0f}", (-0.2, height), "right", colour)
    for row, height in zip(compared, spread([row["paper"] for row in compared], gap), strict=True):
        colour, x = colours[row["name"]], -0.03 * (found.index(row) % 5)
        axes.plot([x, 1], [row["elo"], row["paper"]], color=colour, linewidth=1, alpha=0.6)
        axes.plot(1, row["paper"], "o", color=colour, markersize=6)
        label(axes, f"{row['paper']:+d}  {row['name']}", (1.06, height), "left", colour)
    axes.set_xlim(-0.85, 1.75)
    axes.set_xticks([-0.06, 1], ["ours, 95 %", "AlphaGo"], color=FAINT)
    axes.set_ylabel("Elo against the whole player", color=FAINT)
    axes.grid(axis="y", color=GRID)
    save(figure, path)


def label(axes: Any, text: str, place: tuple[float, float], side: str, colour: str) -> None:
    """Words beside a point."""
    axes.annotate(text, place, ha=side, va="center", color=colour, fontsize=8)


def main(options: Options) -> int:
    """Play what is missing, then print the table and draw the picture."""
    if status := tournament_command.main(words(options)):
        return status
    found = rows(json.loads((options.folder / RESULT).read_text(encoding="utf-8")))
    draw(found, options.size, options.folder / PICTURE)
    sys.stdout.write(f"\n{table(found)}\n\n{options.folder / PICTURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(parse(Options, None, "lee_ablation.py")))
