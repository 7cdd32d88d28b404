"""The command `goengine match`: two players, nets or programs, as many games as wanted, and what they say about strength.

Reads options and writes the result; the match is `goengine.arena.match`'s.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from goengine.arena.dead_stones import Dead
from goengine.arena.fixtures import Played, Terms
from goengine.arena.log import LogError, result_text
from goengine.arena.match import Match, run_match
from goengine.arena.openings import POLICY, RANDOM, OpeningSource
from goengine.arena.players import NetPlayer, Player, parse_player
from goengine.arena.program_game import ProgramSettings
from goengine.arena.sprt import Sprt
from goengine.arena.summary import Summary
from goengine.arena.timing import TimeControl
from goengine.evaluators.base import EvaluatorError
from goengine.options import Seconds, option, parse
from goengine.progress import Progress
from goengine.rules import Rules


@dataclass(frozen=True)
class MatchOptions:
    """Play a match between two players, each a net or any program that speaks GTP, and say how much stronger one is."""

    a: str = option(help="a net (a name of `goengine nets`, a folder, .xml, .safetensors) or a program's command line")
    b: str = option(help="the other player")
    a_set: str = option("", "settings of net a, such as visits=200,cpuct=1.1,precision=int8")
    b_set: str = option("", "settings of net b")
    a_name: str = option("", "what to call a")
    b_name: str = option("", "what to call b")
    games: int = option(100, "number of games; two and two share an opening, with colours exchanged")
    boardsize: int = option(19, "board size, 2 to 25")
    komi: float | None = option(None, "points for White; the usual komi of the rules if not given")
    rules: str | None = option(None, "a preset or a JSON object; by itself tromp-taylor for two nets, else chinese")
    handicap: int = option(0, "stones that Black gets, on the fixed points")
    visits: int | None = option(None, "visits per move of nets without their own setting")
    time: Seconds | None = option(None, "time per move of both, kept with a clock on the wall; nets then play as programs")
    clock: str = option("", "time control of both: 'main=60 byo=5x10', 'main=60 canadian=25/300', 'main=60 inc=5'")
    openings: str | None = option(
        None, "policy, random, none, or an SGF or text file; policy with a net, random with programs only, if not given"
    )
    opening_plies: int | None = option(None, "moves of an opening; a number that suits the board if not given")
    sgf: Path | None = option(None, "folder of the match, which is gone on with if it exists; a dated one if not given")
    parallel: int = option(0, "games at the same time; 0: one with programs, as many as suit the nets in process")
    threads: int = option(0, "processes for games between nets (0: one per core); threads of a net that plays as a program")
    seed: int = option(1, "of all chance")
    sprt: str = option("", "stop when it is clear that a is better or not: 'elo0=0 elo1=20 alpha=.05 beta=.05'")
    resign: float | None = option(None, "nets in process give a game up when both see this value, such as -0.95, or worse")
    max_plies: int | None = option(None, "longest game; three times the number of points if not given")
    gtp: bool = option(False, "let nets play as programs, too")
    dead: Dead = option("agreement", "who says which stones are dead after programs have passed; see --judge")
    judge: str = option("", "a, b or a program's command line: asked where the players name different dead stones")
    reuse: bool = option(False, "keep programs running from game to game, with the seed of the first")
    patience: Seconds = option(Seconds(300.0), "longest wait for a move where no clock runs")
    json: bool = option(False, "write the result as JSON")

    def __post_init__(self) -> None:
        if not 2 <= self.boardsize <= 25:
            raise ValueError(f"--boardsize must be from 2 to 25, not {self.boardsize}")
        for name, least in (("games", 1), ("parallel", 0), ("threads", 0), ("handicap", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} must be at least {least}, not {getattr(self, name)}")
        if self.clock and self.time is not None:
            raise ValueError("--time and --clock exclude each other")

    def match(self) -> Match:
        """The match that the options describe. Raises ValueError that says what is wrong."""
        clock = self._clock()
        a, b = (self._player(text, settings) for text, settings in ((self.a, self.a_set), (self.b, self.b_set)))
        nets = [player for player in (a, b) if isinstance(player, NetPlayer)]
        programs = len(nets) < 2 or self.gtp or clock is not None or any(net.seconds is not None for net in nets)
        rules = Rules.parse(self.rules or ("chinese" if programs else "tromp-taylor"))
        rules = rules if self.komi is None else rules.with_komi(self.komi)
        return Match(
            a=a,
            b=b,
            terms=Terms(self.boardsize, rules, self.handicap, self.max_plies, self.resign),
            games=self.games,
            names={side: name for side, name in (("a", self.a_name), ("b", self.b_name)) if name},
            openings=OpeningSource(self.openings or (POLICY if nets else RANDOM), self.opening_plies),
            seed=self.seed,
            parallel=self.parallel,
            threads=self.threads,
            sprt=parse_sprt(self.sprt) if self.sprt else None,
            gtp=programs,
            programs=ProgramSettings(
                clock=clock,
                dead=self.dead,
                judge=self.judge,
                patience=float(self.patience),
                reuse=self.reuse,
            ),
        )

    def _clock(self) -> TimeControl | None:
        if self.time is not None:
            return TimeControl.parse(f"move={float(self.time):g}")
        return TimeControl.parse(self.clock) if self.clock else None

    def _player(self, text: str, settings: str) -> Player:
        player = parse_player(text, settings)
        if not isinstance(player, NetPlayer):
            return player
        if player.visits is None and player.playouts is None and self.visits is not None:
            player = replace(player, visits=self.visits)
        if player.seconds is None and self.time is not None:
            player = replace(player, seconds=float(self.time))
        return replace(player, threads=self.threads) if self.threads > 1 else player


def parse_sprt(text: str) -> Sprt:
    """The test that a text such as `elo0=0 elo1=20 alpha=.05 beta=.05` names. Raises ValueError that says what is wrong."""
    try:
        values = {key: float(value) for key, value in (word.split("=") for word in re.split(r"[\s,]+", text.strip()))}
        return Sprt(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"--sprt '{text}': {error}; write 'elo0=0 elo1=20', and alpha=.05 beta=.05 besides") from None


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 when the match is complete, 2 if it cannot be played, 130 if it was interrupted."""
    options = parse(MatchOptions, argv, "goengine match")
    folder = options.sgf or Path(time.strftime("match-%Y%m%d-%H%M%S"))
    try:
        summary = _run(options.match(), folder)
    except (ValueError, LogError, EvaluatorError) as error:
        sys.stderr.write(f"goengine match: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\ngoengine match: stopped. The games so far are in {folder}; the same command goes on with them")
        sys.stderr.write("\n" if options.sgf else f" if you add --sgf {folder}\n")
        return 130
    if options.json:
        sys.stdout.write(json.dumps({"folder": str(folder)} | summary.to_json(), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(summary.to_text() + f"games and summary are in {folder}\n")
    return 0


def _run(match: Match, folder: Path) -> Summary:
    """Play with a progress bar on stderr."""
    with Progress("match", match.games) as progress:

        def on_game(played: Played, summary: Summary) -> None:
            if played.reason not in ("score", "resignation"):
                progress.message(f"game {played.fixture.number}: {result_text(played)}, {played.reason}: {played.detail}")
            done = summary.games + sum(summary.without_result.values())
            progress.update(done, summary.brief())

        return run_match(match, folder, on_game=on_game, on_note=progress.message)
