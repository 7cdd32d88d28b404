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

from goengine.arena.collection import check_name, write_collection
from goengine.arena.fixtures import GameOutcome
from goengine.arena.game_options import GameOptions
from goengine.arena.log import CONFIGURATION, LogError, read, result_text
from goengine.arena.match import Match, run_match
from goengine.arena.net_match import LockStepError
from goengine.arena.picture import PictureError, match_over_time
from goengine.arena.players import NetPlayer, Player, left_out, parse_player
from goengine.arena.speed import with_equal_time
from goengine.arena.strength.sprt import Sprt
from goengine.arena.summary import Summary
from goengine.core.options import option, parse
from goengine.core.progress import Progress
from goengine.evaluators.base import EvaluatorError

PICTURE = "elo.svg"  # the result over the games of the match


@dataclass(frozen=True, kw_only=True)
class PlayerOptions:
    """Who plays."""

    a: str = option(help="a net (a name of `goengine nets`, a folder, .xml, .safetensors) or a program's command line")
    b: str = option(help="the other player")
    a_set: str = option("", "settings of net a, such as visits=200,cpuct=1.1,precision=int8")
    b_set: str = option("", "settings of net b")
    a_name: str = option("", "what to call a")
    b_name: str = option("", "what to call b")


@dataclass(frozen=True, kw_only=True)
class MatchOptions(GameOptions, PlayerOptions):  # the fields of the last base are listed first
    """Play a match between two players, each a net or any program that speaks GTP, and say how much stronger one is."""

    sprt: str = option("", "stop when it is clear that a is better or not: 'elo0=0 elo1=20 alpha=.05 beta=.05'")
    equal_time: bool = option(
        False, "between nets: b gets the visits that it makes in the time a needs for its own, measured first"
    )
    sgf: Path | None = option(None, "folder of the match, continued if it exists; a dated one if not given")
    collection: Path | None = option(None, "write all games into one compressed collection, too: a file ending in .sgfs.xz")
    json: bool = option(False, "write the result as JSON")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.collection is not None:
            check_name(self.collection)

    def match(self) -> Match:
        """The match that the options describe. Raises ValueError that says what is wrong."""
        a, b = self._player("a", self.a, self.a_set), self._player("b", self.b, self.b_set)
        match = self.between(a, b)
        if self.equal_time:
            if not match.in_process:
                raise ValueError("--equal-time is for nets in process; give programs a clock: --time or --clock")
            match = replace(match, b=self._measured(a, b))
        names = {side: name for side, name in (("a", self.a_name), ("b", self.b_name)) if name}
        return replace(match, names=names, sprt=parse_sprt(self.sprt) if self.sprt else None)

    def _player(self, side: str, text: str, settings: str) -> Player:
        try:
            return self.read_player(text, settings)
        except ValueError as error:
            raise ValueError(f"--{side}{'-set' if settings else ''}: {error}") from None

    def _measured(self, a: NetPlayer, b: NetPlayer) -> NetPlayer:
        """b with the visits of equal time: those of the match in the folder, or measured now."""
        recorded = self.sgf / CONFIGURATION if self.sgf else None
        if recorded is not None and recorded.exists():
            try:
                then = parse_player(self.b, json.loads(recorded.read_bytes())["players"]["b"]["settings"])
            except (KeyError, TypeError, json.JSONDecodeError) as error:
                raise ValueError(f"{recorded} is damaged ({error}); delete it to measure anew") from None
            return replace(b, visits=then.visits)
        return with_equal_time(b, a, self.boardsize)


def parse_sprt(text: str) -> Sprt:
    """The test that a text such as `elo0=0 elo1=20 alpha=.05 beta=.05` names. Raises ValueError that says what is wrong."""
    try:
        values = {key: float(value) for key, value in (word.split("=") for word in re.split(r"[\s,]+", text.strip()))}
        return Sprt(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"--sprt '{text}': {error}; write 'elo0=0 elo1=20', and alpha=.05 beta=.05 besides") from None


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 if there is a result, 1 if no game counts, 2 if it cannot be played, 130 if it was interrupted."""
    options = parse(MatchOptions, argv, "goengine match")
    folder = options.sgf or Path(time.strftime("match-%Y%m%d-%H%M%S"))
    try:
        summary = _run(options.match(), folder)
        if options.collection is not None:
            write_collection(folder, options.collection)
    except OSError as error:
        sys.stderr.write(f"goengine match: {error.filename or options.collection}: {error.strerror or error}\n")
        return 2
    except (ValueError, LogError, LockStepError, EvaluatorError) as error:
        sys.stderr.write(f"goengine match: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\ngoengine match: stopped. The games so far are in {folder}; the same command goes on with them")
        sys.stderr.write("\n" if options.sgf else f" if you add --sgf {folder}\n")
        return 130
    if options.json:
        sys.stdout.write(json.dumps({"folder": str(folder)} | summary.to_json(), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(summary.to_text() + f"games, summary and {PICTURE} are in {folder}\n")
    return 0 if summary.games else 1


def _run(match: Match, folder: Path) -> Summary:
    """Play with a progress bar on stderr."""
    with Progress("match", match.games) as progress:

        def on_game(played: GameOutcome, summary: Summary) -> None:
            if played.reason not in ("score", "resignation"):
                progress.message(f"game {played.fixture.number}: {result_text(played)}, {played.reason}: {played.detail}")
            done = summary.games + sum(summary.without_result.values())
            progress.update(done, summary.brief())

        for sentence in left_out(match.players.values(), match.terms.size):
            progress.message(sentence)
        summary = run_match(match, folder, on_game=on_game, on_note=progress.message)
        try:
            match_over_time(list(read(folder)[1].values()), folder / PICTURE, names=summary.names)
        except PictureError as error:  # the result is worth having without it
            progress.message(f"no picture: {error}")
        return summary
