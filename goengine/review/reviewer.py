"""A recorded game searched move by move, by one batch for all positions. Knows records, searches and time; no files."""

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.jobs import PositionJob
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK
from goengine.dataio.records import GameRecord
from goengine.review.by_rank import RankedNets, ranks_of, read_by_rank
from goengine.review.judgement import Candidate, Evaluation, MoveReview
from goengine.review.line import GameLine, rules_of
from goengine.search.report import MoveInfo, SearchResult, winrate

FIRST_VISITS = 16  # of the first of several rounds, where the time is limited
CANDIDATES, LINE = 8, 12  # moves kept of a search, and their length

Report = Callable[[int, int], None]  # (positions done, of how many)


@dataclass(frozen=True, kw_only=True)
class ReviewSettings:
    """How a game is reviewed. first, last: numbers of moves. rules, komi: in place of the record's."""

    visits: int = 100
    seconds: float | None = None  # for the whole game
    first: int = 1
    last: int | None = None
    rules: str | None = None
    komi: float | None = None
    ranks: str = "none"  # by whose eyes, see `by_rank.ranks_of`
    seen: str | None = None  # the rank of the better lines


@dataclass(frozen=True, kw_only=True)
class GameReview:
    """A game with what was found. ``moves`` are all that can be played, reviewed or not."""

    record: GameRecord
    line: GameLine
    rules: Rules
    moves: tuple[MoveReview, ...]
    start: Evaluation | None  # of the first position of the game, for whom it is to play
    net: str
    visits: int
    notes: tuple[str, ...] = ()  # what was assumed, and where the game ends early
    stopped: bool = False  # before all was searched
    wanted: tuple[int, int] = (1, 0)  # numbers of the first and last move to review

    @property
    def size(self) -> int:
        """Of the board."""
        return self.record.size

    @property
    def reviewed(self) -> list[MoveReview]:
        """The moves with a judgement."""
        return [move for move in self.moves if move.known]

    def black(self, index: int) -> Evaluation | None:
        """The evaluation after so many moves, for Black; None where there is none."""
        if index == 0:
            found = self.start
            to_play = self.line.places[0].to_play
        else:
            found = self.moves[index - 1].after
            to_play = self.line.places[self.line.after[index - 1]].to_play
        return found if found is None or to_play == BLACK else turned(found)


def turned(found: Evaluation) -> Evaluation:
    """The same for the other player."""
    return Evaluation(1 - found.winrate, -found.lead, found.winrate_error, found.lead_error, found.visits)


class Reviewer:
    """Reviews games with the nets of an analysis, one after the other."""

    def __init__(self, analysis: BatchAnalysis, settings: ReviewSettings, ranked: RankedNets | None = None):
        """ranked: for reviews by rank."""
        self.analysis, self.settings, self.ranked = analysis, settings, ranked

    def review(self, record: GameRecord, stop: threading.Event | None = None, report: Report | None = None) -> GameReview:
        """Search every position of the wanted moves. ``stop`` ends it early: what is known then is in the review.

        Raises ValueError if the first stones cannot stand or the given rules are unknown, EvaluatorError if a net fails.
        """
        rules, note = rules_of(record, self.settings.rules, self.settings.komi)
        line = GameLine(record, rules)
        first = self.settings.first
        last = len(line.before) if self.settings.last is None else min(self.settings.last, len(line.before))
        wanted = _places(line, first, last)
        stop = stop or threading.Event()
        found = self._search(line, wanted, stop, report or (lambda done, total: None))
        evaluations = {index: evaluation_of(result) for index, result in found.items()}
        moves = [_move(line, ply, found, evaluations) for ply in range(len(line.before))]
        moves, told = self._by_rank(record, line, moves, stop)
        notes = (note, told, f"{line.fault}: the review ends before it" if line.fault else "")
        return GameReview(
            record=record,
            line=line,
            rules=rules,
            moves=tuple(moves),
            start=evaluations.get(0),
            net=self.analysis.nets.get(record.size).name,
            visits=self._visits(found),
            notes=tuple(text for text in notes if text),
            stopped=sum(any(move.visits > 0 for move in result.moves) for result in found.values()) < len(wanted),
            wanted=(first, last),
        )

    def _by_rank(
        self, record: GameRecord, line: GameLine, moves: list[MoveReview], stop: threading.Event
    ) -> tuple[list[MoveReview], str]:
        """(the moves with what ranks say of them, what is to be told)."""
        ranks, told = ranks_of(self.settings.ranks, record, self.settings.seen)
        if ranks is None or self.ranked is None:
            return moves, told
        found = read_by_rank(self.ranked, line, moves, ranks, stop.is_set)
        return [replace(move, ranked=found.get(move.number)) for move in moves], told

    def _visits(self, found: dict[int, SearchResult]) -> int:
        """Visits of a position: as wanted; where the time was limited, of the one in the middle."""
        reached = sorted(result.visits for result in found.values())
        return reached[len(reached) // 2] if self.settings.seconds is not None and reached else self.settings.visits

    def _search(self, line: GameLine, wanted: list[int], stop: threading.Event, report: Report) -> dict[int, SearchResult]:
        """Results by place. With a limit of time all places are searched shortly first, then longer and longer."""
        found: dict[int, SearchResult] = {}
        seconds, visits = self.settings.seconds, self.settings.visits
        if seconds is None:
            self._round(line, wanted, visits, found, stop, report)
            return found
        deadline = time.monotonic() + seconds
        rounds = [n for n in (FIRST_VISITS * 4**power for power in range(16)) if n < visits] + [visits]
        for number, count in enumerate(rounds):
            base = number * len(wanted)

            def tell(done: int, total: int, base: int = base) -> None:
                report(base + done, len(rounds) * total)

            self._round(line, wanted, count, found, stop, tell, deadline)
            if stop.is_set() or time.monotonic() >= deadline:
                break
        return found

    def _round(
        self,
        line: GameLine,
        wanted: Iterable[int],
        visits: int,
        found: dict[int, SearchResult],
        stop: threading.Event,
        report: Report,
        deadline: float = math.inf,
    ) -> None:
        """Search all places. What is under way at the end of the time counts only where nothing better is known."""
        game, total, done = object(), 0, 0
        for index in wanted:
            total += 1
            self.analysis.add(PositionJob(position=_builder(line, index), visits=visits, game=game, turn=index))
        cancelled = False
        while self.analysis.busy:
            if not cancelled and (stop.is_set() or time.monotonic() >= deadline):
                self.analysis.cancel()
                cancelled = True
            for news in self.analysis.step():
                if news.error:
                    self.analysis.close()
                    raise ValueError(f"after move {line.places[news.job.turn].ply}: {news.error}")
                if not news.final or news.result is None:
                    continue
                before = found.get(news.job.turn)
                if before is None or news.result.visits >= before.visits:
                    found[news.job.turn] = news.result
                done += 1
                report(done, total)


def _builder(line: GameLine, index: int) -> Callable[[], Position]:
    return lambda: line.at(index)


def _places(line: GameLine, first: int, last: int) -> list[int]:
    """The places before and after each wanted move, in order; that of an empty game."""
    if not line.before:
        return [0]
    plies = range(max(0, first - 1), last)
    return sorted({index for ply in plies for index in (line.before[ply], line.after[ply])})


def evaluation_of(result: SearchResult) -> Evaluation:
    """What a search says of its position, by its best move; of the net alone where nothing was searched."""
    best = next((move for move in result.moves if move.visits > 0 and move.symmetry_of is None), None)
    value, lead = (best.value, best.score) if best else (result.value, result.score)
    count = max(1, best.visits if best else 1)
    return Evaluation(
        winrate=winrate(value),
        lead=_number(lead),
        winrate_error=math.sqrt(max(0.0, 1 - value * value)) / 2 / math.sqrt(count),
        lead_error=_number(result.score_stdev) / math.sqrt(count),
        visits=result.visits,
    )


def _number(value: float) -> float:
    value = float(value)
    return value if math.isfinite(value) else 0.0


def _move(line: GameLine, ply: int, found: dict[int, SearchResult], known: dict[int, Evaluation]) -> MoveReview:
    color, _ = line.record.moves[ply]
    before, after = line.before[ply], line.after[ply]
    result = found.get(before)
    return MoveReview(
        number=ply + 1,
        color=color,
        point=line.point(ply),
        before=known.get(before),
        after=known.get(after),
        candidates=() if result is None else tuple(map(candidate_of, _kept(result, line.point(ply)))),
    )


def _kept(result: SearchResult, played: int) -> list[MoveInfo]:
    """The first moves that were searched, and the played one."""
    moves = [move for move in result.moves if move.visits > 0]
    return [move for order, move in enumerate(moves) if order < CANDIDATES or move.point == played]


def candidate_of(move: MoveInfo) -> Candidate:
    """A move of a search as a review keeps it."""
    return Candidate(move.point, winrate(move.value), _number(move.score), move.visits, _number(move.prior), move.pv[:LINE])
