"""Many positions at once: what is found, in which order, and what happens when something goes wrong."""

import numpy as np
import pytest

from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.jobs import ANALYSIS, PositionJob, game_jobs
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.evaluators.base import NOT_CACHED, EvaluatorError
from goengine.evaluators.uniform import Uniform
from goengine.player.net_source import Given, NetSource
from goengine.player.opinion import Opinion
from goengine.search.params import Limits, Restriction
from goengine.search.search import Search


@pytest.fixture(scope="module")
def nets():
    source = NetSource(threads=1, by_key=True)
    yield source
    source.close()


def game(size=9, moves=12, seed=1):
    position, chance = Position(size), np.random.default_rng(seed)
    for _ in range(moves):
        position.play(int(chance.choice(position.legal_moves()[:-1])))
    return position


def found(result):
    return [(move.point, move.visits, round(move.value, 5)) for move in result.moves]


def test_every_turn_once_with_exactly_its_visits(nets):
    analysis = BatchAnalysis(nets)
    results = {job.turn: result for job, result in analysis.run(game_jobs(game(), visits=40))}
    assert sorted(results) == list(range(13)) and {result.visits for result in results.values()} == {40}
    assert all(result.to_play == (BLACK if turn % 2 == 0 else WHITE) for turn, result in results.items())


@pytest.mark.parametrize("reuse", [True, False])
def test_the_tree_of_the_turn_before_is_gone_on_with(nets, reuse):
    position, opinion = Position(9), Opinion(nets, 10)
    for _ in range(6):
        position.play(coords.from_index(int(np.nanargmax(opinion.policy(position, position.to_play))), 9))
    analysis = BatchAnalysis(nets, most_trees=1, reuse=reuse)
    results = [(job.turn, result) for job, result in analysis.run(game_jobs(position, visits=40))]
    assert [turn for turn, _ in results] == list(range(7)) and all(result.visits == 40 for _, result in results)
    assert (sum(result.playouts for _, result in results) < 250) == reuse


def test_a_tree_that_knows_more_than_is_wanted_begins_anew(nets):
    jobs = game_jobs(game(), turns=range(6), visits=60)
    for job in jobs[1:]:
        job.visits = 3
    results = dict(BatchAnalysis(nets, most_trees=1).run(jobs))
    assert [results[job].visits for job in jobs] == [60, 3, 3, 3, 3, 3]


def test_found_is_what_one_search_alone_finds(nets):
    """The same leaves at a time, the same views: then the company in the batches changes nothing."""
    position = game(moves=10)
    analysis = BatchAnalysis(nets, reuse=False)
    jobs = game_jobs(position, visits=48)
    together = {job.turn: found(result) for job, result in analysis.run(jobs)}
    for turn in (0, 5, 10):
        alone = dict(BatchAnalysis(nets).run(game_jobs(position, turns=[turn], visits=48)))
        assert together[turn] == found(next(iter(alone.values())))
    search = Search(nets.get(9), ANALYSIS, seed=1)
    search.set_position(position)
    assert [row[:2] for row in found(search.run(Limits(visits=48)))] == [row[:2] for row in together[10]]


def test_boards_of_several_sizes_and_nets(nets):
    jobs = [PositionJob(position=game(size, 4), visits=12) for size in (9, 5, 13, 9, 7)]
    assert [result.visits for _, result in BatchAnalysis(nets).run(jobs)] == [12] * 5


def test_a_finished_game_is_still_answered(nets):
    position = game(moves=6)
    position.play(coords.PASS)
    position.play(coords.PASS)
    [(_, result)] = BatchAnalysis(nets).run([PositionJob(position=position, visits=20)])
    assert result.visits == 20 and position.is_over()


def test_urgent_ones_first():
    analysis = BatchAnalysis(Given(Uniform()), most_trees=2)
    jobs = [PositionJob(position=game(5, 3), visits=60, priority=p) for p in (0, 0, 0, 0, 9)]
    order = [job.priority for job, _ in analysis.run(jobs)]
    assert order[0] == 9


def test_more_urgent_than_all_in_work_waits_for_none():
    """Two long searches have both trees; a third one of higher priority begins at once."""
    analysis = BatchAnalysis(Given(Uniform()), most_trees=2)
    for _ in range(2):
        analysis.add(PositionJob(position=game(5, 3), visits=10**6))
    for _ in range(6):
        analysis.step()
    urgent = PositionJob(position=game(5, 3), visits=30, priority=1)
    analysis.add(urgent)
    news = [one for _ in range(200) for one in analysis.step()]
    assert [one.job for one in news if one.final] == [urgent]
    analysis.close()
    assert not analysis.busy


def test_cancelled_ones_end_with_what_is_there(nets):
    analysis = BatchAnalysis(nets, most_trees=2)
    jobs = [PositionJob(position=game(9, 3), visits=10**6, label=name) for name in "abcd"]
    for job in jobs:
        analysis.add(job)
    for _ in range(20):
        assert analysis.step() == []
    analysis.cancel(lambda job: job.label in "bd")
    news = [one for _ in range(4) for one in analysis.step()]
    assert {one.job.label: one.result is not None for one in news if one.final} == {"b": True, "d": False}
    analysis.cancel()
    while analysis.busy:
        news += analysis.step()
    assert sorted(one.job.label for one in news if one.final) == list("abcd")


def test_reports_on_the_way(nets):
    job = PositionJob(position=game(9, 3), visits=400, report_every=1e-6, report_first=1e-6)
    analysis = BatchAnalysis(nets)
    analysis.add(job)
    news = []
    while analysis.busy:
        news += analysis.step()
    assert [one.final for one in news] == [False] * (len(news) - 1) + [True]
    visits = [one.result.visits for one in news]
    assert len(visits) > 5 and visits == sorted(visits) and visits[-1] == 400


def test_policy_is_the_nets_own_over_all_legal_moves(nets):
    for turns in ([12], range(13)):  # fresh, and on a tree that was gone on with
        analysis = BatchAnalysis(nets, most_trees=1)
        for job in game_jobs(game(), turns=turns, visits=30):
            analysis.add(job)
        while analysis.busy:
            for news in analysis.step():
                legal = news.position.legal_mask() == 1
                assert np.array_equal(~np.isnan(news.policy), legal)
                assert news.policy[legal].sum() == pytest.approx(1, abs=1e-3)


def test_restrictions(nets):
    position = Position(9)
    only = Restriction(color=BLACK, points=frozenset({coords.from_gtp("C3", 9)}), depth=1, allow=True)
    none = Restriction(color=BLACK, points=frozenset(), depth=1, allow=True)
    jobs = [PositionJob(position=position, visits=20, restrictions=(r,)) for r in (only, none)]
    results = dict(BatchAnalysis(nets).run(jobs))
    assert [coords.to_gtp(move.point, 9) for move in results[jobs[0]].moves] == ["C3"]
    assert results[jobs[1]].moves  # as in play: something is always answered


class Breaking(Uniform):
    """Fails on batches of a board size."""

    def submit(self, batch):
        if batch.size == 7:
            raise EvaluatorError("out of order")
        return super().submit(batch)


def test_a_failure_concerns_its_jobs_only():
    def broken():
        raise ValueError("no such game")

    analysis = BatchAnalysis(Given(Breaking()))
    jobs = [PositionJob(position=game(size, 2), visits=20) for size in (5, 7, 5)]
    jobs.append(PositionJob(position=broken, visits=20))
    for job in jobs:
        analysis.add(job)
    news = []
    while analysis.busy:
        news += analysis.step()
    ended = {jobs.index(one.job): one for one in news}
    assert len(news) == 4 and ended[0].result and ended[2].result
    assert "out of order" in ended[1].error and "no such game" in ended[3].error
    with pytest.raises(RuntimeError, match="no such game"):
        list(analysis.run(jobs[3:]))


class Unjudged(Uniform):
    """Answers searches; fails where a position is judged, whose rows no cache may keep. Notes what it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def evaluate(self, batch):
        self.asked.append("judge" if (batch.keys == NOT_CACHED).all() else "search")
        if self.asked[-1] == "judge":
            raise EvaluatorError("no judgement")
        return super().evaluate(batch)


def test_what_cannot_be_judged_ends_and_others_go_on():
    """Far from a usual komi the lead asks the net; near it, it does not. Reports on the way end the search, too."""
    far, near = Position(9, Rules(komi=300.5)), Position(9, Rules(komi=7.5))
    jobs = [PositionJob(position=far, visits=60, report_every=1e-6), PositionJob(position=far, visits=20)]
    jobs.append(PositionJob(position=near, visits=60))
    net = Unjudged()
    analysis = BatchAnalysis(Given(net))
    for job in jobs:
        analysis.add(job)
    news = []
    while analysis.busy:
        news += analysis.step()
    ended = {jobs.index(one.job): one for one in news if one.final}
    assert sorted(ended) == [0, 1, 2] and ended[2].result is not None and ended[2].result.visits == 60
    assert all("no judgement" in ended[i].error and ended[i].result is None for i in (0, 1))
    assert not analysis.busy


def test_a_position_is_judged_while_the_next_batch_is_under_way():
    """So an evaluator with threads of its own never waits for a judgement."""

    def asked(count):
        net = Unjudged()
        analysis = BatchAnalysis(Given(net), most_trees=1)
        for _ in range(count):
            analysis.add(PositionJob(position=Position(9, Rules(komi=300.5)), visits=8))
        while analysis.busy:
            analysis.step()
        return net.asked

    alone, two = asked(1), asked(2)
    assert alone[-1] == "judge" and two.index("judge") == len(alone)  # one batch of the second search before it


def test_memory_of_trees_is_bounded():
    analysis = BatchAnalysis(Given(Uniform()), megabytes=64, rows=8)
    jobs = [PositionJob(position=game(9, 2), visits=10**8) for _ in range(40)]
    for job in jobs:
        analysis.add(job)
    for _ in range(400):
        analysis.step()
    trees = [work.core.tree for work in analysis._in_work()]
    assert 1 <= len(trees) <= 4 and sum(array.nbytes for tree in trees for array in tree) <= 64 << 20
    assert analysis.waiting == 40 - len(trees)


def test_game_jobs_have_the_positions_of_the_game():
    """In whatever order they are built, captures and all."""
    position = game(5, 40)
    for turns in (range(41), reversed(range(41)), np.random.default_rng(1).permutation(41).tolist()):
        for job in game_jobs(position, turns=list(turns)):
            earlier, built = position.copy(), job.position()
            earlier.undo(40 - job.turn)
            assert built.to_diagram() == earlier.to_diagram() and built.moves == earlier.moves
            assert (built.to_play, built.ko) == (earlier.to_play, earlier.ko)


def test_game_jobs_name_turns_that_are_not_there():
    with pytest.raises(ValueError, match="0 to 3"):
        game_jobs(game(moves=3), turns=[4])
