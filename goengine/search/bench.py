"""How long the tree itself takes: visits without a net and without encoding. For `goengine bench`.

CPU time of this thread, so that other programs on the machine matter less.
"""

import time

from goengine import features
from goengine.board.position import Position
from goengine.evaluators.uniform import flat_evaluation
from goengine.rules import Rules
from goengine.search.core import TreeSearch
from goengine.search.params import PLAY, SearchParams


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
