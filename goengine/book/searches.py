"""Searches of many positions side by side: the leaves of all of them go to the net in shared batches.

What a search finds depends on its position only, not on its company (`goengine.arena.batched_games` says why), so that a book
that was stopped and goes on becomes the same book. Knows trees and nets; keeps nothing.
"""

from collections.abc import Callable, Sequence

from goengine import features
from goengine.board.position import Position
from goengine.board.state import PASS
from goengine.book.book import Node, Reply, single
from goengine.book.canonical import to_place, views
from goengine.evaluators.base import Evaluator
from goengine.evaluators.symmetric import SymmetricByKey
from goengine.search.leaves import Leaves, new_leaves
from goengine.search.params import PLAY, Limits
from goengine.search.report import SearchResult, make_result
from goengine.search.search import Run
from goengine.search.tree_search import TreeSearch, believed

# As in play, without chance, and nothing kept from one position to the next. Fewer leaves at once: many searches share a batch.
PARAMS = PLAY.with_(
    temperature=0.0, temperature_final=0.0, dirichlet_total=0.0, gumbel_scale=0.0, ownership=False, reuse=False, leaves=4
)
MOST_REPLIES = 12
LEAST_SHARE = 0.005  # of a search's visits: what had less is no reply
_LEAST_VISITS = 2


class Searches:
    """Searches positions at several komis, with so many visits each."""

    def __init__(self, evaluator: Evaluator, komis: Sequence[float], visits: int):
        self._net = evaluator if evaluator.name == "uniform" else SymmetricByKey(evaluator)
        self._features = features.get(evaluator.features)
        self._komis, self._visits = tuple(komis), visits
        self._cores: list[TreeSearch] = []
        self._leaves: Leaves | None = None

    def nodes(self, positions: Sequence[Position], should_stop: Callable[[], bool] = lambda: False) -> list[Node] | None:
        """A node for each position, whose replies lead nowhere yet; None once `should_stop()` is true.

        The positions are of one size. Raises what the evaluator raises.
        """
        asked = [_with_komi(position, komi) for position in positions for komi in self._komis]
        results = self._search(asked, should_stop)
        if results is None:
            return None
        k = len(self._komis)
        return [_node(position, results[k * i : k * i + k], self._visits) for i, position in enumerate(positions)]

    def _search(self, positions: Sequence[Position], should_stop: Callable[[], bool]) -> list[SearchResult] | None:
        cores = self._ready(positions)
        runs = [Run(core, Limits(visits=self._visits), None) for core in cores]
        for core, run in zip(cores, runs, strict=True):
            core.begin(run.simulations())
        rows = self._room(positions[0].size, len(cores))
        while not should_stop():
            parts = self._select(cores, runs, rows)
            if not parts:
                return [make_result(core, playouts=run.begun, seconds=0.0) for core, run in zip(cores, runs, strict=True)]
            answer, start = self._net.evaluate(rows.batch), 0
            for core, part in parts:
                core.update(part, answer.take(slice(start, start + part.count)))
                start += part.count
        return None

    def _ready(self, positions: Sequence[Position]) -> list[TreeSearch]:
        """A search for each position, with an empty tree."""
        while len(self._cores) < len(positions):
            self._cores.append(TreeSearch(PARAMS, self._features, 0, **believed(self._net.traits)))
        cores = self._cores[: len(positions)]
        for core, position in zip(cores, positions, strict=True):
            core.set_position(position)
            core.clear()
        return cores

    def _room(self, size: int, searches: int) -> Leaves:
        rows = searches * PARAMS.leaves
        if self._leaves is None or len(self._leaves.nodes) < rows:
            self._leaves = new_leaves(size, self._features, rows)
        return self._leaves

    def _select(self, cores: Sequence[TreeSearch], runs: Sequence[Run], rows: Leaves) -> list[tuple[TreeSearch, Leaves]]:
        """The next leaves of all searches, in the first rows; nothing once all searches are done."""
        parts = []
        rows.count = 0
        for core, run in zip(cores, runs, strict=True):
            place = slice(rows.count, rows.count + PARAMS.leaves)
            part = Leaves(rows.nodes[place], rows.keys[place], rows.planes[place], rows.values[place])
            while part.count == 0 and not run.over():
                begun = core.select(part, PARAMS.leaves, run.budget())
                run.begun += begun
                if begun == 0:
                    break
            if part.count:
                parts.append((core, part))
                rows.count += part.count
        return parts


def _with_komi(position: Position, komi: float) -> Position:
    twin = position.copy()
    twin.rules = position.rules.with_komi(komi)
    return twin


def _winrate(value: float) -> float:
    return single(min(1.0, max(0.0, (1.0 + value) / 2)))


def _node(position: Position, results: Sequence[SearchResult], visits: int) -> Node:
    """What the searches of one position found, by komi."""
    seen = views(position)
    moves: dict[int, dict[int, tuple[int, float]]] = {}  # by index in the place, by komi
    for column, result in enumerate(results):
        for info in result.moves:
            if info.visits and info.symmetry_of is None and info.point != PASS:
                index = min(to_place(info.point, s, position.size) for s in seen.symmetries)
                moves.setdefault(index, {})[column] = info.visits, _winrate(info.value)
    replies = [_reply(index, found, len(results)) for index, found in moves.items()]
    least = max(_LEAST_VISITS, LEAST_SHARE * visits)
    kept = sorted((reply for reply in replies if max(reply.visits) >= least), key=lambda r: (-sum(r.visits), r.move))
    return Node(
        place=seen.place,
        visits=visits,
        searched=tuple(_winrate(result.value) for result in results),
        score=tuple(single(result.score) for result in results),
        replies=kept[:MOST_REPLIES],
    )


def _reply(index: int, found: dict[int, tuple[int, float]], komis: int) -> Reply:
    by_komi = [found.get(column, (0, 0.0)) for column in range(komis)]
    return Reply(index, tuple(visits for visits, _ in by_komi), tuple(winrate for _, winrate in by_komi))
