"""Games as lines of tokens: heads, colours, whose turn it is, padding."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE
from goengine.ranks.inputs import UNKNOWN
from goengine.sequence.lines import HEAD, HEADS, PAD, as_lines, sentence_of


def position(*vertices: str) -> Position:
    found = Position(19)
    for vertex in vertices:
        found.play(coords.from_gtp(vertex, 19))
    return found


def test_a_line_says_who_played_what_and_whose_turn_it_is():
    lines = as_lines([sentence_of(position("Q16", "pass", "A19"), -4.0, None)], 60)
    assert lines.tokens.tolist() == [[HEAD, HEAD, 3 * 19 + 15, 361, 0]]
    assert lines.colors.tolist() == [[BLACK, WHITE, BLACK, WHITE, BLACK]]
    assert lines.turn.tolist() == [[BLACK, BLACK, WHITE, BLACK, WHITE]]
    assert lines.ranks[0, 0, UNKNOWN] == 0 and lines.ranks[0, 1, UNKNOWN] == 1 and lines.lengths.tolist() == [5]


def test_the_first_turn_of_a_handicap_game_is_whites():
    found = Position(19)
    found.place_handicap([coords.from_gtp(v, 19) for v in ("Q16", "D4")])
    lines = as_lines([sentence_of(found, 1.0, 5.0)], 60)
    assert lines.colors[0, 2:].tolist() == [BLACK, BLACK] and lines.turn[0, -1] == WHITE


def test_lines_are_padded_behind_and_cut_in_front():
    short, long = sentence_of(position("Q16"), None, None), sentence_of(position(*[f"{c}3" for c in "ABCDEFGH"]), None, None)
    lines = as_lines([short, long], 6)
    assert lines.tokens.shape == (2, 6) and lines.lengths.tolist() == [3, 6]
    assert (lines.tokens[0, 3:] == PAD).all() and (lines.colors[0, 3:] == 0).all() and (lines.turn[0, 3:] == 0).all()
    assert lines.tokens[1, HEADS:].tolist() == [16 * 19 + column for column in (4, 5, 6, 7)]


def test_an_empty_board_is_a_line_of_heads():
    lines = as_lines([sentence_of(Position(19), None, None)], 10)
    assert lines.tokens.tolist() == [[HEAD, HEAD]] and lines.turn.tolist() == [[BLACK, BLACK]]


def test_other_boards_are_refused():
    with pytest.raises(ValueError, match="19x19 alone"):
        sentence_of(Position(9), None, None)
    assert np.isnan(sentence_of(Position(19), None, 3.0).ranks[0])
