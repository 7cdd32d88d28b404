"""The search against a slow one, and what must hold for every tree."""

import numpy as np
import pytest

from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE, new_game
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.search.params import GUMBEL, LEE, PLAY, ZERO, Limits, SearchParams
from goengine.search.search import Search
from goengine.search.tree import MOVE, NET_SCORE, NODES, PARENT, TERMINAL, VIRTUAL, bytes_used
from tests.search.helpers import PLAIN, RULES, check_tree, goals, names, noisy, position, search, symmetric
from tests.search.reference import Reference

VARIANTS = {
    "plain": {},
    "log": {"cpuct": 0.9, "cpuct_log": 0.8, "cpuct_base": 50.0},
    "fpu": {"fpu_relative": True, "fpu_reduction": 0.3, "root_fpu_reduction": 0.1},
    "loss": {"fpu_value": -1.0},
    "temperature": {"policy_temperature": 0.67, "cpuct": 3.0},
    "stdev": {"cpuct_stdev_scale": 0.85, "fpu_relative": True},
    "forced": {"forced_playouts": 2.0},
}
BATCHES = {"one": (1, 1), "batch": (8, 1), "double": (4, 2)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_tree_as_the_reference(variant):
    params = PLAIN.with_(**VARIANTS[variant])
    start = position(4, "B2 C3")
    slow = Reference(start, noisy(3), params).run(300)
    core, result = search(start, noisy(3), 300, params)
    expected = {move: child.visits for move, child in slow.children.items() if child.visits}
    assert {info.point: info.visits for info in result.moves} == expected
    for info in result.moves:
        assert info.utility == pytest.approx(-slow.children[info.point].mean, abs=1e-5)
        assert info.value == pytest.approx(info.utility)
    assert result.utility == pytest.approx(slow.mean, abs=1e-5)
    check_tree(core.core.tree)


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_win_in_one(color):
    start = position(5, "" if color == BLACK else "A1")
    for winning in ("C3", "E5"):
        _, result = search(start, goals(5, [[winning]]), 200)
        assert names([result.chosen], 5) == [winning]
        assert result.value > 0.5


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_win_in_two_needs_the_change_of_sign(color):
    """C3 threatens to complete two patterns and only one can be stopped; every other move lets the opponent take C3."""
    start = position(4, "" if color == BLACK else "A1")
    evaluator = goals(4, [["C3", "B2"], ["C3", "D4"]])
    _, result = search(start, evaluator, 4000, PLAIN.with_(leaves=8, cpuct=1.0))
    assert names([result.chosen], 4) == ["C3"]
    assert result.value > 0.3


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_a_threat_is_stopped(color):
    """The opponent has C3 and will win at B2 next: B2 must be taken."""
    start = position(5, "A1 C3" if color == BLACK else "C3")
    _, result = search(start, goals(5, [["C3", "B2"]]), 2000, PLAIN.with_(leaves=4))
    assert names([result.chosen], 5) == ["B2"]


def test_colours_are_alike():
    black = search(position(5, "B2 D4"), symmetric(), 400)[1]
    swapped = position(5, "pass B2 D4", Rules.preset("tromp-taylor").with_komi(-0.5))
    white = search(swapped, symmetric(), 400)[1]
    assert [(m.point, m.visits) for m in black.moves] == [(m.point, m.visits) for m in white.moves]
    assert black.value == white.value


@pytest.mark.parametrize("s", range(1, 8))
def test_mirrors_are_alike(s):
    """Equal moves may be tried in another order, so the sorted visits and the value are compared."""
    start = position(5, "B2 C4 D2")
    mirrored = Position(5, RULES)
    for color, point in start.moves:
        mirrored.play(symmetry.point(point, s, 5), color)
    one, other = search(start, symmetric(), 300)[1], search(mirrored, symmetric(), 300)[1]
    assert {symmetry.point(m.point, s, 5): m.visits for m in one.moves} == {m.point: m.visits for m in other.moves}
    assert other.value == pytest.approx(one.value, abs=0.02)


@pytest.mark.parametrize("params", [LEE, ZERO, GUMBEL, PLAY], ids=["lee", "zero", "gumbel", "play"])
@pytest.mark.parametrize("batches", BATCHES)
def test_every_preset_keeps_its_books(params, batches):
    leaves, parallel = BATCHES[batches]
    core, result = search(position(6, "C3 D4"), noisy(5, score=True), 600, params.with_(leaves=leaves, batches=parallel))
    check_tree(core.core.tree)
    assert core.core.in_flight == 0
    assert result.visits == 600
    assert sum(info.visits for info in result.moves if info.symmetry_of is None) == 599
    assert position(6, "C3 D4").is_legal(result.chosen)
    target = core.core.target()
    assert target.shape == (37,) and target.sum() == pytest.approx(1.0, abs=1e-5) and (target >= 0).all()


@pytest.mark.parametrize("params", [LEE, ZERO, GUMBEL, PLAY], ids=["lee", "zero", "gumbel", "play"])
def test_the_same_seed_gives_the_same_tree(params):
    params = params.with_(leaves=4, batches=2, rollout_weight=params.rollout_weight)
    trees = [search(position(5), noisy(5), 400, params, seed=9)[0].core.tree for _ in range(2)]
    for one, other in zip(*trees, strict=True):
        used = int(trees[0].used[NODES]) if len(one) == len(trees[0].state) else len(one)
        assert np.array_equal(one[:used], other[:used])


def test_another_seed_gives_another_tree():
    one, other = (search(position(5), noisy(5), 100, ZERO, seed=seed)[1] for seed in (1, 2))
    assert [(m.point, m.visits) for m in one.moves] != [(m.point, m.visits) for m in other.moves]


def test_the_subtree_keeps_its_statistics():
    engine, result = search(position(5, "C3"), noisy(2), 800, PLAIN.with_(leaves=4, ownership=True))
    info = result.moves[0]
    reply = info.pv[1]
    tree = engine.core.tree
    before = {m.point: m for m in result.moves}[info.point]
    game = position(5, "C3")
    game.play(info.point)
    assert engine.set_position(game)
    check_tree(tree)
    assert engine.visits == before.visits
    kept = engine.run(Limits(playouts=1, min_playouts=0))
    assert kept.value == pytest.approx(-before.value, abs=0.05)
    game.play(reply)
    visits = {m.point: m.visits for m in kept.moves}[reply]
    assert engine.set_position(game)
    assert engine.visits == visits
    check_tree(engine.core.tree)
    assert engine.run(Limits(visits=visits + 100)).visits == visits + 100
    check_tree(engine.core.tree)


def test_another_game_begins_a_new_tree():
    engine, result = search(position(5, "C3"), noisy(2), 100)
    game = position(5, "C3")
    game.play(result.chosen)
    assert engine.set_position(game)
    assert not engine.set_position(position(5, "C3"))  # undo
    assert engine.visits == 0
    engine.run(Limits(visits=50))
    for other in (position(5, "B2"), position(6, "C3"), position(5, "C3", RULES.with_komi(3.5))):
        assert not engine.set_position(other)
        assert engine.run(Limits(visits=20)).visits == 20


@pytest.mark.parametrize("batches", [1, 2])
def test_a_full_tree_is_recycled_and_learns(batches):
    """Within its limit it comes to the answer of a tree without one, by asking the net again and again."""
    params = PLAIN.with_(max_nodes=400, leaves=4, batches=batches)
    net = noisy(1)
    engine, result = search(position(4), net, 20_000, params)
    tree = engine.core.tree
    assert tree.used[NODES] <= 400 == len(tree.state) and result.visits == 20_000 and net.rows > 4 * 400
    check_tree(tree)
    _, free = search(position(4), noisy(1), 20_000, params.with_(max_nodes=100_000))
    assert result.value == pytest.approx(free.value, abs=0.1)
    by_point = {move.point: move.value for move in free.moves}
    assert by_point[result.chosen] > max(by_point.values()) - 0.1
    assert sum(move.visits for move in result.moves) == result.visits - 1
    game = position(4)
    game.play(result.chosen)
    assert engine.set_position(game)
    check_tree(engine.core.tree)


def test_a_tree_that_cannot_be_recycled_is_refined():
    engine, result = search(position(5), noisy(1), 300, PLAIN.with_(max_nodes=10, leaves=4))
    assert engine.core.full and result.visits == 300 and position(5).is_legal(result.chosen)
    check_tree(engine.core.tree)


def test_a_full_tree_with_rollouts_goes_on():
    params = LEE.with_(max_nodes=300, rollout_threads=1, expansion_threshold=2)
    engine, result = search(position(5), noisy(2), 5000, params)
    assert result.visits >= 5000 and engine.core.tree.used[NODES] <= 300


def test_memory_is_limited():
    params = PLAIN.with_(max_memory_mb=1, leaves=8)
    engine, result = search(position(19), Uniform(), 5000, params)
    assert bytes_used(engine.core.tree) <= (1 << 20) + 64
    assert result.visits >= 5000 and result.chosen >= 0


def test_superko_inside_the_tree():
    """A position where only superko forbids a move: no node of the tree repeats a position of its line or of the game."""
    game = Position.from_diagram(". X O . \n X O . O \n . X O . \n . . . .", RULES)
    engine, _ = search(game, Uniform(), 3000, PLAIN.with_(leaves=4))
    tree = engine.core.tree
    for node in range(1, int(tree.used[NODES]), 7):
        line = []
        while node:
            line.append(int(tree.links[node, MOVE]))
            node = int(tree.links[node, PARENT])
        replay = game.copy()
        for point in reversed(line):
            replay.play(point)  # raises if the move breaks superko


def test_two_passes_end_the_game():
    """White leads on the board by komi alone: Black must not answer a pass with a pass; with a negative komi it should."""
    for komi, wins in ((0.5, False), (-0.5, True)):
        game = position(3, "B2 pass", RULES.with_komi(komi + 9))
        _, result = search(game, Uniform(), 200)
        by_pass = next(info for info in result.moves if info.point == coords.PASS)
        assert (by_pass.value == 1.0) == wins


def test_territory_counts_stones_in_pass_alive_area_as_dead():
    diagram = """
    O . X . X .
    . X X X X X
    X X X X X X
    . . O . . .
    O O O O O O
    O O O O O O
    """
    game = Position.from_diagram(diagram, Rules.preset("japanese").with_komi(0.5), WHITE)
    game.play(coords.PASS)
    _, result = search(game, Uniform(), 100)
    by_pass = next(info for info in result.moves if info.point == coords.PASS)
    assert by_pass.score == 3 + 1 + 1 + 1 - 0.5 and by_pass.value == 1.0  # the corner, its prisoner, two eyes


def test_evaluator_failure_leaves_no_trace():
    calls = 0

    def script(planes, values):
        nonlocal calls
        calls += 1
        answer = flat_evaluation(len(planes), 5)
        if calls == 10:
            answer.value[:] = np.nan
        return answer

    engine = Search(Scripted(script), PLAIN.with_(leaves=4, batches=2))
    engine.set_position(position(5))
    with pytest.raises(ValueError, match="not a number"):
        engine.run(Limits(visits=500))
    assert not engine.core.tree.links[: engine.core.tree.used[NODES], VIRTUAL].any()
    assert engine.run(Limits(visits=500)).visits == 500
    check_tree(engine.core.tree)


@pytest.mark.parametrize("bad", [1, 10])
def test_an_evaluator_that_refuses_a_batch_leaves_no_trace(bad):
    calls = 0

    def script(planes, values):
        nonlocal calls
        calls += 1
        if calls == bad:
            raise EvaluatorError("no")
        return flat_evaluation(len(planes), 5)

    engine = Search(Scripted(script), PLAIN.with_(leaves=4, batches=2))
    engine.set_position(position(5))
    with pytest.raises(EvaluatorError):
        engine.run(Limits(visits=300))
    assert engine.core.in_flight == 0
    assert engine.run(Limits(visits=300)).visits == 300
    check_tree(engine.core.tree)


def test_a_whole_komi_does_not_cut_the_next_one():
    engine = Search(Uniform(), PLAIN)
    for komi, score in ((1, -1.0), (1.5, -1.5)):
        engine.core.set_game(new_game(2), RULES.code()._replace(komi=komi), [])
        engine.run(Limits(visits=300))
        tree, used = engine.core.tree, int(engine.core.tree.used[NODES])
        ends = tree.net[:used, NET_SCORE][tree.state[:used] == TERMINAL].tolist()
        assert ends and all((end - score).is_integer() for end in ends)


def test_a_game_of_another_capacity_begins_a_new_tree():
    core = Search(noisy(1), PLAIN).core
    assert not core.set_game(new_game(5, 64), RULES.code(), [])
    core.begin(10)
    leaves = core.new_leaves()
    core.select(leaves, 1, 1)
    core.update(leaves, noisy(1).evaluate(leaves.batch))
    assert core.set_game(new_game(5, 64), RULES.code(), [])
    assert not core.set_game(new_game(5, 128), RULES.code(), [])
    assert core.visits == 0 and core.root is None


@pytest.mark.parametrize("name", ["policy", "value", "score", "score_stdev"])
def test_answers_that_are_not_numbers_are_refused(name):
    def script(planes, values):
        answer = flat_evaluation(len(planes), 5)
        getattr(answer, name)[:] = np.nan
        return answer

    engine = Search(Scripted(script), PLAIN)
    engine.set_position(position(5))
    with pytest.raises(ValueError, match="not a number"):
        engine.run(Limits(visits=5))


def test_answers_of_another_shape_are_refused():
    engine = Search(Scripted(lambda planes, values: flat_evaluation(len(planes), 4)), PLAIN)
    engine.set_position(position(5))
    with pytest.raises(ValueError, match="do not answer"):
        engine.run(Limits(visits=5))


def test_params_that_make_no_sense_are_refused():
    for bad in (
        {"choice": "luck"},
        {"leaves": 0},
        {"policy_temperature": 0.0},
        {"rollout_weight": 2.0},
        {"choice": "gumbel"},
        {"cpuct_stdev_prior": 0},
    ):
        with pytest.raises(ValueError):
            SearchParams(**bad)
