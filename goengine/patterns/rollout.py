"""The rollout policy: moves drawn by 3x3 squares and by what they have to do with the last move; whole games of them.

The weight of a move is the product of a factor for the square around it and of factors of its features of `nearby`. The first
is kept up for all points as stones come and go, with sums by row, so that a draw looks at one column of sums and one row.
Illegal moves and moves that fill an eye have weight 0. Silver et al., Nature 529 (2016), Methods, "rollout policy".
"""

from typing import NamedTuple

import numpy as np

from goengine.board.random import uniform
from goengine.board.state import BLACK, EMPTY, KO, PASS, SIZE, STRIDE
from goengine.coords import MAX_SIZE, padded
from goengine.jit import inlined_kernel, kernel
from goengine.patterns.nearby import Known, Nearby, find_nearby, new_nearby
from goengine.patterns.surroundings import (
    Surroundings,
    is_sensible,
    new_surroundings,
    play_around,
    survey,
    swapped,
)

CODES = 1 << 24
_TINY = 1e-12  # sums below are remains of rounding


class Factors(NamedTuple):
    """A policy ready to play: exp of its weights."""

    square: np.ndarray  # float32[CODES]   by 3x3 code, as the player to move sees it
    near: np.ndarray  # float32[features of `nearby`]
    known: Known


class Flow(NamedTuple):
    """A board's weights for both players, kept up move by move."""

    around: Surroundings
    near: Nearby
    weight: np.ndarray  # float32[2, P]   for Black, for White
    rows: np.ndarray  # float64[2, rows + 1]  sums by row, the total last
    touched: np.ndarray  # uint16[256]  points whose weight is another one for this move
    before: np.ndarray  # float32[256]  and what it is otherwise


def new_flow(size: int) -> Flow:
    """Room for a board of this size."""
    return Flow(
        new_surroundings(size),
        new_nearby(),
        np.zeros((2, padded(size)), np.float32),
        np.zeros((2, MAX_SIZE + 2)),
        np.zeros(256, np.uint16),
        np.zeros(256, np.float32),
    )


@inlined_kernel
def _weigh(flow, factors, p, row, side, code):
    """Set the weight of an empty point for one side, whose view the code is."""
    weight = factors.square[code] if is_sensible(code) else np.float32(0)
    _set_weight(flow, p, row, side, weight)


@inlined_kernel
def _set_weight(flow, p, row, side, weight):
    change = np.float64(weight) - np.float64(flow.weight[side, p])
    if change != 0:
        flow.weight[side, p] = weight
        flow.rows[side, row] += change
        flow.rows[side, MAX_SIZE + 1] += change


@kernel
def begin_flow(board, flow, factors):
    """Weigh all points of a board."""
    size = board.info[SIZE]
    survey(board, flow.around)
    flow.weight[:] = 0
    flow.rows[:] = 0
    for row in range(size):
        p = (row + 1) * (size + 1)
        for _ in range(size):
            p += 1
            if board.color[p] == EMPTY:
                code = flow.around.code[p]
                _weigh(flow, factors, p, row, 0, code)
                _weigh(flow, factors, p, row, 1, swapped(code))


@kernel
def play_flow(board, flow, factors, point, color):
    """Play a legal move and keep the weights up."""
    around = flow.around
    play_around(board, around, point, color)
    s = board.info[STRIDE]
    for i in range(around.count[0]):
        p = np.int64(around.changed[i])
        around.listed[p] = 0
        stone = board.color[p]
        if stone == EMPTY:
            code = around.code[p]
            row = p // s - 1
            _weigh(flow, factors, p, row, 0, code)
            _weigh(flow, factors, p, row, 1, swapped(code))
        elif flow.weight[0, p] != 0 or flow.weight[1, p] != 0:
            row = p // s - 1
            _set_weight(flow, p, row, 0, np.float32(0))
            _set_weight(flow, p, row, 1, np.float32(0))
    around.count[0] = 0


@kernel
def draw_move(board, flow, factors, last, color, generator):
    """A move for ``color`` after the opponent's ``last`` (PASS or NONE for none), drawn by weight; PASS if none has any."""
    side = np.int64(color != BLACK)
    s = board.info[STRIDE]
    find_nearby(board, flow.around, last, color, factors.known, flow.near)
    near, count = flow.near, 0
    for i in range(near.count[0]):
        p = np.int64(near.point[i])
        weight = flow.weight[side, p]
        if weight > 0:
            flow.touched[count], flow.before[count] = p, weight
            count += 1
            _set_weight(flow, p, p // s - 1, side, weight * factors.near[near.feature[i]])
    ko = board.info[KO]
    if ko != 0 and flow.weight[side, ko] > 0:
        flow.touched[count], flow.before[count] = ko, flow.weight[side, ko]
        count += 1
        _set_weight(flow, ko, ko // s - 1, side, np.float32(0))
    move = _drawn(flow, side, s, generator)
    for i in range(count - 1, -1, -1):  # backwards: a point may be listed more than once
        p = np.int64(flow.touched[i])
        _set_weight(flow, p, p // s - 1, side, flow.before[i])
    return move


@inlined_kernel
def _drawn(flow, side, s, generator):
    """A point by weight, PASS where there is none."""
    total = flow.rows[side, MAX_SIZE + 1]
    if total <= _TINY:
        return np.int64(PASS)
    wanted = uniform(generator) * total
    row = 0
    while row < s - 2 and wanted >= flow.rows[side, row]:
        wanted -= flow.rows[side, row]
        row += 1
    p = (row + 1) * s + 1
    found = np.int64(PASS)
    for q in range(p, p + s - 1):
        weight = flow.weight[side, q]
        if weight > 0:
            found = q
            wanted -= weight
            if wanted < 0:
                return found
    return found  # rounding: the last one of the row


@kernel
def play_rollout(board, flow, factors, last, color, generator, most):
    """Play on by the policy until both pass, or so many moves are played. Returns the number of moves."""
    begin_flow(board, flow, factors)
    passes = 0
    for moves in range(most):
        move = draw_move(board, flow, factors, last, color, generator)
        play_flow(board, flow, factors, move, color)
        passes = passes + 1 if move == PASS else 0
        if passes == 2:
            return moves + 1
        last, color = move, 3 - color
    return most
