"""Whether ranks are monotone: a ladder of them, each against its stronger neighbour, the last against full strength.

    python benchmarks/rank_ladder.py --folder ladder --games 40
    python benchmarks/rank_ladder.py --folder ladder --games 40 --gnugo 10k 7k 5k     # GNU Go 3.8 level 10, over GTP

Games are played in lock step in this process and kept in the folder: the same command goes on where it was stopped, and only
prints the table where nothing is left to play. `--minutes` ends it in time.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from goengine.arena.fixtures import GameSetup
from goengine.arena.match import Match, run_match
from goengine.arena.net_match import play_in_process
from goengine.arena.openings import NONE, OpeningSource
from goengine.arena.players import NetPlayer, parse_player
from goengine.arena.summary import Summary
from goengine.board.rules import Rules
from goengine.core.tables import table

RANKS = ("20k", "10k", "5k", "1k", "3d", "6d")
GNUGO = "gnugo --mode gtp --level 10 --chinese-rules --positional-superko"
RESIGN = -0.95  # both players see the game as lost for three turns each


def ranked(rank: str, options: argparse.Namespace) -> NetPlayer:
    """A player of a rank."""
    player = parse_player(options.net, f"rank={rank}" + (f",rank_net={options.rank_net}" if options.rank_net else ""))
    assert isinstance(player, NetPlayer)
    return player


def pairs(options: argparse.Namespace) -> list[tuple[str, str, Match]]:
    """(stronger, weaker, match) of the ladder."""
    terms = GameSetup(19, Rules.parse("tromp-taylor"), resign=RESIGN)
    names = [*options.ranks, f"{options.visits} visits"] if options.visits else list(options.ranks)
    players = [ranked(rank, options) for rank in options.ranks]
    if options.visits:
        full = parse_player(options.net, f"visits={options.visits}")
        assert isinstance(full, NetPlayer)
        players.append(full)
    return [
        (
            names[i + 1],
            names[i],
            Match(players[i + 1], players[i], terms, options.games, openings=OpeningSource(NONE), seed=options.seed, threads=1),
        )
        for i in range(len(players) - 1)
    ]


def gnugo(options: argparse.Namespace) -> list[tuple[str, str, Match]]:
    """(rank, GNU Go, match) over GTP."""
    terms = GameSetup(19, Rules.parse("chinese"))
    opponent = parse_player(GNUGO)
    return [
        (
            rank,
            "GNU Go",
            Match(ranked(rank, options), opponent, terms, options.games, openings=OpeningSource(NONE), parallel=1, threads=1),
        )
        for rank in options.gnugo
    ]


def played(name: str, match: Match, options: argparse.Namespace, end: float) -> Summary:
    """The match as far as the time allows."""
    nets = match.in_process
    play = play_in_process({"a": match.a, "b": match.b}, workers=1) if nets else None  # type: ignore[dict-item]
    return run_match(match, options.folder / name.replace(" ", "-"), play=play, should_stop=lambda: time.monotonic() >= end)


def main() -> None:
    """Play what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--net", default="b8c96-rl", help="the net that looks, and that plays at full strength")
    parser.add_argument("--rank-net", default="", help="the ranked net; the shipped one if not given")
    parser.add_argument("--ranks", nargs="+", default=RANKS)
    parser.add_argument("--visits", type=int, default=100, help="of full strength; 0 leaves that out")
    parser.add_argument("--gnugo", nargs="*", default=[], help="ranks to play against GNU Go instead of the ladder")
    parser.add_argument("--games", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e6)
    options = parser.parse_args()
    end, rows, found = time.monotonic() + 60 * options.minutes, [], []
    for a, b, match in gnugo(options) if options.gnugo else pairs(options):
        start = time.monotonic()
        summary = played(f"{a}-{b}", match, options, end)
        sys.stderr.write(f"{a} - {b}: {summary.games} games, {time.monotonic() - start:.0f} s\n")
        if summary.games:
            share = summary.score.points
            rows.append((a, b, summary.games, f"{100 * share:.0f} %", f"{summary.elo.difference:+.0f}"))
            found.append({"stronger": a, "weaker": b, "games": summary.games, "share": round(share, 4)})
    sys.stdout.write(table(rows, header=("stronger", "weaker", "games", "won", "Elo"), left=2))
    (options.folder / "ladder.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
