"""The command `goengine tournament`: many players, nets or programs, and how strong each is.

Reads options and the players' file, and writes the table; the tournament is `goengine.arena.tournament`'s.
"""

from __future__ import annotations

import json
import re
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from goengine.arena.fixtures import GameOutcome
from goengine.arena.game_options import GameOptions
from goengine.arena.log import LogError, read, result_text
from goengine.arena.net_match import LockStepError
from goengine.arena.picture import PictureError, draw_ratings, tournament_over_time
from goengine.arena.players import left_out
from goengine.arena.summary import Summary
from goengine.arena.tournament import LAPS, RESULT, Pairing, Standings, Tournament, played_games, run_tournament
from goengine.core.files import read_outside
from goengine.core.options import option, parse
from goengine.core.progress import Progress
from goengine.evaluators.base import EvaluatorError

PICTURE, OVER_TIME = "ratings.svg", "ratings-over-time.svg"
_MAX_BYTES = 1 << 20  # of the players' file


@dataclass(frozen=True, kw_only=True)
class WhoOptions:
    """Who plays, and where the games are kept."""

    folder: Path | None = option(None, "where games and table go, continued if it exists; a dated one if not given")
    file: Path | None = option(
        None, "TOML or JSON: any of these options, and [players] with NAME = 'TEXT' or {player = 'TEXT', settings = '...'}"
    )
    player: tuple[str, ...] = option((), "NAME=TEXT, several: a net, its settings after an @, or a program's command line")
    anchor: str | None = option(None, "player whose rating is 0; the mean of all if not given")
    hub: str | None = option(None, "player whom all others meet, and nobody else; everybody meets everybody if not given")
    gauntlet: bool = option(False, "the anchor is the hub")
    laps: int = option(LAPS, "turns in which the games of a pairing are played, so that the table fills evenly", least=1)


@dataclass(frozen=True, kw_only=True)
class TournamentOptions(GameOptions, WhoOptions):  # the fields of the last base are listed first
    """Play a tournament between nets or programs, and rate them: everybody against everybody, or all against one."""

    json: bool = option(False, "write the result as JSON")

    def tournament(self) -> Tournament:
        """The tournament that the options describe. Raises ValueError that says what is wrong."""
        players = {} if self.file is None else {name: self.read_player(*words) for name, words in _players(_read(self.file))}
        for text in self.player:
            name, equals, what = (part.strip() for part in text.partition("="))
            if not equals or not what:
                raise ValueError(f"--player '{text}': write NAME=TEXT, such as old=b8c96@visits=200 'gnugo=gnugo --mode gtp'")
            if name in players:
                raise ValueError(f"there are two players '{name}'")
            players[name] = self.read_player(*_with_settings(what))
        terms = self.terms(players.values())  # one for all, also where some are nets and some programs
        return Tournament(players, lambda a, b: self.between(a, b, terms), self.anchor, self._hub(), self.laps)

    def _hub(self) -> str | None:
        if not self.gauntlet:
            return self.hub
        if self.anchor is None or self.hub not in (None, self.anchor):
            raise ValueError("a gauntlet needs an anchor, whom all others play against; --hub names another player")
        return self.anchor


def _with_settings(text: str) -> tuple[str, str]:
    """A net and its settings after the last @, or a command line as it is."""
    before, _, settings = text.rpartition("@")
    return (before, settings) if before and "=" in settings and not re.search(r"\s", settings) else (text, "")


def _read(file: Path) -> dict[str, Any]:
    """What is in the players' file. Raises ValueError if it cannot be read."""
    try:
        text = read_outside(file, _MAX_BYTES).decode("utf-8")
        data = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:  # also what json and tomllib raise, and text that is not UTF-8
        raise ValueError(f"{file} is not {'JSON' if file.suffix == '.json' else 'TOML'}: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{file} must hold options and players by name")
    return data


def _players(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """(name, (text, settings)) of every player. Raises ValueError if one is not described as it should be."""
    players = data.get("players", {})
    if not isinstance(players, dict):
        raise ValueError("'players' must be a table: NAME = 'TEXT' or NAME = {player = 'TEXT', settings = '...'}")
    for name, value in players.items():
        entry = {"player": value} if isinstance(value, str) else value
        if not isinstance(entry, dict) or "player" not in entry or set(entry) - {"player", "settings"}:
            raise ValueError(f"player '{name}': write 'TEXT' or {{player = 'TEXT', settings = '...'}}, not {value!r}")
        yield name, (str(entry["player"]), str(entry.get("settings", "")))


def _words(data: Mapping[str, Any]) -> list[str]:
    """The options of a file as words of a command line, so that they are read and checked like those."""
    known = {field.name for field in fields(TournamentOptions)} - {"file", "folder", "player", "json"}
    words = []
    for key, value in data.items():
        name = key.replace("-", "_")
        if key == "players":
            continue
        if name not in known:
            raise ValueError(f"there is no option '{key}'; possible: players, {', '.join(sorted(known))}")
        option_name = name.replace("_", "-")
        words.append(f"--{'' if value else 'no-'}{option_name}" if isinstance(value, bool) else f"--{option_name}={value}")
    return words


def read_options(argv: list[str]) -> TournamentOptions:
    """The options of a command line and of the players' file that it names; what the line says goes before what the file says.

    Raises ValueError if the file cannot be used; a wrong line ends the program, as everywhere.
    """
    options: TournamentOptions = parse(TournamentOptions, argv, "goengine tournament")
    if options.file is not None:
        options = parse(TournamentOptions, [*_words(_read(options.file)), *argv], "goengine tournament")
    return options


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 when all games are played, 2 if they cannot be, 130 if it was interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    options = parse(TournamentOptions, argv, "goengine tournament")
    folder = options.folder or Path(time.strftime("tournament-%Y%m%d-%H%M%S"))
    try:
        standings = play(read_options(argv).tournament(), folder)
    except (ValueError, LogError, LockStepError, EvaluatorError) as error:
        sys.stderr.write(f"goengine tournament: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\ngoengine tournament: stopped. The same command with --folder {folder} goes on with its games\n")
        return 130
    if options.json:
        sys.stdout.write(json.dumps({"folder": str(folder)} | standings.to_json(), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{standings.to_text()}\ngames, {RESULT}, {PICTURE} and {OVER_TIME} are in {folder}\n")
    return 0


def _lines(folder: Path) -> list[Mapping[str, Any]]:
    """The games of a match folder as played."""
    return list(read(folder)[1].values())


def play(tournament: Tournament, folder: Path) -> Standings:
    """Play with a progress bar on stderr, and draw the ratings at the end. Raises as `run_tournament`."""
    done: dict[Pairing, int] = {}
    with Progress("tournament", sum(tournament.match(pairing).games for pairing in tournament.pairings())) as progress:

        def on_game(pairing: Pairing, played: GameOutcome, summary: Summary) -> None:
            if played.reason not in ("score", "resignation"):
                number = played.fixture.number
                progress.message(f"{pairing.folder}, game {number}: {result_text(played)}, {played.reason}: {played.detail}")
            done[pairing] = played_games(summary)
            progress.update(sum(done.values()), f"{pairing.a} - {pairing.b} {summary.score}")

        def on_turn(standings: Standings) -> None:
            done.update({pairing: played_games(summary) for pairing, summary in standings.matches.items()})
            progress.update(sum(done.values()), f"ahead: {standings.ratings[0].name}")

        size = tournament.match(tournament.pairings()[0]).terms.size
        for sentence in left_out(tournament.players.values(), size):
            progress.message(sentence)
        standings = run_tournament(tournament, folder, on_game=on_game, on_turn=on_turn, on_note=progress.message)
        try:
            draw_ratings(standings.ratings, folder / PICTURE, anchor=tournament.anchor)
            lines = {(pairing.a, pairing.b): _lines(folder / pairing.folder) for pairing in standings.matches}
            tournament_over_time(lines, folder / OVER_TIME, anchor=tournament.anchor)
        except PictureError as error:  # the table is worth having without it
            progress.message(f"no picture: {error}")
    return standings
