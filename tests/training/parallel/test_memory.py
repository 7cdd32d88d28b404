"""What is counted as kept in memory, on tensors whose bytes are known; and what each way keeps less of."""

import dataclasses

import pytest
import torch
from torch import nn

from goengine.nets import build
from tests.training.parallel.test_strategies import module_of
from training import memory_bench
from training.core.losses import LossWeights, total_loss
from training.core.optimizers import OptimizerConfig, make
from training.core.split_options import MemoryOptions, SplitOptions
from training.core.strategy import StepPlan
from training.parallel import choice
from training.parallel.memory import SavedBytes, kept_by_a_step

CPU = torch.device("cpu")
WEIGHTS = LossWeights(1.0, 1.0, 0.15, 0.25, 0.05, 0.02)


def test_saved_bytes_are_those_of_known_layers():
    layer, x = nn.Linear(10, 20), torch.zeros(3, 10)
    with SavedBytes([x]) as saved:
        y = layer(x)
        assert saved.now == 0  # the input was there before, the weights are weights
        z = y.sigmoid()  # keeps its result
        assert saved.now == saved.peak == 3 * 20 * 4
        (z * z).sum().backward()  # keeps z, which is counted already
    assert saved.now == 0 and saved.peak == 3 * 20 * 4


def test_what_is_let_go_is_counted_no_longer():
    with SavedBytes() as saved:
        for _ in range(3):
            torch.ones(100, requires_grad=True).exp().sum().backward()
    assert saved.now == 0 and saved.peak == 400


def kept(net="b3c8", **options):
    split = SplitOptions(**options)
    module = module_of(net)
    strategy = choice.strategy(split, None)(module, StepPlan(CPU, split.accumulate, split.recompute))
    optimizer = make(strategy.module, OptimizerConfig("adamw"))
    batch = {name: torch.from_numpy(value) for name, value in memory_bench.random_batch(module.spec, 16, 5).items()}
    batch["planes"] = batch["planes"].float()
    context = torch.autocast("cpu", torch.bfloat16, enabled=False)
    found = kept_by_a_step(
        strategy, optimizer, lambda net, part: total_loss(net(part["planes"], part["globals"], True), part, WEIGHTS), batch,
        lambda: context,
    )  # fmt: skip
    return found, module


def test_each_way_keeps_less_of_what_it_should(one_thread):
    plain, module = kept()
    numbers = build.parameter_count(module)
    statistics = sum(buffer.numel() for buffer in module.buffers())
    assert plain.weights == 4 * (numbers + statistics) and plain.gradients == 4 * numbers
    assert plain.optimizer == 2 * 4 * numbers + 4 * len(list(module.parameters()))  # two moments, and a count of each
    again, parts, both = kept(recompute=True)[0], kept(accumulate=4)[0], kept(recompute=True, accumulate=4)[0]
    for other in (again, parts, both):
        assert dataclasses.replace(other, signals=plain.signals) == plain
    signal = 16 * 8 * 25 * 4  # of a whole batch between two blocks
    assert plain.signals - again.signals > 3 * 3 * signal  # each block keeps four or more, and then only what goes in
    assert both.signals < parts.signals < plain.signals / 3.5 and both.signals < again.signals / 3.5


@pytest.mark.slow
def test_the_command_counts_in_every_process():
    """Two processes: shards halve weights and optimizer, a pipeline holds about half of the net in each."""
    config = MemoryOptions(net="b4c16", size=5, batch=16)
    rows = {row.way.split(" --m")[0]: row for row in memory_bench.measure(config)}
    plain, shard, pipeline = (rows[name] for name in ("--parallel data", "--parallel shard", "--parallel pipeline"))
    assert shard.optimizer < 0.6 * plain.optimizer and pipeline.optimizer < 0.8 * plain.optimizer
    assert shard.gradients < 0.6 * plain.gradients and pipeline.weights < 0.8 * plain.weights
    assert rows["(nothing)"].signals > 1.9 * plain.signals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"net": "b4q"}, "--net b4q"),
        ({"batch": 12}, "--batch 12 cannot be dealt to 2 processes in 4 equal parts"),
        ({"processes": 8, "parts": 4}, "--parts 4 cannot fill a pipeline of 8 processes"),
    ],
)
def test_options_of_the_command(options, said):
    with pytest.raises(ValueError, match=said):
        MemoryOptions(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stages": 2}, "--stages 2 is of --parallel pipeline or tensor, not of data"),
        ({"parallel": "pipeline", "accumulate": 2}, "a pipeline has --microbatches for that"),
    ],
)
def test_options_of_splits(options, said):
    with pytest.raises(ValueError, match=said):
        SplitOptions(**options)
