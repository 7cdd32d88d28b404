"""Rollouts that remember good replies: what the winner of a rollout answered is played again after the same moves.

The last-good-reply policy with forgetting: a reply is kept by the two moves before it, and by the last one alone; the winner's
replies of a rollout are stored, those of the loser that were stored are forgotten (Drake, ICGA Journal 32 (2009); Baier and
Drake, IEEE TCIAIG 2 (2010)). Silver et al. (2016) keep the best move of the tree by its surroundings instead. Knows no tree.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.playout import add_owners
from goengine.board.state import BLACK, KO, NONE, PASS, WHITE, copy_board
from goengine.core.jit import inlined_kernel, kernel
from goengine.patterns.rollout import begin_flow, draw_move, play_flow

_ALONE = np.uint64(0)  # in the place of the earlier move: no move has this point


class Replies(NamedTuple):
    """What is remembered of a player's replies, and the moves of the rollout under way."""

    answer: np.ndarray  # uint16[2, P, P]  by who replies, the move before the last (0: any) and the last; 0: nothing known
    moves: np.ndarray  # uint16[3 N N + 2]  the two moves before the rollout, 0 where there are none; then its own


def new_replies(size: int) -> Replies:
    """Nothing is remembered yet."""
    p = padded(size)
    return Replies(np.zeros((2, p, p), np.uint16), np.zeros(3 * size * size + 2, np.uint16))


@inlined_kernel
def recall(board, flow, replies, i, color):
    """The remembered reply to the moves before place i of `moves`, PASS where there is none that makes sense here."""
    side = np.uint64(color != BLACK)
    earlier, last = np.uint64(replies.moves[i - 2]), np.uint64(replies.moves[i - 1])
    if last != PASS:
        for known in (replies.answer[side, earlier, last], replies.answer[side, _ALONE, last]):
            p = np.uint64(known)
            if p != PASS and flow.weight[side, p] > 0 and np.int64(p) != board.info[KO]:
                return np.int64(p)
    return np.int64(PASS)


@kernel
def play_remembering(board, flow, factors, replies, color, generator):
    """As `play_rollout`, with what is remembered; the moves before it stand in `moves`. Returns the number of moves."""
    begin_flow(board, flow, factors)
    moves, passes = replies.moves, 0
    for i in range(2, moves.size):
        move = recall(board, flow, replies, i, color)
        if move == PASS:
            last = np.int64(moves[i - 1])
            move = draw_move(board, flow, factors, last, color, generator)
        play_flow(board, flow, factors, move, color)
        moves[i] = move
        passes = passes + 1 if move == PASS else 0
        if passes == 2:
            return i - 1
        color = 3 - color
    return moves.size - 2


@kernel
def learn_replies(replies, count, color, winner):
    """Store the winner's replies among the moves of a rollout, whose first one is of ``color``; forget the loser's."""
    for i in range(2, count + 2):
        side, move = np.uint64(color != BLACK), replies.moves[i]
        earlier, last = np.uint64(replies.moves[i - 2]), np.uint64(replies.moves[i - 1])
        if last != PASS and move != PASS:
            for before in (earlier, _ALONE):
                if color == winner:
                    replies.answer[side, before, last] = move
                elif replies.answer[side, before, last] == move:
                    replies.answer[side, before, last] = PASS
        color = 3 - color


@kernel
def play_rollouts_remembering(board, rollouts, replies, before, color, generator, count, komi):
    """As `play_rollouts`, and each rollout learns from those before it; ``before``: the two moves before, NONE for none.

    komi decides who has won; nothing is learned from a draw. Returns (Black's area minus White's, moves, Black's wins).
    """
    earlier, last = before
    scratch, flow, factors = rollouts.scratch, rollouts.flow, rollouts.factors
    replies.moves[0] = PASS if earlier == NONE else earlier
    replies.moves[1] = PASS if last == NONE else last
    total, played, won = 0, 0, 0
    for _ in range(count):
        copy_board(scratch, board)
        moves = play_remembering(scratch, flow, factors, replies, color, generator)
        area = add_owners(scratch, rollouts.owned)
        if area != komi:
            learn_replies(replies, moves, color, BLACK if area > komi else WHITE)
        total, played, won = total + area, played + moves, won + (area > komi)
    return total, played, won
