"""A search with an evaluator: `Search` runs until its limits, reports on the way and gives a `SearchResult`.

While one batch is with the evaluator the next is selected, so a backend that works in its own threads never waits for the tree;
where rollouts are played, they go on meanwhile.
Knows time only as a duration; how long to think is the business of `goengine.search.clock`.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from goengine import features
from goengine.evaluators.base import Evaluator, Pending
from goengine.search import root as roots
from goengine.search.leaves import Leaves
from goengine.search.params import Limits, Restriction, SearchParams
from goengine.search.report import Ownership, SearchResult, make_result
from goengine.search.tree import VISITED
from goengine.search.tree_search import TreeSearch, believed

_FOREVER = 1 << 60
_MOST_VISITS = 1 << 30  # of the root: nodes count their own in 32 bits
_ROLLOUTS = 8  # of each thread between two looks whether the net has answered
_CHECK_EVERY = 4  # questions whether the run is over, between looks at whether the leader can still be caught

Report = Callable[[SearchResult], None]


class Search:
    """Monte Carlo tree search of one game at a time. Not for two threads at a time."""

    def __init__(self, evaluator: Evaluator, params: SearchParams, seed: int = 0):
        self.evaluator = evaluator
        self.core = TreeSearch(params, features.get(evaluator.features), seed, **believed(evaluator.traits))
        self._free: list[Leaves] = []
        self._leaves_size = 0

    @property
    def params(self) -> SearchParams:
        return self.core.params

    @property
    def visits(self) -> int:
        """Visits of the root, those of earlier runs included."""
        return self.core.visits

    def set_position(self, position) -> bool:
        """Search this Position from now on. Returns whether a subtree could be kept."""
        return self.core.set_position(position)

    def restrict(self, restrictions: Sequence[Restriction]) -> None:
        """Leave out moves from now on; an empty sequence lifts that. Another set begins a new tree."""
        self.core.restrict(restrictions)

    def use(self, params: SearchParams) -> None:
        """Search with other constants from now on."""
        self.core.use(params)
        self._leaves_size = 0

    def clear(self) -> None:
        """Forget the tree and keep the position."""
        self.core.clear()

    def run(
        self,
        limits: Limits,
        should_stop: Callable[[], bool] | None = None,
        on_report: Report | None = None,
        report_every: float = 1.0,
        *,
        ownership: Ownership = False,
        min_moves: int = 0,
    ) -> SearchResult:
        """Search until a limit is reached or ``should_stop()`` is true; it is asked before every batch.

        ``on_report`` gets the result as it stands every ``report_every`` seconds and once at the end. The root is always
        evaluated, so there always is a move. Raises what the evaluator raises; the tree is then as it was before the batch.
        """
        run = Run(self.core, limits, should_stop)
        self.core.renew()
        self.core.begin(run.simulations())
        pending: deque[tuple[Leaves, Pending, float]] = deque()  # with the time when it was given to the evaluator
        next_report = report_every
        try:
            while pending or not run.over():
                if not pending:
                    self.core.recycle()
                self._submit(run, pending)
                if pending:
                    leaves, answer, asked = pending[0]
                    self._roll(run, [waiting for _, waiting, _ in pending])
                    self.core.update(leaves, answer.result())
                    run.answered(run.elapsed() - asked)
                    pending.popleft()
                    self._free.append(leaves)
                if on_report is not None and run.elapsed() >= next_report and self.core.root is not None:
                    on_report(self._result(run, ownership, min_moves))
                    next_report = run.elapsed() + report_every
        except BaseException:
            self._abandon(pending)
            raise
        result = self._result(run, ownership, min_moves, final=True)
        if on_report is not None:
            on_report(result)
        return result

    def _submit(self, run: "Run", pending: deque) -> None:
        """Give batches to the evaluator until enough are under way, the limits are reached, or answers are needed first."""
        if self._leaves_size != self.core.size:
            self._free = [self.core.new_leaves() for _ in range(self.params.batches)]
            self._leaves_size = self.core.size
        while len(pending) < self.params.batches and not run.over():
            if pending and self.core.full:
                return  # it can be recycled when nothing is under way
            leaves = self._free.pop()
            begun = self.core.select(leaves, self.params.leaves, run.budget())
            run.begun += begun
            if leaves.count:
                asked = run.elapsed()  # before the question: some evaluators answer while it is put
                pending.append((leaves, self._ask(leaves), asked))
                continue
            self._free.append(leaves)
            if pending or begun == 0 or self.core.rolls:
                return

    def _roll(self, run: "Run", answers: list[Pending]) -> None:
        """Play rollouts, where there are any, until the first answer is there."""
        while self.core.rolls and not run.over():
            ready = [answer.ready() for answer in answers]  # all are asked: one may have its second net to begin
            if ready[0]:
                return
            begun = self.core.roll(min(_ROLLOUTS * self.params.rollout_threads, run.budget()))
            if begun == 0:
                return
            run.begun += begun

    def _ask(self, leaves: Leaves) -> Pending:
        """Give a batch to the evaluator. Nothing is under way if it refuses."""
        try:
            return self.evaluator.submit(leaves.batch)
        except BaseException:
            self.core.cancel(leaves)
            raise

    def _abandon(self, pending: deque) -> None:
        """Leave no virtual loss behind when an evaluation fails."""
        for leaves, _, _ in pending:
            if leaves.count and self.core.in_flight:
                self.core.cancel(leaves)
        self._leaves_size = 0

    def _result(self, run: "Run", ownership: Ownership, min_moves: int, final: bool = False) -> SearchResult:
        return make_result(
            self.core,
            playouts=run.begun - self.core.unfinished,
            seconds=run.elapsed(),
            ownership=ownership,
            min_moves=min_moves,
            chosen=self.core.choose() if final else None,
        )


class Run:
    """The limits of one run, and how far it has come: whoever selects leaves adds the visits to ``begun``."""

    def __init__(self, core: TreeSearch, limits: Limits, should_stop: Callable[[], bool] | None = None):
        self.core = core
        self.limits = limits
        self.should_stop = should_stop
        self.start = time.monotonic()
        self.begun = 0
        self.latency = 0.0  # seconds from a question to its answer, as the last ones took
        self._looks = 0
        self._over = False

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.start

    def answered(self, seconds: float) -> None:
        """A batch took that long: time is up so much earlier, that the last answers come in time."""
        self.latency = max(seconds, 0.5 * (self.latency + seconds))

    def budget(self) -> int:
        """Visits that may still be begun."""
        left = _FOREVER if self.core.visits < _MOST_VISITS else 0
        if self.limits.playouts is not None:
            left = min(left, self.limits.playouts - self.begun)
        if self.limits.visits is not None:
            left = min(left, self.limits.visits - self.core.visits - self.core.unfinished)
        return left

    def simulations(self) -> int:
        """Length of a plan: the visits to come, without the one that evaluates the root."""
        left = self.budget()
        if left >= _FOREVER:
            return self.core.params.gumbel_visits
        return max(0, left - (1 if self.core.root is None else 0))

    def over(self) -> bool:
        """Whether no further visit should begin. Once over, it stays over."""
        self._over = self._over or self._is_over()
        return self._over

    def _is_over(self) -> bool:
        if self.core.root is None:
            return False  # the root must be evaluated, or nothing could be played
        if self.budget() <= 0:
            return True
        if self.begun < self.limits.min_playouts:
            return False
        if self.should_stop is not None and self.should_stop():
            return True
        return self._out_of_time() or self._decided()

    def _deadline(self, seconds: float) -> float:
        """Seconds at which time is up as things stand, where ``seconds`` is the usual time."""
        longest = self.limits.max_seconds
        return longest if longest is not None and longest > seconds and unsure(self.core) else seconds

    def _out_of_time(self) -> bool:
        seconds = self.limits.seconds
        if seconds is None:
            return False
        ready = self.elapsed() + self.latency
        return ready >= seconds and ready >= self._deadline(seconds)

    def _decided(self) -> bool:
        """With `early_stop`: no other move can reach the visits of the leader, who also is the move to play."""
        self._looks += 1
        if not self.limits.early_stop or self._looks % _CHECK_EVERY:
            return False
        left = self.budget()
        seconds = self.limits.seconds
        if seconds is not None:
            elapsed = max(self.elapsed(), 1e-3)
            left = min(left, int(self.begun / elapsed * max(0.0, self._deadline(seconds) - elapsed)))
        visits, _ = roots.child_table(self.core.tree, self.core.constants)
        if self.core.tree.links[0, VISITED] < 1 or left >= _FOREVER:
            return False
        leader = int(visits.argmax())
        visits[leader], most = 0.0, visits[leader]  # an unvisited move has none either
        return visits.max() + self.core.unfinished + left < most and self.core.best_edge() == leader


def unsure(core: TreeSearch) -> bool:
    """Whether the most visited move is not the one of best value (Lee: then it thinks on)."""
    visits, utility = roots.child_table(core.tree, core.constants)
    if len(visits) < 2:
        return False
    utility[visits < core.params.lcb_min_visits * visits.max()] = -2.0
    return int(visits.argmax()) != int(utility.argmax())
