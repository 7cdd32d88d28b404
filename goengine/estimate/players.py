"""The players of many games: whose moves belong together, and what is wrong with games that tell nothing.

Knows files, records and estimates; prints nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from goengine.board.replay import INDEX_POINTS
from goengine.board.state import BLACK, WHITE
from goengine.dataio.records import GameRecord
from goengine.dataio.sgf import iterate_games
from goengine.dataio.sgf_values import SgfError
from goengine.estimate.likelihood import Opponents, SideCurve, side_curves
from goengine.estimate.posterior import KNOTS, Calibration, Estimate, estimate, posterior
from goengine.evaluators.ranked import RankedPolicy

SIZE = 19  # of ranked games: on other boards nothing was learned


@dataclass
class PlayerMoves:
    """All moves of a player. label: the mean rank that the records give him, nan for none."""

    name: str
    curve: np.ndarray = field(default_factory=lambda: np.zeros(len(KNOTS)))
    moves: int = 0
    games: int = 0
    labels: list[float] = field(default_factory=list)

    @property
    def label(self) -> float:
        """The mean rank that the records give him; nan for none."""
        return float(np.mean(self.labels)) if self.labels else float("nan")

    def add(self, side: SideCurve, label: float) -> None:
        """Take in a game."""
        self.curve += side.curve
        self.moves += side.moves
        self.games += 1
        if label == label:
            self.labels.append(label)

    def estimate(self, before: np.ndarray, calibration: Calibration, interval: float) -> Estimate:
        """The rank that the moves speak for."""
        return estimate(posterior(self.curve, before, calibration), interval, self.moves, self.games)


def part_of(record: GameRecord) -> int:
    """0 to 255, by the stones and moves alone. `python -m training ranked` holds out the games of the parts 0 to 25."""
    digest = hashlib.blake2b(bytes([record.size]), digest_size=8)
    table = INDEX_POINTS[record.size]
    stones = (*record.black_setup, *record.white_setup)
    colors = [BLACK] * len(record.black_setup) + [WHITE] * len(record.white_setup)
    moves = [index for _, index in record.moves]
    for part in (
        table[np.array(stones, np.int64)].astype(np.uint16),
        np.array(colors, np.uint8),
        table[np.array(moves, np.int64)].astype(np.uint16),
        np.array([color for color, _ in record.moves], np.uint8),
    ):
        digest.update(part.tobytes())
    return digest.digest()[0]


def name_of(record: GameRecord, color: int, file: str) -> str:
    """The player's name without control characters; where the record has none, the side of its file."""
    name = record.black if color == BLACK else record.white
    shown = "".join(letter for letter in name[:40] if letter.isprintable()).strip()
    return shown or f"{'Black' if color == BLACK else 'White'} of {file}"


def readable_games(paths: Iterable[Path], tell: Callable[[str], None]) -> Iterator[tuple[str, GameRecord]]:
    """(name for messages, game) of all files; what is no game is told, and left out."""
    for path in paths:
        for number, game in enumerate(iterate_games([path], check=False), 1):
            name = f"{path.name}, game {number}" if number > 1 else path.name
            if isinstance(game, SgfError):
                tell(str(game))
            elif not game.moves:
                tell(f"{name}: a game without moves says nothing of its players")
            else:
                yield name, game


def sides_of(
    policy: RankedPolicy,
    games: Iterable[tuple[str, GameRecord]],
    opponents: Opponents,
    tell: Callable[[str], None],
    stop: Callable[[], bool] | None = None,
) -> Iterator[tuple[str, GameRecord, SideCurve]]:
    """(name, game, moves of a side) for every side that a person played."""
    for name, record in games:
        if stop is not None and stop():
            return
        if record.size != SIZE:
            tell(f"{name}: a {record.size}x{record.size} board: ranked games are all on {SIZE}x{SIZE}, so this is a guess")
        try:
            sides = side_curves(policy, record, opponents, stop)
        except ValueError as error:
            tell(f"{name}: {error}")
            continue
        if sides and sides[0].fault:
            tell(f"{name}: {sides[0].fault}: what comes before it counts")
        if record.black_bot or record.white_bot:
            verb = "are programs" if record.black_bot and record.white_bot else "is a program"
            tell(f"{name}: {' and '.join(_bots(record))} {verb}, without a rank")
        for side in sides:
            yield name, record, side


def _bots(record: GameRecord) -> list[str]:
    return [side for side, bot in (("Black", record.black_bot), ("White", record.white_bot)) if bot]


def joined(sides: Iterable[tuple[str, GameRecord, SideCurve]]) -> dict[str, PlayerMoves]:
    """The moves of each player, over all games of the same name."""
    found: dict[str, PlayerMoves] = {}
    for file, record, side in sides:
        name = name_of(record, side.color, file)
        found.setdefault(name, PlayerMoves(name)).add(side, record.ranks()[0 if side.color == BLACK else 1])
    return found
