"""Analyse many positions at once: `BatchAnalysis` fills the evaluator's batches with leaves of many trees.

For a review of whole games, the JSON engine and the board in the browser. A sketch of its use::

    with BatchAnalysis(NetSource()) as analysis:
        for job, result in analysis.run(game_jobs(position, visits=100)):   # in the order in which they end
            print(job.turn, result.value, result.score, result.moves[0].point)

`run` takes jobs (`goengine.analysis.jobs`) and ends with the last one. For jobs that come while others are under way: `add`,
`cancel`, and `step` while `busy`, which returns what has become known as `Progress`, reports during the search among it.
Results are `goengine.search.report.SearchResult`: for the player to move, points corrected as in play (`verdict`).

Each round fills the next batch from the jobs in work, by priority, then in the order in which they began; where there is room,
a waiting one begins (`waiting` says which). Two groups of trees take turns, so that trees grow while the evaluator computes. A
tree has one batch at most under way, and takes as many leaves as it would alone: what is found depends on the position, its
params and the trees of its neighbours, not on the company. Not for two threads at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from goengine import features
from goengine.analysis.jobs import PositionJob, Progress
from goengine.analysis.trees import Trees
from goengine.analysis.verdict import Verdict
from goengine.analysis.waiting import Waiting
from goengine.board.position import Position
from goengine.board.state import PASSES
from goengine.evaluators.base import Evaluation, Evaluator, Pending
from goengine.player.net_source import NetSource
from goengine.search.leaves import Leaves, new_leaves
from goengine.search.params import Limits
from goengine.search.report import SearchResult, make_result
from goengine.search.search import Run
from goengine.search.tree_search import TreeSearch

ROWS = 32  # positions in a batch; larger ones are no faster on a CPU
TREES = 24  # in work at once
MOST_ROWS, MOST_TREES = 1024, 1024
MEGABYTES = 2048  # of all trees in work
AHEAD = 4096  # jobs that `run` takes before they can begin
_TURNS = 64  # selections in a round that need no evaluator, before others have their turn


class BatchAnalysis:
    """Many searches side by side.

    nets: where evaluators come from, with views drawn by key so that results do not change. rows: positions in a batch.
    most_trees: positions in work at once. megabytes: memory for their trees. reuse: neighbouring turns share a tree.
    """

    def __init__(
        self,
        nets: NetSource,
        *,
        rows: int = ROWS,
        most_trees: int = TREES,
        megabytes: int = MEGABYTES,
        reuse: bool = True,
    ):
        self.nets, self.rows, self.most_trees = nets, rows, most_trees
        self._waiting = Waiting(together=reuse)
        self._trees = Trees(megabytes)
        self.verdict = Verdict(nets)
        self._groups: list[list[_Work]] = [[], []]
        self._batches: list[list[_Batch]] = [[], []]
        self._free: list[Leaves] = []
        self._turn = 0
        self._begun = self._visits = 0
        self._news: list[Progress] = []

    def __enter__(self) -> "BatchAnalysis":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up what is under way. The nets stay with who made them."""
        self.cancel()
        while self.busy:
            self.step()

    # -- what a caller does --

    def run(self, jobs: Iterable[PositionJob]) -> Iterator[tuple[PositionJob, SearchResult]]:
        """The results of these jobs as they end. Raises RuntimeError where a search fails.

        Jobs are taken one by one as there is room. Who stops early leaves nothing under way.
        """
        waiting = iter(jobs)
        more = True
        try:
            while True:
                while more and len(self._waiting) < AHEAD:
                    job = next(waiting, None)
                    if job is None:
                        more = False
                    else:
                        self.add(job)
                if not self.busy:
                    return
                for news in self.step():
                    if news.error:
                        raise RuntimeError(news.error)
                    if news.final and news.result is not None:
                        yield news.job, news.result
        finally:
            self.close()

    def add(self, job: PositionJob) -> None:
        """Let a job wait for its turn."""
        self._waiting.add(job)

    def cancel(self, unwanted: Callable[[PositionJob], bool] = lambda job: True) -> None:
        """End jobs early, all by default: those in work with what they have found so far, in one of the next rounds."""
        for job in self._waiting.remove(unwanted):
            self._news.append(Progress(job=job, final=True))
        for work in self._in_work():
            work.stopped = work.stopped or unwanted(work.job)

    @property
    def busy(self) -> bool:
        """Whether `step` has anything to do or to tell."""
        return bool(self._news or self._waiting or any(self._groups))

    @property
    def visits(self) -> int:
        """Visits of all trees so far, those taken over from the turn before among them."""
        return self._visits + sum(work.core.visits for work in self._in_work())

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._waiting)

    def clear(self) -> None:
        """Forget remembered evaluations and spare trees."""
        self.nets.clear()
        self._trees.forget()

    def step(self) -> list[Progress]:
        """A round: the answers of a batch, what is known now, and the next batch. Returns at once if there is nothing to do."""
        place = self._turn
        self._turn = 1 - place
        for batch in self._batches[place]:
            batch.collect()
            self._free.append(batch.leaves)
        self._batches[place] = []
        self._tell(place)
        self._fill(place)
        news, self._news = self._news, []
        return news

    # -- a round --

    def _in_work(self) -> "list[_Work]":
        return [work for group in self._groups for work in group]

    def _tell(self, place: int) -> None:
        """Reports that are due, and the ends of searches."""
        for work in list(self._groups[place]):
            if work.error or work.stopped or work.run.over():
                self._end(place, work)
            elif work.core.root is not None and work.report_due():
                self._news.append(self._progress(work, final=False))

    def _progress(self, work: "_Work", final: bool) -> Progress:
        core = work.core
        if work.error or core.root is None:
            return Progress(job=work.job, final=final, error=work.error)
        result = make_result(
            core, playouts=work.run.begun - core.unfinished, seconds=work.run.elapsed(), ownership=work.job.ownership
        )
        policy = work.policy_of()
        if work.lead is None:
            work.lead = self.verdict.lead(work.position, result.net_score, work.owners())
        result = result.with_lead(work.lead).with_priors(policy, core.size)
        return Progress(job=work.job, final=final, position=work.position, result=result, policy=policy)

    def _end(self, place: int, work: "_Work") -> None:
        """Tell the result; the tree goes on with the next turn, or back."""
        try:
            self._news.append(self._progress(work, final=True))
        except Exception as error:  # noqa: BLE001  whatever a net raises when it is asked for a lead: others go on
            self._news.append(Progress(job=work.job, final=True, error=_reason(error)))
        self._groups[place].remove(work)
        self._visits += work.core.visits
        following = None if work.error else self._waiting.after(work.job)
        if following is None:
            self._trees.give_back(work.core, work.evaluator, sound=not work.error)
        else:
            self._begin(place, following, work)

    def _begin(self, place: int, job: PositionJob, before: "_Work | None" = None) -> None:
        """Put a job into work, on the tree of the turn ``before`` it where there is one."""
        try:
            position = _searchable(job)
            evaluator = self.nets.get(position.size)
        except Exception as error:  # noqa: BLE001  whatever is wrong with this job: others go on
            self._news.append(Progress(job=job, final=True, error=_reason(error)))
            if before is not None:
                self._trees.give_back(before.core, before.evaluator, sound=True)
            return
        if before is not None:
            core = self._trees.follow(before.core, before.evaluator, job, position, evaluator)
        else:
            core = self._trees.take(job, position, evaluator)
        run = Run(core, Limits(visits=job.visits, seconds=job.seconds))
        self._begun += 1
        core.begin(job.visits)
        self._groups[place].append(_Work(job, position, evaluator, core, run, self._begun))

    def _fill(self, place: int) -> None:
        """The next batches of a group: leaves of the jobs in work, then of waiting ones, while there is room."""
        group = self._groups[place]
        group.sort(key=lambda work: (-work.job.priority, work.number))
        room = self.rows
        batches: dict[tuple[int, int], _Batch] = {}
        for work in list(group):
            room -= self._select(place, work, batches, room)
        while room > 0 and self._may_begin(place):
            job = self._waiting.take()
            assert job is not None
            count = len(group)
            self._begin(place, job)
            if len(group) > count:
                room -= self._select(place, group[-1], batches, room)
        self._batches[place] = list(batches.values())
        for batch in self._batches[place]:
            batch.submit()

    def _may_begin(self, place: int) -> bool:
        """Whether another job may be put into work.

        Each group has half of the trees. A job of higher priority than all in work need not wait: it gets one more.
        """
        highest = self._waiting.priority()
        if highest is None or not self._trees.has_room:
            return False
        if len(self._groups[place]) < (self.most_trees + 1 - place) // 2:
            return True
        work = self._in_work()
        return len(work) < 2 * self.most_trees and all(other.job.priority < highest for other in work)

    def _select(self, place: int, work: "_Work", batches: "dict[tuple[int, int], _Batch]", room: int) -> int:
        """Put leaves of a job into the batch for its net and size. Returns how many; 0 where its share does not fit."""
        self._settle(work)
        appetite = work.core.appetite
        if work.stopped or appetite > room:
            return 0
        key = id(work.evaluator), work.core.size
        if key not in batches:
            batches[key] = _Batch(work.evaluator, self._leaves(work))
        part = batches[key].leaves.room(max(1, appetite))
        if part is None or not work.select(part):
            return 0
        batches[key].take(work, part)
        return part.count

    def _settle(self, work: "_Work") -> None:
        """Once the root is known: stones that are dead for both sides; where there are any the tree begins anew."""
        if work.settled or work.core.root is None:
            return
        work.settled = True
        try:
            work.core.agree(self.verdict.agreed_dead(work.position, work.owners()))
        except Exception as error:  # noqa: BLE001  as in `_end`
            work.error = _reason(error)

    def _leaves(self, work: "_Work") -> Leaves:
        """Free rows of a whole batch for this net and board size; those of others are given up."""
        wanted = features.get(work.evaluator.features)
        shape = (self.rows, wanted.planes, work.core.size, work.core.size)
        for index, leaves in enumerate(self._free):
            if leaves.planes.shape == shape and leaves.values.shape[1] == wanted.globals:
                leaves.count = 0
                return self._free.pop(index)
        self._free = self._free[-4:]
        return new_leaves(work.core.size, wanted, self.rows)


@dataclass(eq=False)
class _Work:
    """A job in work."""

    job: PositionJob
    position: Position
    evaluator: Evaluator
    core: TreeSearch
    run: Run
    number: int  # in the order in which they began
    stopped: bool = False
    settled: bool = False
    error: str = ""
    lead: float | None = None  # of the player to move, once it was asked for
    logits: np.ndarray | None = None  # of the root, where it was evaluated here
    next_report: float | None = field(init=False)

    def __post_init__(self) -> None:
        first = self.job.report_first
        self.next_report = self.job.report_every if first is None else first

    def report_due(self) -> bool:
        """Whether it is time for a report; then the next one is set."""
        now = self.run.elapsed()
        if self.next_report is None or now < self.next_report:
            return False
        self.next_report = None if self.job.report_every is None else now + self.job.report_every
        return True

    def select(self, part: Leaves) -> bool:
        """Search until leaves want evaluating. False if there are none in this round."""
        core, run = self.core, self.run
        for _ in range(_TURNS):
            if run.over():
                return False
            core.recycle()
            begun = core.select(part, core.params.leaves, run.budget())
            run.begun += begun
            if part.count:
                return True
            if begun == 0:
                return False
        return False

    def update(self, part: Leaves, answer: Evaluation) -> None:
        """Enter the answers. What is no number ends the job."""
        if self.core.root is None:
            self.logits = answer.policy[0].astype(np.float64)
        try:
            self.core.update(part, answer)
        except ValueError as error:
            self.error = str(error)

    def fail(self, part: Leaves, reason: str) -> None:
        """The evaluator could not answer."""
        self.core.cancel(part)
        self.error = reason

    def owners(self) -> np.ndarray | None:
        """What the net says of the root's points, float32[N * N] for the player to move; None where it is not kept."""
        return self.core.root_ownership()

    def policy_of(self) -> np.ndarray:
        """The net's own probabilities at the root: float32[N * N + 1], nan where illegal."""
        legal = self.position.legal_mask() != 0
        if self.logits is None:
            return self.core.root_policy()
        logits = np.where(legal, self.logits, -np.inf)
        weights = np.exp(logits - logits.max())
        return np.where(legal, weights / weights.sum(), np.nan).astype(np.float32)


@dataclass(eq=False)
class _Batch:
    """Rows on their way to an evaluator and back, and whose they are."""

    evaluator: Evaluator
    leaves: Leaves
    parts: list[tuple[_Work, Leaves]] = field(default_factory=list)
    pending: Pending | None = None
    failure: str = ""

    def take(self, work: _Work, part: Leaves) -> None:
        """These rows are used."""
        self.parts.append((work, part))
        self.leaves.count += part.count

    def submit(self) -> None:
        """Give the rows to the evaluator."""
        if not self.parts:
            return
        try:
            self.pending = self.evaluator.submit(self.leaves.batch)
        except Exception as error:  # noqa: BLE001  whatever a backend raises: other jobs go on
            self.failure = _reason(error)

    def collect(self) -> None:
        """Wait for the answers and give them to the trees."""
        answer = None
        if self.pending is not None:
            try:
                answer = self.pending.result()
            except Exception as error:  # noqa: BLE001  as above
                self.failure = _reason(error)
        start = 0
        for work, part in self.parts:
            rows = slice(start, start + part.count)
            start = rows.stop
            if answer is None:
                work.fail(part, self.failure)
            else:
                work.update(part, answer.take(rows))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()


def _searchable(job: PositionJob) -> Position:
    """The job's position as it is searched: never already over, because an answer is always wanted."""
    position = job.position if isinstance(job.position, Position) else job.position()
    if position.is_over():
        position = position.copy()
        position.game.status[PASSES] = 0
    return position
