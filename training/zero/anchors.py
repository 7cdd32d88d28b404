"""Programs that speak GTP, such as GNU Go, as further anchors of a zero run's Elo curve.

Knows how a program is named, and that its match with a net lies among the run's others; the ratings are made of these by
`training.zero.rating`. The net plays as it does for its rating, but through `goengine gtp`. A program gets no fixed rating:
what its games against the nets say of it, counted from chance, is a line in the picture.
"""

import re
import shlex
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from goengine.arena.fixtures import GameSetup
from goengine.arena.log import LogError
from goengine.arena.match import Match, run_match
from goengine.arena.openings import RANDOM, OpeningSource
from goengine.arena.players import ProgramPlayer
from goengine.arena.program_game import ProgramSettings
from goengine.arena.programs import play_programs
from goengine.arena.summary import Summary
from goengine.board.rules import Rules
from goengine.zero import run_folder
from goengine.zero.run_folder import PublishedNet
from training.core.checkpoint import RunError
from training.zero import rating
from training.zero.zero_options import AnchoredOptions

LONGEST_NAME = 60
_OBVIOUS = ("--mode", "gtp")  # words of a command line that its name need not tell
_SETTINGS = ProgramSettings()  # one game at a time: the run needs the cores


@dataclass(frozen=True)
class Anchor:
    """A program, and how many games a net plays against it."""

    command: tuple[str, ...]
    games: int

    @property
    def name(self) -> str:
        """Its name in ratings: the command line without the folder of the program. A long one is cut and gets a checksum."""
        words = (Path(self.command[0]).name, *(word for word in self.command[1:] if word not in _OBVIOUS))
        name = " ".join(" ".join(words).split())
        if len(name) <= LONGEST_NAME and not name.isdigit():
            return name
        return f"{name[: LONGEST_NAME - 10]}… {zlib.crc32(shlex.join(self.command).encode()):08x}"

    @property
    def folder_name(self) -> str:
        """Its name as part of a folder's."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.name).strip("-.")


def find(config: AnchoredOptions) -> Anchor | None:
    """The program that --anchor names, None if it names none. Raises RunError if it cannot be started here."""
    if not config.anchor.strip():
        return None
    try:
        command = tuple(shlex.split(config.anchor))
    except ValueError as error:
        raise RunError(f"--anchor {config.anchor}: cannot be read as a command line: {error}") from None
    if shutil.which(command[0]) is None:
        raise RunError(f"--anchor {config.anchor}: there is no program {command[0]} here; install it, or give its path")
    return Anchor(command, config.anchor_games)


def play(
    run: Path,
    net: PublishedNet,
    anchor: Anchor,
    *,
    visits: int,
    device: str = "cpu",
    should_stop: Callable[[], bool] = rating.never,
    say: rating.Say = lambda _: None,
) -> None:
    """Play a rated net's games against the program, and write the ratings anew.

    device: where the net computes, as of `rating.RatingGames`. A fault that keeps the games from being played is reported; it
    does not end the run. Games that exist are not played again; a stopped match goes on later. Raises OSError if the ratings
    cannot be written.
    """
    match = _match(net, anchor, visits)
    try:
        file = net.file_for(device).absolute()
    except run_folder.RunFolderError as error:
        say(f"net {net.name} does not play {anchor.name}: {error}")
        return
    players = {"a": rating.net_player(str(file), visits), "b": match.b}
    folder = run / run_folder.MATCHES / f"{net.name}-vs-{anchor.folder_name}"
    faults: list[str] = []
    try:
        summary = run_match(
            match,
            folder,
            on_game=lambda played, _: faults.append(played.detail) if played.reason == "void" else None,
            on_note=say,
            should_stop=should_stop,
            play=play_programs(players, _SETTINGS),
        )
    except LogError as error:
        say(f"net {net.name} does not play {anchor.name}: {error}")
        return
    if summary.complete and summary.games:
        rating.write_ratings(run, say)
        say(_told(net, summary))
    elif not should_stop():
        say(f"net {net.name} could not play {anchor.name}: {faults[-1] if faults else f'see {folder}'}")


def _match(net: PublishedNet, anchor: Anchor, visits: int) -> Match:
    """Without the run's paths, as the folder may move. Chinese rules, because programs pass before they have captured all."""
    terms = GameSetup(net.settings.size, Rules.preset("chinese").with_komi(rating.komi_of(net)))
    names = {"a": net.name, "b": anchor.name}
    ours, theirs = rating.net_player(net.name, visits), ProgramPlayer(anchor.command)
    return Match(ours, theirs, terms, anchor.games, names, OpeningSource(RANDOM), seed=net.number + 1, programs=_SETTINGS)


def _told(net: PublishedNet, summary: Summary) -> str:
    share = f"{100 * summary.score.points:.0f} % of {summary.games} games"
    return f"net {net.name} won {share} against {summary.names['b']}: {summary.elo}"
