"""Which witness of owners counts finished games best: the same judgement, fed by each of them (`owner_sources.MIXTURES`).

Four kinds of positions: counted games with their results, GNU Go's regression games, final positions whose owners people agreed
on, and diagrams with dead stones and seki. And the division itself, point by point, on labelled games. Knows files and figures.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.counting import count
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.core.array_file import RecordError
from goengine.dataio import sgf
from goengine.dataio.records import SCORE, GameRecord
from goengine.player.net_source import NetSource
from goengine.player.territory import Territory
from training.data.final_owners import FinalOwners, final_position
from training.measure.owner_sources import Believing, Told, Witnesses, mixtures
from training.measure.segments import Confusion, new_confusions, point_classes, stone_classes

NEUTRAL = 1 / 3  # a map that leans less to one side calls a point neutral
Say = Callable[[int, str], None]


@dataclass
class Count:
    """What became of positions whose result is known."""

    games: int = 0
    exact: int = 0
    within_one: int = 0
    wrong_winner: int = 0
    error: float = 0.0  # points, of all

    def add(self, found: float, right: float) -> None:
        """A score and the right one, both Black's lead."""
        self.games += 1
        self.exact += found == right
        self.within_one += abs(found - right) <= 1
        self.wrong_winner += found * right <= 0 and found != right
        self.error += abs(found - right)


class Case(NamedTuple):
    """A position and what is right about it; what is None is not asked."""

    position: Position
    score: float | None = None  # Black's lead
    owner: np.ndarray | None = None  # int8[N*N]: 1 Black's, -1 White's, 0 neither, ANY where nobody asks
    dead: frozenset[int] | None = None
    seki: frozenset[int] | None = None


ANY = 9


@dataclass
class Found:
    """What one mixture said of a set of positions."""

    counts: Count = field(default_factory=Count)
    points: list[float] = field(default_factory=list)  # share of points with the right owner, by position
    statuses: list[bool] = field(default_factory=list)  # whether all dead stones and all in seki are right

    def add(self, case: Case, opinion: Believing) -> None:
        """Judge a case."""
        if case.score is not None:
            self.counts.add(opinion.score(case.position), case.score)
        territory = opinion.territory(case.position)
        if case.owner is not None:
            asked = case.owner != ANY
            self.points.append(float((owners(case.position, territory)[asked] == case.owner[asked]).mean()))
        if case.dead is not None:
            seki = frozenset(p for chain in territory.seki for p in chain)
            self.statuses.append(territory.dead_points == case.dead and seki == case.seki)

    def figures(self) -> dict[str, object]:
        """Plain values for JSON, of what was asked."""
        told: dict[str, object] = {}
        if self.counts.games:
            told |= {
                "games": self.counts.games,
                "exact": self.counts.exact,
                "within_one": self.counts.within_one,
                "wrong_winner": self.counts.wrong_winner,
                "mean_error": round(self.counts.error / self.counts.games, 2),
            }
        if self.points:
            told |= {"positions": len(self.points), "all_points": sum(share == 1 for share in self.points)}
            told |= {"points": round(float(np.mean(self.points)), 4)}
        if self.statuses:
            told |= {"diagrams": len(self.statuses), "right": sum(self.statuses)}
        return told


def owners(position: Position, territory: Territory) -> np.ndarray:
    """int8[N*N]: whose each point is: a living stone's side, and an empty point's where it counts under the rules."""
    found = count(position.game.board, position.code, territory.dead_points)
    points = coords.points(position.size)
    stones = (position.game.board.color != 0) & ~np.isin(np.arange(found.owner.size), list(territory.dead_points))
    return np.where(stones, found.owner, found.counted)[points]


def compare(cases: Iterable[Case], witnesses: Witnesses, nets: NetSource, say: Say) -> dict[str, Found]:
    """What every mixture makes of the cases."""
    found: dict[str, Found] = {}
    opinion = Believing(nets)
    for number, case in enumerate(cases, 1):
        for name, told in mixtures(witnesses.ask(case.position)).items():
            found.setdefault(name, Found()).add(case, opinion.believe(told))
        say(number, f"{case.position.size}x{case.position.size}")
    return found


def counted_games(paths: Iterable[Path], limit: int | None) -> Iterator[Case]:
    """The last positions of counted games."""

    def wanted(game: GameRecord | Exception) -> bool:
        return isinstance(game, GameRecord) and game.ending == SCORE and game.margin is not None

    for game in islice((game for game in sgf.iterate_games(tuple(paths)) if wanted(game)), limit):
        assert isinstance(game, GameRecord)
        yield Case(final_position(game), score=game.margin)


def regression_games(folder: Path) -> Iterator[Case]:
    """The games that INDEX.tsv names, under Japanese rules. Raises RecordError if a line is not file, move and result."""
    index = folder / "INDEX.tsv"
    for number, line in enumerate(_text(index).splitlines()[1:], 2):
        try:
            name, move, result = line.split("\t")
            right = float(result[2:]) * {"B": 1, "W": -1}[result[0]]
            games = list(sgf.iterate_games((folder / name,)))
            game = games[0]
            if not isinstance(game, GameRecord):
                raise ValueError(str(game))
            moves = game.moves[: int(move) - 1] if move else game.moves
            position = final_position(_cut(game, moves))
        except (ValueError, KeyError, IndexError) as error:
            raise RecordError(f"{index}: line {number}: {error}") from None
        yield Case(position, score=right)


def _cut(game: GameRecord, moves: tuple[tuple[int, int], ...]) -> GameRecord:
    return replace(game, moves=moves, rules="Japanese")


def agreed_positions(folder: Path) -> Iterator[Case]:
    """The final positions of JSON files, with the owners that were agreed on. Raises RecordError if one is not of that form."""
    for path in sorted(folder.glob("*.json")):
        try:
            case = json.loads(_text(path))
            size = len(case["board"])
            rows = [row.ljust(size) for row in case["board"]]
            agreed = [row.ljust(size) for row in case["correct_ownership"]]
            position = Position(size, Rules.preset(case.get("rules", "chinese")))
            stones = {color: _places(rows, letters, size) for color, letters in ((BLACK, "bB"), (WHITE, "wW"))}
            position.set_up(stones[BLACK], stones[WHITE], BLACK)
            owner = np.array([[{"B": 1, "W": -1, " ": 0}.get(letter, ANY) for letter in row[:size]] for row in agreed], np.int8)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"{path}: not a final position with its owners: {error}") from None
        yield Case(position, owner=owner.reshape(-1))


def _places(rows: list[str], letters: str, size: int) -> list[int]:
    return [coords.from_index(r * size + c, size) for r, row in enumerate(rows) for c in range(size) if row[c] in letters]


def diagrams(folder: Path) -> Iterator[Case]:
    """The cases of text files as tests/player/diagrams has them. Raises RecordError, naming file and case, if one is not so."""
    for path in sorted(set(folder.glob("*.txt")) - {folder / "README.txt"}):
        for text in _text(path).split("== ")[1:]:
            name, *lines = text.splitlines()
            words = [line.split() for line in lines if line.strip()]
            rows = [line for line in words if set(line) <= {".", "X", "O"}]
            try:
                position = Position.from_diagram(
                    "\n".join(" ".join(row) for row in rows), Rules.preset("japanese").with_komi(0)
                )
                facts = {first: rest for first, *rest in words}
                dead, seki = (_vertices(facts[key], position.size) for key in ("dead", "seki"))
            except (ValueError, KeyError) as error:
                raise RecordError(f"{path}: case '{name}': {error}") from None
            yield Case(position, dead=dead, seki=seki)


def _vertices(words: list[str], size: int) -> frozenset[int]:
    return frozenset() if words == ["-"] else frozenset(coords.from_gtp(word, size) for word in words)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: cannot be read: {error}") from None


def divisions(
    labels: FinalOwners, witnesses: Witnesses, limit: int, say: Say, back: int = 0
) -> dict[str, tuple[Confusion, Confusion]]:
    """(points, stones) of each witness alone on late positions of labelled games, as each divides the board by itself.

    back: moves between the position and the game's last one; shorter games are left out.
    A map calls a point neutral below NEUTRAL, and takes a stone for dead whose point it gives away; it knows no seki.
    """
    found: dict[str, tuple[Confusion, Confusion]] = {}
    for number in range(min(limit, len(labels))):
        game, right = labels.games.game(number), labels.owners[number]
        if len(moves := _before_passes(game)) <= back:
            continue
        position = final_position(replace(game, moves=moves[: len(moves) - back]))
        colors = position.game.board.color[coords.points(position.size)]
        points, stones = point_classes(right), stone_classes(right, colors == BLACK, colors == WHITE)
        for name, told in witnesses.ask(position).items():
            said_points, said_stones = _divided(told, colors)
            both = found.setdefault(name, new_confusions())
            both[0].add(points, said_points)
            both[1].add(stones, said_stones)
        say(number + 1, f"{position.size}x{position.size}")
    return found


def _divided(told: Told, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(classes of points, of stones) that a witness names."""
    if told.points is not None and told.stones is not None:
        return told.points.argmax(0), told.stones.argmax(0)
    points = np.where(told.ownership > NEUTRAL, 0, np.where(told.ownership < -NEUTRAL, 1, 2))
    kept = told.ownership * np.where(colors == BLACK, 1, -1)
    return points, np.where(kept >= 0, 0, 1)


def _before_passes(game: GameRecord) -> tuple[tuple[int, int], ...]:
    """The moves of a game without the passes at its end."""
    moves, end = game.moves, game.size**2
    while moves and moves[-1][1] == end:
        moves = moves[:-1]
    return moves


def rounded(values: dict[str, float]) -> dict[str, float | None]:
    """Three digits; None for what is not known."""
    return {name: round(value, 3) if math.isfinite(value) else None for name, value in values.items()}
