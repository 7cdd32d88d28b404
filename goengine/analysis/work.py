"""Jobs in work with their trees, and rows of several of them on their way to an evaluator. Knows no order of jobs."""

from dataclasses import dataclass, field

import numpy as np

from goengine.analysis.jobs import PositionJob
from goengine.board.position import Position
from goengine.evaluators.base import Evaluation, Evaluator, Pending
from goengine.search.leaves import Leaves
from goengine.search.search import Run
from goengine.search.tree_search import TreeSearch

_TURNS = 64  # selections in a round that need no evaluator, before others have their turn


@dataclass(eq=False)
class Work:
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
class RowsUnderWay:
    """Rows on their way to an evaluator and back, and whose they are."""

    evaluator: Evaluator
    leaves: Leaves
    parts: list[tuple[Work, Leaves]] = field(default_factory=list)
    pending: Pending | None = None
    failure: str = ""

    def take(self, work: Work, part: Leaves) -> None:
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
            self.failure = reason_of(error)

    def collect(self) -> None:
        """Wait for the answers and give them to the trees."""
        answer = None
        if self.pending is not None:
            try:
                answer = self.pending.result()
            except Exception as error:  # noqa: BLE001  as above
                self.failure = reason_of(error)
        start = 0
        for work, part in self.parts:
            rows = slice(start, start + part.count)
            start = rows.stop
            if answer is None:
                work.fail(part, self.failure)
            else:
                work.update(part, answer.take(rows))


def reason_of(error: Exception) -> str:
    """What went wrong, for whoever asked."""
    return f"{type(error).__name__}: {error}".strip()
