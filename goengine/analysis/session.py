"""KataGo's JSON protocol as a conversation: lines in, lines out, searches between. Knows no files and no processes.

`handle` takes a line and returns what is to be answered at once; `step`, while `busy`, returns the answers that searches have.
A client that asks for more than fits waits: nobody calls `handle` while the session is `full`.
"""

from typing import Any, Final

import numpy as np

from goengine import __version__
from goengine.analysis.answer import answer, line, no_results
from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.jobs import PositionJob, Progress
from goengine.analysis.query import Action, Query, QueryError, parse
from goengine.analysis.settings import Settings
from goengine.evaluators.base import EvaluatorError

PROTOCOL: Final = "1.16.4"  # of KataGo, whose protocol this is
MOST_WAITING: Final = 64 << 20  # bytes of queries, estimated from their lines, beyond which none is taken
_PER_POSITION: Final = 400  # bytes
_PER_LINE: Final = 4  # bytes in memory for one of a line
_BY_SEARCH: Final = ("includeOwnershipStdev", "includeMovesOwnership", "includeMovesOwnershipStdev")
_UNPROVEN: Final = "left out: on this board size no net tells the owners of points well enough for that"


class Session:
    """One client's queries on a `BatchAnalysis` of its own."""

    def __init__(self, analysis: BatchAnalysis, settings: Settings):
        self.analysis, self.settings = analysis, settings
        self._bytes: dict[Query, int] = {}  # of the queries under way
        self._open: dict[Query, int] = {}  # positions of theirs that have not ended
        self._waiting_bytes = 0

    @property
    def busy(self) -> bool:
        """Whether `step` has anything to do."""
        return self.analysis.busy

    @property
    def full(self) -> bool:
        """Whether as many queries are under way as there is memory for."""
        return self._waiting_bytes > MOST_WAITING

    def handle(self, text: bytes) -> list[str]:
        """The lines that answer an input line at once. Nothing for an empty one."""
        if not text.strip():
            return []
        try:
            asked = parse(text, self.settings)
            if isinstance(asked, Action):
                return [line(self._act(asked))]
            return self._take(asked, len(text))
        except QueryError as error:
            problem = {"error": str(error), "field": error.field, "id": error.id}
            return [line({key: value for key, value in problem.items() if value is not None})]

    def too_long(self, most: int) -> list[str]:
        """The answer to a line of more than ``most`` bytes, which nobody has kept."""
        return [line({"error": f"a line may have at most {most} bytes"})]

    def step(self) -> list[str]:
        """A round of searching. Returns the answers there are."""
        return [line(data) for news in self.analysis.step() if (data := self._told(news)) is not None]

    # -- inside --

    def _take(self, query: Query, length: int) -> list[str]:
        """Let a query wait; its warnings."""
        try:
            proven = self.analysis.verdict.proven(query.game.size)
        except EvaluatorError as error:
            raise QueryError(str(error), "boardXSize", query.id) from None
        warnings = list(query.warnings)
        if not proven:
            warnings += [(name, _UNPROVEN) for name in _BY_SEARCH if name in query.includes]
        if "includeNoResultValue" in query.includes:
            warnings.append(("includeNoResultValue", "left out: no net here tells how likely a game without result is"))
        self._bytes[query] = _PER_LINE * length + _PER_POSITION * len(query.turns)
        self._open[query] = len(query.turns)
        self._waiting_bytes += self._bytes[query]
        for turn in query.turns:
            self.analysis.add(_job(query, turn, proven))
        if not query.turns:
            self._forget(query)
        return [line({"id": query.id, "field": name, "warning": message}) for name, message in warnings]

    def _act(self, action: Action) -> dict[str, Any]:
        """What an action answers, once it is done."""
        if action.name == "query_version":
            return action.data | {"version": PROTOCOL, "git_hash": f"goengine-{__version__}"}
        if action.name == "query_models":
            return action.data | {"models": self._models()}
        if action.name == "clear_cache":
            self.analysis.clear()
        else:
            self._terminate(action)
        return action.data

    def _terminate(self, action: Action) -> None:
        def unwanted(job: PositionJob) -> bool:
            if action.name == "terminate" and job.label.id != action.terminate_id:
                return False
            return action.turns is None or job.turn in action.turns

        self.analysis.cancel(unwanted)

    def _models(self) -> list[dict[str, Any]]:
        """The nets that are loaded."""
        return [
            {
                "name": evaluator.name,
                "internalName": evaluator.name,
                "maxBatchSize": self.analysis.rows,
                "usesHumanSLProfile": False,
                "version": 0,
                "usingFP16": "auto",
            }
            for evaluator in self.analysis.nets.loaded
        ]

    def _told(self, news: Progress) -> dict[str, Any] | None:
        """The answer that news of a job are; None if they are none yet."""
        query: Query = news.job.label
        data = self._answer(query, news)
        if news.final:
            self._open[query] -= 1
            if self._open[query] == 0:
                self._forget(query)
        return data

    def _answer(self, query: Query, news: Progress) -> dict[str, Any] | None:
        if news.result is None or news.position is None:
            return no_results(query, news.job.turn, news.error) if news.final else None
        proven = self.analysis.verdict.proven(query.game.size)
        owned: np.ndarray | None = None
        if "includeOwnership" in query.includes:
            owned = news.result.ownership if proven else self.analysis.verdict.owned(news.position)
        return answer(query, news, owned, proven)

    def _forget(self, query: Query) -> None:
        self._waiting_bytes -= self._bytes.pop(query)
        del self._open[query]


def _job(query: Query, turn: int, proven: bool) -> PositionJob:
    """A turn of a query as it is searched."""
    settings, wanted = query.settings, query.includes
    by_move = wanted & {"includeMovesOwnership", "includeMovesOwnershipStdev"}
    of_all = wanted & {"includeOwnership", "includeOwnershipStdev"}
    return PositionJob(
        position=lambda: query.game.at(turn),
        visits=min(settings.visits, 1 << 30),
        seconds=settings.seconds,
        priority=query.priority_of(turn),
        params=settings.params,
        restrictions=query.restrictions,
        ownership=proven and ("moves" if by_move else bool(of_all)),
        report_every=query.report_every,
        report_first=query.report_first,
        game=query,
        turn=turn,
        label=query,
    )
