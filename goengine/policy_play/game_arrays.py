"""Many games as arrays with a leading dimension, and the kernels that advance all of them by a ply.

Games under way stand in the first places of the table; one that ends gives its place to the last of them::

    place    0  1  2  3 | 4  5      games[place], generator[place], number[place], legal[place]
    number   0  5  2  4 | 3  1      moves[number], length[number], margin[number], random_at[number]

Knows which moves are considered, how one is drawn, and how a game ends. Knows no net and no features.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.game_kernels import game_legal, game_play
from goengine.board.playout import sensible_moves
from goengine.board.random import uniform
from goengine.board.scoring import area
from goengine.board.stacked import game_at, new_games
from goengine.board.state import BLACK, PASS, PASSES, SIZE, TO_PLAY, Game, clear_board, copy_game, start_game
from goengine.core.jit import kernel


class PolicyTable(NamedTuple):
    """G games on boards of N x N, of L plies at most; A = N * N + 1 actions. See the picture above."""

    games: Game
    generator: np.ndarray  # uint64[G, 2]  all chance of a game
    number: np.ndarray  # int64[G]
    legal: np.ndarray  # uint8[G, A]     1 for the moves that may be drawn
    moves: np.ndarray  # uint16[G, L]    policy indices
    length: np.ndarray  # int64[G]       plies so far
    margin: np.ndarray  # float32[G]     Black's points minus White's with komi; nan while nobody has counted
    random_at: np.ndarray  # int64[G]    the ply that is drawn from all legal points alike, -1 for none
    weights: np.ndarray  # float64[A]    scratch of a draw
    owner: np.ndarray  # int8[P]         scratch of a count
    stack: np.ndarray  # uint16[P]


def new_table(size: int, games: int, longest: int) -> PolicyTable:
    """Room for that many games of so many plies."""
    actions, points = size * size + 1, padded(size)
    return PolicyTable(
        games=new_games(size, games, longest + 2),
        generator=np.zeros((games, 2), np.uint64),
        number=np.arange(games),
        legal=np.zeros((games, actions), np.uint8),
        moves=np.zeros((games, longest), np.uint16),
        length=np.zeros(games, np.int64),
        margin=np.full(games, np.nan, np.float32),
        random_at=np.full(games, -1, np.int64),
        weights=np.zeros(actions),
        owner=np.zeros(points, np.int8),
        stack=np.zeros(points, np.uint16),
    )


@kernel
def begin(table, size):
    """All games on empty boards, Black to play, each in the place of its number. Not `generator` and `random_at`."""
    for g in range(table.number.size):
        table.number[g] = g
        table.length[g] = 0
        table.margin[g] = np.nan
        game = game_at(table.games, g)
        clear_board(game.board, size)
        start_game(game, BLACK)


@kernel
def survey(table, count, rules):
    """Write which moves may be drawn in the first ``count`` places: the sensible ones, or at `random_at` all legal points."""
    for place in range(count):
        game, legal, number = game_at(table.games, place), table.legal[place], table.number[place]
        if table.length[number] == table.random_at[number]:
            game_legal(game, rules, legal)
            legal[legal.size - 1] = 0
            legal[legal.size - 1] = legal.sum() == 0
        else:
            sensible_moves(game, rules, legal)


@kernel
def draw(logits, legal, temperature, generator, weights):
    """An index drawn from the softmax of logits / temperature over the legal ones; at temperature 0 the highest.

    ``logits`` float32[A], finite where ``legal`` uint8[A] is not 0, which it is somewhere; ``weights`` float64[A]: scratch.
    """
    best = -1
    for i in range(legal.size):
        if legal[i] and (best < 0 or logits[i] > logits[best]):
            best = i
    if temperature <= 0:
        return best
    total, last = 0.0, best
    for i in range(legal.size):
        weights[i] = np.exp((np.float64(logits[i]) - np.float64(logits[best])) / temperature) if legal[i] else 0.0
        total += weights[i]
    left = uniform(generator) * total
    for i in range(legal.size):
        if weights[i] > 0:
            last = i
            left -= weights[i]
            if left < 0:
                break
    return last


@kernel
def advance(table, count, logits, temperature, komi):
    """Draw and play a move in the first ``count`` places. Returns how many games are still under way.

    ``logits`` float32[count, A], ``temperature`` float64[count]. `survey` comes before. A game ends when both pass, and is
    counted as it stands (Tromp-Taylor); one of L plies ends without a count.
    """
    size = table.games.board.info[0, SIZE]
    for place in range(count - 1, -1, -1):  # downwards: the last game under way, which fills a gap, has had its move
        game, number = game_at(table.games, place), table.number[place]
        ply_temperature = temperature[place]
        if table.length[number] == table.random_at[number]:
            logits[place, :] = 0.0
            ply_temperature = 1.0
        index = draw(logits[place], table.legal[place], ply_temperature, table.generator[place], table.weights)
        point = PASS if index == size * size else (index // size + 1) * (size + 1) + index % size + 1
        game_play(game, point, game.status[TO_PLAY])
        table.moves[number, table.length[number]] = index
        table.length[number] += 1
        passed = game.status[PASSES] >= 2
        if passed:
            table.margin[number] = area(game.board, table.owner, table.stack) - komi
        if passed or table.length[number] == table.moves.shape[1]:
            count -= 1
            if place < count:
                copy_game(game, game_at(table.games, count))
                table.number[place] = table.number[count]
                table.generator[place, 0], table.generator[place, 1] = table.generator[count, 0], table.generator[count, 1]
    return count
