"""The options that `goengine match` and `goengine tournament` share: what the games of nets and programs are like.

Turns words of a command line into players and matches. Plays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from goengine.arena.dead_stones import Dead
from goengine.arena.fixtures import GameSetup
from goengine.arena.match import Match
from goengine.arena.openings import POLICY, RANDOM, OpeningSource
from goengine.arena.players import NetPlayer, Player, parse_player
from goengine.arena.program_game import ProgramSettings
from goengine.arena.timing import TimeControl
from goengine.board.rules import Rules
from goengine.core.options import MOST_THREADS, Seconds, option


@dataclass(frozen=True, kw_only=True)
class GameOptions:
    """What all games have in common."""

    games: int = option(
        100, "number of games between two players; two and two share an opening, with colours exchanged", least=1
    )
    boardsize: int = option(19, "board size, 2 to 25", least=2, most=25)
    komi: float | None = option(None, "points for White; the usual komi of the rules if not given", least=None)
    rules: str | None = option(None, "a preset or a JSON object; by itself tromp-taylor between nets only, else chinese")
    handicap: int = option(0, "stones that Black gets, on the fixed points")
    visits: int | None = option(None, "visits per move of nets without their own setting", least=1)
    seconds: Seconds | None = option(None, "seconds per move of nets without limits of their own; no clock is kept")
    time: Seconds | None = option(None, "time per move of both, kept with a clock on the wall; nets then play as programs")
    clock: str = option("", "time control of both: 'main=60 byo=5x10', 'main=60 canadian=25/300', 'main=60 inc=5'")
    openings: str | None = option(
        None, "policy, random, none, or an SGF or text file; policy with a net, random with programs only, if not given"
    )
    opening_plies: int | None = option(None, "moves of an opening; a number that suits the board if not given", most=400)
    parallel: int = option(0, "games at the same time; 0: one with programs, as many as suit the nets in process", most=4096)
    threads: int = option(
        0, "processes for games between nets (0: one per core); threads of a net that plays as a program", most=MOST_THREADS
    )
    seed: int = option(1, "of all chance")
    resign: float | None = option(
        None, "nets in process give a game up when both see this value, such as -0.95, or worse", least=-1, most=1
    )
    max_plies: int | None = option(None, "longest game; three times the number of points if not given", least=1)
    gtp: bool = option(False, "let nets play as programs, too")
    dead: Dead = option("agreement", "who says which stones are dead after programs have passed; see --judge")
    judge: str = option("", "a, b or a program's command line: asked where the players name different dead stones")
    stop_when_decided: bool = option(
        False, "games of programs end as those of nets do: when stones that are alive for certain decide them (area scoring)"
    )
    reuse: bool = option(False, "keep programs running from game to game, with the seed of the first")
    patience: Seconds = option(Seconds(300.0), "longest wait for a move where no clock runs")

    def __post_init__(self) -> None:
        if not 2 <= self.boardsize <= 25:
            raise ValueError(f"--boardsize must be from 2 to 25, not {self.boardsize}")
        for name, least in (("games", 1), ("parallel", 0), ("threads", 0), ("handicap", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} must be at least {least}, not {getattr(self, name)}")
        if self.clock and self.time is not None:
            raise ValueError("--time and --clock exclude each other")
        if self.seconds is not None and self.time is not None:
            raise ValueError("--time and --seconds exclude each other: one keeps a clock, the other does not")

    def read_player(self, text: str, settings: str = "") -> Player:
        """The player that a text names, with what the options say of all. Raises ValueError that says what is wrong."""
        player = parse_player(text, settings)
        if not isinstance(player, NetPlayer):
            return player
        limited = not (player.visits is None and player.playouts is None and player.seconds is None)
        if self.seconds is not None and not (limited or player.raw or player.rank):
            player = replace(player, seconds=float(self.seconds))
        if player.visits is None and player.playouts is None and self.visits is not None and not player.rank:
            player = replace(player, visits=self.visits)
        if player.seconds is None and self.time is not None:
            player = replace(player, seconds=float(self.time))
        return player

    def terms(self, players: Iterable[Player]) -> GameSetup:
        """The terms of games between these. Raises ValueError if there are no such rules."""
        rules = Rules.parse(self.rules or ("chinese" if self._as_programs(players) else "tromp-taylor"))
        rules = rules if self.komi is None else rules.with_komi(self.komi)
        return GameSetup(self.boardsize, rules, self.handicap, self.max_plies, self.resign)

    def between(self, a: Player, b: Player, terms: GameSetup | None = None) -> Match:
        """The match between two players. Raises ValueError that says what is wrong."""
        a_net = any(isinstance(player, NetPlayer) for player in (a, b))
        return Match(
            a=a,
            b=b,
            terms=terms or self.terms((a, b)),
            games=self.games,
            openings=OpeningSource(self.openings or (POLICY if a_net else RANDOM), self.opening_plies),
            seed=self.seed,
            parallel=self.parallel,
            threads=self.threads,
            gtp=self._as_programs((a, b)),
            programs=ProgramSettings(
                clock=self._clock(),
                dead=self.dead,
                judge=self.judge,
                patience=float(self.patience),
                reuse=self.reuse,
                stop_when_decided=self.stop_when_decided,
            ),
        )

    def _as_programs(self, players: Iterable[Player]) -> bool:
        """Whether these players meet over GTP."""
        in_process = all(isinstance(player, NetPlayer) and player.seconds is None for player in players)
        return self.gtp or self._clock() is not None or not in_process

    def _clock(self) -> TimeControl | None:
        if self.time is not None:
            return TimeControl.parse(f"move={float(self.time):g}")
        return TimeControl.parse(self.clock) if self.clock else None
