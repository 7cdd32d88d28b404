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
params and the trees of its neighbours, not on the company. What a search has found is judged (`verdict`) while both groups have
batches under way. Not for two threads at a time.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from goengine import features
from goengine.analysis.jobs import PositionJob, Progress
from goengine.analysis.trees import Trees
from goengine.analysis.verdict import Verdict
from goengine.analysis.waiting import Waiting
from goengine.analysis.work import RowsUnderWay, Work, reason_of
from goengine.board.position import Position
from goengine.board.state import PASSES
from goengine.player.net_source import NetSource
from goengine.search.leaves import Leaves, new_leaves
from goengine.search.params import Limits
from goengine.search.report import SearchResult, make_result
from goengine.search.search import Run

ROWS = 32  # positions in a batch; larger ones are no faster on a CPU
TREES = 24  # in work at once
MOST_ROWS, MOST_TREES = 1024, 1024
MEGABYTES = 2048  # of all trees in work
AHEAD = 4096  # jobs that `run` takes before they can begin


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
        self._groups: list[list[Work]] = [[], []]
        self._batches: list[list[RowsUnderWay]] = [[], []]
        self._free: list[Leaves] = []
        self._turn = 0
        self._begun = self._visits = 0
        self._found: list[_Found] = []  # in this round, before it is judged
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
        self._judge()
        news, self._news = self._news, []
        return news

    # -- a round --

    def _in_work(self) -> list[Work]:
        return [work for group in self._groups for work in group]

    def _tell(self, place: int) -> None:
        """Reports that are due, and the ends of searches."""
        for work in list(self._groups[place]):
            if work.error or work.stopped or work.run.over():
                self._end(place, work)
            elif work.core.root is not None and work.report_due():
                self._found.append(_Found(work, final=False))

    def _judge(self) -> None:
        """Correct the leads of what was found in this round, and tell it. Evaluators compute batches meanwhile."""
        for found in self._found:
            work, result = found.work, found.result
            if result is not None and found.policy is not None and not work.error:
                try:
                    if work.lead is None:
                        work.lead = self.verdict.lead(work.position, result.net_score, found.owners)
                    result = result.with_lead(work.lead).with_priors(found.policy, work.position.size)
                except Exception as error:  # noqa: BLE001  whatever a net raises when it is asked for a lead: others go on
                    work.error = reason_of(error)
            if work.error and not found.final:
                continue  # the next round ends it
            if work.error or result is None:
                self._news.append(Progress(job=work.job, final=found.final, error=work.error))
            else:
                self._news.append(
                    Progress(job=work.job, final=found.final, position=work.position, result=result, policy=found.policy)
                )
        self._found = []

    def _end(self, place: int, work: Work) -> None:
        """Note the result; the tree goes on with the next turn, or back."""
        try:
            self._found.append(_Found(work, final=True))
        except Exception as error:  # noqa: BLE001  as in `_judge`
            self._news.append(Progress(job=work.job, final=True, error=reason_of(error)))
        self._groups[place].remove(work)
        self._visits += work.core.visits
        following = None if work.error else self._waiting.after(work.job)
        if following is None:
            self._trees.give_back(work.core, work.evaluator, sound=not work.error)
        else:
            self._begin(place, following, work)

    def _begin(self, place: int, job: PositionJob, before: Work | None = None) -> None:
        """Put a job into work, on the tree of the turn ``before`` it where there is one."""
        try:
            position = _searchable(job)
            evaluator = self.nets.get(position.size)
        except Exception as error:  # noqa: BLE001  whatever is wrong with this job: others go on
            self._news.append(Progress(job=job, final=True, error=reason_of(error)))
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
        self._groups[place].append(Work(job, position, evaluator, core, run, self._begun))

    def _fill(self, place: int) -> None:
        """The next batches of a group: leaves of the jobs in work, then of waiting ones, while there is room."""
        group = self._groups[place]
        group.sort(key=lambda work: (-work.job.priority, work.number))
        room = self.rows
        batches: dict[tuple[int, int], RowsUnderWay] = {}
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

    def _select(self, place: int, work: Work, batches: dict[tuple[int, int], RowsUnderWay], room: int) -> int:
        """Put leaves of a job into the batch for its net and size. Returns how many; 0 where its share does not fit."""
        self._settle(work)
        appetite = work.core.appetite
        if work.stopped or appetite > room:
            return 0
        key = id(work.evaluator), work.core.size
        if key not in batches:
            batches[key] = RowsUnderWay(work.evaluator, self._leaves(work))
        part = batches[key].leaves.room(max(1, appetite))
        if part is None or not work.select(part):
            return 0
        batches[key].take(work, part)
        return part.count

    def _settle(self, work: Work) -> None:
        """Once the root is known: stones that are dead for both sides; where there are any the tree begins anew."""
        if work.settled or work.core.root is None:
            return
        work.settled = True
        try:
            work.core.agree(self.verdict.agreed_dead(work.position, work.owners()))
        except Exception as error:  # noqa: BLE001  as in `_end`
            work.error = reason_of(error)

    def _leaves(self, work: Work) -> Leaves:
        """Free rows of a whole batch for this net and board size; those of others are given up."""
        wanted = features.get(work.evaluator.features)
        shape = (self.rows, wanted.planes, work.core.size, work.core.size)
        for index, leaves in enumerate(self._free):
            if leaves.planes.shape == shape and leaves.values.shape[1] == wanted.globals:
                leaves.count = 0
                return self._free.pop(index)
        self._free = self._free[-4:]
        return new_leaves(work.core.size, wanted, self.rows)


class _Found:
    """What a search has found by now: its tree may go on with another position afterwards."""

    def __init__(self, work: Work, final: bool):
        core = work.core
        self.work, self.final = work, final
        self.result: SearchResult | None = None
        self.policy: np.ndarray | None = None
        self.owners: np.ndarray | None = None
        if not work.error and core.root is not None:
            playouts = work.run.begun - core.unfinished
            self.result = make_result(core, playouts=playouts, seconds=work.run.elapsed(), ownership=work.job.ownership)
            self.policy, self.owners = work.policy_of(), work.owners()


def _searchable(job: PositionJob) -> Position:
    """The job's position as it is searched: never already over, because an answer is always wanted."""
    position = job.position if isinstance(job.position, Position) else job.position()
    if position.is_over():
        position = position.copy()
        position.game.status[PASSES] = 0
    return position
