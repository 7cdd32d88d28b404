"""Measure the constants of the search, one at a time: matches of a changed constant against the default, at fixed visits.

    python benchmarks/tune.py --size 9 --visits 200 --games 200 --only cpuct fpu_reduction
    python benchmarks/tune.py --size 9 --visits 200 --games 400 --variants cpuct=0.8,cpuct_log=0.2 --sprt 0 20

Both players have the same net and the same number of visits; games come in pairs, an opening with both colours. Every variant
is a match folder of its own, so a run that was stopped goes on where it was, and more games can be asked for later. After each
match the tables SIZE-VISITS.md and .json are written anew from all folders there are. Changed defaults need another folder.

At fixed visits a change that only saves time shows nothing: `leaves` and `virtual_loss` cost strength here and gain speed
where time is what limits. Many variants at once mean that some look good by chance: believe an interval that excludes 0 only
after a second match with another seed.
"""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from goengine.arena.fixtures import GameOutcome, GameSetup
from goengine.arena.log import LogError, read
from goengine.arena.match import Match, run_match
from goengine.arena.openings import OpeningSource
from goengine.arena.players import NetPlayer, parse_player
from goengine.arena.strength.sprt import Sprt
from goengine.arena.summary import Summary, summarize
from goengine.board.rules import Rules
from goengine.core.options import option, parse
from goengine.core.progress import Progress
from goengine.evaluators import shipped_nets

FOLDER = Path(__file__).resolve().parent / "tuning"

# What is tried, by constant: settings as `goengine.arena.players` reads them. Those that are the default are left out.
GRID: dict[str, tuple[str, ...]] = {
    "cpuct": ("cpuct=0.5", "cpuct=0.7", "cpuct=1.4", "cpuct=2.0"),
    "cpuct_log": ("cpuct_log=0", "cpuct_log=0.25", "cpuct_log=0.9"),
    "cpuct_stdev_scale": ("cpuct_stdev_scale=0", "cpuct_stdev_scale=0.4", "cpuct_stdev_scale=1.2"),
    "fpu_reduction": ("fpu_reduction=0", "fpu_reduction=0.1", "fpu_reduction=0.35", "fpu_reduction=0.5"),
    "root_fpu_reduction": ("root_fpu_reduction=0", "root_fpu_reduction=0.2", "root_fpu_reduction=0.4"),
    "policy_temperature": ("policy_temperature=0.8", "policy_temperature=1.2", "policy_temperature=1.5"),
    "root_policy_temperature": ("root_policy_temperature=1.1", "root_policy_temperature=1.3"),
    "virtual_loss": ("virtual_loss=0.5", "virtual_loss=2", "virtual_loss=3"),
    "leaves": ("leaves=1", "leaves=4", "leaves=16"),
    "choice": ("choice=visits", "lcb_stdevs=3", "lcb_stdevs=7", "lcb_min_visits=0.3"),
    "symmetry_pruning": ("symmetry_pruning=false",),
}


@dataclass(frozen=True)
class Tuning:
    """Matches of changed search constants against the defaults."""

    size: int = option(9, "board size")
    visits: int = option(200, "visits per move of both players")
    games: int = option(200, "games per variant; an even number")
    only: tuple[str, ...] = option((), f"constants to try instead of all: {', '.join(GRID)}")
    variants: tuple[str, ...] = option((), "settings to try instead, such as cpuct=0.8,cpuct_log=0.2")
    base: str = option("", "settings of both players, such as preset=ZERO; a variant changes them")
    net: str = option("", "net of both players; the best shipped one for the size if not given")
    komi: float = option(7.0, "komi")
    openings: str = option("policy", "policy, random, none or a file")
    plies: int | None = option(None, "moves of an opening; a number that suits the size if not given")
    resign: float | None = option(-0.95, "value at which both must see a game as lost for it to be given up")
    sprt: tuple[float, float] = option((), "stop a match when it is decided between these two Elo differences")
    seed: int = option(1, "of openings and games; another one is another match")
    workers: int = option(1, "processes that play")
    folder: Path = option(FOLDER, "where games and tables go")

    def __post_init__(self) -> None:
        unknown = [name for name in self.only if name not in GRID]
        if unknown:
            raise ValueError(f"nothing to try for {', '.join(unknown)}; there are: {', '.join(GRID)}; or give --variants")
        if self.games < 2 or self.games % 2:
            raise ValueError(f"games come in pairs: {self.games} is no even number of at least 2")

    @property
    def name(self) -> str:
        """Of the tables and of the folder of all matches that can be compared with each other."""
        net = f"-{Path(self.net).stem}" if self.net else ""
        base = f"-{self.base}" if self.base else ""
        seed = f"-seed-{self.seed}" if self.seed != 1 else ""
        return f"{self.size}x{self.size}-{self.visits}-visits{net}{base}{seed}".replace("/", "_")

    def player(self, variant: str = "") -> NetPlayer:
        """The player with that variant. Raises ValueError if a setting makes no sense."""
        net = self.net or shipped_nets.default(self.size)
        settings = dict(part.split("=", 1) for part in f"{self.base},{variant}".replace(" ", "").split(",") if "=" in part)
        player = parse_player(net, ",".join(f"{name}={value}" for name, value in settings.items()))
        if not isinstance(player, NetPlayer):
            raise ValueError(f"'{net}' is no net")
        return replace(player, visits=self.visits)

    def wanted(self) -> list[str]:
        """The variants to play, those left out that change nothing."""
        texts = self.variants or tuple(text for name in self.only or GRID for text in GRID[name])
        default = self.player()
        return [text for text in texts if self.player(text) != default]

    def match(self, variant: str) -> Match:
        """The match of a variant (player a) against the default (player b)."""
        return Match(
            a=self.player(variant),
            b=self.player(),
            terms=GameSetup(self.size, Rules.preset("tromp-taylor").with_komi(self.komi), resign=self.resign),
            games=self.games,
            names={"a": variant, "b": "default"},
            openings=OpeningSource(self.openings, self.plies),
            seed=self.seed,
            threads=self.workers,
            sprt=Sprt(*self.sprt) if self.sprt else None,
        )


def check_defaults(tuning: Tuning) -> None:
    """Refuse to mix matches against different defaults. Raises ValueError that names what differs."""
    place = tuning.folder / tuning.name / "defaults.json"
    now = asdict(tuning.player().params)
    known = json.loads(place.read_text()) if place.exists() else now
    differing = [f"{name}={known.get(name)}" for name in {**known, **now} if known.get(name) != now.get(name)]
    if differing:
        raise ValueError(
            f"the matches in {place.parent} are against other defaults ({', '.join(differing)}); use another --folder"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(now, indent=1) + "\n")


def play(tuning: Tuning, variant: str) -> Summary:
    """Play the games of a variant that are missing."""
    match, folder = tuning.match(variant), tuning.folder / tuning.name / variant.replace("/", "_")
    with Progress(variant, tuning.games) as progress:

        def on_game(played: GameOutcome, summary: Summary) -> None:
            progress.update(summary.games, summary.brief())

        return run_match(match, folder, on_game=on_game, on_note=lambda text: print(text, file=sys.stderr))


def results(folder: Path) -> list[tuple[str, Summary]]:
    """All variants that have been played, in the order of the grid."""
    order = [text for texts in GRID.values() for text in texts]
    found = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            config, lines = read(place)
        except LogError:
            continue  # no match, or one that has just begun
        found.append((config["names"]["a"], summarize(lines.values(), config["names"])))
    return sorted(found, key=lambda row: (order.index(row[0]) if row[0] in order else len(order), row[0]))


def write_tables(tuning: Tuning) -> str:
    """Write the tables anew; returns the Markdown."""
    rows = results(tuning.folder / tuning.name)
    defaults = tuning.player()
    title = f"# Search constants on {tuning.size}x{tuning.size}, {tuning.visits} visits, net {defaults.name}\n"
    text = (
        "Elo of the changed constant above the default, with its 95 % interval; games in pairs, an opening with both colours. "
        "Of many intervals one in twenty misses the truth by chance.\n"
    )
    lines = [title, text, "| changed | games | score | Elo | better with probability |", "|---|---|---|---|---|"]
    for name, s in rows:
        lines.append(f"| {name} | {s.games} | {s.score} | {s.elo} | {100 * s.elo.superiority:.0f} % |")
    command = f"python benchmarks/tune.py --size {tuning.size} --visits {tuning.visits} --games {tuning.games}"
    markdown = "\n".join([*lines, "", f"Made by `{command}`; the defaults are in the JSON file beside this.", ""])
    data = {
        "size": tuning.size,
        "visits": tuning.visits,
        "komi": tuning.komi,
        "net": defaults.name,
        "defaults": asdict(defaults.params),
        "seed": tuning.seed,
        "results": {name: summary.to_json() for name, summary in rows},
    }
    tuning.folder.mkdir(parents=True, exist_ok=True)
    (tuning.folder / f"{tuning.name}.md").write_text(markdown)
    (tuning.folder / f"{tuning.name}.json").write_text(json.dumps(data, indent=1) + "\n")
    return markdown


def main() -> int:
    """Play what is missing of each variant; the tables are up to date after each."""
    tuning = parse(Tuning, sys.argv[1:], "tune")
    try:
        variants = tuning.wanted()
        check_defaults(tuning)
        for variant in variants:
            play(tuning, variant)
            write_tables(tuning)
        print(write_tables(tuning), end="")
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, LogError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
