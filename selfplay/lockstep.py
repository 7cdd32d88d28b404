"""Many games of a net against itself in lock step: one leaf of every game in each batch.

On a GPU the games are two halves: while one is with the net, the leaves of the other are selected and encoded. On a CPU the
trees and the net share the cores, and one batch of all games is faster.

Knows when games begin and how (komi, openings, forks), asks the net and hands out finished games. What happens inside a game
belongs to `selfplay.kernels`. Knows no files and no processes.
"""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from goengine import features
from goengine.board import coords
from goengine.board.scoring import new_benson_scratch
from goengine.board.state import BLACK
from goengine.evaluators.base import Batch, Evaluation, Evaluator, EvaluatorError, Pending
from goengine.evaluators.metered import Counting
from goengine.evaluators.symmetric import SymmetricByKey
from goengine.search.constants import make_constants, new_scratch
from goengine.zero.selfplay_params import SelfPlayParams
from selfplay import kernels, root_params
from selfplay.finished import FinishedGame, take_out
from selfplay.table import ENDING, PLAYED_OUT, PLAYING, PLY, RULES, TO_DRAW, new_table, plies

_FORKS = 256  # finished games that forks begin from
_FORK_TEMPERATURE = 2.0  # temperature of the move that leaves the earlier game
_WIDER = 10.0  # times the usual deviation of komi, where it is drawn wide


@dataclass
class SelfPlayStats:
    """What self-play took so far."""

    seconds: float = 0.0  # in `step`
    net_seconds: float = 0.0  # of these, waiting for the net; where games play in halves it has computed longer
    evaluations: int = 0
    moves: int = 0  # of all games, those under way too
    games: int = 0
    given_up: int = 0  # games that were played out although a side would have given up
    falsely: int = 0  # of these, games that this side did not lose

    @property
    def busy(self) -> float:
        """Share of the time in which the net computed."""
        return self.net_seconds / self.seconds if self.seconds else 0.0


@dataclass
class _Half:
    """Games whose leaves go to the net together, and the arrays that it reads; R games."""

    parts: list[np.ndarray]  # int64: their numbers, in a row, one array for each thread
    planes: np.ndarray  # float32[R, C, N, N]
    globals: np.ndarray  # float32[R, G]
    keys: np.ndarray  # uint64[R]
    waiting: np.ndarray  # int64[R]  games that wait for an answer, the first `asked` of them
    asked: int = 0
    answer: Pending | None = None

    def rows(self, part: int) -> slice:
        """Where a part writes."""
        first = self.parts[part][0] - self.parts[0][0]
        return slice(first, first + len(self.parts[part]))


class Lockstep:
    """Self-play of ``games`` games at once. All chance comes from ``seed``.

    threads: of the trees; the net has its own. halves: in which the games are asked about by turns, 1 or 2; None: two on a GPU.
    Raises ValueError if the net's feature set is unknown here.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        settings: SelfPlayParams,
        *,
        games: int,
        seed: int,
        threads: int = 1,
        halves: int | None = None,
    ):
        self.settings, self.games, self.seed = settings, games, seed
        self._threads, self._wanted_halves = min(threads, games), halves
        self.stats = SelfPlayStats()
        self._numbers = 0  # of games begun
        self._random = np.random.default_rng([seed, 0])
        self._earlier: deque[np.ndarray] = deque(maxlen=_FORKS)
        self.table = new_table(settings, games)
        self._memory = [_new_memory(settings.size) for _ in range(self._threads)]
        self._pool = ThreadPoolExecutor(self._threads, "trees") if self._threads > 1 else None
        self._names, self._seeds = [""] * games, [0] * games
        self._ended: list[FinishedGame] = []  # not returned yet
        self._use(evaluator)
        for g in range(games):
            self._begin(g)

    def change_net(self, evaluator: Evaluator, settings: SelfPlayParams) -> None:
        """Go on with another net and other settings; games under way go on, with the komi and rules that they have.

        Raises ValueError if what the table holds would have to change: size, rules, or more visits than it has room for.
        """
        old = self.settings
        if (settings.size, settings.rules, settings.longest) != (old.size, old.rules, old.longest):
            raise ValueError("games under way cannot change their size, rules or length")
        if new_table_needed(old, settings):
            raise ValueError("these settings need a table of another shape: begin a new one")
        for half in self._halves:
            self._enter(half)  # what the other net has been asked
        self.settings = settings
        self._use(evaluator)

    def close(self) -> None:
        """End the threads; the net is the caller's."""
        if self._pool:
            self._pool.shutdown()

    def step(self) -> list[FinishedGame]:
        """A batch to the net and what follows from its answers. Returns the games that have ended.

        Where games play in halves, the step is one half's, and the answers are those to its batch of two steps before. Raises
        EvaluatorError if the net's answers are no numbers.
        """
        start, half = time.perf_counter(), self._halves[0]
        self._enter(half)
        before = int(self.table.state[:, PLY].sum())
        counts = self._each(half)
        self.stats.moves += int(self.table.state[:, PLY].sum()) - before
        self._ended += [self._finish(g) for g in np.flatnonzero(self.table.state[:, ENDING] != PLAYING).tolist()]
        self._ask(half, counts)
        if len(self._halves) == 1:
            self._enter(half)
        self._halves.rotate(-1)
        counter, stats = self._counter, self.stats
        stats.net_seconds += counter.seconds
        stats.evaluations += counter.rows
        counter.reset()
        stats.seconds += time.perf_counter() - start
        return self.take_ended()

    def take_ended(self) -> list[FinishedGame]:
        """Games that have ended and were not returned yet: those of a step that failed."""
        ended, self._ended = self._ended, []
        return ended

    # -- inside --

    def _use(self, evaluator: Evaluator) -> None:
        if evaluator.features not in kernels.ENCODERS:
            known = ", ".join(kernels.ENCODERS)
            raise ValueError(
                f"net {evaluator.name}: self-play has no encoder for the features '{evaluator.features}' ({known})"
            )
        self._counter = Counting(evaluator)
        self._net, self._encode = SymmetricByKey(self._counter), kernels.ENCODERS[evaluator.features]
        chosen, size = features.get(evaluator.features), self.settings.size
        self._scratch = [chosen.new_scratch(size) for _ in range(self._threads)]
        on_gpu = evaluator.traits.device.startswith("cuda")
        halves = np.array_split(np.arange(self.games, dtype=np.int64), min(self.games, self._wanted_halves or 1 + on_gpu))
        self._halves = deque(
            _Half(
                np.array_split(games, min(self._threads, len(games))),
                np.zeros((len(games), chosen.planes, size, size), np.float32),
                np.zeros((len(games), chosen.globals), np.float32),
                np.zeros(len(games), np.uint64),
                np.zeros(len(games), np.int64),
            )
            for games in halves
        )
        self._play_params = play_params(self.settings)

    def _each(self, half: _Half) -> list[int]:
        """Advance every part of a half, by as many threads. Returns how many leaves each has."""
        parts = range(len(half.parts))
        if self._pool is None:
            return [self._advance(half, part) for part in parts]
        return list(self._pool.map(lambda part: self._advance(half, part), parts))

    def _advance(self, half: _Half, part: int) -> int:
        """Select and encode the leaves of a part into its own rows. Returns their number."""
        rows, params = half.rows(part), self._play_params
        waiting, keys = half.waiting[rows], half.keys[rows]
        count = kernels.advance(self.table, half.parts[part], self.settings.size, params, self._memory[part], waiting, keys)
        self._encode(self.table, waiting[:count], self._scratch[part], half.planes[rows], half.globals[rows])
        return count

    def _ask(self, half: _Half, counts: list[int]) -> None:
        """Ask the net about all leaves of a half."""
        total = half.asked = sum(counts)
        if total == 0:
            return
        if total < len(half.keys):  # close the gaps of games that have ended
            starts = (half.rows(part).start for part in range(len(half.parts)))
            kept = np.concatenate([np.arange(start, start + count) for start, count in zip(starts, counts, strict=True)])
            for array in (half.planes, half.globals, half.keys, half.waiting):
                array[:total] = array[kept]
        half.answer = self._net.submit(Batch(half.planes[:total], half.globals[:total], half.keys[:total]))

    def _enter(self, half: _Half) -> None:
        """Wait for the answers to a half's leaves, if it has asked, and enter them."""
        if half.answer is None:
            return
        answer, half.answer = half.answer.result(), None
        arrays = Evaluation._make(np.ascontiguousarray(array, np.float32) for array in answer)
        waiting = half.waiting[: half.asked]
        if kernels.update(self.table, waiting, self.settings.size, self._play_params, arrays) < half.asked:
            raise EvaluatorError(f"net {self._net.name}: a value, a score or a policy is not a number")

    def _finish(self, g: int) -> FinishedGame:
        game = take_out(self.table, g, self.settings, self._memory[0], self._seeds[g], self._names[g])
        self.stats.games += 1
        self.stats.given_up += game.played_out and game.gave_up != 0
        self.stats.falsely += game.falsely_given_up
        self._earlier.append(self.table.record.move[g, : len(game.kind)].copy())
        self._begin(g)
        return game

    def _begin(self, g: int) -> None:
        """A new game in place g."""
        settings, table = self.settings, self.table
        words = np.random.SeedSequence([self.seed, self._numbers]).generate_state(4, np.uint64)
        random = np.random.default_rng(words)
        self._numbers += 1
        self._seeds[g], self._names[g] = int(words[3]), self._net.name
        table.state[g, RULES] = random.integers(len(settings.rules))
        table.state[g, PLAYED_OUT] = settings.resign is None or random.random() < settings.play_out
        spread = settings.komi_stdev * (_WIDER if random.random() < settings.komi_wide else 1.0)
        table.komi[g] = np.clip(round(2 * random.normal(settings.komi, spread)) / 2, -(settings.size**2), settings.size**2)
        table.temperature[g], moves = 1.0, np.zeros(0, np.uint16)
        mean = settings.opening_plies * (settings.size / 19.0) ** 2
        table.state[g, TO_DRAW] = min(random.geometric(1 / (1 + mean)) - 1, settings.size**2 // 4)
        if self._earlier and random.random() < settings.fork_share:
            earlier = self._earlier[random.integers(len(self._earlier))]
            moves, table.temperature[g], table.state[g, TO_DRAW] = (
                earlier[: random.integers(len(earlier))],
                _FORK_TEMPERATURE,
                1,
            )
        kernels.begin_game(table, g, settings.size, BLACK, moves, words[:3], self._memory[0])


def new_table_needed(old: SelfPlayParams, new: SelfPlayParams) -> bool:
    """Whether a table made for the old settings has no room for the new ones."""
    names = ("size", "rules", "longest", "visits", "cheap_visits", "considered")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def play_params(settings: SelfPlayParams) -> kernels.PlayParams:
    """The settings as the kernels take them."""
    full, cheap = (
        make_constants(root_params.params_of(settings, kind), settings.size, use_score=False, center=0.0, passes=0, salt=0)
        for kind in (True, False)
    )
    return kernels.PlayParams(
        full=full,
        cheap=cheap,
        noise=root_params.noise_of(settings),
        full_share=float(settings.full_share),
        full_visits=settings.visits,
        cheap_visits=settings.cheap_visits,
        temperature=float(settings.temperature),
        hot_plies=round(settings.temperature_plies * settings.size / 19),
        resign=-2.0 if settings.resign is None else float(settings.resign),
        resign_plies=settings.resign_plies,
        longest=plies(settings),
        count_from=settings.size**2 // 3,
    )


def _new_memory(size: int) -> kernels.GameScratch:
    padded = coords.padded(size)
    return kernels.GameScratch(
        scratch=new_scratch(size, 1),
        benson=new_benson_scratch(size),
        alive=np.zeros((2, padded), np.uint8),
        weights=np.zeros(size * size + 1),
        forbidden=np.zeros((4, padded), np.int16),
        legal=np.zeros(size * size + 1, np.uint8),
    )
