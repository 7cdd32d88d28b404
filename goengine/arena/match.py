"""A match: which games there are, playing those that are missing, stopping in time, and the result.

Chooses how games are played (`net_match` for two nets, else `programs`) and keeps them (`log`); knows no protocol. A game that
repeats an earlier one move by move (up to symmetry) says nothing new: it is played again with another seed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from goengine import __version__
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Play, Side
from goengine.arena.log import MatchLog, describe
from goengine.arena.openings import OpeningSource, draw_openings
from goengine.arena.players import NetPlayer, Player
from goengine.arena.programs import ProgramSettings, play_programs
from goengine.arena.strength.sprt import Sprt
from goengine.arena.summary import Summary, sprt_state, summarize

HOPELESS = 8  # games in a row that could not begin, after which the match stops
REPEATS = 3  # times that a game is played again because it was the same as another
FREE = ("games", "sprt", "parallel", "version")  # may differ where a match is continued
_SEED_STRIDE = 1_000_003  # between the seeds of a game's repetitions; larger than any number of games


@dataclass(frozen=True)
class Match:
    """Everything that a match depends on."""

    a: Player
    b: Player
    terms: GameSetup
    games: int = 100
    names: Mapping[Side, str] = field(default_factory=dict)  # in place of what the players call themselves
    openings: OpeningSource = OpeningSource()
    seed: int = 1
    parallel: int = 0  # games at the same time; 0: as many as suits the mode
    threads: int = 0  # processes for games between nets (0: one per core); threads of each net that plays as a program
    sprt: Sprt | None = None
    gtp: bool = False  # drive nets as programs, too
    programs: ProgramSettings = ProgramSettings()

    def __post_init__(self) -> None:
        resign = self.terms.resign
        if resign is not None and not -1 <= resign < 0:
            raise ValueError(f"resign {resign:g}: a game is given up at a value from -1 (lost for certain) to below 0")

    @property
    def players(self) -> dict[Side, Player]:
        """Both players by side."""
        return {"a": self.a, "b": self.b}

    @property
    def in_process(self) -> bool:
        """Whether the games are played here, in lock step."""
        nets = all(isinstance(player, NetPlayer) and player.seconds is None for player in self.players.values())
        return nets and not self.gtp and self.programs.clock is None

    def config(self) -> dict[str, Any]:
        """As `match.json` keeps it."""
        terms = self.terms
        config = {
            "players": {side: describe_player(player) for side, player in self.players.items()},
            "names": dict(self.names),
            "terms": {
                "size": terms.size,
                "komi": terms.rules.komi,
                "rules": terms.rules.to_sgf_text(),
                "handicap": terms.handicap,
                "max_plies": terms.max_plies,
                "resign": terms.resign,
            },
            "openings": self.openings.config(),
            "seed": self.seed,
            "mode": "in process" if self.in_process else "programs",
            "games": self.games,
            "parallel": self.parallel,
            "sprt": None if self.sprt is None else vars(self.sprt),
            "version": __version__,
        }
        return config if self.in_process else config | {"programs": self.programs.config(), "threads": self.threads}

    def fixtures(self) -> list[Fixture]:
        """All games. Those of a shorter match are the first ones of a longer."""
        openings = draw_openings(self.openings, self.terms, (self.games + 1) // 2, self.seed, self.players)
        games: list[Fixture] = []
        for number in range(self.games):
            black: Side = "a" if number % 2 == 0 else "b"
            games.append(Fixture(number, black, openings[number // 2], self.seed + number))
        return games


def run_match(
    match: Match,
    folder: str | os.PathLike,
    *,
    on_game: Callable[[GameOutcome, Summary], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    play: Play | None = None,
) -> Summary:
    """Play the games that the folder does not hold yet, and write its `summary.json`.

    Games that could not begin are tried again when the match is continued. on_game: told of every game with the summary so
    far; on_note: of what is odd. play: in place of the match's own way.
    Raises LogError if the folder cannot be used, ValueError if openings or players are impossible; KeyboardInterrupt leaves a
    folder that can be continued.
    """
    with MatchLog(folder, match.config(), FREE) as log:
        for fault in log.faults:
            (on_note or _ignore)(fault)
        course = _MatchRunner(match, log, on_game, on_note or _ignore, should_stop)
        try:
            course.run(play or choose_play(match, on_note or _ignore))
        finally:
            summary = course.summary()
            log.write("summary.json", json.dumps(summary.to_json(), indent=1, ensure_ascii=False) + "\n")
    return summary


def choose_play(match: Match, on_note: Callable[[str], None]) -> Play:
    """How the games of a match are played. on_note: is told at the end what it took, where nets play in process."""
    if match.in_process:
        from goengine.arena.batched_games import NetStats
        from goengine.arena.net_match import play_in_process  # loads the nets' libraries

        stats = NetStats()
        play = play_in_process(match.players, games_at_once=match.parallel or None, workers=match.threads or None, stats=stats)

        def noting(*arguments) -> None:
            try:
                play(*arguments)
            finally:
                if stats.games:
                    on_note(stats.summary())

        return noting
    threads = {"threads": match.threads} if match.threads else {}
    players = {side: replace(p, **threads) if isinstance(p, NetPlayer) else p for side, p in match.players.items()}
    return play_programs(players, replace(match.programs, parallel=max(1, match.parallel)))


class _MatchRunner:
    """A match under way."""

    def __init__(self, match: Match, log: MatchLog, on_game, on_note, should_stop):
        self.match, self.log = match, log
        self._on_game, self._on_note, self._should_stop = on_game, on_note, should_stop
        self._again = {number for number, line in log.played.items() if not _began(line)}
        self._not_begun = 0  # games in a row
        self._digests = {line["digest"]: number for number, line in log.played.items() if line["result"] != "Void"}
        self._repeats: dict[int, int] = {}
        self._taken = 0
        self._decided = self._is_decided()

    def run(self, play: Play) -> None:
        """Play until nothing is missing, or it is time to stop."""
        if not any(self._is_missing(number) for number in range(self.match.games)):
            return  # openings may need a net, which takes a while to load
        fixtures = self.match.fixtures()
        while not self.stop():
            missing = [self._reseeded(fixture) for fixture in fixtures if self._is_missing(fixture.number)]
            if not missing:
                return
            taken = self._taken
            play(missing, self.match.terms, self.take, self.stop)
            if taken == self._taken:
                return  # told to stop, or nothing more can be played

    def stop(self) -> bool:
        """Whether no further game is wanted."""
        return self._decided or self._not_begun >= HOPELESS or (self._should_stop is not None and self._should_stop())

    def _is_decided(self) -> bool:
        """Whether the test has its answer."""
        counted = (line for line in self.log.played.values() if line["result"] != "Void")
        return self.match.sprt is not None and bool(sprt_state(counted, self.match.sprt).verdict)

    def take(self, played: GameOutcome) -> None:
        """A game is over."""
        match, number = self.match, played.fixture.number
        self._taken += 1
        played = replace(played, names={**played.names, **match.names})
        line = describe(played, match.terms)
        first = self._digests.get(line["digest"]) if played.counts else None
        if first is not None and self._repeats.get(number, 0) < REPEATS:
            self._repeats[number] = self._repeats.get(number, 0) + 1
            return
        if first is not None:
            detail = f"the same game as number {first}, {REPEATS + 1} times; give the players chance, or more openings"
            played = replace(played, winner="", reason="void", detail=detail)
        elif played.counts:
            self._digests[line["digest"]] = number
        self.log.add(played, match.terms)
        self._decided = self._is_decided()
        self._again.discard(number)
        self._not_begun = 0 if _began(line) else self._not_begun + 1
        if self._not_begun == HOPELESS:
            self._on_note(f"{HOPELESS} games in a row could not begin; the match stops")
        if self._on_game is not None:
            self._on_game(played, self.summary())

    def summary(self) -> Summary:
        """The result so far."""
        complete = not any(map(self._is_missing, range(self.match.games))) and self._not_begun < HOPELESS
        summary = summarize(self.log.played.values(), self._names(), self.match.sprt, repeated=sum(self._repeats.values()))
        return replace(summary, complete=complete or bool(summary.sprt and summary.sprt.verdict))

    def _is_missing(self, number: int) -> bool:
        return number not in self.log.played or number in self._again

    def _reseeded(self, fixture: Fixture) -> Fixture:
        """The game with the seed of its next repetition."""
        return replace(fixture, seed=fixture.seed + _SEED_STRIDE * self._repeats.get(fixture.number, 0))

    def _names(self) -> dict[str, str]:
        """The players as asked for, or as they call themselves; nets with their settings where both say the same."""
        names = dict(self.match.names)
        for line in self.log.played.values():
            names = {**line["names"], **names}
        names = {side: names.get(side) or player.name for side, player in self.match.players.items()}
        if names["a"] == names["b"] and all(isinstance(player, NetPlayer) for player in self.match.players.values()):
            names = {side: player.describe() for side, player in self.match.players.items()}
        return names if names["a"] != names["b"] else {side: f"{name} ({side})" for side, name in names.items()}


def describe_player(player: Player) -> dict[str, Any]:
    """A player as `match.json` keeps it."""
    if isinstance(player, NetPlayer):
        return {"net": player.net, "settings": player.settings}
    return {"command": list(player.command)}


def _began(line: Mapping[str, Any]) -> bool:
    """Whether the players of a game were there."""
    return line["reason"] != "void" or line["plies"] > len(line["opening"])


def _ignore(text: str) -> None:
    """Nobody wants to know."""
