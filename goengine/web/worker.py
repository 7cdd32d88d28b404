"""The engine's process: a line of JSON in for each request, lines of JSON out. Moves and counts go before analyses.

A request is ``{"key": ..., "tab": ..., "request": {...}}`` as `goengine.web.requests` reads it; answers carry its key, and
``final`` with the last one. Ends when its input ends. Knows the engine; no network and no pages.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from goengine.analysis.jobs import PositionJob, Progress, game_jobs
from goengine.board import coords
from goengine.board.position import Position
from goengine.core.compiling import Notice, watching
from goengine.gtp.streams import LineReader, Output, claim_stdout
from goengine.search.report import SearchResult
from goengine.web.answers import analysis_answer, count_answer, move_answer, review_answer
from goengine.web.requests import AnalyzeRequest, CancelRequest, CountRequest, MoveRequest, Request, ReviewRequest, read_request
from goengine.web.reviewing import review_of, summary
from goengine.web.worker_engines import COLOR, Nets, Players, position_of

REPORT_EVERY, FIRST_REPORT = 0.4, 0.1  # seconds
LIVE, REVIEW = 1, 0  # priorities
LONGEST_ANALYSIS = 600.0  # seconds

Send = Callable[[dict[str, Any]], None]


@dataclass(eq=False)
class Asked:
    """A request under way."""

    key: str
    tab: str
    request: Request
    cancelled: bool = False
    found: dict[int, SearchResult] = field(default_factory=dict)  # of a review, by turn
    game: Position | None = None  # that is reviewed


class Worker:
    """Requests in by `handle`, work in `step`, answers out by `send`."""

    def __init__(self, send: Send, threads: int | None = None) -> None:
        self._send = send
        self._nets = Nets(threads)
        self._players = Players(self._nets)
        self._turns: deque[Asked] = deque()  # moves and counts, in the order in which they came
        self._open: dict[str, Asked] = {}

    @property
    def busy(self) -> bool:
        """Whether `step` has something to do."""
        return bool(self._turns or self._nets.busy)

    def handle(self, line: bytes) -> None:
        """Take a request; what is wrong with it is answered."""
        data = json.loads(line)
        key = data["key"]
        try:
            _, request = read_request(data["request"])
            if isinstance(request, CancelRequest):
                self._cancel(key)
                return
            self._begin(Asked(key, data["tab"], request))
        except Exception as error:  # noqa: BLE001  whatever a request does to the engine: others go on
            self._fail(key, error)

    def step(self, look: Callable[[], None]) -> None:
        """A move, a count, or a round of the analyses. ``look`` takes further requests while a move is searched."""
        if self._turns:
            self._take_turn(self._turns.popleft(), look)
            return
        for analysis in self._nets.busy:
            for news in analysis.step():
                self._tell(news)

    # -- inside --

    def _begin(self, asked: Asked) -> None:
        self._open[asked.key] = asked
        if isinstance(asked.request, MoveRequest | CountRequest):
            self._turns.append(asked)
        elif isinstance(asked.request, AnalyzeRequest):
            self._analyze(asked, asked.request)
        elif isinstance(asked.request, ReviewRequest):
            self._review(asked, asked.request)

    def _analyze(self, asked: Asked, request: AnalyzeRequest) -> None:
        analysis = self._nets.analysis(request.net)
        position = position_of(request.game)
        analysis.add(
            PositionJob(
                position=position,
                visits=request.visits,
                seconds=LONGEST_ANALYSIS,
                priority=LIVE,
                ownership=analysis.verdict.proven(position.size),
                report_every=REPORT_EVERY,
                report_first=FIRST_REPORT,
                label=asked,
            )
        )

    def _review(self, asked: Asked, request: ReviewRequest) -> None:
        asked.game = position_of(request.game)
        jobs = game_jobs(asked.game, visits=request.visits, priority=REVIEW, label=asked)
        analysis = self._nets.analysis(request.net)
        for job in jobs:
            analysis.add(job)

    def _cancel(self, key: str) -> None:
        """Give up a request: the page waits for no answer."""
        asked = self._open.pop(key, None)
        if asked is None:
            return
        asked.cancelled = True
        if asked in self._turns:
            self._turns.remove(asked)
        for analysis in self._nets.busy:
            analysis.cancel(lambda job: job.label is asked)

    def _take_turn(self, asked: Asked, look: Callable[[], None]) -> None:
        try:
            answer = self._move(asked, look) if isinstance(asked.request, MoveRequest) else self._count(asked)
        except Exception as error:  # noqa: BLE001  as in `handle`
            self._fail(asked.key, error)
            return
        if not asked.cancelled:
            self._end(asked, answer)

    def _move(self, asked: Asked, look: Callable[[], None]) -> dict[str, Any]:
        request = asked.request
        assert isinstance(request, MoveRequest)
        engine = self._players.prepare(asked.tab, request)

        def should_stop() -> bool:
            look()
            return asked.cancelled

        start = time.monotonic()
        decision = engine.genmove(COLOR[request.color], should_stop=should_stop)
        return {"type": "move", **move_answer(decision, time.monotonic() - start)}

    def _count(self, asked: Asked) -> dict[str, Any]:
        request = asked.request
        assert isinstance(request, CountRequest)
        position = position_of(request.game)
        if request.dead is not None:
            dead = frozenset(coords.from_gtp(vertex, position.size) for vertex in request.dead)
        else:
            engine = self._players.judge(request.net, position)
            engine.replace(position)
            dead = engine.final_status().dead_points
        return {"type": "count", **count_answer(position, dead)}

    def _tell(self, news: Progress) -> None:
        asked: Asked = news.job.label
        if asked.cancelled:
            return
        if news.result is None or news.position is None:
            if news.final:
                self._fail(asked.key, ValueError(news.error or "the analysis ended early"))
            return
        if isinstance(asked.request, ReviewRequest):
            self._tell_review(asked, news)
            return
        assert isinstance(asked.request, AnalyzeRequest)
        verdict = self._nets.analysis(asked.request.net).verdict
        owned = news.result.ownership if verdict.proven(news.position.size) else verdict.owned(news.position)
        answer = {"type": "analysis", **analysis_answer(news.position, news.result, news.policy, owned)}
        if news.final:
            self._end(asked, answer)
        else:
            self._send({"key": asked.key, "final": False, "answer": answer})

    def _tell_review(self, asked: Asked, news: Progress) -> None:
        if not news.final or news.result is None or news.position is None or asked.game is None:
            return
        asked.found[news.job.turn] = news.result
        total = len(asked.game.moves) + 1
        answer = {"type": "review", **review_answer(news.position, news.result, news.job.turn, total)}
        self._send({"key": asked.key, "final": False, "answer": answer})
        if len(asked.found) == total:
            request = asked.request
            assert isinstance(request, ReviewRequest)
            net = self._nets.source(request.net).get(asked.game.size).name
            review = review_of(asked.game, asked.found, net, request.visits)
            self._end(asked, {"type": "reviewed", **summary(review)})

    def _end(self, asked: Asked, answer: dict[str, Any]) -> None:
        self._open.pop(asked.key, None)
        self._send({"key": asked.key, "final": True, "answer": answer})

    def _fail(self, key: str, error: Exception) -> None:
        self._cancel(key)
        reason = str(error) if isinstance(error, ValueError) or str(error) else type(error).__name__
        self._send({"key": key, "final": True, "answer": {"type": "error", "error": reason[:500]}})


def main() -> None:
    """Serve until the input ends. The first argument is the number of threads, 0 for all cores."""
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    output = Output(claim_stdout())
    reader = LineReader(0)

    def send(data: dict[str, Any]) -> None:
        output.write_line(json.dumps(data))

    worker = Worker(send, threads or None)
    send({"ready": True})
    ended = False

    def look() -> None:
        nonlocal ended
        while reader.pending() and not ended:
            line = reader.take()
            if line is None:
                ended = True
                raise SystemExit  # whoever asked is gone
            if line.content:
                worker.handle(line.content)

    with watching(Notice()):
        while not output.closed:
            look()
            if worker.busy:
                worker.step(look)
            else:
                reader.wait()


if __name__ == "__main__":
    main()
