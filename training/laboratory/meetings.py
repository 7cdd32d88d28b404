"""Games of each net of a comparison against the first: at equal visits, and at equal time by unequal visits.

In-process matches of `goengine.arena`, each in its folder and continued there; all begin with the same random openings, so that
every net meets the first one from the same positions. Knows players and folders; how fast a net is it is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goengine.arena.fixtures import GameSetup
from goengine.arena.log import LogError
from goengine.arena.match import Match, run_match
from goengine.arena.net_match import LockStepError
from goengine.arena.openings import RANDOM, OpeningSource
from goengine.arena.players import NetPlayer
from goengine.arena.summary import Summary
from goengine.board.rules import Rules
from goengine.core.progress import Progress
from training.core.checkpoint import RunError
from training.laboratory.compare_options import CompareOptions
from training.laboratory.costs import Form
from training.laboratory.forms import player_file

RESIGN: Final = -0.95  # both nets see this value or worse
CLOSE: Final = 0.03  # speeds nearer than this count as equal: they are not known better


@dataclass(frozen=True)
class Meeting:
    """The result of a net against the first one."""

    visits: int  # of the net; the first has those of the options
    games: int
    points: float  # share, 0 to 1
    elo: float
    low: float  # 95 % interval
    high: float
    verdict: str  # of the test; empty without one

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self).copy()


def equal_time_visits(visits: int, speed: float) -> int:
    """Visits that a net makes while the first makes `visits`; speed: its evaluations a second over the first's."""
    return visits if abs(speed - 1) <= CLOSE else max(1, round(visits * speed))


def player(config: CompareOptions, text: str, visits: int) -> NetPlayer:
    """A net of the comparison, one thread, in the form that all play in, or in the nearest one it has."""
    path = player_file(config.folder(text), config.form).absolute()
    precision: Form | str = "auto" if config.form == "int8" else config.form
    return NetPlayer(str(path), visits=visits, precision=precision)


def match(config: CompareOptions, text: str, size: int, visits: int) -> Match:
    """The match of a net, with so many visits, against the first."""
    return Match(
        a=player(config, text, visits),
        b=player(config, config.nets[0], config.visits),
        terms=GameSetup(size, Rules.parse("tromp-taylor"), resign=RESIGN),
        games=config.games,
        names={"a": text, "b": config.nets[0]},
        openings=OpeningSource(RANDOM),
        seed=config.seed,
        threads=config.processes,
        sprt=config.test,
    )


def folder(config: CompareOptions, text: str, size: int, visits: int) -> Path:
    """Where those games lie."""
    return config.run / "matches" / f"{size}x{size}-{config.form}" / f"{config.folder(text).name}-{visits}-{config.visits}"


def meet(config: CompareOptions, text: str, size: int, visits: int, should_stop: Callable[[], bool]) -> Meeting | None:
    """Play the games that are missing. Returns None if it was told to stop before the end.

    Raises RunError if the games cannot be played or kept.
    """
    place = folder(config, text, size, visits)
    with Progress(f"{text} {size}x{size} {visits} visits", config.games) as bar:
        try:
            summary = run_match(
                match(config, text, size, visits),
                place,
                on_game=lambda _, so_far: bar.update(so_far.games, so_far.brief()),
                on_note=bar.message,
                should_stop=should_stop,
            )
        except (LogError, LockStepError, ValueError) as error:
            raise RunError(f"{place}: {error}") from error
    return None if should_stop() and not summary.complete else _meeting(visits, summary)


def _meeting(visits: int, summary: Summary) -> Meeting:
    elo, verdict = summary.elo, summary.sprt.verdict if summary.sprt else ""
    difference, low, high = (round(value, 1) for value in (elo.difference, elo.low, elo.high))
    return Meeting(visits, summary.games, round(summary.score.points, 4), difference, low, high, verdict)
