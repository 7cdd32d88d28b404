"""Self-play in lock step: its games against the rules, its searches against the engine's, its figures against each other."""

import dataclasses
import itertools

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.counting import count
from goengine.board.position import Position
from goengine.board.rules import Rules, from_sgf_text
from goengine.board.state import BLACK
from goengine.dataio.records import NO_RESULT, RESIGNATION, SCORE, UNKNOWN
from goengine.evaluators.base import EvaluatorBase, EvaluatorError
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.search.params import GUMBEL, Limits
from goengine.search.search import Search
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import CHEAP, FULL, OPENING
from selfplay import lockstep
from selfplay.lockstep import Lockstep
from selfplay.table import PLY
from tests.search.helpers import noisy

SMALL = SelfPlayParams(size=5, visits=6, considered=4, opening_plies=20.0, fork_share=0.3, rules=("tromp-taylor", "chinese"))
PUCT = SelfPlayParams(size=5, visits=12, method="puct", cheap_visits=4, full_share=0.5)


def play(settings, *, games=8, wanted=24, seed=3, evaluator=None, threads=1):
    """(at least so many finished games, all there are, the table they came from)."""
    table = Lockstep(evaluator or noisy(), settings, games=games, seed=seed, threads=threads)
    found = []
    while len(found) < wanted:
        found += table.step()
    table.close()
    return found, table


def replayed(game) -> Position:
    """The final position; every move is checked against the rules on the way."""
    record = game.record
    position = Position(record.size, from_sgf_text(record.rules).with_komi(record.komi))
    for color, index in record.moves:
        assert color == position.to_play
        point = coords.PASS if index == record.size**2 else int(coords.points(record.size)[index])
        assert not position.is_over()
        assert position.why_illegal(point) == ""
        position.play(point)
    return position


@pytest.mark.parametrize("settings", [SMALL, PUCT], ids=["gumbel", "puct"])
def test_games_are_legal_and_counted_rightly(settings):
    games, _ = play(settings)
    endings = set()
    for game in games:
        position, record = replayed(game), game.record
        endings.add((record.ending, position.is_over()))
        if record.ending == UNKNOWN:
            assert len(record.moves) == 75 and record.margin is None and record.outcome == NO_RESULT
            continue
        assert record.ending == SCORE
        if position.is_over():
            points = count(position.game.board, position.code)
            assert record.margin == points.black - points.white - record.komi
        assert record.margin == game.owners.sum() - record.komi
        assert record.outcome == np.sign(record.margin)
    assert (SCORE, True) in endings


@pytest.mark.parametrize("settings", [SMALL, PUCT], ids=["gumbel", "puct"])
def test_what_is_recorded_of_each_search(settings):
    games, _ = play(settings)
    kinds = set()
    for game in games:
        start, index, weight = game.policies
        assert len(game.kind) == len(game.record.moves) == len(start) - 1
        for ply, kind in enumerate(game.kind):
            kinds.add(int(kind))
            policy = weight[start[ply] : start[ply + 1]]
            if kind != FULL:
                assert len(policy) == 0 and game.surprise[ply] == 0
                assert np.isnan(game.value[ply]) == (kind == OPENING)
                continue
            assert policy.sum() == pytest.approx(1, abs=0.01) and (policy > 0).all()
            assert game.visits[ply] == settings.visits
            assert -1 <= game.value[ply] <= 1 and game.surprise[ply] >= 0
            places = index[start[ply] : start[ply + 1]]
            assert len(set(places.tolist())) == len(places)
    assert kinds == ({OPENING, FULL} if settings is SMALL else {OPENING, CHEAP, FULL})


def test_a_policy_of_very_many_small_shares_adds_up():
    """Shares that are too small to be recorded are many on a large board."""

    def script(planes, _):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.policy[:, planes.shape[-1] ** 2 // 2] = 9.3  # all others have 9e-5
        return answer

    table = Lockstep(Scripted(script), SelfPlayParams(size=19, visits=4, considered=2, opening_plies=0.0), games=1, seed=1)
    while table.table.state[0, PLY] < 2:
        table.step()
    start = table.table.record.start[0]
    first = table.table.record.weight[0, start[0] : start[1]].astype(float)
    assert 0 < len(first) < 100 and first.sum() == pytest.approx(1, abs=0.005)


def test_openings_have_their_mean_length():
    games, _ = play(SelfPlayParams(size=9, visits=2, opening_plies=4.0, fork_share=0.0, longest=0.25), games=64, wanted=600)
    lengths = [int(np.argmax(np.append(game.kind, FULL) == FULL)) for game in games]
    assert np.mean(lengths) == pytest.approx(4.0 * (9 / 19) ** 2, abs=0.2)


def test_the_same_seed_gives_the_same_games_whatever_the_threads():
    def facts(games):
        return sorted((game.seed, game.record.moves, game.record.komi, game.value.tobytes()) for game in games)

    one, _ = play(SelfPlayParams(size=5, visits=6, fork_share=0.0), games=6, wanted=6, seed=9)
    two, _ = play(SelfPlayParams(size=5, visits=6, fork_share=0.0), games=6, wanted=6, seed=9, threads=2)
    other, _ = play(SelfPlayParams(size=5, visits=6, fork_share=0.0), games=6, wanted=6, seed=10)
    assert facts(one) == facts(two) != facts(other)


class Late(EvaluatorBase):
    """`inner`, which sees a batch when its answer is taken, as a GPU may; it refuses to answer once it is closed."""

    def __init__(self, inner):
        self.inner, self.traits, self.under_way, self.most, self.closed = inner, inner.traits, 0, 0, False

    def submit(self, batch):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return _LateAnswer(self, batch, tuple(array.copy() for array in batch))

    def close(self):
        self.closed = True


class _LateAnswer:
    def __init__(self, late, batch, as_asked):
        self.late, self.batch, self.as_asked = late, batch, as_asked

    def ready(self):
        return True

    def result(self):
        assert not self.late.closed
        for now, then in zip(self.batch, self.as_asked, strict=True):
            assert np.array_equal(now, then)  # nobody writes into a batch that is under way
        self.late.under_way -= 1
        return self.late.inner.evaluate(self.batch)


@pytest.mark.parametrize("threads", [1, 2])
def test_games_do_not_depend_on_the_halves_they_play_in(threads):
    settings = dataclasses.replace(SMALL, fork_share=0.0)
    whole, _ = play(settings, games=7, wanted=30, seed=5, threads=threads)
    late = Late(noisy())
    table = Lockstep(late, settings, games=7, seed=5, threads=threads, halves=2)
    halved = []
    while len(halved) < 30:
        halved += table.step()
    assert late.most == 2
    by_seed = {game.seed: game for game in whole}
    both = [game for game in halved if game.seed in by_seed]
    assert len(both) >= 15  # the last ones to begin may not have ended in both
    for game in both:
        other = by_seed[game.seed]
        assert game.record.moves == other.record.moves and game.record.margin == other.record.margin
        assert all(np.array_equal(*pair) for pair in zip(game.policies, other.policies, strict=True))
    table.close()


def test_a_net_that_goes_has_answered_before():
    old, new = Late(noisy()), Late(noisy(9))
    table = Lockstep(old, SMALL, games=6, seed=1, halves=2)
    for _ in range(5):
        table.step()
    assert old.under_way == 2
    table.change_net(new, SMALL)
    assert old.under_way == 0
    old.close()
    for _ in range(40):
        table.step()
    assert new.most == 2
    table.close()


@pytest.mark.parametrize(("device", "halves"), [("cpu int8", 1), ("torch-cpu f32", 1), ("cuda bf16", 2), ("cuda:1 f32", 2)])
def test_games_play_in_halves_on_a_gpu(device, halves):
    net = Late(noisy())
    net.traits = dataclasses.replace(net.traits, device=device)
    table = Lockstep(net, SMALL, games=6, seed=1)
    for _ in range(6):
        table.step()
    assert net.most == halves
    table.close()


@pytest.mark.parametrize(("komi", "visits"), [(-2.5, 20), (6.5, 32), (0.5, 2)])
def test_without_noise_it_plays_as_the_engines_search(monkeypatch, komi, visits):
    monkeypatch.setattr(lockstep, "SymmetricByKey", lambda inner: inner)
    settings = SelfPlayParams(
        size=5, visits=visits, cheap_visits=visits, full_share=0.0, considered=16, temperature_plies=0, opening_plies=0.0,
        fork_share=0.0, komi=komi, komi_stdev=0.0,
    )  # fmt: skip
    game = play(settings, games=1, wanted=1)[0][0]
    params = GUMBEL.with_(gumbel_actions=16, gumbel_scale=0.0, ownership=False)
    position = Position(5, Rules.preset("tromp-taylor").with_komi(komi))
    for ply, (_, index) in enumerate(game.record.moves):
        engine = Search(noisy(), params, 1)
        engine.set_position(position)
        result = engine.run(Limits(visits=visits))
        point = coords.PASS if index == 25 else int(coords.points(5)[index])
        assert result.chosen == point
        assert result.value == pytest.approx(game.value[ply], abs=1e-5)
        position.play(point)


def stones_win() -> Scripted:
    """Whoever has more stones on the board has won."""

    def script(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        stones = planes[:, 1].sum((1, 2)) - planes[:, 2].sum((1, 2))
        answer.value[:] = np.sign(stones) * 0.99
        return answer

    return Scripted(script)


def test_the_value_is_the_players_own():
    """A net that likes stones of its own: who has more on the board must be recorded as winning, Black or White."""
    games, _ = play(
        SelfPlayParams(size=5, visits=2, considered=1, opening_plies=0.0, fork_share=0.0), evaluator=stones_win(), wanted=8
    )
    agreed, seen = 0, 0
    for game in games:
        position = Position(5, Rules.preset("tromp-taylor"))
        for ply, (color, index) in enumerate(game.record.moves):
            stones = position.game.board.color
            lead = int((stones == color).sum()) - int((stones == 3 - color).sum())
            if abs(lead) >= 2:
                seen += 1
                agreed += np.sign(game.value[ply]) == np.sign(lead)
            position.play(coords.PASS if index == 25 else int(coords.points(5)[index]))
    assert seen > 40 and agreed > 0.9 * seen


def test_who_is_lost_gives_up_and_some_play_on():
    settings = SelfPlayParams(size=5, visits=4, resign=-0.5, resign_plies=3, play_out=0.5, opening_plies=0.0)
    games, table = play(settings, evaluator=stones_win(), wanted=60)
    given = [game for game in games if game.record.ending == RESIGNATION]
    assert given and all(not game.played_out and game.owners is None and game.record.margin is None for game in given)
    for game in given:
        assert game.record.outcome == (-1 if game.gave_up == BLACK else 1)
        values = [value if color == BLACK else -value for value, (color, _) in zip(game.value, game.record.moves, strict=True)]
        assert all(value < -0.5 if game.gave_up == BLACK else value > 0.5 for value in values[-3:])
    played_on = [game for game in games if game.played_out and game.gave_up]
    assert played_on and all(game.record.ending != RESIGNATION for game in played_on)
    assert table.stats.given_up == len(played_on)
    assert table.stats.falsely == sum(game.falsely_given_up for game in games)


def test_forks_begin_as_earlier_games():
    settings = SelfPlayParams(size=5, visits=4, fork_share=1.0, opening_plies=0.0)
    games, _ = play(settings, wanted=30)
    earlier, forks = [], 0
    for game in games:
        prefix = int(np.argmax(game.kind != OPENING)) if (game.kind != OPENING).any() else len(game.kind)
        moves = game.record.moves
        forks += any(prefix > 2 and moves[: prefix - 1] == other[: prefix - 1] for other in earlier)
        earlier.append(moves)
    assert forks > 10


def test_komi_is_drawn_around_its_mean():
    games, _ = play(SelfPlayParams(size=5, visits=2, komi=3.0, komi_stdev=1.0, komi_wide=0.0), wanted=150)
    komi = np.array([game.record.komi for game in games])
    assert ((2 * komi) % 1 == 0).all()
    assert komi.mean() == pytest.approx(3.0, abs=0.35) and komi.std() == pytest.approx(1.0, abs=0.25)


def test_a_change_of_net_is_told_by_the_games_that_begin_with_it():
    table = Lockstep(Uniform(), SMALL, games=4, seed=1)
    names = list(itertools.chain.from_iterable([game.net for game in table.step()] for _ in range(40)))
    table.change_net(noisy(), SMALL)
    while len(names) < 40:
        names += [game.net for game in table.step()]
    assert names[0] == "uniform" and names[-1] == "noisy"
    with pytest.raises(ValueError, match="another shape"):
        table.change_net(noisy(), SelfPlayParams(size=5, visits=60, rules=SMALL.rules))
    with pytest.raises(ValueError, match="size"):
        table.change_net(noisy(), SelfPlayParams(size=9, rules=SMALL.rules))


def test_a_net_that_gives_no_numbers_is_named():
    def script(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.value[-1] = np.nan
        return answer

    with pytest.raises(EvaluatorError, match="not a number"):
        Lockstep(Scripted(script), SMALL, games=4, seed=1).step()
