"""What is learned from self-play: samples against slow references, the window, and when the next batch may be drawn."""

import dataclasses
import math

import numpy as np
import pytest

from goengine import features
from goengine.board import coords, symmetry
from goengine.board.position import Position
from goengine.board.rules import from_sgf_text
from goengine.dataio.records import BLACK, NO_RESULT, GamePack
from goengine.zero.shards import FULL, SearchedGame, ShardBuilder
from tests.zero.random_games import random_game, random_searches, random_shard
from training.data.sampling import Draw, game_of, symmetry_of
from training.data.stream import stream
from training.zero import replay_window
from training.zero.replay_window import HORIZON, Replay, ReplayConfig, fair_komi, join, load_part, window_rows
from training.zero.zero_sampling import RowSampler, SelfPlayRows, other_komi, row_of, weigh

SIZE = 5
CONFIG = ReplayConfig(shares={SIZE: 1.0}, window=40, first_rows=1, uses=1000.0, horizon_weight=0.5, seed=3)
PLAIN = Draw(seed=3, symmetries=0, shuffle=0, vary=0.0)
MIXED = Draw(seed=3, symmetries=1, shuffle=1, vary=0.0)
ZERO = features.get("zero")


@pytest.fixture
def folder(tmp_path):
    """Three shards of five games."""
    for number in range(3):
        random_shard(SIZE, range(5 * number, 5 * number + 5)).save(tmp_path / f"a-{number + 1:06d}.npz")
    return tmp_path


def listed(folder):
    return sorted(folder.glob("*.npz"))


def opened(folder, told=None, **settings):
    ticks = iter(range(10**6))  # every look at the clock takes a tenth of a second
    told = [] if told is None else told
    config = dataclasses.replace(CONFIG, **settings)
    return Replay(config, ZERO, lambda: listed(folder), told.append, lambda: next(ticks) / 10)


def kept(source, size=SIZE):
    """Paths of the shards that are learned from."""
    return [part.path for part in source.windows[size].parts]


def slow_horizon(record, value, ply):
    """What came after a ply, for the player to move there: a plain sum, move by move; None if nothing is known."""
    plies = max(HORIZON * record.size**2 / 81, 1.0)
    decay, total, weight = 1 - 1 / plies, 0.0, 0.0
    own = record.moves[ply][0]
    for ahead, later in enumerate(range(ply + 1, len(record.moves))):
        if not math.isnan(value[later]):
            share = (1 - decay) * decay**ahead
            total += share * (value[later] if record.moves[later][0] == own else -value[later])
            weight += share
    if record.outcome != NO_RESULT:
        share = decay ** (len(record.moves) - 1 - ply)
        total += share * (record.outcome if own == BLACK else -record.outcome)
        weight += share
    return total / weight if weight > 0 else None


def slow_position(record, ply):
    position = Position(record.size, from_sgf_text(record.rules).with_komi(record.komi))
    for color, index in record.moves[:ply]:
        position.play(coords.from_index(index, record.size), color)
    return position


def slow_rows(seeds):
    """(seed, ply) of every move with a full search, in order."""
    for seed in seeds:
        kind = random_searches(random_game(SIZE, seed), seed)[0]
        yield from ((seed, ply) for ply in np.flatnonzero(kind == FULL).tolist())


def check_sample(batch, b, seed, ply, s, share, shift=0.0):
    """Row b of a batch against the game played with Position and targets written out in Python; shift: of the komi."""
    record = random_game(SIZE, seed)
    _, value, _, _, _, (start, index, weight), owners = random_searches(record, seed)
    position, (color, _) = slow_position(record, ply), record.moves[ply]
    rules = position.rules.with_komi(position.rules.komi + shift)
    planes, values = ZERO.encode_one(position.game, rules.code(), SIZE)
    assert np.array_equal(batch.planes[b], symmetry.planes(planes, s)) and np.allclose(batch.globals[b], values)
    policy = np.zeros(SIZE**2 + 1)
    for entry in range(start[ply], start[ply + 1]):
        policy[symmetry.index(int(index[entry]), s, SIZE)] += weight[entry]
    assert np.allclose(batch.policy[b], policy, atol=1e-3) and batch.policy[b].sum() == pytest.approx(1, abs=1e-5)
    replied = ply + 1 < len(record.moves)
    assert batch.opponent[b] == (symmetry.index(record.moves[ply + 1][1], s, SIZE) if replied else -1)
    sign, ahead = (1 if color == BLACK else -1), slow_horizon(record, value, ply)
    if shift:
        won = record.outcome if record.margin is None else np.sign(record.margin - shift)
        assert batch.value[b] == sign * won and batch.value_weight[b] == 1
    elif record.outcome != NO_RESULT:
        assert batch.value[b] == pytest.approx((1 - share) * sign * record.outcome + share * ahead, abs=2e-3)
        assert batch.value_weight[b] == 1
    else:
        assert batch.value_weight[b] == (0 if ahead is None else share)
        assert ahead is None or batch.value[b] == pytest.approx(ahead, abs=2e-3)
    assert batch.score_weight[b] == (record.margin is not None)
    assert batch.score[b] == (0 if record.margin is None else sign * (record.margin - shift))
    assert batch.owner_weight[b] == (owners is not None)
    if owners is not None:
        assert np.array_equal(batch.owner[b], symmetry.planes(sign * owners.reshape(1, SIZE, SIZE), s)[0])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_samples_in_order_equal_slow_replay(folder, share):
    parts = [load_part(path, [SIZE]) for path in listed(folder)]
    sampler = RowSampler(*join(parts), ZERO, PLAIN, share)
    rows = list(slow_rows(range(15)))
    batch = sampler.batch(0, len(rows) + 1)
    assert len(rows) == len(sampler.rows.position) > 80
    for b, (seed, ply) in enumerate(rows):
        check_sample(batch, b, seed, ply, 0, share)
    check_sample(batch, len(rows), *rows[0], 0, share)


def test_drawn_samples_under_every_symmetry_equal_slow_replay(folder):
    sampler = RowSampler(*join([load_part(path, [SIZE]) for path in listed(folder)]), ZERO, MIXED, 0.5)
    rows, batch, seen = list(slow_rows(range(15))), sampler.batch(100, 120), set()
    for b in range(120):
        s = int(symmetry_of(MIXED, 100 + b))
        check_sample(batch, b, *rows[row_of(sampler.rows, MIXED, 100 + b)], s, 0.5)
        seen.add(s)
    assert seen == set(range(8))


def test_games_are_shown_under_another_komi(folder):
    draw = MIXED._replace(vary=0.5)
    sampler = RowSampler(*join([load_part(path, [SIZE]) for path in listed(folder)]), ZERO, draw, 0.5)
    rows, batch, shifts, resigned = list(slow_rows(range(15))), sampler.batch(100, 200), [], []
    for b in range(200):
        row = row_of(sampler.rows, draw, 100 + b)
        g = game_of(sampler.games.start, sampler.rows.position[row])
        shift = other_komi(sampler.games, g, draw, 100 + b)
        check_sample(batch, b, *rows[row], int(symmetry_of(draw, 100 + b)), 0.5, shift)
        record = random_game(SIZE, rows[row][0])
        if record.outcome == NO_RESULT:
            assert shift == 0
        elif record.margin is None:
            resigned.append(-shift * record.outcome)
        else:
            shifts.append(shift)
    far = np.array([shift for shift in resigned if shift])
    assert 0.3 < len(far) / len(resigned) < 0.7 and far.min() >= 1.5 * SIZE and far.max() <= 3 * SIZE
    moved = np.array([shift for shift in shifts if shift])
    assert 0.3 < len(moved) / len(shifts) < 0.7
    assert (moved % 0.5 == 0).all() and SIZE / 2 < moved.std() < 2 * SIZE and np.abs(moved).max() <= 3 * SIZE


def test_rows_are_drawn_by_their_weight():
    surprise = np.array([0, 0, 1, 3], np.float32)
    assert np.diff(weigh(surprise, 0.5), prepend=0) == pytest.approx([0.5, 0.5, 1, 2])
    assert weigh(np.zeros(3, np.float32), 0.5) == pytest.approx([1, 2, 3]) and weigh(surprise, 0.0)[-1] == 4
    none = np.zeros(0)
    rows = SelfPlayRows(np.arange(4), none, none, none, surprise, none, weigh(surprise, 0.5))
    found = np.bincount([row_of(rows, MIXED, number) for number in range(8000)], minlength=4) / 8000
    assert found == pytest.approx([0.125, 0.125, 0.25, 0.5], abs=0.02)


def test_window_law():
    """Values of the formula in the paper's appendix, worked out by hand."""
    assert window_rows(25_000, 25_000) == 25_000
    assert window_rows(400_000, 25_000) == pytest.approx(25_000 * (1 + 0.4 * (8 - 1) / 0.75))  # 16 ** 0.75 = 8
    assert window_rows(2_025_000, 25_000) == pytest.approx(25_000 * (1 + 0.4 * (27 - 1) / 0.75))  # 81 ** 0.75 = 27
    for made in (1, 1000, 10_000, 24_999):
        assert window_rows(made, 25_000) > made  # all of it, at first


def full_moves(seeds):
    return len(list(slow_rows(seeds)))


@pytest.mark.parametrize("window", [5, 10, 20, 40, 1000])
def test_the_window_is_of_the_newest_whole_shards(folder, window):
    for number in (4, 5):
        random_shard(SIZE, range(5 * number - 5, 5 * number)).save(folder / f"a-{number:06d}.npz")
    source = opened(folder, window=window)
    source.look()
    rows = [full_moves(range(5 * i, 5 * i + 5)) for i in range(5)]
    assert (source.shards, source.games, source.made) == (5, 25, sum(rows[:4]))
    assert source.windows[SIZE].held.path == listed(folder)[-1]
    wanted, first = window_rows(sum(rows[:4]), window), 3
    while first > 0 and sum(rows[first:4]) < wanted:
        first -= 1
    assert kept(source) == listed(folder)[first:4]
    assert source.source(0, 8)[0].rows.position.size == sum(rows[first:4])


def test_a_window_read_at_once_equals_one_that_grew(tmp_path):
    grown, batch = opened(tmp_path, window=10), None
    for number in range(6):
        random_shard(SIZE, range(3 * number, 3 * number + 3)).save(tmp_path / f"a-{number:06d}.npz")
        grown.look()
        sampler, first = grown.source(64, 32)
        batch = sampler.batch(first, 32)
    fresh = opened(tmp_path, window=10)
    sampler, first = fresh.source(64, 32)
    assert all(np.array_equal(a, b) for a, b in zip(sampler.batch(first, 32), batch, strict=True))
    assert kept(fresh) == kept(grown) != listed(tmp_path)[:-1]


def test_the_first_shard_is_learned_from_alone_and_the_newest_is_held_back(tmp_path):
    source = opened(tmp_path)
    assert source.source(0, 8) is None and source.newest() == {} and source.windows[SIZE].held is None
    random_shard(SIZE, range(5)).save(tmp_path / "a-000001.npz")
    source.look()
    assert source.source(0, 8) is not None and source.newest() == {}
    random_shard(SIZE, range(5, 10)).save(tmp_path / "a-000002.npz")
    source.look()
    shown = source.newest()[SIZE]
    assert source.source(0, 8)[0].games.size.size == 5 and len(shown.rows.position) == full_moves(range(5, 10))
    batch = shown.batch(0, 20)
    assert set(np.unique(batch.value[batch.value_weight > 0])) == {-1.0, 1.0}  # results, without the values of searches


def test_held_back_rows_are_measured_once_each(folder):
    source = opened(folder)
    source.source(0, 8)
    shown = source.newest()[SIZE]
    count = len(shown.rows.position)
    found = [row_of(shown.rows, shown.draw, number) for number in range(2 * count)]
    assert sorted(found[:count]) == sorted(found[count:]) == list(range(count)) and found[:count] != sorted(found[:count])


def test_no_more_draws_than_wanted(tmp_path):
    source = opened(tmp_path, first_rows=30, uses=2.0)
    assert source.source(0, 8) is None
    random_shard(SIZE, range(1)).save(tmp_path / "a-000001.npz")
    source.look()
    assert source.made < 30 and source.source(0, 8) is None
    random_shard(SIZE, range(1, 6)).save(tmp_path / "a-000002.npz")
    random_shard(SIZE, range(6, 7)).save(tmp_path / "a-000003.npz")
    source.look()
    made = full_moves(range(6))
    assert source.made == made >= 30
    last = 2 * made - 8
    assert source.source(last, 8) is not None and source.source(last + 1, 8) is None


def test_stream_says_where_it_must_wait(tmp_path):
    random_shard(SIZE, range(4)).save(tmp_path / "a-000001.npz")
    source = opened(tmp_path, uses=1.0)
    batches = stream(source, 8, 0)
    made = full_moves(range(4))
    drawn = [next(batches) for _ in range(made // 8 + 2)]
    assert all(batch is not None for batch in drawn[: made // 8]) and drawn[made // 8 :] == [None, None]
    for number in (2, 3):
        random_shard(SIZE, range(10 * number, 10 * number + 4)).save(tmp_path / f"a-{number:06d}.npz")
    later = [next(batches) for _ in range(12)]
    assert any(batch is not None for batch in later)
    batches.close()


def test_damaged_and_foreign_shards_are_named_and_left_out(folder):
    listed(folder)[0].write_bytes(listed(folder)[0].read_bytes()[:-100])
    random_shard(6, range(2)).save(folder / "b-000001.npz")
    GamePack.build([random_game(SIZE, 1)]).save(folder / "c-000001.npz")
    builder, record = ShardBuilder(SIZE, "x", {}), random_game(SIZE, 0)
    twice = dataclasses.replace(record, moves=tuple((color, 3) for color, _ in record.moves))
    builder.add(SearchedGame(twice, *random_searches(record, 0), seed=0))
    builder.shard().save(folder / "d-000001.npz")
    told = []
    source = opened(folder, told)
    for _ in range(3):
        source.look()
    assert source.shards == 2 and len(told) == 4 and all("the shard is left out" in text for text in told)
    for text, words in zip(
        told, ("a-000001.npz", "b-000001.npz: games of size 6", "c-000001.npz", "move at number 2"), strict=True
    ):
        assert words in text
    assert (folder / "a-000001.npz").exists()


def test_a_long_look_is_taken_in_parts(folder):
    """A learner that finds thousands of shards still hears its signals, and draws nothing before it has read all."""
    source = opened(folder)
    ticks = iter(range(100))
    source._clock = lambda: float(next(ticks))  # a second a shard
    assert source.source(0, 8) is None and source.shards == 1
    for _ in range(5):
        source.source(0, 8)
    assert source.shards == 3 and source.source(0, 8) is not None


def test_fair_komi(monkeypatch):
    def games(leads, komi):
        records = [
            dataclasses.replace(random_game(SIZE, 0), komi=komi, margin=lead - komi, outcome=int(np.sign(lead - komi)))
            for lead in leads
        ]
        return replay_window.packs.to_games(GamePack.build(records))

    monkeypatch.setattr(replay_window, "FAIR_GAMES", 4)
    assert fair_komi([]) is None and fair_komi([games([3, 5, 8], 7.0)]) is None
    assert fair_komi([games([3, 5, 81], 7.0), games([8.5], 0.5)]) == 7.0  # half way from 5 to 8.5 is 6.75
    uncounted = replay_window.packs.to_games(GamePack.build([random_game(SIZE, 1)] * 9))
    assert fair_komi([uncounted, games([3], 7.0)]) is None
    assert fair_komi([uncounted, games([-25, -25, -25, -24], 6.0)]) == -25


def test_refused(folder):
    part = load_part(listed(folder)[0], [SIZE])
    with pytest.raises(ValueError, match="rows"):
        RowSampler(part.games, part.rows._replace(position=part.rows.position[:0]), ZERO, PLAIN, 0.5)
