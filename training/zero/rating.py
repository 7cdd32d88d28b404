"""Ratings of a zero run's nets: games of each net that is kept against the one kept before and against chance.

Knows where matches and ratings lie in a run folder; games are played by `goengine.arena`, in this process and in lock step,
on OpenVINO or by torch. The anchor, rated 0, is a player who chooses evenly among all legal moves; programs that nets have
played (`training.zero.anchors`) find their own place. `elo.json` and `elo.png` are made of the match folders, so they may be
lost.
"""

import json
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goengine.arena.fixtures import GameSetup
from goengine.arena.log import LogError
from goengine.arena.match import Match, run_match
from goengine.arena.net_match import play_in_process
from goengine.arena.openings import RANDOM, OpeningSource
from goengine.arena.picture import Curve, Level, PictureError, elo_curve
from goengine.arena.players import NetPlayer, parse_player
from goengine.arena.strength.elo import Score
from goengine.arena.strength.ratings import Rating, rate
from goengine.board.rules import Rules
from goengine.evaluators.base import Evaluator, EvaluatorError
from goengine.evaluators.load import load
from goengine.evaluators.uniform import Uniform
from goengine.zero import run_folder
from goengine.zero.run_folder import PublishedNet, RunFolderError

CHANCE = "random"  # name of the anchor
ELO, PICTURE = "elo.json", "elo.png"
LOOK_SECONDS = 5.0  # between two looks for a net to rate
# Flat logits with Gumbel noise and no search: an even choice among the legal moves.
_CHANCE_SETTINGS = "preset=GUMBEL,gumbel_scale=1,visits=1"
# Some chance in the first moves, so that games differ; batches are made of many games, not of many leaves.
_NET_SETTINGS = "leaves=1,batches=1,temperature=0.5,temperature_plies=12"

Say = Callable[[str], None]


def never() -> bool:
    """Do not stop."""
    return False


@dataclass(frozen=True)
class RatingGames:
    """The games of a rating. device: where nets compute, 'cpu' (OpenVINO) or one of torch's."""

    games: int
    visits: int  # of their searches
    device: str = "cpu"


def rate_net(
    run: Path,
    net: PublishedNet,
    wanted: RatingGames,
    *,
    should_stop: Callable[[], bool] = never,
    say: Say = lambda _: None,
) -> None:
    """Play a net's games, half against the net rated before it and half against chance, and write the ratings anew.

    Games that were played already are not played again; stopped, it can be continued. Raises LogError if a match folder
    cannot be used, EvaluatorError or RunFolderError if a net cannot be played, OSError if the ratings cannot be written.
    """
    done = rated(run)
    before = [other for other in run_folder.nets(run) if other.name in done and other.number < net.number]
    opponents = [*before[-1:], None]
    half = 2 * math.ceil(wanted.games / 4)  # whole pairs
    with _evaluator(net, wanted.device) as ours:
        for other in opponents:
            with _evaluator(other, wanted.device) as theirs:
                match = _match(net, other, half if len(opponents) > 1 else 2 * half, wanted.visits)
                play = play_in_process(match.players, evaluators={"a": ours, "b": theirs}, games_at_once=half)
                folder = run / run_folder.MATCHES / f"{match.names['a']}-vs-{match.names['b']}"
                summary = run_match(match, folder, on_note=say, should_stop=should_stop, play=play)
                if not summary.complete:
                    return
    write_ratings(run, say)


def _evaluator(net: PublishedNet | None, device: str) -> Evaluator:
    """The net on one thread, chance if there is none."""
    return Uniform() if net is None else load(net.file_for(device), device=device, threads=1)


def _match(net: PublishedNet, other: PublishedNet | None, games: int, visits: int) -> Match:
    """The players are named as the nets are, without paths: the folder may move to another machine."""
    rules = Rules.preset(net.settings.rules[0]).with_komi(komi_of(net))
    theirs = parse_player("uniform", _CHANCE_SETTINGS) if other is None else net_player(other.name, visits)
    names = {"a": net.name, "b": CHANCE if other is None else other.name}
    terms = GameSetup(net.settings.size, rules)
    return Match(net_player(net.name, visits), theirs, terms, games, names, OpeningSource(RANDOM), seed=net.number + 1)


def net_player(net: str, visits: int) -> NetPlayer:
    """A net as it plays for its rating. net: its name, or its file where it must be found."""
    return NetPlayer(net, parse_player("uniform", _NET_SETTINGS).params, visits)


def komi_of(net: PublishedNet) -> float:
    """The komi of a net's games: about the fair one, and without draws."""
    return math.floor(net.settings.komi) + 0.5


# -- ratings --


def summaries(run: Path) -> list[dict[str, Any]]:
    """What complete matches of the run say, as `Summary.to_json`; what cannot be read is left out."""
    found = []
    for path in sorted((run / run_folder.MATCHES).glob("*/summary.json")):
        try:
            summary = run_folder.read_json(path)
        except RunFolderError:
            continue  # its match writes it anew
        if summary.get("complete"):
            found.append(summary)
    return found


def rated(run: Path) -> set[str]:
    """Names of the nets whose games against chance are played: they were the last."""
    return {summary["names"]["a"] for summary in summaries(run) if summary["names"]["b"] == CHANCE}


def write_ratings(run: Path, say: Say = lambda _: None) -> list[Rating]:
    """Write elo.json and elo.png. Returns the ratings of all rated nets and chance, the best first."""
    found = summaries(run)
    scores: dict[tuple[str, str], Score] = {}
    for summary in found:
        points, names = summary["score"], summary["names"]
        score = Score(points["wins"], points["draws"], points["losses"])
        if score.games or names["b"] == CHANCE:  # a program that could not start has no games
            scores[names["a"], names["b"]] = score
    ratings = rate(scores, anchor=CHANCE) if any(CHANCE in pair for pair in scores) else []
    lines, programs = _lines(run, ratings), _programs(ratings)
    matches = [{"a": a, "b": b, "score": vars(score)} for (a, b), score in scores.items()]
    run_folder.write_json(run / ELO, {"anchor": CHANCE, "nets": lines, "programs": programs, "matches": matches})
    if lines:
        try:
            _draw(lines, programs, run / PICTURE)
        except PictureError as error:
            say(str(error))
    return ratings


def _lines(run: Path, ratings: Iterable[Rating]) -> list[dict[str, Any]]:
    """The rated nets that are still there, in order, each with its rating."""
    by_name = {rating.name: rating for rating in ratings}
    lines = []
    for net in run_folder.nets(run):
        if (rating := by_name.get(net.name)) is not None:
            told = {"net": net.name, "samples": net.samples, "step": net.step, "made": net.made}
            lines.append(told | _figures(rating) | {"visits_in_play": net.settings.visits})
    return lines


def _programs(ratings: Iterable[Rating]) -> list[dict[str, Any]]:
    """Players that are neither chance nor nets of the run; nets that were removed still count as nets."""
    others = (rating for rating in ratings if rating.name != CHANCE and not rating.name.isdigit())
    return [{"program": rating.name} | _figures(rating) for rating in others]


def _figures(rating: Rating) -> dict[str, Any]:
    return {name: round(getattr(rating, name), 1) for name in ("elo", "low", "high")} | {"games": rating.games}


def _draw(lines: list[dict[str, Any]], programs: list[dict[str, Any]], path: Path) -> None:
    columns = {name: [line[name] for line in lines] for name in ("samples", "elo", "low", "high")}
    unit, word = (1e6, "million") if columns["samples"][-1] >= 1e6 else (1e3, "thousand")
    name = "nets of the run" if programs else ""  # a single curve needs no name
    curve = Curve(name, [samples / unit for samples in columns["samples"]], columns["elo"], columns["low"], columns["high"])
    levels = [Level(*(line[name] for name in ("program", "elo", "low", "high"))) for line in programs]
    xlabel = f"{word} positions drawn for learning"
    elo_curve([curve], path, xlabel=xlabel, title="Elo above a random player", levels=levels)


def last_elo(run: Path) -> float | None:
    """The rating of the newest rated net, None before there is one."""
    try:
        lines = json.loads((run / ELO).read_bytes())["nets"]
        return float(lines[-1]["elo"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


# -- many nets --


def last_rated(run: Path) -> PublishedNet | None:
    """The newest rated net that is still there."""
    done = rated(run)
    return next((net for net in reversed(run_folder.nets(run)) if net.name in done), None)


def next_net(run: Path, nth: int) -> PublishedNet | None:
    """The net to rate now: the newest of every ``nth`` that is newer than all rated ones."""
    done = rated(run)
    due = [net for net in run_folder.nets(run) if net.number % nth == 0]
    newest = due[-1] if due else None
    return None if newest is None or any(name >= newest.name for name in done) else newest


def rate_all(
    run: Path,
    wanted: RatingGames,
    *,
    nth: int,
    watch: bool,
    stop: threading.Event,
    say: Say,
    then: Callable[[PublishedNet], None] = lambda net: None,
) -> None:
    """Rate what is there, and with ``watch`` what comes, until told to stop. What cannot be rated is told and left out.

    then: what is done with a net that has been rated.
    """
    run_folder.read_config(run)
    failed: set[int] = set()
    while not stop.is_set():
        net = next_net(run, nth)
        if net is None or net.number in failed:
            if not watch:
                return
            stop.wait(LOOK_SECONDS)
            continue
        try:
            rate_net(run, net, wanted, should_stop=stop.is_set, say=say)
        except (EvaluatorError, LogError, RunFolderError) as error:
            failed.add(net.number)
            say(f"net {net.name} is not rated: {error}")
        else:
            if not stop.is_set():
                say(f"net {net.name}: {last_elo(run) or 0.0:+.0f} Elo above a random player")
                then(net)
