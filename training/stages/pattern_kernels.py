"""Kernels that mine patterns from games and fit linear policies to them: counting, and softmax regression by AdaGrad.

A policy's features of a position are in `goengine.patterns.candidates`. Know games as flat arrays; no files.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.state import BLACK, EMPTIES, EMPTY, NONE, PASS, STRIDE, Board, new_board
from goengine.core.jit import kernel
from goengine.patterns.candidates import (
    SQUARE,
    Candidates,
    add_tree_features,
    find_candidates,
    logits,
    new_candidates,
    number_squares,
)
from goengine.patterns.dictionary import Counts, count
from goengine.patterns.keys import DIAMOND as FIELDS
from goengine.patterns.keys import diamond_around, diamond_key, fold_diamond, response_key, shape_key, square_key
from goengine.patterns.nearby import MOST_CAPTURED
from goengine.patterns.surroundings import (
    Surroundings,
    is_sensible,
    new_surroundings,
    play_around,
    survey,
    swapped,
)
from training.data.sampling import set_up


class PatternCounts(NamedTuple):
    """How often patterns of each kind were seen."""

    shapes: Counts
    answers: Counts
    squares: Counts
    diamonds: Counts


class FitScratch(NamedTuple):
    """What one thread works with."""

    board: Board
    around: Surroundings
    candidates: Candidates
    logit: np.ndarray  # float32[P]


def new_fit_scratch(size: int) -> FitScratch:
    """Room for games of this size."""
    board = new_board(size)
    return FitScratch(board, new_surroundings(size), new_candidates(size), np.zeros(board.color.size, np.float32))


@kernel
def begin_game(games, g, desk):
    """The board before the first move of game g; all its points are listed as changed."""
    board, around = desk.board, desk.around
    set_up(games, g, board)
    survey(board, around)
    for p in range(board.color.size):
        if board.color[p] == EMPTY:
            around.listed[p] = 1
            around.changed[around.count[0]] = p
            around.count[0] += 1


@kernel
def count_patterns(games, order, every, desk, counts):
    """Count the patterns of all possible moves in every so-many-th position of some games (order: int64[n])."""
    board, around = desk.board, desk.around
    for k in range(order.size):
        g = order[k]
        begin_game(games, g, desk)
        last = np.int64(NONE)
        for i in range(games.start[g], games.start[g + 1]):
            move, color = np.int64(games.moves[i]), np.int64(games.colors[i])
            if (i + g) % every == 0:
                _count_around_moves(board, around, color, counts)
                _count_near(board, around, last, color, counts)
            play_around(board, around, move, color)
            last = move


@kernel
def _count_around_moves(board, around, color, counts):
    """The squares and diamonds around all points where a move makes sense."""
    s = np.uint64(board.info[STRIDE])
    for i in range(board.info[EMPTIES]):
        p = np.uint64(board.empties[i])
        code = around.code[p] if color == BLACK else swapped(around.code[p])
        if is_sensible(code):
            count(counts.squares, np.uint64(square_key(code)))
            count(counts.diamonds, diamond_key(diamond_around(around.state, around.code, p, s, color == BLACK)))


@kernel
def _count_near(board, around, last, color, counts):
    """The answers to the last move, and the places of what it captured."""
    if last == NONE or last == PASS:
        return
    s = board.info[STRIDE]
    diamond = diamond_around(around.state, around.code, np.uint64(last), np.uint64(s), color == BLACK)
    least, which = fold_diamond(diamond)
    for field in range(FIELDS):
        if (diamond >> np.uint64(3 * field)) & np.uint64(7) == 0:
            count(counts.answers, response_key(least, which, field))
    taken = around.count[1]
    if taken <= MOST_CAPTURED:
        for i in range(taken):
            count(counts.shapes, shape_key(around.captured, taken, around.captured[i], s))


class AdaGrad(NamedTuple):
    """Weights under way, and how they learn."""

    weights: np.ndarray  # float32[F]
    squares: np.ndarray  # float32[F]  sums of squared gradients
    rate: np.float32
    learn: int  # 1; 0 only measures


@kernel
def fit(games, order, desk, patterns, columns, state):
    """Go through games in an order (int64[n]). Returns (positions, best moves named, sum of cross-entropies).

    state: the weights as an `AdaGrad`. columns: of `Candidates.own`. Passes and moves that are no candidates are left out.
    """
    board, around, candidates = desk.board, desk.around, desk.candidates
    positions, right, entropy = 0, 0, 0.0
    for k in range(order.size):
        g = order[k]
        begin_game(games, g, desk)
        last, earlier = np.int64(NONE), np.int64(NONE)
        for i in range(games.start[g], games.start[g + 1]):
            move, color = np.int64(games.moves[i]), np.int64(games.colors[i])
            number_squares(board, around, patterns, candidates)
            if move != PASS:
                find_candidates(board, around, last, color, patterns, candidates)
                if columns > SQUARE + 1:
                    add_tree_features(board, around, last, earlier, color, patterns, candidates)
                place = candidates.slot[move]
                if place >= 0:
                    logits(candidates, columns, state.weights, desk.logit)
                    best, loss = _softmax(desk.logit, candidates.count[0], place)
                    positions, right, entropy = positions + 1, right + (best == place), entropy + loss
                    if state.learn:
                        desk.logit[place] -= np.float32(1)
                        _step(candidates, columns, desk.logit, state.weights, state.squares, state.rate)
            play_around(board, around, move, color)
            last, earlier = move, last
    return positions, right, entropy


@kernel
def _softmax(logit, count, place):
    """Turn logits into probabilities. Returns (the place of the largest, -ln of the one at `place`)."""
    best = 0
    for i in range(1, count):
        if logit[i] > logit[best]:
            best = i
    top, total = logit[best], np.float32(0)
    for i in range(count):
        logit[i] = np.exp(logit[i] - top)
        total += logit[i]
    for i in range(count):
        logit[i] /= total
    return best, -np.log(np.float64(logit[place]) + 1e-30)


@kernel
def _step(candidates, columns, gradient, weights, squares, rate):
    """A step of AdaGrad (Duchi et al. 2011): by candidate, the gradient of the loss with respect to its logit."""
    for i in range(candidates.count[0]):
        for c in range(columns):
            _change(weights, squares, candidates.own[i, c], gradient[i], rate)
    near = candidates.near
    for i in range(near.count[0]):
        slot = candidates.slot[near.point[i]]
        if slot >= 0:
            _change(weights, squares, near.feature[i], gradient[slot], rate)


@kernel
def _change(weights, squares, feature, slope, rate):
    if feature >= 0:
        squares[feature] += slope * slope
        weights[feature] -= rate * slope / np.sqrt(squares[feature])
