"""The public Python API: positions, nets, the engine and game files, under the names that `goengine` exports.

A thin layer over the rooms below. Here colours may be written as "B" and "W" and points as "E5"; answers name moves as text.
Values are for the player to move, in [-1, 1]; a win rate is (value + 1) / 2. docs/python.md has examples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine import features
from goengine.api_arguments import (
    Color,
    Point,
    net_name,
    number,
    to_color,
    to_point,
    to_points,
    to_position,
    to_positions,
    to_rules,
    told,
    whole_number,
)
from goengine.board import coords, diagram
from goengine.board import position as board_position
from goengine.board.counting import Count
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.core import compiling
from goengine.dataio import sgf
from goengine.dataio.game_files import replay
from goengine.dataio.records import GameRecord
from goengine.dataio.sgf_values import SgfError
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluator
from goengine.evaluators.load import load
from goengine.evaluators.symmetric import Symmetric
from goengine.player.engine import Engine as Player
from goengine.search.params import PLAY, Limits, SearchParams
from goengine.search.report import MoveInfo, SearchResult
from goengine.search.search import Search

_SET_TO_PLAY = vars(board_position.Position)["to_play"].fset
_SGF_BEGINS = re.compile(r"\ufeff?\s*\(\s*;")

compiling.announce()  # callers may be the first to need the kernels of this version


class Position(board_position.Position):
    """A game in progress. ``print(position)`` draws the board.

    Colours are "B" and "W" or 1 and 2; points are texts such as "E5" and "pass", or padded points (`goengine.board.coords`).
    """

    def __init__(self, size: int = 19, rules: Rules | str | None = None) -> None:
        """An empty board, Black to play. Raises ValueError if the size is not 2 to 25 or there are no such rules."""
        super().__init__(whole_number(size, "size"), to_rules(rules))

    @property
    def to_play(self) -> int:
        """Whose turn it is, BLACK or WHITE (1, 2); may be set, to a colour as text as well."""
        return super().to_play

    @to_play.setter
    def to_play(self, color: Color) -> None:
        _SET_TO_PLAY(self, to_color(color))

    def color(self, point: Point) -> int:
        """EMPTY, BLACK or WHITE (0, 1, 2)."""
        return super().color(to_point(point, self.size))

    def stones(self, color: Color) -> list[int]:
        """The padded points where stones of that colour stand."""
        return super().stones(to_color(color))

    def why_illegal(self, point: Point, color: Color | None = None, tolerant: bool = False) -> str:
        """The reason that forbids the move, or "": occupied, ko, superko, suicide."""
        return super().why_illegal(to_point(point, self.size), None if color is None else to_color(color), tolerant)

    def play(self, point: Point, color: Color | None = None, tolerant: bool = False) -> None:
        """Play a move, of the player to move if no colour is given. Raises ValueError with the reason if it is illegal."""
        super().play(to_point(point, self.size), None if color is None else to_color(color), tolerant)

    def captured(self, color: Color) -> int:
        """How many stones of that colour were captured."""
        return super().captured(to_color(color))

    def set_up(self, black: Iterable[Point], white: Iterable[Point], to_play: Color = BLACK) -> None:
        """Begin a new game with these stones on the board.

        Raises ValueError, and changes nothing, if they cannot stand there: off the board, twice, or without liberties.
        """
        stones = to_points(black, self.size, "black"), to_points(white, self.size, "white")
        super().set_up(*stones, to_color(to_play))

    def place_handicap(self, points: Iterable[Point]) -> None:
        """Put handicap stones on the empty board; White is to play.

        Raises ValueError if the board is not empty or a point is not free.
        """
        super().place_handicap(to_points(points, self.size, "points"))

    def count(self, dead: Iterable[Point] = ()) -> Count:
        """The board counted by the rules, dead stones taken off. Raises ValueError if a dead point holds no stone."""
        return super().count(to_points(dead, self.size, "dead"))

    @staticmethod
    def from_diagram(text: str, rules: Rules | str | None = None, to_play: Color = BLACK) -> Position:
        """The position of a diagram: rows from the top, `.` empty, `X` Black, `O` White; blanks are not needed.

        Raises ValueError if it is not square, has another symbol, or holds stones without liberties.
        """
        found = board_position.Position.from_diagram(text, to_rules(rules), to_color(to_play))
        position = Position(found.size, found.rules)
        position.set_up(found.black_setup, found.white_setup, to_play)
        return position

    def __str__(self) -> str:
        return diagram.text(self)

    def __repr__(self) -> str:
        return f"<Position {self.size}x{self.size}, {len(self.moves)} moves, {'BW'[self.to_play == WHITE]} to play>"


class Evaluations(NamedTuple):
    """What a net says of n positions. Numbers are for the player to move.

    The shapes below are those for positions of one size N. Where the sizes differ, `policy` and `ownership` are arrays of n
    objects, each the array of its position: ``policy[i]`` is float32[N * N + 1] and ``ownership[i]`` float32[N, N] either way.
    """

    policy: np.ndarray  # float32[n, N * N + 1]  probabilities of moves, rows from the top; the last one is the pass
    value: np.ndarray  # float32[n]  in [-1, 1]
    score_lead: np.ndarray  # float32[n]  points, komi included
    score_stdev: np.ndarray  # float32[n]  points
    ownership: np.ndarray  # float32[n, N, N]  in [-1, 1]: 1 = the player to move owns the point


def _in_order(answers: list[tuple[list[int], Evaluations]], count: int) -> Evaluations:
    """Answers for several sizes as one, each at its place."""
    columns = [np.empty(count, dtype) for dtype in (object, np.float32, np.float32, np.float32, object)]
    for places, answer in answers:
        for column, values in zip(columns, answer, strict=True):
            for place, value in zip(places, values, strict=True):
                column[place] = value
    return Evaluations(*columns)


class Net:
    """A loaded net: answers for many positions at once. Use it as a context manager, or call `close`."""

    def __init__(self, evaluator: Evaluator):
        self.evaluator = evaluator
        self._features = features.get(evaluator.features)

    @property
    def name(self) -> str:
        """Its name, or its file's."""
        return self.evaluator.name

    def evaluate(self, positions: Iterable[board_position.Position]) -> Evaluations:
        """The net's answers in the order of the positions, whose sizes may differ; see `Evaluations` for the shapes.

        Raises TypeError if it is given something else, ValueError if there is no position, EvaluatorError if the net fails.
        """
        given = to_positions(positions)
        places: dict[int, list[int]] = {}  # by board size
        for place, position in enumerate(given):
            places.setdefault(position.size, []).append(place)
        answers = [(same, self._of_one_size([given[place] for place in same])) for same in places.values()]
        return answers[0][1] if len(answers) == 1 else _in_order(answers, len(given))

    def _of_one_size(self, positions: list[board_position.Position]) -> Evaluations:
        size = positions[0].size
        rows = [self._features.encode_one(position.game, position.code, size) for position in positions]
        planes, values = (np.stack(arrays) for arrays in zip(*rows, strict=True))
        answer = self.evaluator.evaluate(Batch(planes, values, np.full(len(rows), NOT_CACHED, np.uint64)))
        legal = np.stack([position.legal_mask() for position in positions]).astype(bool)
        logits = np.where(legal, answer.policy, -np.inf)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        policy = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
        ownership = answer.ownership.reshape(-1, size, size)
        return Evaluations(policy, answer.value, answer.score, answer.score_stdev, ownership)

    def close(self) -> None:
        """Give back threads and memory."""
        self.evaluator.close()

    def __enter__(self) -> Net:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_net(name: str | os.PathLike[str] = "", size: int | None = None) -> Net:
    """A net by its name (`goengine nets`), a file's path, or "uniform"; without a name the best net for that board size.

    Raises EvaluatorError if there is no such net or its file is damaged.
    """
    return Net(load(net_name(name), size=None if size is None else whole_number(size, "size")))


@dataclass(frozen=True)
class Move:
    """A move that the search looked at; numbers are for the player who would make it."""

    move: str  # such as "E5", or "pass"
    visits: int
    winrate: float  # 0 to 1
    score_lead: float  # points
    prior: float  # of the net
    pv: tuple[str, ...]  # principal variation, beginning with the move


@dataclass(frozen=True)
class Analysis:
    """What a search found. ``moves``: the best first, then the others; moves equal to one of these by symmetry come last,
    with the numbers of that one.
    """

    move: str  # to play
    visits: int
    winrate: float  # 0 to 1, for the player to move
    score_lead: float  # points
    moves: tuple[Move, ...]


def _named(info: MoveInfo, size: int) -> Move:
    line = tuple(coords.to_gtp(point, size) for point in info.pv)
    return Move(coords.to_gtp(info.point, size), info.visits, (info.value + 1) / 2, info.score, info.prior, line)


def _analysis(result: SearchResult, size: int) -> Analysis:
    moves = tuple(_named(info, size) for info in result.led_by(result.chosen).moves)
    return Analysis(coords.to_gtp(result.chosen, size), result.visits, (result.value + 1) / 2, result.score, moves)


class Engine:
    """Searches positions and plays games. Use it as a context manager, or call `close`.

    net: a net's name or path, a `Net`, or any evaluator (`goengine.evaluators.base.Evaluator`); None: the best shipped net for
    the board size of each position. params: the search's constants. seed: of all random choices.
    """

    def __init__(
        self, net: str | os.PathLike[str] | Net | Evaluator | None = None, *, params: SearchParams = PLAY, seed: int = 0
    ):
        """Raises TypeError if an argument is of a wrong type."""
        if isinstance(net, type) or not (net is None or isinstance(net, str | os.PathLike | Net | Evaluator)):
            raise TypeError(f"net: expected a net's name or path, a Net, an evaluator or None, got {told(net)}")
        if not isinstance(params, SearchParams):
            raise TypeError(f"params: expected SearchParams, got {told(params)}")
        whole_number(seed, "seed")
        self._given, self._params, self._seed = net, params, seed
        self._searches: dict[int, Search] = {}  # by board size
        self._loaded: dict[int, Net] = {}  # by board size

    def search(self, position: board_position.Position, visits: int = 100, seconds: float | None = None) -> Analysis:
        """Search a position until it has so many visits, or until the time is over if that comes first.

        Positions that follow each other in a game share their tree. Raises ValueError if a limit makes no sense or the game is
        over, EvaluatorError if the net cannot be loaded.
        """
        to_position(position)
        visits, seconds = whole_number(visits, "visits"), None if seconds is None else number(seconds, "seconds")
        if visits < 1 or (seconds is not None and not seconds > 0):
            raise ValueError(f"expected visits of at least 1 and seconds above 0, got {visits} and {seconds}")
        if position.is_over():
            raise ValueError("the game is over: both sides have passed")
        search = self._search(position.size)
        search.set_position(position)
        return _analysis(search.run(Limits(visits=visits, seconds=seconds)), position.size)

    def play(self, position: board_position.Position, visits: int = 100) -> str:
        """Search, play the best move on the position, and return it as text.

        The search alone decides; passing and resigning with judgement, levels and clocks are `goengine.player.engine`'s.
        """
        move = self.search(position, visits).move
        position.play(coords.from_gtp(move, position.size))
        return move

    def score(self, position: board_position.Position) -> float:
        """Who is ahead on the board as it stands: points for Black minus points for White, dead stones taken off.

        Right on finished boards only.
        """
        to_position(position)
        player = Player(self._net(position.size).evaluator, size=position.size, rules=position.rules, seed=self._seed)
        player.replace(position.copy())
        return player.score()

    def close(self) -> None:
        """Give back the nets that this engine loaded itself."""
        for net in self._loaded.values():
            net.close()
        self._loaded.clear()
        self._searches.clear()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _net(self, size: int) -> Net:
        if isinstance(self._given, Net):
            return self._given
        if self._given is None or isinstance(self._given, str | os.PathLike):
            if size not in self._loaded:
                self._loaded[size] = load_net("" if self._given is None else self._given, size)
            return self._loaded[size]
        return Net(self._given)

    def _search(self, size: int) -> Search:
        if size not in self._searches:
            evaluator = self._net(size).evaluator
            if evaluator.name != "uniform":
                evaluator = Symmetric(evaluator, np.random.default_rng(self._seed))
            self._searches[size] = Search(evaluator, self._params, self._seed)
        return self._searches[size]


@dataclass(frozen=True)
class Game:
    """A recorded game."""

    record: GameRecord

    @property
    def size(self) -> int:
        """Board size."""
        return self.record.size

    @property
    def moves(self) -> tuple[tuple[str, str], ...]:
        """(colour, point) pairs such as ("B", "E5")."""
        size = self.size
        return tuple(("BW"[color == WHITE], coords.to_gtp(coords.from_index(i, size), size)) for color, i in self.record.moves)

    def positions(self, rules: Rules | str = "chinese") -> Iterator[tuple[Position, str | None]]:
        """Each position with the move that was played there, None at the end. The position is the same object, which goes on.

        Rules are those given, komi is the game's. Moves are made whether they are legal or not; raises ValueError if a move is
        on a point that is taken.
        """
        chosen = to_rules(rules) or Rules()
        position = Position(self.size, chosen.with_komi(self.record.komi))
        for _, move in replay(self.record, position):
            if move is not None:
                position.to_play = move[0]
            yield position, None if move is None else coords.to_gtp(move[1], self.size)


def read_sgf(source: str | os.PathLike[str] | bytes) -> Game:
    """The game of an SGF file by its path, or of SGF text, given as text or as bytes. Text begins with "(;".

    Raises SgfError (a ValueError) if it cannot be read, TypeError if it is something else.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return Game(sgf.read_game(bytes(source)))
    if isinstance(source, str) and _SGF_BEGINS.match(source):
        # Bytes say in CA how they are encoded; text is not encoded any more, and UTF-16 with its mark is taken for what it is.
        data = source.encode() if source.isascii() else source.encode("utf-16", "replace")
        return Game(sgf.read_game(data))
    if source == "":
        raise SgfError("an empty text is neither the path of an SGF file nor SGF")
    if isinstance(source, str | os.PathLike):
        return Game(sgf.read_file(Path(source)))
    raise TypeError(f"expected the path of an SGF file, or SGF as text or bytes, got {told(source)}")
