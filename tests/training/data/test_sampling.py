"""Samples against slow references: replay, symmetry, targets, and the order in which positions come."""

import dataclasses

import numpy as np
import pytest

from goengine import features
from goengine.board import coords, symmetry
from goengine.board.game_kernels import game_play
from goengine.board.kernels import play
from goengine.board.rules import from_sgf_text
from goengine.board.state import BLACK, TO_PLAY, new_game, start_game
from goengine.dataio.records import NO_RESULT, GamePack
from tests.training.conftest import random_record
from training.data import packs, sampling
from training.data.sampling import Draw
from training.data.stream import Sampler, new_targets, stream

PLAIN = Draw(seed=5, symmetries=0, shuffle=0, vary=0.0)
MIXED = Draw(seed=5, symmetries=1, shuffle=1, vary=0.0)


@pytest.fixture(scope="module")
def games(small_pack):
    return packs.to_games(small_pack)


def make(games, draw, side=None, name="zero"):
    return Sampler(games, features.get(name), draw, side)


def slow_game(record, ply):
    """The game after `ply` moves, played one move after the other."""
    game = new_game(record.size)
    for color, stones in ((1, record.black_setup), (2, record.white_setup)):
        for index in stones:
            play(game.board, coords.from_index(index, record.size), color)
    start_game(game, record.to_play)
    for color, index in record.moves[:ply]:
        game_play(game, coords.from_index(index, record.size), color)
    game.status[TO_PLAY] = record.moves[ply][0]
    return game


def place(pack, position):
    g = int(np.searchsorted(pack.offsets, position, "right")) - 1
    return g, position - int(pack.offsets[g])


def test_batches_in_order_equal_slow_replay(small_pack, games):
    count = int(small_pack.offsets[8])
    batch = make(games, PLAIN).batch(0, count)
    chosen = features.get("zero")
    for position in range(0, count, 3):
        g, ply = place(small_pack, position)
        record = small_pack.game(g)
        color, index = record.moves[ply]
        rules = from_sgf_text(record.rules)
        rules = rules.with_komi(record.komi + rules.handicap_bonus(record.handicap_stones()))
        planes, values = chosen.encode_one(slow_game(record, ply), rules.code(), record.size)
        assert np.array_equal(batch.planes[position], planes) and np.allclose(batch.globals[position], values)
        assert batch.policy[position] == index
        reply = record.moves[ply + 1][1] if ply + 1 < len(record.moves) else -1
        assert batch.opponent[position] == reply
        sign = 1 if color == BLACK else -1
        known = record.outcome != NO_RESULT
        assert batch.value_weight[position] == known and batch.value[position] == (sign * record.outcome if known else 0)
        counted = record.margin is not None
        assert batch.score_weight[position] == counted and batch.score[position] == (sign * record.margin if counted else 0)


def test_shuffled_passes_show_every_position_once(games):
    total = games.moves.size
    for start in (0, total):
        found = sorted(sampling.position_of(games, MIXED, number) for number in range(start, start + total))
        assert found == list(range(total))
    first = [sampling.position_of(games, MIXED, number) for number in range(50)]
    assert first != sorted(first) and first != [sampling.position_of(games, MIXED, total + number) for number in range(50)]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 1000])
def test_permutation(count):
    assert sorted(sampling.permuted(3, i, count) for i in range(count)) == list(range(count))


def test_a_sample_is_a_function_of_seed_and_number(games):
    sampler = make(games, MIXED._replace(vary=0.5))
    whole, parts = sampler.batch(0, 60), [sampler.batch(first, 20) for first in (40, 0, 20)]
    for name, array in whole._asdict().items():
        joined = np.concatenate([getattr(parts[i], name) for i in (1, 2, 0)])
        assert np.array_equal(array, joined), name
    other = make(games, MIXED._replace(seed=6)).batch(0, 60)
    assert not np.array_equal(other.policy, whole.policy)


def test_symmetry_moves_planes_and_targets_alike(games):
    """Undo each sample's symmetry with goengine.board.symmetry and compare with the sample shown straight."""
    owned = with_owners(games)
    turned, straight = make(owned, MIXED).batch(0, 200), make(owned, MIXED._replace(symmetries=0)).batch(0, 200)
    seen = set()
    for b in range(200):
        s = int(sampling.word(MIXED.seed, b, 20)) & 7
        seen.add(s)
        assert np.array_equal(symmetry.planes(straight.planes[b], s), turned.planes[b])
        assert np.array_equal(symmetry.planes(straight.owner[b], s), turned.owner[b])
        for name in ("policy", "opponent"):
            index = int(getattr(straight, name)[b])
            assert int(getattr(turned, name)[b]) == (symmetry.index(index, s, 7) if index >= 0 else -1)
        assert turned.value[b] == straight.value[b] and turned.score[b] == straight.score[b]
    assert seen == set(range(8))


def with_owners(games):
    """The games with owners that no symmetry leaves alone."""
    count = games.size.size
    owners = np.random.default_rng(0).integers(-1, 2, (count, 49)).astype(np.int8)
    return games._replace(owner_row=np.arange(count, dtype=np.int32), owners=owners)


def test_owners_are_for_the_player_to_move(games):
    owned = with_owners(games)
    batch = make(owned, PLAIN).batch(0, 30)
    for b in range(30):
        sign = 1 if games.colors[b] == BLACK else -1
        assert np.array_equal(batch.owner[b].ravel(), sign * owned.owners[0 if b < games.start[1] else 1])
    assert batch.owner_weight.all() and not make(games, PLAIN).batch(0, 5).owner_weight.any()


def test_smaller_boards_stand_in_the_corner(games):
    wide, tight = make(with_owners(games)._replace(owners=wide_owners(games)), PLAIN, side=9), make(games, PLAIN)
    a, b = wide.batch(0, 40), tight.batch(0, 40)
    assert np.array_equal(a.planes[:, :, :7, :7], b.planes) and not a.planes[:, :, 7:].any() and not a.planes[:, :, :, 7:].any()
    rows, columns = np.divmod(b.policy, 7)
    assert np.array_equal(a.policy, np.where(b.policy == 49, 81, rows * 9 + columns))


def wide_owners(games):
    return np.zeros((games.size.size, 81), np.int8)


def test_varied_rules_keep_result_and_komi_consistent(games):
    varied, plain = make(games, PLAIN._replace(vary=1.0)).batch(0, 400), make(games, PLAIN).batch(0, 400)
    assert np.array_equal(varied.planes[:, :6], plain.planes[:, :6]) and np.array_equal(varied.policy, plain.policy)
    counted = plain.score_weight > 0
    change = (varied.score - plain.score)[counted]
    assert np.abs(change).max() <= 9 and np.abs(change).std() > 1 and np.array_equal(change * 2, np.round(change * 2))
    assert np.array_equal(varied.value[counted], np.sign(varied.score[counted]))
    assert np.array_equal(varied.value[~counted], plain.value[~counted])
    scoring = varied.globals[:, 9]
    assert 0.3 < scoring.mean() < 0.7
    area = (
        counted & (scoring == 0) & (plain.globals[:, 9] == 0)
    )  # here global 5 is komi / 20 for the player to move, and nothing else
    assert area.sum() > 20
    assert np.allclose((varied.globals - plain.globals)[area, 5] * 20, (varied.score - plain.score)[area], atol=1e-4)


def relabelled(record, count=400):
    """By the komi shown: (share of the samples, value and score for Black), for samples of one game."""
    games, draw, found = packs.to_games(GamePack.build([record])), PLAIN._replace(vary=1.0), {}
    batch = make(games, draw).batch(0, count)
    for b in range(count):
        rules, change = sampling.varied_rules(games, 0, draw, b)
        assert rules.komi == record.komi - change
        sign = 1 if games.colors[b % games.moves.size] == BLACK else -1
        row = (sign * batch.value[b], sign * batch.score[b], batch.value_weight[b], batch.score_weight[b])
        assert found.setdefault(rules.komi, row) == row  # the komi alone decides
    return found


@pytest.mark.parametrize(
    "komi, margin, cases",
    [
        (6.5, 0.5, {5.5: 1, 6.5: 1, 7.0: 0, 7.5: -1, 0.5: 1}),  # a half point: under 7.5 White has won
        (6.5, -0.5, {6.5: -1, 6.0: 0, 5.5: 1, 7.5: -1}),
        (6.5, 4.5, {7.5: 1, 10.5: 1, 11.0: 0, 11.5: -1, 3.5: 1}),
        (0.5, 3.5, {0.5: 1, 3.5: 1, 4.0: 0, 4.5: -1, 7.5: -1, -2.5: 1}),  # a handicap game
        (0.0, -2.0, {0.0: -1, -1.5: -1, -2.0: 0, -2.5: 1, 0.5: -1}),
        (7.5, -40.0, {7.5: -1, 0.5: -1, 14.5: -1}),
    ],
)
def test_a_counted_game_under_another_komi(komi, margin, cases):
    """The board's difference stays, so the score moves with the komi and the result follows it."""
    outcome = int(np.sign(margin))
    record = dataclasses.replace(random_record(7, 3), komi=komi, margin=margin, outcome=outcome)
    found = relabelled(record, 3000)
    for shown, value in cases.items():
        assert found[shown] == (value, margin + komi - shown, 1, 1), shown
    assert min(found) >= komi - 9 and max(found) <= komi + 9


def test_a_resigned_game_keeps_its_winner_under_nearly_its_komi():
    record = dataclasses.replace(random_record(7, 1), komi=6.5)
    found = relabelled(record)
    assert sorted(found) == [5.5, 6.0, 6.5, 7.0, 7.5]
    assert set(found.values()) == {(record.outcome, 0, 1, 0)}


def test_a_game_without_result_teaches_none(small_pack):
    found = relabelled(small_pack.game(2))
    assert {row[2:] for row in found.values()} == {(0, 0)}


def test_few_positions_teach_the_result(games):
    """Three of each game in a pass, on average, and others in the next pass; the moves are always taught."""
    few, all_of_them = MIXED._replace(results=3.0), MIXED
    total = games.moves.size
    passes = [make(games, few).batch(first, total) for first in (0, total)]
    whole = make(games, all_of_them).batch(0, total)
    judged = int((games.result != sampling.NO_RESULT).sum())
    for batch in passes:
        assert 0.7 * 3 * judged < batch.value_weight.sum() < 1.3 * 3 * judged
    assert np.array_equal(passes[0].policy, whole.policy) and (passes[0].value_weight <= whole.value_weight).all()
    counted = whole.score_weight > 0
    assert np.array_equal(passes[0].score_weight[counted], passes[0].value_weight[counted])
    taught = [
        {int(sampling.position_of(games, few, first + b)) for b in np.flatnonzero(batch.value_weight)}
        for first, batch in zip((0, total), passes, strict=True)
    ]
    assert len(taught[0] & taught[1]) < 0.5 * len(taught[0])


@pytest.mark.parametrize("name", ["agz17", "lee49"])
def test_other_feature_sets_are_served_too(games, name):
    batch, chosen = make(games, PLAIN, name=name).batch(0, 10), features.get(name)
    assert batch.planes.shape[1] == chosen.planes and batch.planes[:, 0].all()
    assert batch.globals.shape == (10, chosen.globals)


def test_stream_gives_the_same_batches_with_any_number_of_threads(games):
    sampler = make(games, MIXED)
    expected = [sampler.batch(first, 16) for first in range(32, 32 + 16 * 12, 16)]
    for threads in (1, 3):
        source = stream(sampler, 16, 32, threads=threads)
        for want in expected:
            got = next(source)
            assert all(np.array_equal(a, b) for a, b in zip(want, got, strict=True))
        source.close()


def test_stream_does_not_overwrite_a_lent_batch(games):
    source = stream(make(games, MIXED), 8, 0, threads=2)
    for _ in range(10):
        batch = next(source)
        copy = [array.copy() for array in batch]
        assert all(np.array_equal(a, b) for a, b in zip(batch, copy, strict=True))
    source.close()


def test_refused(games, small_pack):
    with pytest.raises(ValueError, match="no positions"):
        make(games._replace(moves=games.moves[:0]), PLAIN)
    sizes = games.size.copy()
    sizes[0] = 9
    with pytest.raises(ValueError, match="several board sizes"):
        make(games._replace(size=sizes), PLAIN)


def test_new_targets_shapes():
    out = new_targets(3, features.get("zero"), 9)
    assert out.planes.shape == (3, features.get("zero").planes, 9, 9) and out.owner.dtype == np.int8
