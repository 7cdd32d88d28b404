"""Remembered replies: stored for the winner, forgotten for the loser, played where they make sense."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.random import new_generator
from goengine.board.state import BLACK, NONE, PASS, WHITE, new_board
from goengine.patterns.replies import learn_replies, new_replies, play_rollouts_remembering, recall
from goengine.patterns.rollout import begin_flow, new_flow, new_rollouts, play_rollouts
from tests.patterns.helpers import board_of
from tests.patterns.test_policies import policy_of

A, B, C, D = (int(coords.point(row, row, 5)) for row in range(4))


def learned(moves, winner, replies=None):
    """What is remembered after a rollout of these moves, Black's first, after the moves A and B."""
    replies = new_replies(5) if replies is None else replies
    replies.moves[: len(moves) + 2] = [A, B, *moves]
    learn_replies(replies, len(moves), BLACK, winner)
    return replies


def known(replies) -> dict:
    return {tuple(place): int(replies.answer[tuple(place)]) for place in np.argwhere(replies.answer).tolist()}


def test_the_winner_s_replies_are_stored():
    assert known(learned([C, D], BLACK)) == {(0, A, B): C, (0, 0, B): C}
    assert known(learned([C, D], WHITE)) == {(1, B, C): D, (1, 0, C): D}
    assert known(learned([C, PASS, D], BLACK)) == {(0, A, B): C, (0, 0, B): C}  # no reply to a pass, and a pass is none


def test_the_loser_s_replies_are_forgotten():
    assert known(learned([C], WHITE, learned([C], BLACK))) == {}
    assert known(learned([D], WHITE, learned([C], BLACK))) == {(0, A, B): C, (0, 0, B): C}  # another one than was stored
    assert known(learned([D], BLACK, learned([C], BLACK))) == {(0, A, B): D, (0, 0, B): D}


@pytest.mark.parametrize(
    ("diagram", "stored", "expected"),
    [
        (". . . . .\n" * 5, {(0, A, B): C, (0, 0, B): D}, C),
        (". . . . .\n" * 5, {(0, 0, B): D}, D),
        (". . . . .\n" * 5, {(1, 0, B): D}, PASS),  # the other side's
        (". . . . .\n" * 2 + ". . O . .\n" + ". . . . .\n" * 2, {(0, A, B): C, (0, 0, B): D}, D),  # taken
        (". . O . .\n. . . . .\n. . . O .\n. . O . O\n. . . O .", {(0, A, B): D}, PASS),  # suicide
        ("X . . . .\nX . X . .\n. X . X .\n. . X . .\n. . . . .", {(0, A, B): C}, PASS),  # an own eye
    ],
)
def test_a_reply_is_recalled_where_it_makes_sense(mined, diagram, stored, expected):
    board, flow, replies = board_of(diagram), new_flow(5), new_replies(5)
    begin_flow(board, flow, policy_of(mined).factors())
    replies.moves[:2] = [A, B]
    for place, move in stored.items():
        replies.answer[place] = move
    assert recall(board, flow, replies, 2, BLACK) == expected


def test_without_anything_to_remember_it_is_the_plain_rollout(mined):
    factors, board = policy_of(mined).factors(), new_board(7)
    plain, remembering = new_rollouts(7, factors), new_rollouts(7, factors)
    first = play_rollouts(board, plain, NONE, BLACK, new_generator(1), 1)
    replies, generator = new_replies(7), new_generator(1)
    rest = (replies, (NONE, NONE), BLACK, generator)
    area, moves, won = play_rollouts_remembering(board, remembering, *rest, 1, 0.5)
    assert (area, moves) == first and (plain.owned == remembering.owned).all() and won == (area > 0.5)
    assert replies.answer.any()
    before = replies.answer.copy()
    play_rollouts_remembering(board, remembering, *rest, 20, 0.5)
    assert (before != replies.answer).any()
