"""Searching a game: which positions, stopping, turns out of order, set-up in between; and what counts as a mistake."""

import threading

import pytest

from goengine.analysis.batch import BatchAnalysis
from goengine.board import coords
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.dataio.sgf import read_game
from goengine.player.net_source import NetSource
from goengine.review import words
from goengine.review.judgement import Candidate, Evaluation, Grade, MoveReview
from goengine.review.line import GameLine, rules_of
from goengine.review.reviewer import Reviewer, ReviewSettings
from goengine.review.statistics import PHASES, figures, of_game, phase, turning_points, worst


def line_of(text: bytes) -> GameLine:
    return GameLine(read_game(text), Rules())


def diagram(line: GameLine, index: int) -> str:
    return line.at(index).to_diagram().replace(" ", "").replace("\n", "/")


def test_set_up_stones_between_moves_are_in_the_position_before_the_next_move_only():
    line = line_of(b"(;SZ[3];B[aa];AW[cc]AE[aa];B[bb])")
    assert [diagram(line, i) for i in (*line.before, *line.after)] == [
        ".../.../...", ".../.../..O", "X../.../...", ".../.X./..O",
    ]  # fmt: skip
    boards = list(line.boards())
    assert len(boards) == 3 and boards[2][8] == WHITE and boards[2][0] == 0


def test_places_can_be_asked_for_in_any_order():
    moves = b"".join(b";%c[%c%c]" % (b"BW"[i % 2], 97 + i % 9, 97 + i // 9) for i in range(81) if i % 9 != 8)
    line = line_of(b"(;SZ[9]" + moves + b")")
    asked = [line.at(i).to_diagram() for i in (70, 3, 69, 0, 70, 4)]
    fresh = [line_of(b"(;SZ[9]" + moves + b")").at(i).to_diagram() for i in (70, 3, 69, 0, 70, 4)]
    assert asked == fresh and len(set(asked)) == 5


def test_a_side_that_moves_twice_is_to_play_before_both():
    line = line_of(b"(;SZ[5];B[aa];B[bb];W[cc])")
    assert [line.at(i).to_play for i in line.before] == [BLACK, BLACK, WHITE]
    assert [line.at(i).to_play for i in line.after] == [WHITE, WHITE, BLACK]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"(;SZ[5];B[aa];W[aa])", "move 2, W A5, is illegal (occupied)"),
        (b"(;SZ[5];B[zz])", "outside the 5x5 board"),
        (b"(;SZ[5];AB[ab][ba];W[aa])", "move 1, W A5, is illegal (suicide)"),
        (b"(;SZ[5];B[ba];W[ca];B[ab];W[bb];B[cc];W[aa];B[ba])", "(ko)"),
        (b"(;SZ[5];B[cc];AW[bb]AB[ab][ba][cb][bc];W[dd])", "set up after move 1 cannot stand"),
    ],
)
def test_the_line_ends_before_what_cannot_be(text, fault):
    line = line_of(text)
    assert fault in line.fault and len(line.before) < len(read_game(text).moves) + 1


def test_rules_of_a_record():
    assert rules_of(read_game(b"(;SZ[9]RU[Japanese]KM[0])"), None, None) == (Rules.parse("japanese").with_komi(0), "")
    rules, note = rules_of(read_game(b"(;SZ[9]RU[chess]HA[2]AB[cc][gg])"), None, None)
    assert rules.komi == 0.5 and "'chess' are unknown" in note
    assert rules_of(read_game(b"(;SZ[9]RU[Japanese]KM[6.5])"), "aga", 1.5)[0] == Rules.parse("aga").with_komi(1.5)


@pytest.fixture(scope="module")
def analysis():
    with BatchAnalysis(NetSource("uniform")) as found:
        yield found


def test_a_stop_keeps_what_was_found(analysis):
    stop = threading.Event()

    def report(done: int, total: int) -> None:
        if done >= 10:
            stop.set()

    moves = b"".join(b";%c[%c%c]" % (b"BW"[i % 2], 97 + i % 19, 97 + i // 19) for i in range(120))
    review = Reviewer(analysis, ReviewSettings(visits=30)).review(read_game(b"(;SZ[19]" + moves + b")"), stop, report)
    assert review.stopped and 0 < len(review.reviewed) < 120 and len(review.moves) == 120
    assert "stopped before the end" in words.extent(review)


def test_rounds_of_a_limited_time_end_at_the_wanted_visits(analysis):
    text = b"(;SZ[5];B[aa];W[bb];B[cc];W[dd])"
    calls = []
    review = Reviewer(analysis, ReviewSettings(visits=20, seconds=600)).review(
        read_game(text), None, lambda done, total: calls.append((done, total))
    )
    assert len(review.reviewed) == 4 and not review.stopped and review.visits == 20
    assert calls == [(done, 10) for done in range(1, 11)]  # two rounds: 16 visits, then 20


def test_only_wanted_moves_are_searched(analysis):
    text = b"(;SZ[5];B[aa];W[bb];B[cc];W[dd])"
    review = Reviewer(analysis, ReviewSettings(visits=4, first=2, last=3)).review(read_game(text))
    assert [move.number for move in review.reviewed] == [2, 3] and not review.stopped
    assert review.black(0) is None and review.black(1) is not None
    beyond = Reviewer(analysis, ReviewSettings(visits=4, first=9)).review(read_game(text))
    assert not beyond.reviewed and not beyond.stopped


# -- judgements --


def move(lost=0.0, chances=0.0, errors=(0.1, 0.001), best=4, played=5, number=1, color=BLACK) -> MoveReview:
    before = Evaluation(0.5, 1.0, errors[1], errors[0], 100)
    after = Evaluation(0.5 + chances, -1.0 + lost, errors[1], errors[0], 100)
    candidates = (Candidate(best, 0.5, 1.0, 80, 0.4, (best,)), Candidate(played, 0.5, 1.0 - lost, 20, 0.1, (played,)))
    return MoveReview(number=number, color=color, point=played, before=before, after=after, candidates=candidates)


@pytest.mark.parametrize(
    ("lost", "chances", "grade"),
    [(0, 0, Grade.FINE), (1.9, 0, Grade.FINE), (2.1, 0, Grade.DOUBTFUL), (0, 0.09, Grade.DOUBTFUL), (6, 0, Grade.BAD),
     (2.1, 0.2, Grade.BAD), (13, 0, Grade.BLUNDER), (0, 0.4, Grade.BLUNDER), (-20, -0.4, Grade.FINE)],
)  # fmt: skip
def test_grades(lost, chances, grade):
    assert move(lost, chances).grade == grade


def test_a_loss_below_the_noise_is_no_mistake():
    sure, unsure = move(3.0), move(3.0, errors=(9.0, 0.2))
    assert sure.mistake and sure.counted_points == pytest.approx(3.0)
    assert unsure.points_lost == pytest.approx(3.0)
    assert not unsure.mistake and unsure.counted_points == 0 and unsure.grade == Grade.FINE
    assert "as far as this search can tell" in words.judgement(unsure, 9)


def test_the_engine_s_own_choice_is_no_mistake_whatever_comes_of_it():
    chosen = move(15.0, 0.5, best=5, played=5)
    assert chosen.first_choice and not chosen.mistake and chosen.grade == Grade.FINE


def test_words():
    said = words.judgement(move(4.3, 0.12, best=coords.from_gtp("D4", 9)), 9)
    assert said == "B lost 4.3 points: D4 was better (win rate 38 % instead of 50 %)"
    assert words.judgement(move(1.0, 0.02, best=coords.PASS), 9).startswith("B lost 1 point: pass was better")


def test_figures_and_phases():
    moves = [move(5.0), move(0.0, best=5), move(0.0)]
    found = figures(moves)
    assert found.accuracy == pytest.approx((50 + 100 + 100) / 3) and found.mean_loss == pytest.approx(5 / 3)
    assert found.agreement == pytest.approx(1 / 3) and found.bad == 1
    assert figures([]).accuracy is None
    for size in (2, 9, 19, 25):
        assert [phase(n, size) for n in (round(0.05 * size**2), round(0.3 * size**2), size**2)] == list(PHASES)


def test_the_worst_moves_come_first():
    moves = [move(lost, number=i) for i, lost in enumerate((1.0, 9.0, 0.0, 3.0), 1)]
    assert [found.number for found in worst(moves)] == [2, 4, 1]
    assert len(worst([move(2.0)] * 30)) == 10


def test_an_empty_game_has_figures(analysis):
    review = Reviewer(analysis, ReviewSettings(visits=4)).review(read_game(b"(;SZ[5])"))
    assert review.black(0) is not None and not review.reviewed and not turning_points(review.reviewed)
    assert all(side.total.moves == 0 for side in of_game(review).values())
