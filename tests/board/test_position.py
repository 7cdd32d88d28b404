"""Position: play, undo, legality with its reasons, handicap, the end, counting."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import IllegalMove, Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, NONE, PASS, WHITE
from tests.board.naive import NaiveGame


def vertices(position: Position, text: str) -> list[int]:
    return [coords.from_gtp(word, position.size) for word in text.split()]


def play(position: Position, text: str) -> None:
    for point in vertices(position, text):
        position.play(point)


KO = """
. . . . .
. X O . .
X O . O .
. X O . .
. . . . .
"""


def test_a_game_begins_empty():
    position = Position(9)
    assert (position.to_play, position.last_move, position.is_empty, position.size) == (BLACK, NONE, True, 9)
    assert position.legal_mask().tolist() == [1] * 82
    assert len(position.legal_moves()) == 82
    assert position.legal_moves()[-1] == PASS


@pytest.mark.parametrize("size", [1, 26, 0, -3])
def test_sizes_refused(size):
    with pytest.raises(ValueError, match="size"):
        Position(size)


@pytest.mark.parametrize("size", [2, 3, 7, 25])
def test_sizes(size):
    position = Position(size)
    position.play(coords.point(0, 0, size))
    assert position.stones(BLACK) == [coords.point(0, 0, size)]
    assert position.to_diagram().split()[0] == "X"


def test_who_took_a_ko_may_fill_it():
    position, naive = Position.from_diagram(KO, Rules.preset("japanese")), NaiveGame(5, "simple")
    point = coords.from_gtp("B3", 5)
    naive.stones = {coords.row_column(p, 5): color for color in (BLACK, WHITE) for p in position.stones(color)}
    naive.past = [(naive.key(naive.stones), BLACK)]
    play(position, "C3")
    naive.play(BLACK, (2, 2))
    for color, legal in ((WHITE, False), (BLACK, True)):
        assert position.is_legal(point, color) == naive.is_legal(color, (2, 1)) == legal
        position.to_play = color
        assert position.legal_mask()[coords.to_index(point, 5)] == legal
        assert position.ko == (coords.PASS if legal else point)
    position.play(point, BLACK)
    assert position.color(point) == BLACK


def test_ko_and_reasons():
    position = Position.from_diagram(KO, Rules.preset("japanese"))
    play(position, "C3")
    assert position.captured(WHITE) == 1
    with pytest.raises(IllegalMove, match="B3: ko") as caught:
        play(position, "B3")
    assert caught.value.reason == "ko"
    assert position.why_illegal(coords.from_gtp("C3", 5)) == "occupied"
    assert position.why_illegal(10_000) == position.why_illegal(1) == "off board"
    play(position, "E5 E1 B3")
    assert position.color(coords.from_gtp("B3", 5)) == WHITE
    assert position.captured(BLACK) == 1


def test_superko_strict_and_tolerant():
    # White threatens nothing: pass, pass, retake would repeat the whole board under positional superko.
    position = Position.from_diagram(KO, Rules.preset("tromp-taylor"))
    play(position, "C3 pass pass")
    assert position.why_illegal(coords.from_gtp("B3", 5)) == "superko"
    position.play(coords.from_gtp("B3", 5), tolerant=True)
    simple = Position.from_diagram(KO, Rules.preset("chinese"))
    play(simple, "C3 pass pass B3")


def test_situational_superko_looks_at_the_side_to_play():
    position = Position.from_diagram(KO, Rules.preset("aga"))
    play(position, "C3 pass pass")
    # The board would be as at the beginning, with Black to play as at the beginning.
    assert position.why_illegal(coords.from_gtp("B3", 5)) == "superko"
    other = Position.from_diagram(KO, Rules.preset("aga"), to_play=WHITE)
    play(other, "pass C3 pass pass")
    # At first White was to play, then Black: both are known.
    assert other.why_illegal(coords.from_gtp("B3", 5)) == "superko"
    third = Position.from_diagram(KO, Rules.preset("aga"), to_play=WHITE)
    third.play(coords.from_gtp("C3", 5), BLACK)
    third.play(PASS)
    third.play(PASS)
    # Only White was to play in the first position; after retaking it is Black's turn.
    assert third.why_illegal(coords.from_gtp("B3", 5)) == ""


SUICIDE = """
. X . . .
X . X . .
. X O O O
. . O X .
. . O O .
"""


def test_suicide():
    position = Position.from_diagram(SUICIDE, Rules.preset("chinese"), to_play=WHITE)
    assert position.why_illegal(coords.from_gtp("B4", 5)) == "suicide"
    assert position.why_illegal(coords.from_gtp("A5", 5)) == "suicide"
    play(position, "pass E2 pass")
    assert position.why_illegal(coords.from_gtp("E1", 5)) == "suicide"
    position.rules = Rules.preset("new-zealand")
    assert position.why_illegal(coords.from_gtp("E1", 5)) == ""
    play(position, "E1")
    assert position.captured(BLACK) == 3
    assert position.why_illegal(coords.from_gtp("B4", 5), WHITE) == "suicide"  # one stone never


ROOM = """
. . O . .
. . O . .
O O O . .
. . . . .
. . . . .
"""


def test_suicide_that_repeats_the_board_breaks_superko():
    # Black fills the corner while White passes; the last stone, on a point never used before, would empty it again.
    position = Position.from_diagram(ROOM, Rules.preset("tromp-taylor"))
    play(position, "A5 pass B5 pass A4 pass")
    assert position.why_illegal(coords.from_gtp("B4", 5)) == "superko"
    play(position, "E1 D1")
    assert position.why_illegal(coords.from_gtp("B4", 5)) == ""


def test_illegal_play_changes_nothing():
    position = Position(5)
    play(position, "C3")
    before = (position.to_diagram(), position.to_play, list(position.moves), int(position.game.board.hash[0]))
    with pytest.raises(IllegalMove):
        play(position, "C3")
    assert before == (position.to_diagram(), position.to_play, list(position.moves), int(position.game.board.hash[0]))


def test_undo():
    position = Position.from_diagram(KO, Rules.preset("japanese"))
    start = position.copy()
    play(position, "C3")
    taken = position.copy()
    play(position, "pass pass B3")
    position.undo(3)
    assert same(position, taken)
    assert position.why_illegal(coords.from_gtp("B3", 5)) == "ko"
    position.undo()
    assert same(position, start)
    with pytest.raises(ValueError, match="cannot undo"):
        position.undo()


def test_undo_gives_the_turn_back():
    position = Position(9)
    position.play(coords.from_gtp("C3", 9), BLACK)
    position.play(coords.from_gtp("D3", 9), BLACK)
    position.undo()
    assert position.to_play == BLACK
    position.to_play = WHITE
    position.play(PASS)
    assert position.moves[-1] == (WHITE, PASS)


def same(a: Position, b: Position) -> bool:
    """Whether two positions agree in every array that means something."""
    count = int(a.game.status[2])
    return (
        a.moves == b.moves
        and np.array_equal(a.game.status, b.game.status)
        and np.array_equal(a.game.board.color, b.game.board.color)
        and np.array_equal(a.game.board.info, b.game.board.info)
        and np.array_equal(a.game.hashes[:count], b.game.hashes[:count])
        and np.array_equal(a.game.movers[:count], b.game.movers[:count])
        and np.array_equal(a.game.past, b.game.past)
        and np.array_equal(a.game.recent, b.game.recent)
        and np.array_equal(a.game.touched, b.game.touched)
    )


@pytest.mark.parametrize("name", ["chinese", "tromp-taylor", "aga"])
def test_undo_equals_replay_in_random_games(name):
    random = np.random.default_rng(5)
    position = Position(5, Rules.preset(name))
    for _ in range(150):
        position.play(int(random.choice(position.legal_moves())))
    back = position.copy()
    for length in (149, 100, 37, 0):
        back.undo(len(back.moves) - length)
        fresh = Position(5, Rules.preset(name))
        for color, point in position.moves[:length]:
            fresh.play(point, color)
        assert same(back, fresh)


def test_copy_is_independent():
    position = Position(9)
    play(position, "C3")
    twin = position.copy()
    play(twin, "D4")
    assert len(position.moves) == 1
    assert position.color(coords.from_gtp("D4", 9)) == 0
    assert twin.moves[1:] == [(WHITE, coords.from_gtp("D4", 9))]


def test_handicap():
    position = Position(19, Rules.preset("chinese"))
    position.place_handicap(vertices(position, "D4 Q16"))
    assert (position.to_play, position.handicap_stones(), position.is_empty) == (WHITE, 2, False)
    assert position.white_bonus() == 7.5 + 2
    with pytest.raises(ValueError, match="board not empty"):
        position.place_handicap(vertices(position, "D4 Q16"))
    with pytest.raises(ValueError, match="cannot undo"):
        position.undo()
    position.clear()
    assert (position.to_play, position.handicap_stones(), position.is_empty) == (BLACK, 0, True)
    with pytest.raises(ValueError):
        position.place_handicap(vertices(position, "D4 D4"))
    assert position.is_empty


def test_stones_that_nobody_calls_a_handicap_are_none():
    position = Position(19, Rules.preset("aga"))
    for point in vertices(position, "D4 Q16 D16"):
        position.play(point, BLACK)
    position.play(coords.from_gtp("Q4", 19))
    assert (position.handicap_stones(), position.white_bonus()) == (0, 7.5)
    position.set_up(vertices(position, "D4 Q16"), (), WHITE)
    assert (position.handicap_stones(), position.white_bonus()) == (0, 7.5)


def test_set_up_is_atomic():
    position = Position(5)
    play(position, "C3")
    for black, white in (("A1 A1", ""), ("A2 B1", "A1"), ("C3", "C3")):
        with pytest.raises(ValueError, match="can stand"):
            position.set_up(vertices(position, black), vertices(position, white), BLACK)
    assert len(position.moves) == 1
    with pytest.raises(ValueError, match="can stand"):
        position.set_up([3], [], BLACK)


def test_two_passes_end_the_game():
    position = Position(5)
    play(position, "C3 pass")
    assert not position.is_over()
    play(position, "pass")
    assert position.is_over()
    play(position, "D3")
    assert not position.is_over()


def test_the_pass_for_the_button_does_not_count():
    position = Position(5, Rules.preset("aga-button"))
    play(position, "pass pass")
    assert not position.is_over()
    assert position.score() == 7.0 - 0.5
    play(position, "pass")
    assert position.is_over()
    other = Position(5, Rules.preset("aga-button"))
    play(other, "A1 E5 C3 pass D3 pass")
    assert not other.is_over()
    play(other, "pass")
    assert other.is_over()
    assert other.score() == 7.0 + 0.5 + 1 - 3


@pytest.mark.parametrize("text", ["", ". X\n. .\n. .", ". #\n. .", "X O\nO X"])
def test_diagrams_refused(text):
    with pytest.raises(ValueError):
        Position.from_diagram(text)


def test_diagram_round_trip():
    assert Position.from_diagram(KO).to_diagram() == KO.strip()
