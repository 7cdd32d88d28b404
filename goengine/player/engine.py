"""A player: a position, a search, a clock, and the judgement when to pass, resign and count. Usable with and without GTP.

Ties together what others know: `goengine.search` (which move is best), `goengine.player.endgame` (when to pass and resign),
`goengine.player.territory` (what is dead), `goengine.player.levels` (how to play below full strength). Knows no protocol and
writes nothing.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Unpack

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, PASSES
from goengine.book.book import Book
from goengine.book.shelf import Shelf
from goengine.evaluators.base import Evaluator
from goengine.evaluators.ranked import RankedPolicy
from goengine.player.aftermath import Aftermath
from goengine.player.book_play import from_book
from goengine.player.decision import Decision, Picked
from goengine.player.endgame import Finish, Resignation, candidates, values_mean_something
from goengine.player.engine_options import DEFAULT_SECONDS, EngineOptions
from goengine.player.game_in_progress import GameInProgress
from goengine.player.human_play import VISITS, HumanPlay
from goengine.player.levels import draw, strength
from goengine.player.net_source import Given, NetOptions, NetSource
from goengine.player.opinion import Opinion
from goengine.player.territory import Territory
from goengine.player.watch import Watch, run_search, with_lead
from goengine.search.clock import Clock
from goengine.search.params import PLAY, Limits, Restriction, SearchParams
from goengine.search.report import SearchResult
from goengine.search.search import Search


class Engine(GameInProgress):
    """A player. Moves of the opponent come in by `play`, its own by `genmove`.

    Whatever fails raises ValueError or what the evaluator raises, and leaves the game as it was.
    """

    def __init__(
        self,
        nets: NetSource | Evaluator,
        options: EngineOptions | None = None,
        *,
        size: int = 19,
        rules: Rules | None = None,
        params: SearchParams = PLAY,
        seed: int | None = None,
        ranked: RankedPolicy | None = None,
    ):
        """ranked: in place of the ranked net that the options name. Raises EvaluatorError if they name none."""
        self._nets = nets if isinstance(nets, NetSource) else Given(nets)
        self.options = options or EngineOptions()
        self._shelf = self._shelf_of(self.options.book)
        self._ranked = ranked
        self._human = self._human_of(self.options)
        self.seed = random.SystemRandom().getrandbits(31) if seed is None else seed
        self._params = params
        self._chance = np.random.default_rng(self.seed)
        self._judge_with(self.options.playouts)
        super().__init__(Position(size, rules))
        self._searches: dict[str, Search] = {}
        self._resignation = Resignation()
        self.clock = Clock(lag=self.options.lag)
        self.last_decision: Decision | None = None
        self._ponder_left = 0.0  # seconds of pondering still allowed in this turn of the opponent
        self._judging: deque[float] = deque(maxlen=5)  # seconds that the last moves took beside their search
        self._warm: set[str] = set()  # evaluators that have run, the search and the judgement with them

    @staticmethod
    def load(
        net: str | None = None,
        options: EngineOptions | None = None,
        *,
        boardsize: int = 19,
        rules: str = "tromp-taylor",
        komi: float | None = None,
        params: SearchParams = PLAY,
        seed: int | None = None,
        **how: Unpack[NetOptions],
    ) -> "Engine":
        """A player as a command line describes it, warm: the net is loaded and every kernel it needs has run once.

        how: as `NetSource` takes it. Raises BookError, a ValueError, if a book was named and cannot be used.
        """
        chosen = Rules.parse(rules)
        if komi is not None:
            chosen = chosen.with_komi(komi)
        seed = random.SystemRandom().getrandbits(31) if seed is None else seed
        source = NetSource(net, seed=seed, **how)
        engine = Engine(source, options, size=boardsize, rules=chosen, params=params, seed=seed)
        engine.warm_up()
        return engine

    # -- the game --

    @property
    def evaluator(self) -> Evaluator:
        """The net for the present board size. Raises EvaluatorError if it cannot be loaded."""
        return self._nets.get(self.position.size)

    @property
    def is_blind(self) -> bool:
        """Whether no net knows the value of positions on this board, though nets were asked for, and no rollouts find it."""
        traits = self.evaluator.traits
        return not traits.value_proven and traits.name != "uniform" and self._params.rollout_weight == 0

    @property
    def keeps_ownership(self) -> bool:
        """Whether a search keeps what the net says of the owners of points."""
        return self._params.ownership

    @property
    def batch_size(self) -> int:
        """Positions that the search gives to the net at a time."""
        return self._params.leaves

    def new_game(self, size: int | None = None, komi: float | None = None, rules: Rules | None = None) -> None:
        """An empty board. What is not given stays as it was, time settings too. Raises ValueError if the size is impossible."""
        chosen = rules or self.rules
        if komi is not None:
            chosen = chosen.with_komi(komi)
        self.replace(Position(size or self.position.size, chosen))
        self.clock.restart()

    def replace(self, position: Position) -> None:
        """Go on from another position. Where another board size has another net, a warm engine gets that one ready here.

        Loaded in the first move, it would take the time of that one. Raises EvaluatorError, and changes nothing, if that fails.
        """
        if self._warm and self._nets.get(position.size).name not in self._warm:
            before, self.position = self.position, position
            try:
                self.warm_up()
            except BaseException:
                self.position = before
                raise
        self.position = position
        self._shelf.get(position.size)
        self._resignation.reset()
        self.last_decision = None
        self.rest()

    # -- choosing moves --

    def genmove(self, color: int, *, cleanup: bool = False, **watch: Unpack[Watch]) -> Decision:
        """Choose a move for `color` by its clock, play it, and say what it was. Always finds something legal.

        Where a book knows the position, its move is played without a search. cleanup: no resignation, and no pass while dead
        stones of the opponent stand. Once `should_stop()` is true the best move so far is played.
        """
        start = time.monotonic()
        decision = None if cleanup else self._by_book(color, watch, self._chance)
        if decision is None:
            limits = self._limits(color, self.clock)
            decision = self._decide(color, limits, watch, self._drawn, cleanup=cleanup, may_resign=not cleanup)
        self.clock.spend(color, time.monotonic() - start)
        if not decision.resign:
            self.position.play(decision.point, color, tolerant=True)
        self.last_decision = decision
        self._ponder_left = 0.0 if decision.resign else self.options.ponder_time
        return decision

    def choose(self, color: int, **watch: Unpack[Watch]) -> Decision:
        """The best move, which is not played: no clock runs, nothing is resigned, and nothing is left to chance."""
        decision = self._by_book(color, watch, None)
        self.last_decision = decision or self._decide(color, self._limits(color, None), watch, self._best)
        return self.last_decision

    def analyze(self, color: int, limits: Limits | None = None, **watch: Unpack[Watch]) -> SearchResult:
        """Search for `color` at full strength until told to stop, with reports on the way and one at the end."""
        wide = self._params.with_(wide_root_noise=self.options.analysis_wide_root_noise)
        turned = self._turned(color)
        search = self._prepared(turned, watch.get("restrictions", ()), params=wide)
        return with_lead(run_search(search, self.opinion, turned, limits or Limits(), watch), self.opinion, turned)

    def ponder(self, should_stop: Callable[[], bool]) -> None:
        """Think in the opponent's time until `ponder_time` is spent, in several calls if need be.

        Returns at once where there is nothing to think about. Below full strength it does not think, because a level is a
        number of visits.
        """
        if self._ponder_left <= 0 or self.position.is_over() or self._is_weaker:
            return
        left, self._ponder_left = self._ponder_left, 0.0  # so that what fails is not tried again
        search = self._prepared(self._turned(self.position.to_play), ())
        result = search.run(Limits(seconds=left), should_stop)
        self._ponder_left = left - result.seconds if should_stop() else 0.0

    def rest(self) -> None:
        """Do not ponder until the next own move."""
        self._ponder_left = 0.0

    def forget(self) -> None:
        """Forget the tree and all remembered evaluations."""
        self._searches.clear()
        self._nets.clear()

    def configure(self, options: EngineOptions) -> None:
        """Other settings. Raises BookError or EvaluatorError, and changes nothing, if a book or a net cannot be used."""
        human = self._human_of(options) if options != self.options else self._human
        if options.book != self.options.book:
            self._shelf = self._shelf_of(options.book)
        self.options, self._human = options, human
        self._judge_with(options.playouts)
        self.clock.lag = options.lag

    def warm_up(self) -> None:
        """Run everything once on an empty board, so that no move waits for a net or compiled code to load."""
        game, self.position = self.position, Position(self.position.size, self.rules)
        try:
            self._decide(self.position.to_play, Limits(visits=2 * self._params.leaves), {}, self._drawn)
            self._prepared(self.position, ()).clear()
            first, *_, last = coords.points(self.position.size)
            self.position.play(int(first))
            self.position.undo()
            self.position.play(int(last))
            start = time.monotonic()
            self.opinion.territory(self.position)
            self._shelf.get(self.position.size)
        finally:
            self.position = game
        self._judging = deque([time.monotonic() - start], maxlen=self._judging.maxlen)
        self._warm.add(self.evaluator.name)

    # -- the judgement, for people and programs --

    def score(self) -> float:
        """Black's lead, komi included, at any time. Where somebody has passed in doubt, the engine plays on first."""
        return self._aftermath.score(self.position)

    def final_status(self) -> Territory:
        """Who owns what, and which chains are alive, in seki or dead; every stone is in exactly one."""
        return self._aftermath.territory(self.position)

    def describe(self) -> str:
        """The engine, its net and its strength, in a line."""
        traits, options = self.evaluator.traits, self.options
        limits = f"visits {options.text('visits')}, time {options.text('time')}"
        book = self._book()
        known = "" if book is None else f", a book of {len(book.nodes)} positions"
        strength = f"level {options.level}" if self._human is None else self._human.describe(self.position.size)
        return f"net {traits.name} ({traits.device}), {strength}, {limits}{known}"

    @property
    def human(self) -> HumanPlay | None:
        """What plays by a rank; None where none is set."""
        return self._human

    def take_book_problem(self) -> str:
        """Why a book that comes with the engine is not used, said once; empty if nothing is wrong."""
        problem, self._shelf.problem = self._shelf.problem, ""
        return problem

    def with_net_priors(self, decision: Decision) -> SearchResult:
        """What a decision's search found, with the net's own probabilities as priors."""
        position = decision.position
        return decision.search.with_priors(self.opinion.policy(position, position.to_play), position.size)

    def describe_clocks(self) -> str:
        """The time control and what is left, a line each."""
        return "\n".join([str(self.clock.settings), *(f"{'BW'[color - 1]} {left}" for color, left in self.clock.left.items())])

    def close(self) -> None:
        """Give back the net's threads and memory."""
        self._nets.close()

    # -- inside --

    def _judge_with(self, playouts: int) -> None:
        self.opinion = Opinion(self._nets, playouts)
        self._aftermath = Aftermath(self.opinion, self._nets.get, self.seed)

    def _human_of(self, options: EngineOptions) -> HumanPlay | None:
        """What plays by the rank of the options. Raises EvaluatorError if there is no ranked net."""
        return None if options.rank is None else HumanPlay(options, self._nets, self._ranked)

    @property
    def _is_weaker(self) -> bool:
        """Whether it is not meant to play as well as it can."""
        return self._human is not None or strength(self.options.level) is not None

    def _shelf_of(self, choice: str) -> Shelf:
        """The books of an option. Nobody who chose a net himself gets moves of another one unasked."""
        own = "shipped" if self._nets.is_default else "none"
        return Shelf(own if choice == "auto" else choice)

    def _book(self) -> Book | None:
        """The book for this board: at full strength only, for a level below it is meant to play openings of its own."""
        return None if self._is_weaker else self._shelf.get(self.position.size)

    def _by_book(self, color: int, watch: Watch, generator: np.random.Generator | None) -> Decision | None:
        """A move of the book, if one answers here and nobody asks for more than it can tell."""
        book = self._book()
        if book is None or watch.get("restrictions") or watch.get("ownership"):
            return None
        decision = from_book(book, self._turned(color), generator)
        if decision is not None and (report := watch.get("on_report")) is not None:
            report(decision.search)
        return decision

    def _turned(self, color: int) -> Position:
        """The position as it is searched: `color` to play, and never already over, because an answer is always wanted."""
        position = self.position.copy()
        if position.to_play != color:
            position.to_play = color
        if position.is_over():
            position.game.status[PASSES] = 0
        return position

    def _prepared(
        self,
        position: Position,
        restrictions: Sequence[Restriction],
        anew: bool = False,
        params: SearchParams | None = None,
    ) -> Search:
        """The search for this board size, set on a position; ``anew`` and other ``params`` than before forget what it found."""
        evaluator = self.evaluator
        if evaluator.name not in self._searches:
            self._searches.clear()  # one tree in memory is enough
            self._searches[evaluator.name] = Search(evaluator, self._params, self.seed)
        search = self._searches[evaluator.name]
        search.restrict(restrictions)
        search.set_position(position)
        search.agree(self.opinion.agreed_dead(position))
        params = params or self._params
        if search.params != params:
            search.use(params)
            anew = True
        if anew:
            search.clear()
        return search

    def _limits(self, color: int, clock: Clock | None) -> Limits:
        """How long to search for a move: the options', or the clock's where one runs."""
        options, weaker = self.options, strength(self.options.level)
        most = VISITS if self._human is not None else None if weaker is None else weaker.visits
        visits = options.visits if most is None else min(most, options.visits or most)
        if clock is not None and clock.settings.kind != "none":
            limits = clock.limits(color, len(self.position.moves), self.position.size, visits)
        elif options.time is not None:
            limits = Limits(visits=visits, seconds=options.time)
        else:
            return Limits(visits=visits) if visits is not None else Limits(seconds=DEFAULT_SECONDS)
        # The second longest of the last moves: a machine that paused once must not shorten the search of the next moves.
        return limits.less(sorted(self._judging)[-2:][0] if self._judging else 0.0)

    def _decide(
        self,
        color: int,
        limits: Limits,
        watch: Watch,
        pick: Callable[[SearchResult, Position, frozenset[int] | None], Picked],
        *,
        cleanup: bool = False,
        may_resign: bool = False,
    ) -> Decision:
        """Search, ``pick`` a move from what was found, then let the endgame's judgement have its say."""
        start, turned = time.monotonic(), self._turned(color)
        weak = self._is_weaker  # an analysis before the move must not lend it its visits
        search = self._prepared(turned, watch.get("restrictions", ()), anew=weak)
        if weak:
            watch = {**watch, "min_moves": self.position.size**2 + 1}
        result = run_search(search, self.opinion, turned, limits, watch)
        should_stop = watch.get("should_stop")
        stopped = should_stop is not None and should_stop()
        valued = self.evaluator.traits.value_proven
        allowed = frozenset(m.point for m in result.moves) if watch.get("restrictions") else None
        picked = pick(result, turned, allowed)
        values = {m.point: m.value if m.visits else None for m in result.moves}
        if picked.value is not None:
            values[picked.point] = picked.value
        finish = Finish(
            self.position,
            color,
            candidates(turned, values, picked.point),
            self.opinion.territory(turned),
            (lambda: self.opinion.value_of_pass(turned)) if valued and values_mean_something(turned) else None,
        )
        point = finish.choose_cleanup() if cleanup else finish.choose()
        resign = False
        if may_resign and (valued or self._params.rollout_weight > 0):
            counted = self.opinion.estimate(self.position) * (1 if color == BLACK else -1)
            options = self.options if self._human is None else self._human.resigning(color)
            resign = self._resignation.decide(self.position, options, color, (1 + result.value) / 2, counted)
        self._judging.append(time.monotonic() - start - result.seconds)
        return Decision(color, point, resign, with_lead(result, self.opinion, turned), turned, stopped)

    def _drawn(self, result: SearchResult, position: Position, allowed: frozenset[int] | None) -> Picked:
        """The move that the search chose; below full strength one drawn at random."""
        if self._human is not None:
            choice = self._human.draw(position, allowed, self.evaluator, self._chance)
            return Picked(result.chosen) if choice is None else Picked(choice.point, choice.after)
        weaker, moves = strength(self.options.level), [m for m in result.moves if m.point != PASS]
        if weaker is None or result.chosen == PASS or not moves:
            return Picked(result.chosen)
        return Picked(draw(moves, weaker, self.evaluator.traits.score_proven, self._chance).point)

    def _best(self, result: SearchResult, position: Position, allowed: frozenset[int] | None) -> Picked:
        """The move that the search thinks best, whatever it would draw; by a rank the one that is drawn most often."""
        choice = None if self._human is None else self._human.likeliest(position, allowed, self.evaluator)
        if choice is not None:
            return Picked(choice.point, choice.after)
        return Picked(result.moves[0].point if result.moves else result.chosen)
