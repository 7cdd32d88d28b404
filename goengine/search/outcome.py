"""What a finished game is worth inside the tree. Reads boards only.

A game is finished by two passes. Chains that were judged dead at the root, and stand unchanged, come off where players agree
about dead stones. All others are alive under area rules; under territory rules those inside the opponent's pass-alive area are
dead, too. Taxes are left to the real counting at the end of the game.
"""

import numpy as np

from goengine.board.rules import SCORING_TERRITORY
from goengine.board.scoring import ALIVE_TERRITORY, area_of, benson
from goengine.board.state import BLACK, CAPTURED_BLACK, CAPTURED_WHITE, EMPTY, PASSES, SIZE, WHITE
from goengine.core.jit import kernel


@kernel
def is_over(game, rules, passes):
    """Whether two passes in a row have ended the game, of ``passes`` in all; the one that takes a button does not count."""
    row = game.status[PASSES]
    if rules.button != 0 and row == passes:
        row -= 1
    return row >= 2


@kernel
def final_score(board, rules, scratch):
    """Black's points minus White's on a finished board, the rules' komi counted in."""
    prisoners = _take_dead(board, scratch)
    if rules.scoring == SCORING_TERRITORY:
        prisoners += _take_enclosed(board, scratch) + board.info[CAPTURED_WHITE] - board.info[CAPTURED_BLACK]
        return _territory(board, scratch) + prisoners - rules.komi
    return area_of(scratch.colors, board.info[SIZE], scratch.owner, scratch.stack) - rules.komi


@kernel
def _take_dead(board, scratch):
    """Write the colours without the unchanged chains that were judged dead. Returns White's stones among them less Black's."""
    colors = scratch.colors
    taken = 0
    for p in range(colors.size):
        colors[p] = board.color[p]
        color = board.color[p]
        if scratch.dead[p] != EMPTY and scratch.dead[p] == color and _is_dead(board, p, scratch.dead):
            colors[p] = EMPTY
            taken += 1 if color == WHITE else -1
    return taken


@kernel
def _is_dead(board, point, dead):
    """Whether all stones of a chain were judged dead."""
    p = np.uint64(point)
    while True:
        if dead[p] == EMPTY:
            return False
        p = np.uint64(board.next[p])
        if p == np.uint64(point):
            return True


@kernel
def _take_enclosed(board, scratch):
    """Take off the stones inside the other colour's pass-alive area. Returns White's stones among them less Black's."""
    taken = 0
    for color in (BLACK, WHITE):
        benson(board, color, scratch.alive, False, scratch.benson)
        for p in range(scratch.colors.size):
            if scratch.alive[p] == ALIVE_TERRITORY and scratch.colors[p] == 3 - color:
                scratch.colors[p] = EMPTY
                taken += 1 if color == BLACK else -1
    return taken


@kernel
def _territory(board, scratch):
    """Black's owned empty points less White's."""
    area_of(scratch.colors, board.info[SIZE], scratch.owner, scratch.stack)
    score = 0
    for p in range(scratch.colors.size):
        if scratch.colors[p] == EMPTY:
            score += scratch.owner[p]
    return score
