"""Games of several board sizes, and recorded games between them: what is drawn, how often, and when learning waits."""

import itertools
from collections import Counter

import numpy as np
import pytest

from goengine import features
from goengine.dataio.records import GamePack
from tests.training.conftest import random_record
from tests.training.zero.test_replay_window import CONFIG, kept, listed
from tests.training.zero.test_replay_window import opened as opened_with
from tests.zero.random_games import random_shard
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Mixture, deal, mixture, stream
from training.zero import replay_window
from training.zero.replay_window import window_rows

SHARES = {5: 0.75, 7: 0.25}
BATCH = 8


@pytest.fixture
def folder(tmp_path):
    """Three shards of five games on 5x5, and two of three on 7x7 between them."""
    for number, (size, seeds) in enumerate(
        [(5, range(5)), (7, range(3)), (5, range(5, 10)), (7, range(3, 6)), (5, range(10, 15))]
    ):
        random_shard(size, seeds).save(tmp_path / f"a-{number + 1:06d}.npz")
    return tmp_path


def opened(folder, **settings):
    return opened_with(folder, **{"shares": SHARES, **settings})


def recorded():
    """What draws from recorded games of both sizes."""
    made = GamePack.build(random_record(size, seed) for seed in range(6) for size in (5, 7))
    return mixture(packs.by_size(packs.to_games(made)), features.get("zero"), Draw(5, 1, 1, 0.5), {})


def rows(size, seeds):
    return random_shard(size, seeds).rows()


def test_each_size_has_a_window_of_its_own(folder):
    source = opened(folder)
    source.look()
    small, large = source.windows.values()
    assert (small.size, large.size) == (5, 7) and (source.shards, source.games) == (5, 21)
    assert kept(source, 5) == listed(folder)[0:3:2] and kept(source, 7) == listed(folder)[1:2]
    assert (small.held.path, large.held.path) == (listed(folder)[4], listed(folder)[3])
    assert (small.made, large.made) == (rows(5, range(10)), rows(7, range(3)))
    assert (source.made, source.rows) == (small.made + large.made, small.rows + large.rows)
    assert source.plies == {5: small.plies, 7: large.plies} and large.plies > small.plies
    assert {size: sampler.size for size, sampler in source.newest().items()} == {5: 5, 7: 7}


@pytest.mark.parametrize(
    "shares, window, first_rows, expected",
    [
        ({5: 1.0}, 40, 20, [(40, 20)]),
        ({5: 0.75, 7: 0.25}, 40, 20, [(30, 15), (10, 5)]),
        ({7: 3, 5: 1}, 40, 20, [(30, 15), (10, 5)]),  # they need not add up to one
        ({5: 0.99, 7: 0.01}, 40, 20, [(39.6, 19.8), (1, 1)]),
    ],
)
def test_rows_are_divided_by_share(tmp_path, shares, window, first_rows, expected):
    windows = opened(tmp_path, shares=shares, window=window, first_rows=first_rows).windows
    assert list(windows) == list(shares)
    assert [(each.first, each.first_rows) for each in windows.values()] == [pytest.approx(pair) for pair in expected]


def test_each_window_forgets_by_itself(folder):
    for number in range(6, 12):
        random_shard(5, range(5 * number, 5 * number + 5)).save(folder / f"a-{number:06d}.npz")
    source = opened(folder, window=40)
    source.look()
    small, large = source.windows.values()
    assert small.rows < small.made and large.rows == large.made
    assert small.rows >= window_rows(small.made, 30) > small.rows - small.parts[0].count()


def test_batches_are_dealt_by_share_and_each_size_counts_its_own(folder):
    source, numbers = opened(folder), {5: [], 7: []}
    for batch in range(40):
        sampler, first = source.source(batch * BATCH, BATCH)
        assert sampler.size == (5, 7)[deal(batch, (0.75, 0.25))[0]]
        numbers[sampler.size].append(first)
    assert numbers == {5: [BATCH * n for n in range(30)], 7: [BATCH * n for n in range(10)]}


def test_learning_waits_for_the_size_whose_turn_it_is(folder):
    source = opened(folder, uses=1.0)
    source.look()
    last = {size: window.made // BATCH for size, window in source.windows.items()}
    found, places = [], [deal(batch, (0.75, 0.25)) for batch in range(40)]
    for batch, (place, before) in enumerate(places):
        found.append(source.source(batch * BATCH, BATCH))
        assert (found[-1] is not None) == (before < last[(5, 7)[place]])
        if found[-1] is None:
            assert source.awaited.size == (5, 7)[place]
            break
    assert found[-1] is None and len(found) > 4
    for number in range(6, 9):
        random_shard(source.awaited.size, range(5 * number, 5 * number + 5)).save(folder / f"b-{number:06d}.npz")
    for _ in range(20):  # looks are a second apart
        again = source.source((len(found) - 1) * BATCH, BATCH)
    assert again is not None and not source.awaited.waits


def test_it_begins_when_the_size_whose_turn_it_is_has_enough(tmp_path):
    random_shard(5, range(10)).save(tmp_path / "a-000001.npz")
    source = opened(tmp_path, first_rows=40)
    dealt = [deal(batch, (0.75, 0.25))[0] for batch in range(4)]
    assert source.windows[5].first_rows == 30 and source.awaited.size == 5
    assert [source.source(batch * BATCH, BATCH) is not None for batch in range(4)] == [place == 0 for place in dealt]
    assert source.awaited.size == 7


def test_foreign_sizes_are_named(folder):
    random_shard(6, range(2)).save(folder / "b-000001.npz")
    told = []
    source = opened_with(folder, told, shares=SHARES)
    source.look()
    assert source.shards == 5 and len(told) == 1 and "b-000001.npz: games of size 6 in a run of size 5 and 7" in told[0]


def test_fair_komi_of_each_size(folder, monkeypatch):
    monkeypatch.setattr(replay_window, "FAIR_GAMES", 2)
    source = opened(folder)
    assert source.fair_komi == {}
    source.look()
    parts = {size: [part.games for part in window.parts] for size, window in source.windows.items()}
    assert source.fair_komi == {5: replay_window.fair_komi(parts[5])}  # on 7x7 one game was counted
    assert replay_window.fair_komi(parts[7]) is None


def copies(batches, count):
    """The next batches, kept; an array of them is filled again two batches later."""
    found = itertools.islice((batch for batch in batches if batch is not None), count)
    return [type(batch)(*(array.copy() for array in batch)) for batch in found]


def mixed(folder, share=0.4, **settings):
    return Mixture([opened(folder, **settings), recorded()], [1 - share, share])


def test_recorded_games_come_as_often_as_their_share_says(folder):
    source = mixed(folder)
    kinds = Counter()
    for batch in range(40):
        filler, _ = source.source(batch * BATCH, BATCH)
        kinds[filler.form] += 1
    assert kinds[5, "searches"] == 18 and kinds[7, "searches"] == 6
    assert kinds[5, "moves"] + kinds[7, "moves"] == 16 and kinds[7, "moves"] > kinds[5, "moves"]  # by positions


@pytest.mark.parametrize("threads", [1, 3])
def test_a_stream_keeps_buffers_of_both_forms_apart(folder, threads):
    source, batches = mixed(folder), stream(mixed(folder), BATCH, 0, threads=threads)
    for number, batch in enumerate(copies(batches, 60)):
        filler, first = source.source(number * BATCH, BATCH)
        expected = filler.batch(first, BATCH)
        assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(batch, expected, strict=True))
        side, form = filler.form
        assert batch.planes.shape[-1] == side
        assert (batch.policy.dtype, batch.policy.ndim) == ((np.int64, 1) if form == "moves" else (np.float32, 2))
    batches.close()


def test_a_resumed_run_draws_the_same(folder):
    whole = copies(stream(mixed(folder, window=20), BATCH, 0), 40)
    for begun in (1, 13, 30):
        rest = copies(stream(mixed(folder, window=20), BATCH, begun * BATCH), 40 - begun)
        for one, other in zip(whole[begun:], rest, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_recorded_games_do_not_run_ahead(tmp_path):
    """Where self-play's turn has no batch, nothing is drawn."""
    batches = stream(mixed(tmp_path), BATCH, 0)
    assert [next(batches) for _ in range(3)] == [None] * 3
    batches.close()


def test_one_size_is_drawn_as_if_there_were_no_sizes(folder):
    """The window's sample numbers are the run's, also where they are no multiple of the batch."""
    source = opened(folder, shares={5: 1.0})
    sampler, first = source.source(37, BATCH)
    assert first == 37 and sampler.size == 5 and CONFIG.seed == sampler.draw.seed
