"""Rollouts of one search on several threads: a wave of visits is begun, its rollouts are played side by side, all are ended.

The tree is touched by the caller's thread alone, so it needs no lock; kernels release the GIL, so rollouts really run at the
same time. The same seed and number of threads give the same visits.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from goengine.board.random import new_generator
from goengine.board.state import new_board
from goengine.search import tree as tree_columns
from goengine.search.entry import Entry
from goengine.search.linear import new_roller
from goengine.search.simulate import begin_wave, end_wave, new_wave, roll_wave

VISITS = 8  # of a wave, for each thread
RAMP = 4  # at most one visit under way for this many visits of the root: a small tree must not be searched blindly


class RolloutCrew:
    """Threads with what each needs for its rollouts, for boards of one size."""

    def __init__(self, threads: int, size: int, capacity: int, generator: np.ndarray):
        """generator: the search's, from which those of the threads are drawn."""
        self.visits = VISITS * threads
        self._wave = new_wave(size, self.visits, capacity)
        words = np.random.default_rng(generator).integers(0, 2**63, threads)
        self._hands = [(new_board(size), new_roller(size), new_generator(int(word))) for word in words]
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="rollouts")  # the caller plays a share itself
        self._begin, self._roll, self._end = Entry(begin_wave), Entry(roll_wave), Entry(end_wave)

    def play(self, tree, root_game, games, knobs, rules, forbidden, plan, scratch, threshold, nodes, keys, want, visits):
        """So many visits, one wave at most. Returns (leaves, visits, leaves that wait), as `simulate_batch`."""
        visits = min(visits, self.visits, max(1, int(tree.stats[0, tree_columns.VISITS]) // RAMP))
        count = self._begin(tree, self._wave, root_game, knobs, rules, plan, scratch, visits)
        bounds = [count * i // len(self._hands) for i in range(len(self._hands) + 1)]
        parts = list(zip(bounds, bounds[1:], self._hands, strict=False))
        others = [self._pool.submit(self._part, *part, rules.komi) for part in parts[1:] if part[0] < part[1]]
        self._part(*parts[0], rules.komi)
        for other in others:
            other.result()
        found, waiting = self._end(
            tree, self._wave, count, games, knobs, rules, forbidden, scratch, threshold, nodes, keys, want
        )
        return found, visits, waiting

    def _part(self, first: int, last: int, hand: tuple, komi: float) -> None:
        board, roller, generator = hand
        self._roll(self._wave, first, last, board, roller, komi, generator)
