"""How long the tree itself takes: visits without a net and without encoding, for `goengine bench`; and `warm_up`.

CPU time of this thread, so that other programs on the machine matter less.
"""

import time

import numpy as np

from goengine import features
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.evaluators.cache import Cache
from goengine.evaluators.symmetric import Symmetric
from goengine.evaluators.uniform import Uniform, flat_evaluation
from goengine.search.params import LEE, PLAY, PRESETS, Limits, SearchParams
from goengine.search.search import Search
from goengine.search.tree_search import TreeSearch


def warm_up() -> None:
    """Compile every kernel of the search and of the feature sets, so that a first game does not wait for that."""
    for name in features.names():
        for params in (*PRESETS.values(), LEE.with_(rollout_threads=2)):
            evaluator = Cache(Symmetric(Uniform(name), np.random.default_rng(1)))
            search = Search(evaluator, params.with_(trust_score=True))
            position = Position(5, Rules())
            search.set_position(position)
            result = search.run(Limits(visits=40), ownership=True)
            search.core.target()
            position.play(result.chosen)
            search.set_position(position)
            search.run(Limits(visits=40))


def overhead(size: int, visits: int = 4000, params: SearchParams = PLAY, encode: bool = False) -> float:
    """Seconds per visit on one core from the empty board, with flat priors; ``encode`` adds the features of the set `zero`."""
    core = TreeSearch(params, features.get("zero"))
    if not encode:
        core._encode = lambda *arguments: None
    answers = [flat_evaluation(rows, size) for rows in range(params.leaves + 1)]
    best = float("inf")
    for repeat in range(3):
        core.set_position(Position(size, Rules()))
        core.clear()
        core.begin(visits)
        leaves = core.new_leaves()
        start = time.thread_time()
        while core.visits < visits:
            core.select(leaves, params.leaves, visits - core.visits)
            if leaves.count:
                core.update(leaves, answers[leaves.count])
        if repeat:  # the first one compiles
            best = min(best, (time.thread_time() - start) / visits)
    return best
