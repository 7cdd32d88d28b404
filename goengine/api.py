"""The public Python API: positions, nets, the engine and game files, under the names that `goengine` exports.

A thin layer over the rooms below. Here colours may be written as "B" and "W" and points as "E5"; answers name moves as text.
Values are for the player to move, in [-1, 1]; a win rate is (value + 1) / 2. docs/python.md has examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine import features
from goengine.board import coords, diagram
from goengine.board import position as board_position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.dataio import sgf
from goengine.dataio.game_files import replay
from goengine.dataio.records import GameRecord
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluator
from goengine.evaluators.load import load
from goengine.evaluators.symmetric import Symmetric
from goengine.player.engine import Engine as Player
from goengine.search.params import PLAY, Limits, SearchParams
from goengine.search.report import MoveInfo, SearchResult
from goengine.search.search import Search

Color = int | str
Point = int | str
_COLORS: dict[object, int] = {"b": BLACK, "black": BLACK, BLACK: BLACK, "w": WHITE, "white": WHITE, WHITE: WHITE}


def to_color(color: Color) -> int:
    """BLACK or WHITE from "B", "W", "black", "white", 1 or 2. Raises ValueError if it is none of these."""
    key = color.lower() if isinstance(color, str) else color
    if key not in _COLORS:
        raise ValueError(f'{color!r} is not a colour; expected "B" or "W"')
    return _COLORS[key]


def to_point(point: Point, size: int) -> int:
    """The padded point of "E5", "pass" or a padded point. Raises ValueError if there is no such point on the board."""
    if isinstance(point, str):
        return coords.from_gtp(point, size)
    if point != coords.PASS and not coords.on_board(int(point), size):
        raise ValueError(f'{point!r} is not a point of a {size}x{size} board; expected a text such as "E5" or "pass"')
    return int(point)


class Position(board_position.Position):
    """A game in progress. ``print(position)`` draws the board.

    Colours are "B" and "W" or 1 and 2; points are texts such as "E5" and "pass", or padded points (`goengine.board.coords`).
    """

    def __init__(self, size: int = 19, rules: Rules | str | None = None) -> None:
        """An empty board, Black to play. Raises ValueError if the size is not 2 to 25 or there are no such rules."""
        super().__init__(size, Rules.parse(rules) if isinstance(rules, str) else rules)

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

    def __str__(self) -> str:
        return diagram.text(self)

    def __repr__(self) -> str:
        return f"<Position {self.size}x{self.size}, {len(self.moves)} moves, {'BW'[self.to_play == WHITE]} to play>"


class Evaluations(NamedTuple):
    """What a net says of n positions of one size N. Numbers are for the player to move."""

    policy: np.ndarray  # float32[n, N * N + 1]  probabilities of moves, rows from the top; the last one is the pass
    value: np.ndarray  # float32[n]  in [-1, 1]
    score_lead: np.ndarray  # float32[n]  points, komi included
    score_stdev: np.ndarray  # float32[n]  points
    ownership: np.ndarray  # float32[n, N, N]  in [-1, 1]: 1 = the player to move owns the point


class Net:
    """A loaded net: answers for many positions at once. Use it as a context manager, or call `close`."""

    def __init__(self, evaluator: Evaluator):
        self.evaluator = evaluator
        self._features = features.get(evaluator.features)

    @property
    def name(self) -> str:
        """Its name, or its file's."""
        return self.evaluator.name

    def evaluate(self, positions: Sequence[board_position.Position]) -> Evaluations:
        """The net's answers, row by row; see `Evaluations` for the shapes.

        Raises ValueError if there is no position or their sizes differ, EvaluatorError if the net fails.
        """
        sizes = {position.size for position in positions}
        if len(sizes) != 1:
            raise ValueError(f"expected one or more positions of one board size, got sizes {sorted(sizes)}")
        (size,) = sizes
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


def load_net(name: str = "", size: int | None = None) -> Net:
    """A net by its name (`goengine nets`), a file's path, or "uniform"; without a name the best net for that board size.

    Raises EvaluatorError if there is no such net or its file is damaged.
    """
    return Net(load(name, size=size))


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

    def __init__(self, net: str | Net | Evaluator | None = None, *, params: SearchParams = PLAY, seed: int = 0):
        self._given, self._params, self._seed = net, params, seed
        self._searches: dict[int, Search] = {}  # by board size
        self._loaded: dict[int, Net] = {}  # by board size

    def search(self, position: board_position.Position, visits: int = 100, seconds: float | None = None) -> Analysis:
        """Search a position until it has so many visits, or until the time is over if that comes first.

        Positions that follow each other in a game share their tree. Raises ValueError if a limit makes no sense or the game is
        over, EvaluatorError if the net cannot be loaded.
        """
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
        if self._given is None or isinstance(self._given, str):
            if size not in self._loaded:
                self._loaded[size] = load_net(self._given or "", size)
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
        chosen = Rules.parse(rules) if isinstance(rules, str) else rules
        position = Position(self.size, chosen.with_komi(self.record.komi))
        for _, move in replay(self.record, position):
            if move is not None:
                position.to_play = move[0]
            yield position, None if move is None else coords.to_gtp(move[1], self.size)


def read_sgf(source: str | os.PathLike[str] | bytes) -> Game:
    """A game of an SGF file, or of SGF text given as bytes. Raises SgfError (a ValueError) if it cannot be read, OSError if
    there is no such file.
    """
    if isinstance(source, bytes):
        return Game(sgf.read_game(source))
    return Game(sgf.read_file(Path(source)))
