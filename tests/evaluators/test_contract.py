"""What every evaluator promises, asked of each of them."""

import numpy as np
import pytest

from goengine.evaluators.base import Evaluation, Evaluator
from goengine.evaluators.cache import Cache
from goengine.evaluators.metered import Counting
from goengine.evaluators.pair import Pair
from goengine.evaluators.symmetric import Symmetric, SymmetricByKey
from goengine.evaluators.uniform import Scripted, Uniform
from tests.evaluators.helpers import assert_close, batch_of, script, take


def _of_net(device, net="b2c16"):
    def make(net_folders):
        from goengine.evaluators.load import load

        return load(net_folders[net], device=device, precision="f32", threads=1)

    return make


MAKERS = {
    "uniform": lambda _: Uniform(),
    "scripted": lambda _: Scripted(script),
    "cache": lambda _: Cache(Uniform(), megabytes=1),
    "cache of scripted": lambda _: Cache(Scripted(script), megabytes=1),
    "all symmetries": lambda _: Symmetric(Scripted(script), np.random.default_rng(1), views=8),
    "views by key": lambda _: SymmetricByKey(Scripted(script), views=2),
    "one symmetry of a cache": lambda _: Symmetric(Cache(Uniform()), np.random.default_rng(1)),
    "counting": lambda _: Counting(Scripted(script)),
    "pair": lambda _: Pair(Scripted(script), Cache(Scripted(script))),
    "pair without a value": lambda _: Pair(Scripted(script), None),
    "pair without a policy": lambda _: Pair(None, Scripted(script)),
    "pair of no nets": lambda _: Pair(None, None),
    "openvino": _of_net("cpu"),
    "torch": _of_net("torch-cpu"),
    "torch in two parts": _of_net("torch-cpu+torch-cpu"),
    **{
        f"{net} on {device}": _of_net(device, net) for net in ("lee-policy-8", "lee-value-8") for device in ("cpu", "torch-cpu")
    },
    "pair of nets": lambda folders: Pair(_of_net("cpu", "lee-policy-8")(folders), _of_net("cpu", "lee-value-8")(folders)),
}
TOLERANCE = 2e-4  # kernels for other batch sizes add in another order


@pytest.fixture(params=MAKERS)
def evaluator(request, net_folders):
    with MAKERS[request.param](net_folders) as made:
        yield made


@pytest.mark.parametrize(("rows", "size"), [(1, 9), (5, 9), (3, 2), (2, 13), (1, 19), (0, 9)])
def test_shapes_and_types(evaluator, rows, size):
    answer = evaluator.evaluate(batch_of(rows, size))
    assert isinstance(answer, Evaluation)
    assert [array.shape for array in answer] == [(rows, size * size + 1), (rows,), (rows,), (rows,), (rows, size * size)]
    assert all(array.dtype == np.float32 for array in answer)
    assert all(np.isfinite(array).all() for array in answer)
    assert (np.abs(answer.value) <= 1).all()
    assert (np.abs(answer.ownership) <= 1).all()
    assert (answer.score_stdev > 0).all()


def test_a_batch_is_its_rows(evaluator):
    batch = batch_of(6, 9)
    whole = evaluator.evaluate(batch)
    for row in range(6):
        assert_close(evaluator.evaluate(take(batch, slice(row, row + 1))), whole.take(slice(row, row + 1)), TOLERANCE)


def test_submit_is_evaluate(evaluator):
    batch = batch_of(4, 9)
    pending = evaluator.submit(batch)
    answer = pending.result()
    assert pending.result() is answer
    assert_close(answer, evaluator.evaluate(batch), TOLERANCE)


def test_pending_batches_may_be_collected_in_any_order(evaluator):
    batches = [batch_of(rows, size, seed=rows) for rows, size in ((1, 9), (4, 9), (2, 19), (3, 9), (8, 5))]
    pending = [evaluator.submit(batch) for batch in batches]
    for i in (3, 0, 4, 2, 1):
        assert_close(pending[i].result(), evaluator.evaluate(batches[i]), TOLERANCE)


def test_answers_are_the_callers(evaluator):
    batch = batch_of(2, 9)
    first = evaluator.evaluate(batch)
    kept = Evaluation(*(array.copy() for array in first))
    evaluator.evaluate(batch_of(2, 9, seed=2))
    assert_close(first, kept, 0)


def test_the_input_is_only_read(evaluator):
    batch = batch_of(3, 9)
    copies = [array.copy() for array in batch]
    evaluator.evaluate(batch)
    assert all(np.array_equal(a, b) for a, b in zip(batch, copies, strict=True))


def test_it_names_itself_and_closes_twice(evaluator):
    assert isinstance(evaluator, Evaluator)
    assert evaluator.name == evaluator.traits.name != ""
    assert evaluator.features == evaluator.traits.features != ""
    evaluator.close()
    evaluator.close()
