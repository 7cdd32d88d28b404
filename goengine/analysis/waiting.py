"""Which job begins next: the highest priority, of equal ones the game that came first. Knows priorities, games and turns.

Turns of one game that follow each other are a run. A search that has ended a turn goes on with the next of its run, as its tree
fits. So who looks for work takes the beginning of a run that nobody walks along yet, else the second half of the longest one.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from heapq import heapify, heappop, heappush

from goengine.analysis.jobs import PositionJob


class _Line:
    """The waiting jobs of one game and one priority. A turn waits at most once."""

    def __init__(self) -> None:
        self.turns: set[int] = set()
        self._fresh: OrderedDict[int, deque[PositionJob]] = OrderedDict()  # runs by their first turn, in order of arrival
        self._walked: dict[int, deque[PositionJob]] = {}  # those that a search walks along
        self._last: deque[PositionJob] = deque()  # the run that was added to

    def add(self, job: PositionJob) -> None:
        """Join the run that ends with the turn before, or begin one."""
        self.turns.add(job.turn)
        if not (self._last and self._last[-1].turn + 1 == job.turn):
            self._last = self._fresh[job.turn] = deque()
        self._last.append(job)

    def begin(self) -> PositionJob:
        """A job for a search that looks for work."""
        if self._fresh:
            return self._next_of(self._fresh.popitem(last=False)[1])
        longest = max(self._walked.values(), key=len)
        if len(longest) == 1:
            return self._next_of(self._walked.pop(longest[0].turn))
        half = deque([longest.pop() for _ in range((len(longest) + 1) // 2)][::-1])
        if self._last is longest:
            self._last = half
        return self._next_of(half)

    def after(self, turn: int) -> PositionJob | None:
        """The job of the next turn, if it heads a run."""
        run = self._walked.pop(turn + 1, None) or self._fresh.pop(turn + 1, None)
        return None if run is None else self._next_of(run)

    def _next_of(self, run: deque[PositionJob]) -> PositionJob:
        job = run.popleft()
        self.turns.discard(job.turn)
        if run:
            self._walked[run[0].turn] = run
        return job

    def remove(self, unwanted: Callable[[PositionJob], bool]) -> list[PositionJob]:
        """Take out what is unwanted; what stays keeps its order."""
        jobs = [job for runs in (self._fresh, self._walked) for run in runs.values() for job in run]
        gone = [job for job in jobs if unwanted(job)]
        if gone:
            self.__init__()  # type: ignore[misc]
            chosen = set(map(id, gone))
            for job in jobs:
                if id(job) not in chosen:
                    self.add(job)
        return sorted(gone, key=lambda job: job.turn)


class Waiting:
    """Jobs that have not begun. together: whether a search goes on with the next turn of its game; else all go by arrival."""

    def __init__(self, *, together: bool = True) -> None:
        # By priority, then by game in order of arrival; a plain dict would search long for its first key.
        self._lines: dict[int, OrderedDict[Hashable, _Line]] = {}
        self._together = together
        self._priorities: list[int] = []  # heap of -priority
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, job: PositionJob) -> None:
        """Put a job at its place."""
        if job.priority not in self._lines:
            self._lines[job.priority] = OrderedDict()
            heappush(self._priorities, -job.priority)
        lines = self._lines[job.priority]
        key: Hashable = (job.game,) if self._together and job.game is not None else id(job)
        if key in lines and job.turn in lines[key].turns:
            key = id(job)  # a turn that is asked for twice is nobody's neighbour
        lines.setdefault(key, _Line()).add(job)
        self._count += 1

    def priority(self) -> int | None:
        """The highest priority of those that wait."""
        while self._priorities and not self._lines[-self._priorities[0]]:
            del self._lines[-heappop(self._priorities)]
        return -self._priorities[0] if self._priorities else None

    def take(self) -> PositionJob | None:
        """The job to begin next."""
        highest = self.priority()
        if highest is None:
            return None
        lines = self._lines[highest]
        key = next(iter(lines))
        return self._taken(lines, key, lines[key].begin())

    def after(self, job: PositionJob) -> PositionJob | None:
        """The next turn of the same game, unless one of higher priority waits, which goes before."""
        lines, key = self._lines.get(job.priority), (job.game,)
        if job.game is None or lines is None or key not in lines or self.priority() != job.priority:
            return None
        found = lines[key].after(job.turn)
        return None if found is None else self._taken(lines, key, found)

    def _taken(self, lines: OrderedDict[Hashable, _Line], key: Hashable, job: PositionJob) -> PositionJob:
        self._count -= 1
        if not lines[key].turns:
            del lines[key]
        return job

    def remove(self, unwanted: Callable[[PositionJob], bool]) -> list[PositionJob]:
        """Take out all jobs that are unwanted."""
        gone: list[PositionJob] = []
        for lines in self._lines.values():
            for key, line in list(lines.items()):
                gone += line.remove(unwanted)
                if not line.turns:
                    del lines[key]
        self._lines = {priority: lines for priority, lines in self._lines.items() if lines}
        self._priorities = [-priority for priority in self._lines]
        heapify(self._priorities)
        self._count -= len(gone)
        return gone
