"""The first AlphaGo with few visits against the raw policy that gives it its priors.

    python benchmarks/lee_few_visits.py --sizes 9,19 --visits 50,100,200,400 --games 20 --folder runs/few-visits
    python benchmarks/lee_few_visits.py --sizes 9 --value lee --games 100 --folder runs/few-visits

Each pairing is a match folder in --folder, continued if it exists. The table is Markdown.
"""

from dataclasses import dataclass
from pathlib import Path

from goengine.arena.fixtures import GameSetup
from goengine.arena.match import Match, run_match
from goengine.arena.openings import POLICY, OpeningSource
from goengine.arena.players import parse_player
from goengine.arena.strength.elo import expected
from goengine.board.rules import Rules
from goengine.core.options import option, parse


@dataclass(frozen=True)
class Options:
    """Matches of few visits."""

    folder: Path = option(help="the games")
    policy: str = option("lee-policy", "a policy net: with a search, and against it without one")
    value: str = option("", "a value net; rollouts alone if not given")
    sizes: str = option("9,19", "board sizes")
    visits: str = option("50,100,200,400", "visits per move")
    games: int = option(20, "of a pairing")
    search: str = option("", "constants of the search, such as rollout_prior=30")
    seed: int = option(1, "of all chance")
    threads: int = option(1, "processes")


def pairing(options: Options, size: int, visits: int) -> Match:
    """The match at so many visits."""
    settings = f"preset=LEE,visits={visits}" + ("" if options.value else ",rollout_weight=1")
    settings += f",{options.search}" if options.search else ""
    return Match(
        parse_player(f"{options.policy}+{options.value}", settings),
        parse_player(options.policy, "raw=true"),
        GameSetup(size, Rules.preset("tromp-taylor")),
        games=options.games,
        openings=OpeningSource(POLICY),
        seed=options.seed,
        threads=options.threads,
    )


def main(options: Options) -> None:
    """Play what is missing, and print a row for each pairing."""
    nets = f"{Path(options.policy).name}+{Path(options.value).name}"
    print("| board | nets | visits | won by the search | 95 % |\n|---|---|---|---|---|", flush=True)
    for size in map(int, options.sizes.split(",")):
        for visits in map(int, options.visits.split(",")):
            summary = run_match(pairing(options, size, visits), options.folder / f"{nets}-{size}x{size}-{visits}-visits")
            low, high = (100 * expected(elo) for elo in (summary.elo.low, summary.elo.high))
            score = f"{summary.score.total:g} of {summary.games} ({100 * summary.score.points:.0f} %)"
            print(f"| {size}x{size} | {nets} | {visits} | {score} | {low:.0f} to {high:.0f} % |", flush=True)


if __name__ == "__main__":
    main(parse(Options))
