"""The player: passing and capturing by counting, resigning, levels, what it never plays, and that failures change nothing."""

from itertools import pairwise

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, WHITE
from goengine.evaluators.base import Evaluation, Traits
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.player.endgame import Candidate, Finish, Resignation, may_play
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions, OptionError
from goengine.player.levels import draw, strength
from goengine.player.net_source import Given, NetSource
from goengine.player.opinion import Opinion
from goengine.search.params import Limits
from goengine.search.report import MoveInfo

# White's two stones at the right are dead; everything else is decided, Black is far ahead either way.
DEAD_INSIDE = """
. X . X O . O . .
X X X X O O O O O
. X . X O . . . .
X X X X O O O O O
X O . X X X X X X
X X X X . X . . .
. . . X X X . . X
. . . . . . . O .
. . . . . . . O .
"""
# No dead stones: two walls, and White needs only komi's half point.
SETTLED = """
. . . X O . . . .
. X . X O . O . .
. . X X O O . . .
. . . X O . . O .
. X . X O . . . .
. . . X O . O . .
. X X X O O . . .
. . . X O . . O .
. . . X O . . . .
"""


def judged(position, candidates, color=BLACK, pass_value=None, cleanup=False):
    """The point that `Finish` chooses, as a vertex."""
    size = position.size
    position.to_play = color
    moves = [Candidate(coords.from_gtp(vertex, size), value) for vertex, value in candidates]
    finish = Finish(position, color, moves, Opinion(Given(Uniform()), 400).territory(position), pass_value)
    return coords.to_gtp(finish.choose_cleanup() if cleanup else finish.choose(), size)


def all_moves(position):
    return [(coords.to_gtp(p, position.size), None) for p in position.legal_moves()]


def settled(text, rules="tromp-taylor", komi=7.5):
    return Position.from_diagram(text, Rules.preset(rules).with_komi(komi))


def test_dead_stones_are_captured_before_passing_where_the_board_counts_as_it_stands():
    position = settled(DEAD_INSIDE)
    assert judged(position, all_moves(position)) in ("C5", "H3", "G2", "J2", "G1", "J1")
    friendly = settled(DEAD_INSIDE, "chinese")
    assert judged(friendly, all_moves(friendly)) == "pass"


def test_cleanup_captures_under_every_rule_and_then_passes():
    for rules in ("chinese", "japanese"):
        position = settled(DEAD_INSIDE, rules)
        for _ in range(12):
            vertex = judged(position, all_moves(position), cleanup=True)
            position.play(coords.from_gtp(vertex, 9), BLACK)
            if vertex == "pass":
                break
            position.play(PASS, WHITE)
        assert vertex == "pass" and not Opinion(Given(Uniform()), 400).territory(position).dead


@pytest.mark.parametrize("komi, color, answer", [(-0.5, BLACK, "pass"), (9.5, BLACK, "pass"), (9.5, WHITE, "pass")])
def test_settled_board_is_passed_by_winner_and_loser(komi, color, answer):
    position = settled(SETTLED, komi=komi)
    assert judged(position, all_moves(position), color) == answer
    position.play(PASS, 3 - color)
    assert judged(position, all_moves(position), color) == answer


def test_an_early_pass_is_answered_by_counting():
    position = Position(9, Rules())
    position.play(coords.from_gtp("E5", 9), BLACK)
    position.play(PASS, WHITE)
    assert judged(position, [("pass", None), ("C3", None)], BLACK) == "pass", "Black owns the board and wins"
    position = Position(9, Rules())
    for vertex, color in (("E5", BLACK), ("C3", WHITE), ("pass", BLACK)):
        position.play(coords.from_gtp(vertex, 9), color)
    position.rules = position.rules.with_komi(-7.5)
    assert judged(position, [("pass", None), ("G7", None)], WHITE) == "G7", "the pass would lose"


def test_nobody_passes_first_on_an_open_board():
    position = Position(9, Rules())
    for vertex, color in (("E5", BLACK), ("C3", WHITE)):
        position.play(coords.from_gtp(vertex, 9), color)
    assert judged(position, [("pass", 0.9), ("G7", None)], BLACK) == "G7"


LATE = """
O O O O X X X
O . X X . O X
X . O X . . O
X O . X X X .
X O O O X X .
O O . O O O X
. X O O . X .
"""


def test_a_trusted_search_may_pass_rather_than_harm_itself_but_not_when_that_ends_a_lost_game():
    position = Position.from_diagram(LATE, Rules())
    moves = [("pass", 0.9), ("E1", -0.5)]
    assert judged(position, moves, BLACK, pass_value=lambda: 0.9) == "pass"
    moves = [("pass", 0.9), ("E5", -0.5)]
    position.play(PASS, BLACK)
    position.rules = position.rules.with_komi(-20.5)
    assert judged(position, moves, WHITE, pass_value=lambda: 0.9) == "E5"


def test_no_value_makes_the_engine_pass_on_an_open_board():
    position = Position(9, Rules())
    for vertex, color in (("E5", BLACK), ("C3", WHITE)):
        position.play(coords.from_gtp(vertex, 9), color)
    assert judged(position, [("pass", 0.9), ("G7", -0.5)], BLACK, pass_value=lambda: 0.9) == "G7"


@pytest.mark.parametrize("komi", [-81, 81, 45])
def test_values_under_a_strange_komi_decide_no_pass(komi):
    """The net here finds every move worse than a pass, at every komi."""

    def script(planes, values):
        answer = flat_evaluation(len(planes), 9)
        answer.value[:] = np.where(values[:, 0] > 0, -0.9, 0.9)  # whether the last move was a pass
        answer.policy[:, -1] = 3
        return answer

    rules, options = Rules.preset("chinese").with_komi(komi), EngineOptions(visits=20, resign=False)
    engine = Engine(Scripted(script), options, size=9, rules=rules, seed=1)
    assert PASS not in [engine.genmove(color).point for color in (BLACK, WHITE) * 4]


def test_a_trusted_net_may_see_something_to_play_on_a_board_that_seems_settled():
    position = settled(SETTLED)
    moves = [("C9", 0.5), ("A1", 0.2), ("pass", None)]
    assert judged(position, moves, pass_value=lambda: 0.45) == "pass"
    assert judged(position, moves, pass_value=lambda: -0.5) == "C9"
    assert judged(position, [*moves[:2], ("pass", 0.48)], pass_value=lambda: -0.5) == "pass"


def test_own_eyes_are_never_filled_and_repetition_is_never_played():
    eyes = settled("""
        . X . X .
        X X X X X
        . X . X .
        X X X X X
        . X . X .
        """)
    assert judged(eyes, all_moves(eyes)) == "pass"
    ko = Position.from_diagram(". X O . .\nX . X O .\n. X O . .\n. . . . .\n. . . . .", Rules.preset("japanese"), WHITE)
    ko.play(coords.from_gtp("B4", 5), WHITE)
    ko.play(coords.from_gtp("E1", 5), BLACK)
    ko.play(coords.from_gtp("E5", 5), WHITE)
    capture = coords.from_gtp("C4", 5)
    assert ko.is_legal(capture, BLACK) and may_play(ko, capture, BLACK)
    ko.undo(2)
    ko.play(PASS, BLACK)
    ko.play(PASS, WHITE)
    assert ko.is_legal(capture, BLACK), "simple ko is over after two passes"
    assert not may_play(ko, capture, BLACK), "but the position would be repeated"


def test_suicide_is_not_played_even_where_it_is_legal():
    position = Position.from_diagram(". X O\nX X O\nO O .", Rules())
    point = coords.from_gtp("A3", 3)
    assert position.is_legal(point, BLACK) and not may_play(position, point, BLACK)


def resignation(options, position, chances, lead=-20.0, color=BLACK):
    record = Resignation()
    return [record.decide(position, options, color, chance, lead) for chance in chances]


def test_resignation_takes_several_turns_a_late_move_and_a_lost_count():
    position = Position(9, Rules())
    for i in range(15):
        position.play(coords.point(i // 9, i % 9, 9), BLACK)
        position.play(coords.point(4 + i // 9, i % 9, 9), WHITE)
    options = EngineOptions()
    assert resignation(options, position, [0.01] * 4) == [False, False, True, True]
    assert resignation(options, position, [0.01, 0.01, 0.2, 0.01, 0.01]) == [False] * 5
    assert resignation(options, position, [0.01] * 4, lead=3.5) == [False] * 4
    assert resignation(EngineOptions(resign=False), position, [0.0] * 5) == [False] * 5
    assert resignation(options, Position(9, Rules()), [0.0] * 5) == [False] * 5
    position.handicap = 3
    assert resignation(options, position, [0.03] * 4, color=WHITE) == [False] * 4, "who gives handicap plays on"


def hopeless(planes, values):
    """Flat policy; the player to move always loses by twenty."""
    rows, _, size, _ = planes.shape
    ones = np.ones(rows, np.float32)
    black_to_move = values[:, 5] < 0  # komi for the player to move
    value = np.where(black_to_move, -0.99, 0.99)
    return Evaluation(np.zeros((rows, size * size + 1)), value, 20 * value, 10 * ones, np.zeros((rows, size * size)))


def test_engine_resigns_and_plays_nothing_then():
    loser = Scripted(hopeless, traits=Traits(name="hopeless", features="zero"))
    engine = Engine(loser, EngineOptions(visits=8, resign_min_move=4), size=5, rules=Rules(komi=24.5), seed=1)
    said = []
    for _ in range(12):
        decision = engine.genmove(BLACK)
        said.append(decision.resign)
        if decision.resign:
            break
        engine.play(WHITE, next(p for p in engine.position.legal_moves() if may_play(engine.position, p, WHITE)))
    assert said[-1] and said.count(True) == 1
    assert engine.position.moves[-1][0] == WHITE
    assert not engine.genmove(BLACK, cleanup=True).resign


def info(point, visits, value, prior):
    return MoveInfo(
        point=point,
        visits=visits,
        value=value,
        utility=value,
        score=0.0,
        score_stdev=1.0,
        prior=prior,
        lcb=value,
        order=0,
        pv=(point,),
        pv_visits=(visits,),
    )


def test_levels_go_down_smoothly():
    limits = [strength(level) for level in range(1, 20)]
    assert strength(20) is None
    for weaker, stronger in pairwise(limits):
        assert weaker.visits <= stronger.visits and weaker.temperature > stronger.temperature
        assert weaker.value_loss > stronger.value_loss
    moves = [
        info(20, 50, 0.5, 0.4),
        info(21, 30, 0.3, 0.3),
        info(22, 20, -0.6, 0.3),
        info(23, 0, 0.5, 0.01),
        info(24, 0, 0.5, 0.0),
    ]
    generator = np.random.default_rng(1)
    often = {level: [draw(moves, strength(level), False, generator).point for _ in range(300)] for level in (1, 10, 19)}
    assert 22 not in often[1], "a blunder that the search saw is not within any level's loss"
    assert 24 not in often[1], "nor is a move that the policy thinks impossible"
    assert often[1].count(23) > often[10].count(23) >= often[19].count(23) == 0, "what was not looked at is for the weak"
    assert often[1].count(20) < often[10].count(20) <= often[19].count(20) == 300


@pytest.mark.parametrize("level", [1, 8, 20])
def test_every_level_plays_a_whole_game_and_passes(level):
    engine = Engine(Uniform(), EngineOptions(visits=16, level=level), size=7, rules=Rules(komi=3.5), seed=level)
    color = BLACK
    while not engine.position.is_over():
        assert len(engine.position.moves) < 300
        decision = engine.genmove(color)
        assert engine.position.moves[-1] == (color, decision.point)
        color = 3 - color
    status = engine.final_status()
    stones = {p for _, p in engine.stones()}
    assert stones == {p for chain in (*status.alive, *status.seki, *status.dead) for p in chain}
    assert sum(len(chain) for chain in (*status.alive, *status.seki, *status.dead)) == len(stones)
    assert engine.score() == -engine.position.score(status.dead_points)
    answers = {PASS, *engine.position.legal_moves()}
    assert engine.genmove(color).point in answers, "after the end there still is an answer"


def test_options_as_text():
    options = EngineOptions().with_text("visits", "12").with_text("resign", "false").with_text("time", "2.5")
    assert (options.visits, options.resign, options.time) == (12, False, 2.5)
    assert [options.text(name) for name in ("visits", "resign", "time", "resign_min_move")] == ["12", "false", "2.5", "none"]
    for name, text in (("visits", "0"), ("visits", "x"), ("level", "none"), ("nothing", "1"), ("resign", "2"), ("time", "nan")):
        with pytest.raises(OptionError, match=name):
            options.with_text(name, text)


def test_failures_leave_the_game_as_it_was(tmp_path):
    engine = Engine(Uniform(), EngineOptions(visits=4), size=9, seed=1)
    engine.play(BLACK, coords.from_gtp("D4", 9))
    before = engine.position.to_diagram(), list(engine.position.moves)
    bad = tmp_path / "bad.sgf"
    bad.write_text("(;GM[1]SZ[9];B[dd];W[dd])")
    d4, e5 = coords.from_gtp("D4", 9), coords.from_gtp("E5", 9)
    for attempt in (
        lambda: engine.load_sgf(bad),
        lambda: engine.load_sgf(tmp_path / "none.sgf"),
        lambda: engine.play_all([(WHITE, e5), (BLACK, d4)]),
        lambda: engine.play(WHITE, d4),
        lambda: engine.undo(2),
        lambda: engine.set_komi(1e9),
        lambda: engine.new_game(size=30),
        lambda: engine.with_stones([(BLACK, e5), (WHITE, e5)]),
    ):
        with pytest.raises((ValueError, OSError)):
            attempt()
        assert (engine.position.to_diagram(), engine.position.moves) == before


def test_sgf_goes_out_and_in(tmp_path):
    engine = Engine(Uniform(), EngineOptions(visits=4), size=9, rules=Rules.preset("chinese").with_komi(5.5), seed=1)
    engine.place_handicap([coords.from_gtp(v, 9) for v in ("C3", "G7")])
    for color, vertex in ((WHITE, "E5"), (BLACK, "E4"), (WHITE, "pass")):
        engine.play(color, coords.from_gtp(vertex, 9))
    path = tmp_path / "a game with blanks.sgf"
    path.write_text(engine.to_sgf())
    other = Engine(Uniform(), size=19, seed=1)
    other.load_sgf(path)
    assert other.position.to_diagram() == engine.position.to_diagram() and other.position.moves == engine.position.moves
    assert other.rules == engine.rules and other.position.handicap == 2 and other.position.to_play == BLACK
    other.load_sgf(path, 2)
    assert len(other.position.moves) == 1 and other.position.to_play == BLACK
    other.load_sgf(path, 99)
    assert len(other.position.moves) == 3


def test_pondering_rests_after_its_time_and_is_off_before_a_move():
    engine = Engine(Uniform(), EngineOptions(visits=8, ponder=True, ponder_time=0.1), size=9, seed=1)
    asked = []
    engine.ponder(lambda: bool(asked.append(1)))
    assert not asked, "there is nothing to ponder about before a move"
    engine.genmove(BLACK)
    engine.ponder(lambda: bool(asked.append(1)))
    assert asked
    asked.clear()
    engine.ponder(lambda: bool(asked.append(1)))
    assert not asked, "once per move"


class TwoNets(NetSource):
    """One net up to 7x7, another one above; each says when it is asked for the first time."""

    def __init__(self, said):
        super().__init__()
        self.said = said

    def get(self, size):
        name = "small" if size <= 7 else "large"
        if name not in self._loaded:
            self.said.append(name)
            traits = Traits(name=name, features="zero")
            self._loaded[name] = Scripted(lambda planes, _: flat_evaluation(len(planes), planes.shape[-1]), traits=traits)
        return self._loaded[name]

    raw = get


def test_a_net_of_another_size_is_ready_before_the_first_move():
    said = []
    engine = Engine(TwoNets(said), EngineOptions(visits=8), size=9, seed=1)
    engine.new_game(5)
    assert not said, "an engine that was never warmed up loads when it must"
    engine.new_game(9)
    engine.warm_up()
    assert said == ["large"]
    engine.new_game(5)
    calls = engine.evaluator.calls
    assert said == ["large", "small"] and calls, "loaded, and has run"
    assert not engine.position.moves and engine.last_decision is None
    engine.new_game(9)
    engine.new_game(5)
    assert engine.evaluator.calls == calls, "once is enough"


def test_the_best_move_is_asked_for_without_chance():
    engine = Engine(Uniform(), EngineOptions(level=6), size=5, seed=3)

    def led(decision):
        return decision.point == next(move.point for move in decision.search.moves if move.point != PASS)

    assert all(led(engine.choose(BLACK)) for _ in range(10))
    drawn = set()
    for _ in range(10):
        drawn.add(led(engine.genmove(BLACK)))
        engine.undo()
    assert False in drawn, "a weak player draws its moves"


def test_a_level_borrows_no_visits_from_an_analysis_or_from_pondering():
    engine = Engine(Uniform(), EngineOptions(level=5, ponder=True), size=7, seed=1)
    engine.analyze(BLACK, Limits(visits=500))
    decision = engine.genmove(BLACK)
    assert decision.search.visits <= 3 * strength(5).visits
    asked = []
    engine.ponder(lambda: bool(asked.append(1)) or len(asked) > 100)
    assert not asked
