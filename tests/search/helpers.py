"""Scripted evaluators and short ways to run a search, for the tests of the search."""

import zlib

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.evaluators.base import Evaluation, Traits
from goengine.evaluators.uniform import Scripted, flat_evaluation
from goengine.search.params import Limits, SearchParams
from goengine.search.search import Search
from goengine.search.tree import COUNT, EXPANDED, FIRST, FOLDED, NODES, OWN, PARENT, SORTED, VIRTUAL, VISITED, VISITS

RULES = Rules.preset("tromp-taylor").with_komi(0.5)
PLAIN = SearchParams(ownership=False)


def at(name: str, size: int) -> tuple[int, int]:
    """(row, column) of a vertex."""
    return coords.row_column(coords.from_gtp(name, size), size)


def noisy(seed: int = 0, score: bool = False) -> Scripted:
    """Policy, value and score drawn from the stones alone, seen by the player to move: any two positions differ."""

    def script(planes, values) -> Evaluation:
        answer = flat_evaluation(len(planes), planes.shape[-1])
        for row, plane in enumerate(planes):
            draw = np.random.default_rng(zlib.crc32(plane[1:3].tobytes(), seed))
            answer.policy[row] = draw.normal(size=answer.policy.shape[1])
            answer.value[row] = draw.uniform(-1, 1)
            answer.score[row] = draw.normal() * 5
            answer.ownership[row] = draw.uniform(-1, 1, answer.ownership.shape[1])
        return answer

    return Scripted(script, traits=Traits(name="noisy", features="zero", score_proven=score))


def symmetric() -> Scripted:
    """Value and policy from the counts of stones and neighbours only: the same in every mirror and for both colours."""

    def script(planes, values) -> Evaluation:
        size = planes.shape[-1]
        answer = flat_evaluation(len(planes), size)
        row, column = np.mgrid[:size, :size]
        middle = -((row - (size - 1) / 2) ** 2 + (column - (size - 1) / 2) ** 2)
        own, other = planes[:, 1], planes[:, 2]
        near = np.zeros_like(own)
        for plane, weight in ((own, 0.37), (other, 0.83)):
            padded = np.pad(plane, ((0, 0), (1, 1), (1, 1)))
            near += weight * (padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1] + padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2])
        answer.policy[:, :-1] = (0.21 * middle + near).reshape(len(planes), -1)
        answer.policy[:, -1] = -4
        weight = np.exp(0.3 * middle)
        answer.value[:] = np.tanh(((own - other) * weight * (1 + near)).sum((1, 2)))
        return answer

    return Scripted(script)


def goals(size: int, patterns: list[list[str]]) -> Scripted:
    """Whoever holds all points of one of the patterns has won; else the value is 0. The policy is flat."""
    cells = [[at(name, size) for name in pattern] for pattern in patterns]

    def script(planes, values) -> Evaluation:
        answer = flat_evaluation(len(planes), size)
        for row, plane in enumerate(planes):
            for stones, value in ((plane[1], 1.0), (plane[2], -1.0)):
                if any(all(stones[cell] for cell in pattern) for pattern in cells):
                    answer.value[row] = value
        return answer

    return Scripted(script)


def search(position: Position, evaluator, visits: int, params: SearchParams = PLAIN, seed: int = 1):
    """(Search, SearchResult) of a fresh search."""
    engine = Search(evaluator, params, seed)
    engine.set_position(position)
    return engine, engine.run(Limits(visits=visits))


def position(size: int, moves: str = "", rules: Rules = RULES) -> Position:
    """A position after these vertices, Black first."""
    game = Position(size, rules)
    for name in moves.split():
        game.play(coords.from_gtp(name, size))
    return game


def names(points, size: int) -> list[str]:
    """Points as vertices."""
    return [coords.to_gtp(int(p), size) for p in points]


def check_tree(tree) -> None:
    """No virtual visit is left; visits add up; the visited edges are a node's first ones and lead to its children."""
    count = int(tree.used[NODES])
    assert not tree.links[:count, VIRTUAL].any()
    below = np.zeros(count)
    np.add.at(below, tree.links[1:count, PARENT], tree.stats[1:count, VISITS])
    assert np.array_equal(tree.stats[:count, VISITS], below + tree.links[:count, OWN])
    for node in range(count):
        first, edges, visited = tree.links[node, [FIRST, COUNT, VISITED]]
        if tree.links[node, SORTED] == FOLDED:
            assert edges == tree.ownership.shape[1] + 1 or tree.ownership.shape[1] == 0
            assert visited == 0 and node > 0 and tree.state[node] == EXPANDED
            continue
        children = tree.edge_child[first : first + edges]
        assert (children[:visited] > node).all() and (children[visited:] == -1).all()
        assert (tree.links[children[:visited], PARENT] == node).all()
        if edges:
            assert np.isclose(tree.edge_prior[first : first + edges].sum(), 1.0, atol=1e-4)
            rest = tree.edge_prior[first + visited : first + edges]
            assert node == 0 or len(rest) == 0 or rest[0] == rest.max()  # noise may order the root's
