"""The rollout policy: moves drawn by 3x3 squares and by what they have to do with the last move; whole games of them.

The weight of a move is the product of a factor for the square around it and of factors of its features of `nearby`. The first
is kept up for all points as stones come and go, with sums by row, so that a draw looks at one column of sums and one row. The
second concern a few points near the last move: these are weighed anew for every move, apart from all others. Illegal moves and
moves that fill an eye have weight 0. Silver et al., Nature 529 (2016), Methods, "rollout policy".
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import MAX_SIZE, padded
from goengine.board.kernels import ko_point
from goengine.board.playout import add_owners
from goengine.board.random import uniform
from goengine.board.state import BLACK, EMPTIES, EMPTY, NONE, PASS, SIZE, STRIDE, Board, copy_board, new_board
from goengine.core.jit import inlined_kernel, kernel
from goengine.patterns.dictionary import look_up
from goengine.patterns.keys import DIAMOND, diamond_around
from goengine.patterns.nearby import Known, Nearby, find_urgent, new_nearby, step_to
from goengine.patterns.squares import square_index
from goengine.patterns.surroundings import Surroundings, new_surroundings, play_around, survey, swapped

_TOTAL = MAX_SIZE  # column of Flow.rows
_ROOM = 256 + DIAMOND + 4  # what `Nearby` holds, the points around the last move, and a ko
_TINY = 1e-12  # sums below are remains of rounding
_RARE = 0.125  # share of the points apart from the near ones below which they are looked at one by one


class Factors(NamedTuple):
    """A policy ready to play: exp of its weights."""

    square: np.ndarray  # float32[INDICES]  by `square_index`, as the player to move sees it; 0: no sensible move
    answer: np.ndarray  # float32[rows + 1, 12]  by the diamond around the last move and field, as `Known.answers`: all features
    near: np.ndarray  # float32[features of `nearby`]
    known: Known


class Flow(NamedTuple):
    """A board's weights for both players, kept up move by move."""

    around: Surroundings
    near: Nearby
    weight: np.ndarray  # float32[2, P]   for Black, for White, by squares alone
    rows: np.ndarray  # float64[2, rows + 1]  sums by row, the total last
    row: np.ndarray  # uint8[P]      by point
    close: np.ndarray  # uint16[272]   points near the last move
    boosted: np.ndarray  # float32[272]  their weights with all features
    place: np.ndarray  # uint16[P]     by point: its place in `close` + 1, 0 for all others


def new_flow(size: int) -> Flow:
    """Room for a board of this size."""
    p = padded(size)
    return Flow(
        new_surroundings(size),
        new_nearby(),
        np.zeros((2, p), np.float32),
        np.zeros((2, MAX_SIZE + 1)),
        np.maximum(np.arange(p) // (size + 1) - 1, 0).astype(np.uint8),
        np.zeros(_ROOM, np.uint16),
        np.zeros(_ROOM, np.float32),
        np.zeros(p, np.uint16),
    )


@inlined_kernel
def _set_weight(flow, p, side, weight):
    """Change the weight of a point, and the sum of its row. Returns by how much: the total is the caller's."""
    side = np.uint64(side)
    change = np.float64(weight) - np.float64(flow.weight[side, p])
    flow.weight[side, p] = weight
    flow.rows[side, np.uint64(flow.row[p])] += change
    return change


@kernel
def begin_flow(board, flow, factors):
    """Weigh all points of a board."""
    survey(board, flow.around)
    flow.weight[:] = 0
    flow.rows[:] = 0
    for i in range(board.info[EMPTIES]):
        p = np.uint64(board.empties[i])
        code = flow.around.code[p]
        flow.rows[0, _TOTAL] += _set_weight(flow, p, 0, factors.square[square_index(code)])
        flow.rows[1, _TOTAL] += _set_weight(flow, p, 1, factors.square[square_index(swapped(code))])


@inlined_kernel
def play_flow(board, flow, factors, point, color):
    """Play a legal move and keep the weights up."""
    around = flow.around
    play_around(board, around, point, color)
    if point == PASS:
        return
    p = np.uint64(point)
    black, white = _set_weight(flow, p, 0, np.float32(0)), _set_weight(flow, p, 1, np.float32(0))
    for i in range(np.uint64(around.count[0])):
        p = np.uint64(around.changed[i])
        around.listed[p] = 0
        if board.color[p] == EMPTY:
            code = around.code[p]
            black += _set_weight(flow, p, 0, factors.square[square_index(code)])
            white += _set_weight(flow, p, 1, factors.square[square_index(swapped(code))])
    around.count[0] = 0
    flow.rows[0, _TOTAL] += black
    flow.rows[1, _TOTAL] += white


@inlined_kernel
def draw_move(board, flow, factors, last, color, generator):
    """A move for ``color`` after the opponent's ``last`` (PASS or NONE for none), drawn by weight; PASS if none has any."""
    side = np.uint64(color != BLACK)
    count = np.int64(0)
    if last != PASS and last != NONE:
        count = _weigh_answers(board, flow, factors, last, color, side)
        count = _weigh_urgent(board, flow, factors, last, color, side, count)
    ko = np.uint64(ko_point(board, color))
    if ko != 0:
        count = _boost(flow, side, ko, np.float32(0), count)
    move = _drawn(board, flow, side, count, generator)
    for i in range(count):
        flow.place[flow.close[i]] = 0
    return move


@inlined_kernel
def _boost(flow, side, p, factor, count):
    """Multiply the weight of a point near the last move. Returns how many there are."""
    place = flow.place[p]
    if place > 0:
        flow.boosted[place - 1] *= factor
        return count
    flow.close[count], flow.boosted[count] = p, flow.weight[side, p] * factor
    flow.place[p] = count + 1
    return count + 1


@inlined_kernel
def _weigh_answers(board, flow, factors, last, color, side):
    """Weigh the empty points of the diamond around the last move."""
    s = np.int64(board.info[STRIDE])
    around = flow.around
    diamond = diamond_around(around.state, around.code, np.uint64(last), np.uint64(s), color == BLACK)
    row = np.uint64(look_up(factors.known.diamonds, diamond) + 1)
    count = np.int64(0)
    for field in range(DIAMOND):
        if (diamond >> np.uint64(3 * field)) & np.uint64(7) == 0:
            p = np.uint64(last + step_to(field, s))
            flow.close[count], flow.boosted[count] = p, flow.weight[side, p] * factors.answer[row, field]
            count += 1
            flow.place[p] = count
    return count


@inlined_kernel
def _weigh_urgent(board, flow, factors, last, color, side, count):
    """Weigh the places of captured stones, and moves that save stones."""
    near = flow.near
    find_urgent(board, flow.around, last, color, factors.known, near)
    for i in range(near.count[0]):
        count = _boost(flow, side, np.uint64(near.point[i]), factors.near[near.feature[i]], count)
    return count


@inlined_kernel
def _drawn(board, flow, side, count, generator):
    """A point by weight: among the near ones, or among all others. PASS where there is none."""
    plain, boosted = 0.0, 0.0  # weights of the near points
    for i in range(count):
        plain += flow.weight[side, flow.close[i]]
        boosted += flow.boosted[i]
    total = flow.rows[side, _TOTAL]
    rest = max(total - plain, 0.0)
    if rest + boosted <= _TINY:
        return np.int64(PASS)
    wanted = uniform(generator) * (rest + boosted)
    if wanted < boosted:
        for i in range(count):
            wanted -= flow.boosted[i]
            if wanted < 0:
                return np.int64(flow.close[i])
    if rest < _RARE * total:
        return _drawn_slowly(board, flow, side, generator)
    while True:  # a near point is none of those asked for: draw again, at most 1 / _RARE times on average
        move = _drawn_from_all(board, flow, side, uniform(generator) * total)
        if move != PASS and flow.place[move] == 0:
            return move


@kernel
def _drawn_from_all(board, flow, side, wanted):
    """The point where the sum of weights by squares passes what is wanted."""
    s = np.uint64(board.info[STRIDE])
    rows, row, end = flow.rows, np.uint64(0), s - np.uint64(2)
    while row < end and wanted >= rows[side, row]:
        wanted -= rows[side, row]
        row += np.uint64(1)
    p = (row + np.uint64(1)) * s
    found = np.int64(PASS)
    for q in range(p + np.uint64(1), p + s):
        weight = flow.weight[side, q]
        if weight > 0:
            found = np.int64(q)
            wanted -= weight
            if wanted < 0:
                return found
    return found  # rounding: the last one of the row


@kernel
def _drawn_slowly(board, flow, side, generator):
    """A point by weight that is not near the last move; PASS if there is none."""
    total = 0.0
    for i in range(board.info[EMPTIES]):
        p = np.uint64(board.empties[i])
        if flow.place[p] == 0:
            total += flow.weight[side, p]
    wanted, found = uniform(generator) * total, np.int64(PASS)
    for i in range(board.info[EMPTIES]):
        p = np.uint64(board.empties[i])
        if flow.place[p] == 0 and flow.weight[side, p] > 0:
            found = np.int64(p)
            wanted -= flow.weight[side, p]
            if wanted < 0:
                return found
    return found


@kernel
def play_rollout(board, flow, factors, last, color, generator, most):
    """Begin here, and play on by the policy until both pass, or so many moves are played. Returns the number of moves."""
    begin_flow(board, flow, factors)
    return play_on(board, flow, factors, last, color, generator, most)


@kernel
def play_on(board, flow, factors, last, color, generator, most):
    """As `play_rollout`, where all points have been weighed."""
    passes = 0
    for moves in range(most):
        move = draw_move(board, flow, factors, last, color, generator)
        play_flow(board, flow, factors, move, color)
        passes = passes + 1 if move == PASS else 0
        if passes == 2:
            return moves + 1
        last, color = move, 3 - color
    return most


class Rollouts(NamedTuple):
    """A policy with the memory for rollouts on one size, and what they add up."""

    factors: Factors
    scratch: Board
    flow: Flow
    owned: np.ndarray  # int64[N * N]  by point: rollouts in which Black owned it less those in which White did


def new_rollouts(size: int, factors: Factors) -> Rollouts:
    """None has been played yet."""
    return Rollouts(factors, new_board(size), new_flow(size), np.zeros(size * size, np.int64))


@kernel
def play_rollouts(board, rollouts, last, color, generator, count):
    """Run ``count`` rollouts from ``board`` and add up who owns each point, as `playouts` of the board does.

    Returns (Black's area minus White's, moves), summed over the rollouts.
    """
    scratch, flow, factors = rollouts.scratch, rollouts.flow, rollouts.factors
    size = board.info[SIZE]
    total, moves = 0, 0
    for _ in range(count):
        copy_board(scratch, board)
        moves += play_rollout(scratch, flow, factors, last, color, generator, 3 * size * size)
        total += add_owners(scratch, rollouts.owned)
    return total, moves
