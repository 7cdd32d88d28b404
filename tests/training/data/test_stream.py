"""Games of several board sizes in one run: each batch has one size, and a resumed run draws what it would have drawn."""

import itertools
from collections import Counter

import numpy as np
import pytest

from goengine import features
from goengine.dataio.records import GamePack, RecordError
from tests.training.conftest import random_record
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Mixture, Sampler, deal, mixture, stream

DRAW = Draw(seed=5, symmetries=1, shuffle=1, vary=0.5)


@pytest.fixture(scope="module")
def games():
    made = GamePack.build(random_record(size, seed) for seed in range(12) for size in (5, 7))
    return packs.by_size(packs.to_games(made))


@pytest.mark.parametrize("shares", [(1.0,), (0.8, 0.2), (0.2, 0.8), (3, 2, 1), (0.5, 0.25, 0.125, 0.125), (1, 1e-6)])
def test_deal_is_even_and_counts_without_gaps(shares):
    dealt = Counter()
    for number in range(1000):
        place, before = deal(number, shares)
        assert before == dealt[place]
        dealt[place] += 1
        assert all(abs(dealt[i] - (number + 1) * s / sum(shares)) <= len(shares) for i, s in enumerate(shares))


def test_deal_far_out():
    near = [deal(number, (0.7, 0.2, 0.1)) for number in range(10**9, 10**9 + 1000)]
    assert Counter(place for place, _ in near) == {0: 700, 1: 200, 2: 100}
    assert all(b == a + 1 for place in range(3) for a, b in itertools.pairwise([n for p, n in near if p == place]))


def test_a_mixture_deals_batches_of_one_size(games):
    mixed = mixture(games, features.get("zero"), DRAW, {7: 0.75, 5: 0.25})
    source = stream(mixed, 8, 0, threads=2)
    batches = [next(source).planes.shape[-1] for _ in range(40)]
    source.close()
    assert Counter(batches) == {7: 30, 5: 10}


def test_by_default_sizes_come_in_proportion_to_positions(games):
    mixed = mixture(games, features.get("zero"), DRAW, {})
    assert mixed.shares == tuple(part.moves.size for part in games.values())
    single = mixture(games, features.get("zero"), DRAW, {7: 1.0})
    assert isinstance(single, Sampler) and single.size == 7


def test_a_mixture_goes_on_anywhere_with_any_number_of_threads(games):
    mixed = mixture(games, features.get("zero"), DRAW, {7: 2.0, 5: 1.0})
    whole = stream(mixed, 8, 0)
    expected = [type(batch)(*(array.copy() for array in batch)) for batch, _ in zip(whole, range(24), strict=False)]
    whole.close()
    for start, threads in ((0, 3), (5, 1), (17, 2)):
        source = stream(mixed, 8, 8 * start, threads=threads)
        for want in expected[start:]:
            assert all(np.array_equal(a, b) for a, b in zip(want, next(source), strict=True))
        source.close()


def test_a_pass_shows_each_size_completely(games):
    """Whatever the shares: the batches of a size follow its own permutation."""
    mixed = mixture(games, features.get("zero"), DRAW, {5: 1.0, 7: 1.0})
    numbers = {5: [], 7: []}
    for batch in range(60):
        sampler, first = mixed.source(batch * 8, 8)
        numbers[sampler.size].extend(range(first, first + 8))
    assert numbers[5] == list(range(240)) and numbers[7] == list(range(240))


def test_refused(games):
    chosen = features.get("zero")
    with pytest.raises(RecordError, match="board size 9; the games have 5, 7"):
        mixture(games, chosen, DRAW, {9: 1.0})
    with pytest.raises(ValueError, match="above 0"):
        Mixture([Sampler(games[5], chosen, DRAW)], [0.0])
