"""What rollouts are worth: uniform ones, those by small patterns, and those that remember good replies.

    python benchmarks/rollouts.py value --games held-out.npz    # how well they foresee the results of recorded games
    python benchmarks/rollouts.py match                         # a player on 9x9 that remembers, against one that does not
    python benchmarks/rollouts.py speed                         # from the empty board

Both players of the match look one move ahead: UCB1 (Auer et al. 2002) over the moves of the position, a rollout each time.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine.board.kernels import is_legal, play
from goengine.board.playout import playouts
from goengine.board.random import new_generator
from goengine.board.state import BLACK, EMPTIES, NONE, PASS, WHITE, copy_board, new_board
from goengine.core.options import option, parse_command
from goengine.dataio.records import NO_RESULT
from goengine.patterns import shipped_policies
from goengine.patterns.replies import new_replies, play_rollouts_remembering
from goengine.patterns.rollout import begin_flow, new_rollouts, play_rollouts
from training.data import packs

EXPLORE = 0.5  # the constant of UCB1, for results of 0 and 1
KOMI = 7.5


@dataclass(frozen=True)
class Value:
    """The error of the value that rollouts give, at random moments of recorded games."""

    games: Path = option(help="packed games on 19x19")
    positions: int = option(400, "of as many games")
    rollouts: int = option(100, "from each position, of each kind")


@dataclass(frozen=True)
class Match:
    """Remembering against not remembering."""

    games: int = option(200, "to be played")
    rollouts: int = option(300, "for a move")


@dataclass(frozen=True)
class Speed:
    """Rollouts of one thread, in time of the CPU."""

    stretches: int = option(40, "of 50 rollouts; the best one is told")


class Table:
    """Boards and memory for rollouts on one size."""

    def __init__(self, size: int, seed: int):
        self.board, self.generator, self.replies = new_board(size), new_generator(seed), new_replies(size)
        self.rollouts = new_rollouts(size, shipped_policies.read_policy("rollout").factors())

    def uniform(self, last, earlier, color, komi) -> bool:
        """Whether Black wins a playout from the board."""
        return playouts(self.board, self.rollouts.scratch, color, self.generator, 1, self.rollouts.owned) > komi

    def plain(self, last, earlier, color, komi) -> bool:
        return play_rollouts(self.board, self.rollouts, last, color, self.generator, 1)[0] > komi

    def remembering(self, last, earlier, color, komi) -> bool:
        rest = (self.replies, (earlier, last), color, self.generator, 1, komi)
        return play_rollouts_remembering(self.board, self.rollouts, *rest)[2] > 0


def value(options: Value) -> None:
    """Print mean squared errors; results are ±1."""
    games, rng, table = packs.load_sizes((options.games,), print)[19], np.random.default_rng(1), Table(19, 1)
    ended = rng.permutation(np.flatnonzero(games.result != NO_RESULT))[: options.positions]
    errors: dict[str, list[float]] = {"uniform": [], "plain": [], "remembering": []}
    for g in ended.tolist():
        board, last, earlier = new_board(19), NONE, NONE
        for i in range(games.setup_start[g], games.setup_start[g + 1]):
            play(board, int(games.setup_points[i]), int(games.setup_colors[i]))
        moment = int(rng.integers(games.start[g], games.start[g + 1]))
        for i in range(games.start[g], moment):
            play(board, int(games.moves[i]), int(games.colors[i]))
            last, earlier = int(games.moves[i]), last
        copy_board(table.board, board)
        table.replies.answer[:] = 0
        for name, found in errors.items():
            rest = (last, earlier, int(games.colors[moment]), float(games.komi[g]))
            won = sum(getattr(table, name)(*rest) for _ in range(options.rollouts))
            found.append((2 * won / options.rollouts - 1 - int(games.result[g])) ** 2)
    for name, found in errors.items():
        less = np.array(found) - np.array(errors["plain"])
        spread = 1.96 * less.std() / math.sqrt(len(less))
        print(f"{name:12} mean squared error {np.mean(found):.3f}; less plain {less.mean():+.3f} ± {spread:.3f}")


def best_move(table: Table, remembers: bool, last: int, color: int, rollouts: int) -> int:
    """The move looked at most often, PASS if there is none."""
    root = new_board(9)
    copy_board(root, table.board)
    begin_flow(root, table.rollouts.flow, table.rollouts.factors)
    weights = table.rollouts.flow.weight[color - 1]
    moves = [p for p in np.flatnonzero(weights > 0).tolist() if is_legal(root, p, color, False)]
    if not moves:
        return PASS
    won, seen = np.zeros(len(moves)), np.zeros(len(moves))
    for n in range(rollouts):
        arm = n if n < len(moves) else int(np.argmax(won / seen + EXPLORE * np.sqrt(np.log(n) / seen)))
        play(table.board, moves[arm], color)
        black = (table.remembering if remembers else table.plain)(moves[arm], last, 3 - color, KOMI)
        won[arm] += black == (color == BLACK)
        seen[arm] += 1
        copy_board(table.board, root)
    return moves[int(seen.argmax())]


def play_game(table: Table, remembering: int, rollouts: int) -> bool:
    """Whether the player who remembers (BLACK or WHITE) wins, after four moves drawn uniformly."""
    board, rng = new_board(9), np.random.default_rng(table.generator)
    table.replies.answer[:] = 0
    last, color, passes = NONE, BLACK, 0
    for ply in range(250):
        copy_board(table.board, board)
        if ply < 4:
            move = int(rng.choice(board.empties[: board.info[EMPTIES]]))
        else:
            move = best_move(table, color == remembering, last, color, rollouts)
        play(board, move, color)
        passes = passes + 1 if move == PASS else 0
        if passes == 2:
            break
        last, color = move, 3 - color
    copy_board(table.board, board)
    return table.uniform(NONE, NONE, color, KOMI) == (remembering == BLACK)


def match(options: Match) -> None:
    """Print how many games the player who remembers has won."""
    table = Table(9, 1)
    won = sum(play_game(table, (BLACK, WHITE)[game % 2], options.rollouts) for game in range(options.games))
    share, spread = won / options.games, 1.96 * math.sqrt(won * (options.games - won) / options.games) / options.games
    print(f"the player who remembers replies won {won} of {options.games} games: {100 * share:.1f} % ± {100 * spread:.1f}")


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


COMMANDS = {"value": Value, "match": Match, "speed": Speed}

if __name__ == "__main__":
    name, chosen = parse_command(COMMANDS, prog="benchmarks/rollouts.py", description=__doc__)
    {"value": value, "match": match, "speed": speed}[name](chosen)
