"""The evaluator on torch: what it does beside answering, which `test_contract` asks of all evaluators."""

import numpy as np
import pytest
import torch

from goengine.evaluators.base import EvaluatorError, Traits
from goengine.evaluators.network import Network, padded_rows
from goengine.nets import weights_file
from tests.evaluators.helpers import assert_close, batch_of, take


@pytest.fixture
def net(net_folder):
    return weights_file.load_module(net_folder / "net.safetensors")[0]


def network(net, **settings) -> Network:
    return Network(net, Traits(name="tiny", features="zero"), **{"precision": "f32", "threads": 1} | settings)


@pytest.mark.parametrize("largest", [1, 8, 9, 100, 430, 512, 1000])
def test_batches_have_few_sizes(largest):
    sizes = {rows: padded_rows(rows, largest) for rows in range(1, largest + 1)}
    assert all(rows <= size <= largest and size < 1.25 * rows + 1 for rows, size in sizes.items())
    assert len(set(sizes.values())) < 40 and sizes[largest] == largest
    assert all(size == largest for rows, size in sizes.items() if rows > max(8, 7 / 8 * largest))
    assert [padded_rows(rows, 9999) for rows in (7, 8, 9, 11, 17, 33, 65)] == [7, 8, 10, 12, 20, 40, 80]


def test_padded_rows_change_no_answer(net):
    batch = batch_of(40, 9)
    with network(net) as padding, network(net) as exact:
        padding.evaluate(batch)  # other positions lie in the buffers from now on
        for rows in (40, 39, 33, 21, 9, 3):
            chosen = take(batch, slice(40 - rows, 40))
            assert_close(padding.evaluate(chosen), exact.evaluate(chosen), 2e-4)
            assert padding.evaluate(chosen).policy.shape == (rows, 82)


def test_buffers_are_used_again_and_never_by_two_batches(net):
    batches = [batch_of(12, 9, seed=seed) for seed in range(3)]
    with network(net) as evaluator:
        for _ in range(2):
            pending = [evaluator.submit(batch) for batch in batches]
            found = [each.result() for each in reversed(pending)][::-1]
            assert len(evaluator._free[12, 9]) == 3
        for batch, answer in zip(batches, found, strict=True):
            assert_close(answer, evaluator.evaluate(batch), 2e-4)


def test_its_precision_is_told_and_bf16_is_about_the_same(net):
    batch = batch_of(12, 9)
    with network(net) as exact, network(net, precision="bf16") as half, network(net, precision="auto") as chosen:
        assert exact.traits.device == "cpu f32" and chosen.traits.device in ("cpu f32", "cpu bf16")
        a, b = exact.evaluate(batch), half.evaluate(batch)
        assert np.abs(a.value - b.value).max() < 0.05 and not np.array_equal(a.value, b.value)


def test_a_graph_that_answers_otherwise_or_cannot_be_made_is_left(net):
    batch = batch_of(12, 9)
    with network(net) as plain, network(net, graphs=True) as evaluator:
        expected = plain.evaluate(batch)
        assert_close(evaluator.evaluate(batch), expected, 2e-4)
        assert evaluator._graph is not None and len(evaluator._compared) == 1
        evaluator._compared.clear()
        evaluator._graph = lambda inputs: [torch.ones(12, 2 * 81 + 4)]
        assert_close(evaluator.evaluate(batch), expected, 2e-4)
        assert evaluator._graph is None

        def fails(inputs):
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

        evaluator._graph = fails
        assert_close(evaluator.evaluate(batch), expected, 2e-4)
        assert evaluator._graph is None


@pytest.mark.parametrize(
    "error, said",
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nmore"), "no memory left.*fewer --games"),
        (RuntimeError("CUDA error: an illegal memory access was encountered\nmore"), "failed.*nvidia-smi"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "failed.*nvidia-smi"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "no memory left"),
    ],
)
def test_errors_of_the_device_say_what_to_do(net, error, said):
    def forward(*_):
        raise error

    with network(net) as evaluator:
        evaluator._net = forward
        with pytest.raises(EvaluatorError, match=f"tiny, 12 positions at once: cpu .*{said}") as raised:
            evaluator.evaluate(batch_of(12, 9))
        assert "\n" not in str(raised.value) and "more" not in str(raised.value).split(")")[0]


def test_errors_of_the_program_are_not_hidden(net):
    with network(net) as evaluator:
        evaluator._net = lambda *_: torch.ones(2) @ torch.ones(3)
        with pytest.raises(RuntimeError, match=r"inconsistent|size"):
            evaluator.evaluate(batch_of(2, 9))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_here(net):
    with pytest.raises(EvaluatorError, match=r"'cuda' cannot be used: .*(without CUDA|no GPU).*--device torch-cpu"):
        network(net, device="cuda")
    with pytest.raises(EvaluatorError, match="torch knows no such device"):
        network(net, device="abacus")


def test_a_net_in_parts_answers_as_the_whole_one(net):
    batch = batch_of(12, 9)
    for precision in ("f32", "bf16"):
        with network(net, precision=precision) as whole, network(net, device="cpu+cpu", precision=precision) as parts:
            assert parts.traits.device == f"cpu+cpu {precision}"
            for one, other in zip(whole.evaluate(batch), parts.evaluate(batch), strict=True):
                assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cpu+cpu+cpu", "a net of 2 blocks cannot be split into 3 parts"),
        ("cpu+", "torch knows no such device"),
        ("cpu+meta", "over devices of one kind"),
    ],
)
def test_devices_that_cannot_share_a_net(net, device, said):
    with pytest.raises(EvaluatorError, match=said):
        network(net, device=device)
