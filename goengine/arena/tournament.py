"""A tournament: everybody against everybody, or all against one, and the table that comes of it.

Knows which pairings there are, in which order they are played, and where each is kept: a match folder of its own in the
tournament's folder, so that a tournament is stopped, continued, made longer or given more players as matches are. Plays
nothing itself (`goengine.arena.match`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from goengine import __version__
from goengine.arena.fixtures import GameOutcome, Play
from goengine.arena.log import LogError, write_beside
from goengine.arena.match import Match, describe_player, run_match
from goengine.arena.players import Player
from goengine.arena.strength.ratings import Rating, rate
from goengine.arena.summary import Summary
from goengine.core.tables import table

RESULT = "tournament.json"
LAPS = 4
_NAME = re.compile(r"[\w.+\-]+( [\w.+\-]+)*")  # a name is part of a folder's name, on every system


class Pairing(NamedTuple):
    """Two players, in alphabetical order: so a pairing is called the same in whatever order they were named."""

    a: str
    b: str

    @property
    def folder(self) -> str:
        """Its match folder, inside the tournament's."""
        return f"{self.a}-vs-{self.b}".replace(" ", "_")

    @staticmethod
    def of(first: str, second: str) -> Pairing:
        """The pairing of two players."""
        return Pairing(*sorted((first, second)))


@dataclass(frozen=True)
class Tournament:
    """Who meets whom, and how. Raises ValueError if names or the anchor cannot be used."""

    players: Mapping[str, Player]
    arrange: Callable[[Player, Player], Match]  # the match between two of them; `games` in it are those of a pairing
    anchor: str | None = None  # the player with rating 0; None: the mean of all is 0
    hub: str | None = None  # the player whom all others play against, and nobody else; None: everybody meets everybody
    laps: int = LAPS  # a pairing's games are played in so many turns, so that the table fills evenly

    def __post_init__(self) -> None:
        if len(self.players) < 2:
            raise ValueError("a tournament needs two players at least")
        for name in self.players:
            if not _NAME.fullmatch(name):
                raise ValueError(f"'{name}' cannot be a player's name: letters, digits, single blanks and . + - _ only")
        plain = [name.lower().replace(" ", "_") for name in self.players]
        folders = [pairing.folder.lower() for pairing in round_robin(list(self.players))]
        if len(set(plain)) < len(plain) or len(set(folders)) < len(folders):
            raise ValueError("some names are too alike for the names of folders; they must differ by more than capitals")
        for role, chosen in (("anchor", self.anchor), ("hub", self.hub)):
            if chosen is not None and chosen not in self.players:
                raise ValueError(f"the {role} '{chosen}' is not among the players: {', '.join(self.players)}")
        if self.laps < 1:
            raise ValueError(f"a tournament has one lap at least, not {self.laps}")

    def pairings(self) -> list[Pairing]:
        """All pairings, in the order of play."""
        if self.hub is not None:
            return [Pairing.of(self.hub, name) for name in self.players if name != self.hub]
        return round_robin(list(self.players))

    def match(self, pairing: Pairing) -> Match:
        """The match of a pairing."""
        match = self.arrange(self.players[pairing.a], self.players[pairing.b])
        return replace(match, names={"a": pairing.a, "b": pairing.b})

    def turns(self) -> list[tuple[Pairing, int]]:
        """(pairing, games that it has after this turn), in the order of play; every lap adds about as many."""
        order = self.pairings()
        games = {pairing: self.match(pairing).games for pairing in order}
        turns, reached = [], dict.fromkeys(order, 0)
        for lap in range(1, self.laps + 1):
            for pairing in order:
                until = games[pairing] if lap == self.laps else 2 * round(games[pairing] * lap / self.laps / 2)
                if until > reached[pairing]:
                    turns.append((pairing, until))
                    reached[pairing] = until
        return turns


@dataclass(frozen=True)
class Standings:
    """What the games so far say of everybody."""

    ratings: Sequence[Rating]  # the best first
    matches: Mapping[Pairing, Summary]
    anchor: str | None = None

    @property
    def games(self) -> int:
        """Games that count."""
        return sum(summary.games for summary in self.matches.values())

    def to_text(self) -> str:
        """The ranking and the cross table."""
        return self.ranking() + "\n" + self.cross_table()

    def ranking(self) -> str:
        """A line per player: rating, interval, games, points, and how likely it is stronger than the next."""
        rows = [
            (
                f"{place}",
                rating.name,
                f"{round(rating.elo):+d}",
                "anchor" if rating.name == self.anchor else f"{round(rating.low):+d} to {round(rating.high):+d}",
                rating.games,
                f"{100 * rating.points:.1f} %" if rating.games else "",
                f"{100 * rating.superiority:.1f} %" if rating.superiority is not None else "",
            )
            for place, rating in enumerate(self.ratings, 1)
        ]
        return table(rows, header=("", "player", "Elo", "95 %", "games", "points", "stronger than the next"), left=2)

    def cross_table(self) -> str:
        """Points of the player in a line against the one in a column, of the games they played."""
        rows = []
        for place, rating in enumerate(self.ratings, 1):
            cells = [self._cell(rating.name, other.name) for other in self.ratings]
            rows.append((f"{place}", rating.name, *cells))
        return table(rows, header=("", "", *(f"{place}" for place in range(1, len(rows) + 1))), left=2)

    def _cell(self, name: str, other: str) -> str:
        if name == other:
            return "·"
        summary = self.matches.get(Pairing.of(name, other))
        if summary is None or not summary.games:
            return ""
        score = summary.score if name < other else summary.score.reversed()
        return f"{score.total:g}/{score.games}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        ratings = [asdict(rating) | {"games": rating.games, "points": rating.points} for rating in self.ratings]
        matches = [
            {"a": pairing.a, "b": pairing.b, "folder": pairing.folder} | summary.to_json()
            for pairing, summary in self.matches.items()
        ]
        return {"anchor": self.anchor, "games": self.games, "ratings": ratings, "matches": matches}


def round_robin(names: Sequence[str]) -> list[Pairing]:
    """Every pair of names once, in rounds in which each plays once (the circle method), so everybody is met early."""
    seats: list[str | None] = [*names] if len(names) % 2 == 0 else [*names, None]
    pairings = []
    for _ in range(len(seats) - 1):
        for first, second in zip(seats[: len(seats) // 2], reversed(seats[len(seats) // 2 :]), strict=True):
            if first is not None and second is not None:
                pairings.append(Pairing.of(first, second))
        seats = [seats[0], seats[-1], *seats[1:-1]]  # all but the first move on by one
    return pairings


def run_tournament(
    tournament: Tournament,
    folder: str | os.PathLike[str],
    *,
    on_game: Callable[[Pairing, GameOutcome, Summary], None] | None = None,
    on_turn: Callable[[Standings], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    play: Play | None = None,
) -> Standings:
    """Play the games that the folder does not hold yet, and write its `tournament.json` after every turn.

    on_game: told of every game; on_turn: of the table after every turn; on_note: of what is odd. play: in place of the
    matches' own way. Raises LogError if a folder cannot be used, ValueError if players or openings are impossible;
    KeyboardInterrupt leaves a folder that can be continued.
    """
    folder = Path(folder)
    matches: dict[Pairing, Summary] = {}
    standings = _standings(tournament, matches)
    for pairing, games in tournament.turns():
        if pairing in matches and played_games(matches[pairing]) >= games:
            continue  # a folder from before held more
        tell = None if on_game is None else lambda played, summary, pairing=pairing: on_game(pairing, played, summary)
        match = replace(tournament.match(pairing), games=games)
        matches[pairing] = run_match(match, folder / pairing.folder, on_game=tell, on_note=on_note, play=play)
        standings = _standings(tournament, matches)
        _write(tournament, standings, folder)
        if on_turn is not None:
            on_turn(standings)
    return standings


def played_games(summary: Summary) -> int:
    """Games of a match that are over, also those without a result."""
    return summary.games + sum(summary.without_result.values())


def _standings(tournament: Tournament, matches: Mapping[Pairing, Summary]) -> Standings:
    scores = {(pairing.a, pairing.b): summary.score for pairing, summary in matches.items()}
    ratings = rate(scores, list(tournament.players), anchor=tournament.anchor)
    return Standings(ratings, dict(matches), tournament.anchor)


def _write(tournament: Tournament, standings: Standings, folder: Path) -> None:
    """Write the result beside its place and rename it."""
    players = {name: describe_player(player) for name, player in tournament.players.items()}
    text = json.dumps({"version": __version__, "players": players} | standings.to_json(), indent=1, ensure_ascii=False)
    try:
        write_beside(folder / RESULT, (text + "\n").encode())
    except OSError as error:
        raise LogError(f"{folder / RESULT} cannot be written: {error.strerror or error}") from None
