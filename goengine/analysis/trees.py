"""The trees of a batch analysis: made, reused and kept within one limit of memory. Knows jobs and trees, no scheduling."""

from goengine import features
from goengine.analysis.jobs import PositionJob
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.evaluators.base import Evaluator
from goengine.search.params import SearchParams
from goengine.search.tree import bytes_used, memory
from goengine.search.tree_search import TreeSearch, believed

_LEAST = 16  # MB for a tree: for hundreds of visits on any board
_SPARE = 32  # trees kept for later jobs, each of at most `_LEAST`
_SEED = 1


class Trees:
    """Trees in work and spare ones. One may have a quarter of all ``megabytes``; a full tree forgets what is least visited."""

    def __init__(self, megabytes: int):
        self._most = max(_LEAST, megabytes // 4)
        self._left = 4 * self._most
        self._in_work: dict[TreeSearch, int] = {}  # MB that each may grow to
        self._spare: list[tuple[str, TreeSearch]] = []  # by evaluator

    @property
    def has_room(self) -> bool:
        """Whether there is memory for another tree, whatever it is for."""
        return self._left >= self._most

    def take(self, job: PositionJob, position: Position, evaluator: Evaluator) -> TreeSearch:
        """An empty tree for a job."""
        params = self._sized(job, position)
        found = next((spare for spare in reversed(self._spare) if spare[0] == evaluator.name), None)
        if found is None:
            core = TreeSearch(params, features.get(evaluator.features), **believed(evaluator.traits))
        else:
            self._spare.remove(found)
            core = found[1]
            core.use(params)
        core.restrict(job.restrictions)
        core.set_position(position)
        core.agree(())
        core.generator = new_generator(_SEED)  # so that nothing depends on what the tree was used for before
        core.clear()
        self._in_work[core] = params.max_memory_mb
        self._left -= params.max_memory_mb
        return core

    def follow(
        self, core: TreeSearch, before: Evaluator, job: PositionJob, position: Position, evaluator: Evaluator
    ) -> TreeSearch:
        """The tree of the turn before, gone on to a job's position as far as it fits; or another one."""
        alike = before is evaluator and core.params == self._sized(job, position) and core.restrictions == job.restrictions
        if not alike:
            self.give_back(core, before, sound=True)
            return self.take(job, position, evaluator)
        core.generator = new_generator(_SEED)
        kept = core.set_position(position)
        if not kept or core.visits >= job.visits:
            core.clear()
        return core

    def give_back(self, core: TreeSearch, evaluator: Evaluator, *, sound: bool) -> None:
        """A tree that is done with; not ``sound``: something went wrong with it."""
        self._left += self._in_work.pop(core)
        if sound and bytes_used(core.tree) <= _LEAST << 20 and len(self._spare) < _SPARE:
            self._spare.append((evaluator.name, core))

    def forget(self) -> None:
        """Give up the spare trees."""
        self._spare.clear()

    def _sized(self, job: PositionJob, position: Position) -> SearchParams:
        """The job's params with the memory that so many visits may take."""
        points = position.size**2
        most = memory(points, 1, points + 1) * (job.visits + 64) >> 20
        megabytes = _LEAST
        while megabytes < most:
            megabytes *= 2
        return job.params.with_(max_memory_mb=min(megabytes, self._most, job.params.max_memory_mb))
