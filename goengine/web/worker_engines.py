"""The nets and players of the engine's process, by name and by tab; and a page's game as a position. Knows no JSON."""

from collections import OrderedDict

from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.game import GameLine
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import from_sgf_text
from goengine.board.state import BLACK, WHITE
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import NetSource
from goengine.search.clock import TimeLeft, TimeSettings
from goengine.search.params import PLAY
from goengine.web.requests import ClockState, Game, MoveRequest

MOST_NETS = 3  # loaded at once: two that play, one that analyses
MOST_PLAYERS = 8  # with a tree each
MEGABYTES = 128  # of a player's tree
ANALYSIS_MEGABYTES = 1024  # of all trees of an analysis with one net
COLOR = {"B": BLACK, "W": WHITE}


def position_of(game: Game) -> Position:
    """The position after a game's last move. Raises ValueError that names the stone or move that cannot be."""
    stones = [(BLACK, v) for v in game.black] + [(WHITE, v) for v in game.white]
    line = GameLine(
        size=game.size,
        stones=tuple((color, coords.from_gtp(vertex, game.size)) for color, vertex in stones),
        moves=tuple((COLOR[color], coords.from_gtp(vertex, game.size)) for color, vertex in game.moves),
        first=COLOR[game.first],
        rules=from_sgf_text(game.rules, "chinese").with_komi(game.komi),
        handicap_by_moves=False,
    )
    position = line.at(len(line.moves)) if line.moves else line.begin()
    position = position.copy()
    position.handicap = game.handicap
    return position


class Nets:
    """Evaluators by a net's name, "" for the best one of each board; and an analysis of many positions with each."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads
        self._sources: OrderedDict[str, NetSource] = OrderedDict()
        self._analyses: dict[str, BatchAnalysis] = {}

    def source(self, name: str) -> NetSource:
        """Where evaluators of a net come from; the one that was not used for longest is given up for a new one."""
        if name not in self._sources:
            self._make_room()
            self._sources[name] = NetSource(name or None, threads=self._threads, by_key=True)
        self._sources.move_to_end(name)
        return self._sources[name]

    def analysis(self, name: str) -> BatchAnalysis:
        """The analysis with a net."""
        source = self.source(name)
        if name not in self._analyses:
            self._analyses[name] = BatchAnalysis(source, megabytes=ANALYSIS_MEGABYTES)
        return self._analyses[name]

    @property
    def busy(self) -> list[BatchAnalysis]:
        """Analyses that have something to do."""
        return [analysis for analysis in self._analyses.values() if analysis.busy]

    def _make_room(self) -> None:
        idle = [name for name in self._sources if name not in self._analyses or not self._analyses[name].busy]
        while len(self._sources) >= MOST_NETS and idle:
            name = idle.pop(0)
            self._analyses.pop(name, None)
            self._sources.pop(name)  # players may still hold it


class Players:
    """A player for each tab, colour and net, with its tree and its memory of hopeless turns."""

    def __init__(self, nets: Nets) -> None:
        self._nets = nets
        self._players: OrderedDict[tuple[str, str, str], Engine] = OrderedDict()

    def prepare(self, tab: str, request: MoveRequest) -> Engine:
        """The player at the position that is asked about, by the limits that are asked for.

        Raises ValueError if the game cannot be played, EvaluatorError if the net cannot be loaded.
        """
        position = position_of(request.game)
        options = EngineOptions(visits=request.visits, time=request.time, level=request.level, rank=request.rank or None)
        key = tab, request.color, request.net
        if key not in self._players:
            engine = Engine(
                self._nets.source(request.net),
                options,
                size=position.size,
                rules=position.rules,
                params=PLAY.with_(max_memory_mb=MEGABYTES),
            )
            engine.warm_up()
            self._players[key] = engine
            while len(self._players) > MOST_PLAYERS:
                self._players.popitem(last=False)
        self._players.move_to_end(key)
        engine = self._players[key]
        engine.configure(options)
        _follow(engine, position)
        _set_clock(engine, COLOR[request.color], request.clock)
        return engine

    def judge(self, net: str, position: Position) -> Engine:
        """A player that counts."""
        return Engine(self._nets.source(net), size=position.size, rules=position.rules, seed=1)


def _follow(engine: Engine, position: Position) -> None:
    """Take a player to a position; in the same game by the moves since it was last asked, so that it remembers."""
    mine = engine.position
    same = (
        (mine.size, mine.rules, mine.handicap) == (position.size, position.rules, position.handicap)
        and (mine.black_setup, mine.white_setup) == (position.black_setup, position.white_setup)
        and position.moves[: len(mine.moves)] == mine.moves
    )
    if not same or len(mine.moves) == 0:
        engine.replace(position)
        return
    try:
        engine.play_all(position.moves[len(mine.moves) :])
    except ValueError:  # a suicide that the rules forbid, as game records have it
        engine.replace(position)


def _set_clock(engine: Engine, color: int, clock: ClockState) -> None:
    settings = TimeSettings(
        kind=clock.kind, main=clock.main, period=clock.period, stones=clock.stones, increment=clock.increment
    )
    engine.clock.set(settings)
    engine.clock.left[color] = TimeLeft(clock.left_main, clock.left_period, clock.left_stones)
