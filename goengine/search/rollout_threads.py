"""Rollouts of one search on several threads: begin a wave of visits, play their rollouts side by side, end all of them.

Only the caller's thread uses the tree, so the tree needs no lock. Kernels release the GIL, so rollouts run at the same time.
What a wave plays depends on the seed and the number of threads, not on which thread is faster.
"""

from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from goengine.board.random import new_generator
from goengine.board.state import Game, new_board
from goengine.core.pretyped_kernel import PretypedKernel
from goengine.search.constants import Found, SearchContext
from goengine.search.leaves import RAMP
from goengine.search.linear_policies import new_rollout_scratch
from goengine.search.simulate import begin_wave, break_off, end_wave, new_wave, roll_wave
from goengine.search.tree import VISITS

SHARE = 8  # visits of a wave, for each thread


class RolloutThreads:
    """Threads with what each needs for its rollouts, for boards of one size."""

    def __init__(self, threads: int, size: int, capacity: int, generator: np.ndarray):
        """generator: the search's, from which those of the threads are drawn."""
        self._most = SHARE * threads
        self._wave = new_wave(size, self._most, capacity)
        words = np.random.default_rng(generator).integers(0, 2**63, threads)
        self._hands = [(new_board(size), new_rollout_scratch(size), new_generator(int(word))) for word in words]
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="rollouts")  # the caller plays a share itself
        self._begin, self._roll, self._end = PretypedKernel(begin_wave), PretypedKernel(roll_wave), PretypedKernel(end_wave)

    def play(
        self, context: SearchContext, leaves: Found, root_game: Game, threshold: float, found: int, want: int, budget: int
    ) -> tuple[int, int]:
        """Waves of ``budget`` visits, or until there are ``want`` leaves. Returns (leaves, visits), as `simulate_batch`."""
        done = 0
        while done < budget and (found < want or want == 0):
            visits = min(budget - done, self._most, max(1, int(context.tree.stats[0, VISITS]) // RAMP))
            count = self._begin(context, self._wave, root_game, visits)
            self._roll_out(context.tree, count, context.rules.komi)
            found = self._end(context, self._wave, count, leaves, threshold, found, want)
            done += visits
        return found, done

    def _roll_out(self, tree, count: int, komi: float) -> None:
        """The rollouts of the wave, each thread a part of them."""
        bounds = [count * i // len(self._hands) for i in range(len(self._hands) + 1)]
        parts = list(zip(bounds, bounds[1:], self._hands, strict=False))
        others = []
        try:
            others += [self._pool.submit(self._part, *part, komi) for part in parts[:-1] if part[0] < part[1]]
            self._part(*parts[-1], komi)
            for other in others:
                other.result()
        except BaseException:
            wait(others)
            break_off(tree, self._wave, count)
            raise

    def _part(self, first: int, last: int, hand: tuple, komi: float) -> None:
        board, rollout_scratch, generator = hand
        self._roll(self._wave, first, last, board, rollout_scratch, komi, generator)
