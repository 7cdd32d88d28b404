"""Symmetric views, the cache, and counting."""

import numpy as np
import pytest

from goengine.board import symmetry
from goengine.evaluators.base import Evaluation
from goengine.evaluators.cache import WAYS, Cache
from goengine.evaluators.metered import Counting
from goengine.evaluators.symmetric import Symmetric, SymmetricByKey
from goengine.evaluators.uniform import Scripted
from tests.evaluators.helpers import assert_close, batch_of, script, take


def _turned(batch, s):
    return batch._replace(planes=np.ascontiguousarray(symmetry.planes(batch.planes, s)))


def _turn(evaluation, s):
    return evaluation._replace(policy=symmetry.policy(evaluation.policy, s), ownership=symmetry.flat(evaluation.ownership, s))


def _probabilities(evaluation):
    exponents = np.exp(evaluation.policy)
    return evaluation._replace(policy=exponents / exponents.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("s", range(8))
def test_the_average_over_all_views_is_equivariant(s):
    evaluator, batch = Symmetric(Scripted(script), np.random.default_rng(1), views=8), batch_of(3, 7)
    assert_close(evaluator.evaluate(_turned(batch, s)), _turn(evaluator.evaluate(batch), s))


def test_the_average_is_over_probabilities():
    inner, batch = Scripted(script), batch_of(2, 5)
    views = [_probabilities(_turn(inner.evaluate(_turned(batch, s)), symmetry.inverse(s))) for s in range(8)]
    expected = Evaluation(*(np.mean(arrays, axis=0) for arrays in zip(*views, strict=True)))
    averaged = Symmetric(inner, np.random.default_rng(1), views=8).evaluate(batch)
    assert_close(_probabilities(averaged), expected)


def test_one_view_is_one_of_the_eight_per_row_and_seeded():
    inner, batch = Scripted(script), batch_of(16, 7)
    seen = Symmetric(inner, np.random.default_rng(3)).evaluate(batch)
    views = [_turn(inner.evaluate(_turned(batch, s)), symmetry.inverse(s)) for s in range(8)]
    found = [{s for s in range(8) if np.allclose(views[s].policy[row], seen.policy[row])} for row in range(16)]
    assert all(found)
    assert len({min(row) for row in found}) > 2
    assert_close(Symmetric(inner, np.random.default_rng(3)).evaluate(batch), seen, 0)


def test_some_views_differ_within_a_row():
    keys = np.arange(1, 51, dtype=np.uint64)
    for evaluator in (
        Symmetric(Scripted(script), np.random.default_rng(1), views=3),
        SymmetricByKey(Scripted(script), views=3),
    ):
        chosen = evaluator._choose(keys).reshape(50, 3)
        assert all(len(set(row)) == 3 for row in chosen.tolist())


@pytest.mark.parametrize("views", [1, 3, 8])
def test_views_by_key_depend_on_the_key_alone(views):
    batch = batch_of(12, 7)
    whole = SymmetricByKey(Scripted(script), views).evaluate(batch)
    later = SymmetricByKey(Scripted(script), views)
    for row in reversed(range(12)):
        assert_close(later.evaluate(take(batch, slice(row, row + 1))), whole.take(slice(row, row + 1)), 1e-6)
    others = SymmetricByKey(Scripted(script), views).evaluate(batch._replace(keys=batch.keys ^ np.uint64(0x9E3779B97F4A7C15)))
    assert (np.abs(others.policy - whole.policy).max() > 1e-3) == (views < 8)
    every = SymmetricByKey(Scripted(script))._choose(np.random.default_rng(1).integers(1, 2**63, 800).astype(np.uint64))
    assert np.bincount(every, minlength=8).min() > 60


def test_views_do_not_mix_in_a_cache_below():
    inner, batch = Scripted(script), batch_of(4, 7)
    plain = Symmetric(inner, np.random.default_rng(5))
    cached = Symmetric(Cache(inner, megabytes=1), np.random.default_rng(5))
    for _ in range(12):
        assert_close(cached.evaluate(batch), plain.evaluate(batch), 2e-3)


def test_a_cache_answers_the_same_and_counts():
    inner = Scripted(script)
    cache, batch = Cache(inner, megabytes=1), batch_of(6, 9)
    first = cache.evaluate(batch)
    assert_close(first, inner.evaluate(batch), 1e-3)
    assert (cache.hits, cache.misses, inner.rows) == (0, 6, 12)
    assert_close(cache.evaluate(take(batch, [5, 0, 3])), first.take([5, 0, 3]), 0)
    assert (cache.hits, cache.misses, inner.rows) == (3, 6, 12)
    mixed = cache.evaluate(take(batch_of(8, 9, seed=1), slice(4, 8)))  # other rows under other keys
    assert mixed.policy.shape == (4, 82)


def test_hits_and_misses_in_one_batch():
    inner, batch = Scripted(script), batch_of(6, 9)
    cache = Cache(inner, megabytes=1)
    cache.evaluate(take(batch, [1, 4]))
    whole = cache.evaluate(batch)
    assert_close(whole, inner.evaluate(batch), 1e-3)
    assert (cache.hits, cache.misses) == (2, 6)


def test_equal_keys_in_a_batch_are_evaluated_once_but_key_0_never_shared():
    inner = Scripted(script)
    cache, batch = Cache(inner, megabytes=1), take(batch_of(4, 9), [0, 1, 0, 2, 0, 3])
    assert_close(cache.evaluate(batch), Scripted(script).evaluate(batch), 1e-3)
    assert inner.rows == 4
    secret = batch_of(3, 9, seed=8)._replace(keys=np.zeros(3, np.uint64))
    assert_close(cache.evaluate(secret), Scripted(script).evaluate(secret), 1e-3)
    assert len(cache) == 4
    free = batch_of(5, 9, seed=7)
    free.keys[[1, 3, 4]] = 0
    inner.rows = 0
    for _ in range(2):
        assert_close(cache.evaluate(free), Scripted(script).evaluate(free), 1e-3)
    assert inner.rows == 5 + 3


def test_the_cache_is_bounded_and_keeps_what_is_used():
    inner = Scripted(script)
    cache, favourite = Cache(inner, megabytes=0.05), batch_of(1, 9, seed=99)
    cache.evaluate(favourite)
    for seed in range(40):
        cache.evaluate(batch_of(8, 9, seed=seed))
        before = inner.rows
        cache.evaluate(favourite)
        assert inner.rows == before
    assert 0 < len(cache) <= cache.capacity < 320
    assert cache.capacity % WAYS == 0


def test_pending_batches_with_the_same_keys():
    inner, batch = Scripted(script), batch_of(4, 9)
    cache = Cache(inner, megabytes=1)
    one, two = cache.submit(batch), cache.submit(take(batch, [3, 2, 1, 0]))
    assert_close(two.result().take([3, 2, 1, 0]), one.result(), 0)
    assert len(cache) == 4


def test_an_answer_that_is_no_number_is_not_remembered():
    broken = True

    def sometimes(planes, values):
        answer = script(planes, values)
        answer.policy[1 if broken else len(planes) :] = np.nan
        return answer

    inner, batch = Scripted(sometimes), batch_of(3, 5)
    cache = Cache(inner)
    assert np.isnan(cache.evaluate(batch).policy[1:]).all() and len(cache) == 1
    broken = False
    assert np.isfinite(cache.evaluate(batch).policy).all() and inner.rows == 5


def test_another_board_size_starts_afresh_and_clear_forgets():
    cache = Cache(Scripted(script), megabytes=1)
    cache.evaluate(batch_of(4, 9))
    cache.evaluate(batch_of(2, 13))
    assert len(cache) == 2
    cache.clear()
    assert (len(cache), cache.hits, cache.misses) == (0, 0, 0)


def test_counting():
    counted = Counting(Scripted(script))
    for rows in (1, 5):
        counted.evaluate(batch_of(rows, 9))
    assert (counted.batches, counted.rows) == (2, 6)
    assert counted.seconds > 0
    counted.reset()
    assert (counted.batches, counted.rows, counted.seconds) == (0, 0, 0.0)
