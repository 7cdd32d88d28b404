"""How fast the set `zero` is encoded along searches, and how many times faster than by the plain encoder, for `goengine bench`.

CPU time of this thread, both by turns, the best of several rounds each: other programs hardly change the ratio.
"""

import time

import numpy as np

from goengine import features
from goengine.board import playout
from goengine.board.game_kernels import game_play
from goengine.board.random import new_generator
from goengine.board.rules import Rules
from goengine.board.stacked import game_at, new_games
from goengine.board.state import TO_PLAY, Game, copy_game, new_game
from goengine.core.jit import kernel
from goengine.evaluators.uniform import flat_evaluation
from goengine.features import plain_zero, zero
from goengine.features.encoders import batch_encoder
from goengine.search.params import PLAY
from goengine.search.tree_search import TreeSearch

ROUNDS = 3  # at least so many by each encoder


@kernel
def _encode_plainly(games, count, rules, scratch, planes, values):
    for i in range(count):
        plain_zero.encode(game_at(games, i), rules, scratch, planes[i], values[i])


def encoding_of_leaves(size: int, seconds: float) -> tuple[float, float]:
    """(positions per second, times the plain encoder) over leaves of searches in the order in which these meet them."""
    games, chosen, rules = leaves_of_searches(size), features.get("zero"), Rules().code()
    count = len(games.status)
    planes, values = np.zeros((count, chosen.planes, size, size), np.float32), np.zeros((count, chosen.globals), np.float32)
    encoders = ((batch_encoder(chosen), zero.new_scratch(size)), (_encode_plainly, plain_zero.new_scratch(size)))
    best = [float("inf")] * 2
    for encode, scratch in encoders:  # the first call compiles
        encode(games, count, rules, scratch, planes, values)
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < ROUNDS or time.perf_counter() < end:
        rounds += 1
        for which, (encode, scratch) in enumerate(encoders):
            start = time.thread_time()
            encode(games, count, rules, scratch, planes, values)
            best[which] = min(best[which], time.thread_time() - start)
    return count / best[0], best[1] / best[0]


def leaves_of_searches(size: int, roots: int = 24, leaves: int = 16) -> Game:
    """Leaves of searches with flat priors, ``leaves`` from each of the roots along a random game; as stacked games."""
    found: list[Game] = []

    def keep(games, count, *_) -> None:
        for i in range(count):
            copy = new_game(size)
            copy_game(copy, game_at.py_func(games, i))
            found.append(copy)

    core = TreeSearch(PLAY, features.get("zero"))
    core._encode = keep
    game, generator = new_game(size), new_generator(7)
    for root in range(roots):
        for _ in range(max(1, size * size // roots)):
            color = int(game.status[TO_PLAY])
            game_play(game, playout.random_move(game.board, color, generator), color)
        core.set_game(game, Rules().code(), [], root)
        core.begin(leaves)
        rows = core.new_leaves()
        while len(found) < (root + 1) * leaves:
            core.select(rows, PLAY.leaves, leaves)
            if rows.count:
                core.update(rows, flat_evaluation(rows.count, size))
        del found[(root + 1) * leaves :]
    stacked = new_games(size, len(found), len(found[0].hashes))
    for i, leaf in enumerate(found):
        copy_game(game_at.py_func(stacked, i), leaf)
    return stacked
