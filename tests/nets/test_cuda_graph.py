"""A recorded function gives what it gives when it is called, for every set of shapes."""

import pytest
import torch

from goengine.nets.cuda_graph import CudaGraph
from training.core.optimizers import directions

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")),
]


@pytest.mark.parametrize("device", DEVICES)
def test_replays_with_new_values_and_other_shapes(device):
    replayed = CudaGraph(directions)
    for seed, shapes in enumerate([[(8, 4, 3, 3), (2, 5)], [(8, 4, 3, 3), (2, 5)], [(6, 6)], [(8, 4, 3, 3), (2, 5)]]):
        torch.manual_seed(seed)
        tensors = [torch.randn(shape, device=device) for shape in shapes]
        found = [tensor.clone() for tensor in replayed(tensors)]
        assert all(torch.equal(a, b) for a, b in zip(found, directions(tensors), strict=True))


def test_a_step_is_orthogonal_in_its_weights_own_memory_format():
    torch.manual_seed(1)
    moment = torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    (step,) = directions([moment])
    assert step.stride() == moment.stride()
    singular = torch.linalg.svdvals(step.reshape(8, 36)) / (0.2 * 36**0.5)
    assert singular.min() > 0.3 and singular.max() < 1.4
