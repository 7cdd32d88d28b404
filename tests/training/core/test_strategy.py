"""Parts of a batch, and blocks that are computed again, give the gradients of the whole batch."""

import numpy as np
import pytest
import torch

from goengine.nets import norms
from goengine.nets.norms import MaskedNorm, freeze_batch_norm
from tests.training.parallel.test_strategies import WEIGHTS, module_of
from training.core.checkpoint import RunError
from training.core.losses import parts_of, total_loss
from training.core.strategy import StepPlan, Strategy
from training.memory_bench import random_batch

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
ROWS = 12


def batch_of(spec, rows=ROWS):
    """A batch in which some targets are missing, unevenly."""
    batch = {name: torch.from_numpy(value) for name, value in random_batch(spec, rows, 5).items()}
    batch["planes"] = batch["planes"].float()
    batch["value_weight"][: rows // 2] = 0
    batch["policy"][1:4], batch["opponent"][rows // 3 :] = -1, -1
    return batch | {"progress": torch.tensor(0.5)}


def learned(text, keep=False, **plan):
    """(strategy, figures, gradients by name) of one batch."""
    module = module_of(text).train()
    if keep:
        freeze_batch_norm(module)
    strategy = Strategy(module, StepPlan(CPU, **plan))
    context = torch.autocast("cpu", torch.bfloat16, enabled=False)
    figures = strategy.learn(
        lambda net, part: total_loss(net(part["planes"], part["globals"], True), part, WEIGHTS),
        batch_of(module.spec), lambda: context,
    )  # fmt: skip
    return strategy, figures, {name: p.grad for name, p in module.named_parameters()}


def statistics(strategy):
    return {name: value for name, value in strategy.module.state_dict().items() if "running" in name}


@pytest.mark.parametrize("text", ["b3c8", "c16:rgt2u/layer"])
def test_recomputed_blocks_give_the_same_bits(text):
    (plain, figures, gradients), (again, others, found) = learned(text), learned(text, recompute=True)
    assert figures == others and all(torch.equal(gradients[name], found[name]) for name in gradients)
    moved, twice = statistics(plain), statistics(again)
    assert all(torch.equal(moved[name], twice[name]) for name in moved)


@pytest.mark.parametrize(("text", "keep"), [("b3c8/fixed", False), ("c16:rgt2/layer", False), ("b3c8", True)])
@pytest.mark.parametrize("parts", [2, 3])
def test_parts_of_a_batch_give_the_gradients_of_all_of_it(text, keep, parts):
    (_, figures, gradients), (_, others, found) = learned(text, keep), learned(text, keep, parts=parts)
    assert {name: float(value) for name, value in others.items()} == pytest.approx(
        {name: float(value) for name, value in figures.items()}, rel=1e-5, abs=1e-6
    )
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, found[name], rtol=1e-4, atol=1e-6), name


def test_parts_move_the_statistics_as_far_as_a_batch():
    norm, x = MaskedNorm(1), torch.full((4, 1, 3, 3), 5.0)
    norm.init_fresh()
    norms.share_statistics(norm, 4)
    extent = norms.Extent(None, torch.full((1, 1), 9.0), torch.full((1, 1), 3.0))
    for part in x.split(1):
        norm.train()(part, extent)
    assert float(norm.running_mean) == pytest.approx(MaskedNorm.momentum * 5.0, rel=1e-5)


def test_what_cannot_be_cut_says_so():
    with pytest.raises(ValueError, match="12 samples cannot be cut into 5 equal parts"):
        parts_of(batch_of(module_of("b1c8").spec), 5)
    with pytest.raises(RunError, match="12 samples cannot be cut into 5 equal parts; choose another --batch"):
        learned("b1c8", parts=5)


def test_the_norm_and_its_clip_are_torch_s():
    strategy, _, gradients = learned("b3c8")
    before = {name: gradient.clone() for name, gradient in gradients.items()}
    length = strategy.norm()
    assert float(length) == pytest.approx(float(np.sqrt(sum(float(g.square().sum()) for g in before.values()))), rel=1e-5)
    strategy.clip(length, float(length) / 2)
    assert all(torch.allclose(gradients[name], before[name] / 2, rtol=1e-4) for name in before)
