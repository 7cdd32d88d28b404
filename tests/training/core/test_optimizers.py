"""Optimizers: they descend, Muon's matrices are near orthogonal, and their state survives a round trip."""

import pytest
import torch
from torch import nn

from training.core import optimizers
from training.core.optimizers import OptimizerConfig


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 16, 2)
    )


def steps(module, optimizer, first, count):
    for number in range(first, first + count):
        torch.manual_seed(number)
        optimizers.set_rate(optimizer, 0.5)
        loss = (module(torch.randn(4, 3, 4, 4)) - 1).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


@pytest.mark.parametrize("name, rate", [("sgd", 0.05), ("adamw", 0.01), ("muon", 0.01)])
def test_descends_and_resumes_exactly(name, rate):
    config = OptimizerConfig(name, rate)
    one = net()
    whole = optimizers.make(one, config)
    start = steps(one, whole, 0, 1)
    assert steps(one, whole, 1, 30) < start / 2

    two = net()
    first = optimizers.make(two, config)
    steps(two, first, 0, 12)
    three = net(9)
    three.load_state_dict(two.state_dict())
    second = optimizers.make(three, config)
    saved = {name: tensor.numpy() for name, tensor in optimizers.state_tensors(first, two).items()}
    optimizers.load_state(second, three, saved)
    steps(three, second, 12, 19)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), three.parameters(), strict=True))


@pytest.mark.parametrize("shape", [(2, 16, 40), (1, 40, 16), (3, 8, 8)])
def test_orthogonalise(shape):
    torch.manual_seed(1)
    values = torch.linalg.svdvals(optimizers.orthogonalise(torch.randn(shape)).float())
    assert values.min() > 0.3 and values.max() < 1.4


def test_orthogonalise_of_nothing():
    assert torch.equal(optimizers.orthogonalise(torch.zeros(1, 4, 6)), torch.zeros(1, 4, 6))


def test_only_matrices_decay():
    for name in ("sgd", "adamw", "muon"):
        groups = optimizers.make(net(), OptimizerConfig(name)).param_groups
        assert groups[0]["weight_decay"] > 0 and groups[1]["weight_decay"] == 0
        assert all(p.ndim >= 2 for p in groups[0]["params"]) and all(p.ndim == 1 for p in groups[1]["params"])


def test_unknown_state_is_refused():
    module = net()
    with pytest.raises(KeyError):
        optimizers.load_state(
            optimizers.make(module, OptimizerConfig()), module, {"nothing|momentum_buffer": torch.zeros(1).numpy()}
        )


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_weights_without_gradients_stay(name):
    one = net()
    before = [p.clone() for p in one.parameters()]
    optimizers.make(one, OptimizerConfig(name, 0.1)).step()
    assert all(torch.equal(a, b) for a, b in zip(before, one.parameters(), strict=True))
