"""What rollouts are worth: uniform ones and those by small patterns.

    python benchmarks/rollouts.py value --games held-out.npz    # how well they foresee the results of recorded games
    python benchmarks/rollouts.py speed                         # from the empty board

What they printed is in docs/patterns.md.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine.board.kernels import play
from goengine.board.playout import playouts
from goengine.board.random import new_generator
from goengine.board.state import BLACK, NONE, copy_board, new_board
from goengine.core.options import option, parse_command
from goengine.dataio.records import NO_RESULT
from goengine.patterns import shipped_policies
from goengine.patterns.rollout import new_rollouts, play_rollouts
from training.data import packs


@dataclass(frozen=True)
class Value:
    """The error of the value that rollouts give, at random moments of recorded games."""

    games: Path = option(help="packed games on 19x19")
    positions: int = option(400, "of as many games")
    rollouts: int = option(100, "from each position, of each kind")


@dataclass(frozen=True)
class Speed:
    """Rollouts of one thread, in time of the CPU."""

    stretches: int = option(40, "of 50 rollouts; the best one is told")


class Table:
    """Boards and memory for rollouts on one size."""

    def __init__(self, size: int, seed: int):
        self.board, self.generator = new_board(size), new_generator(seed)
        self.rollouts = new_rollouts(size, shipped_policies.read_policy("rollout").factors())

    def uniform(self, last, color, komi) -> bool:
        """Whether Black wins a playout from the board."""
        return playouts(self.board, self.rollouts.scratch, color, self.generator, 1, self.rollouts.owned) > komi

    def plain(self, last, color, komi) -> bool:
        return play_rollouts(self.board, self.rollouts, last, color, self.generator, 1)[0] > komi


def value(options: Value) -> None:
    """Print mean squared errors; results are ±1."""
    games, rng, table = packs.load_sizes((options.games,), print)[19], np.random.default_rng(1), Table(19, 1)
    ended = rng.permutation(np.flatnonzero(games.result != NO_RESULT))[: options.positions]
    errors: dict[str, list[float]] = {"uniform": [], "plain": []}
    for g in ended.tolist():
        board, last = new_board(19), NONE
        for i in range(games.setup_start[g], games.setup_start[g + 1]):
            play(board, int(games.setup_points[i]), int(games.setup_colors[i]))
        moment = int(rng.integers(games.start[g], games.start[g + 1]))
        for i in range(games.start[g], moment):
            play(board, int(games.moves[i]), int(games.colors[i]))
            last = int(games.moves[i])
        copy_board(table.board, board)
        for name, found in errors.items():
            rest = (last, int(games.colors[moment]), float(games.komi[g]))
            won = sum(getattr(table, name)(*rest) for _ in range(options.rollouts))
            found.append((2 * won / options.rollouts - 1 - int(games.result[g])) ** 2)
    for name, found in errors.items():
        less = np.array(found) - np.array(errors["plain"])
        spread = 1.96 * less.std() / math.sqrt(len(less))
        print(f"{name:12} mean squared error {np.mean(found):.3f}; less plain {less.mean():+.3f} ± {spread:.3f}")


def speed(options: Speed) -> None:
    """Print how fast rollouts are; what a change of threads costs is not counted."""
    for size in (9, 19):
        table, least = Table(size, 1), math.inf
        for _ in range(options.stretches + 1):  # the first one compiles
            begin = time.process_time()
            moves = play_rollouts(table.board, table.rollouts, NONE, BLACK, table.generator, 50)[1]
            least = min(least, (time.process_time() - begin) / moves)
        print(
            f"{size}x{size}  {1e6 * least:.2f} µs for a move, {50 / (least * moves):,.0f} rollouts/s of {moves / 50:.0f} moves"
        )


COMMANDS = {"value": Value, "speed": Speed}

if __name__ == "__main__":
    name, chosen = parse_command(COMMANDS, prog="benchmarks/rollouts.py", description=__doc__)
    {"value": value, "speed": speed}[name](chosen)
