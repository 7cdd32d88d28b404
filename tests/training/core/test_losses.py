"""The loss: each term against its formula, and no gradient where a target does not exist."""

import math

import pytest
import torch

from goengine.nets.heads import NetOutput
from training.core.losses import LossWeights, total_loss

WEIGHTS = LossWeights(policy=1.0, value=1.0, opponent=0.5, ownership=1.0, score=1.0, score_stdev=1.0)


def batch(count=4, side=3):
    """Everything known, all values alike."""
    return {
        "planes": torch.ones(count, 2, side, side),
        "policy": torch.zeros(count, dtype=torch.int64),
        "opponent": torch.ones(count, dtype=torch.int64),
        "value": torch.ones(count),
        "value_weight": torch.ones(count),
        "score": torch.full((count,), 5.0),
        "score_weight": torch.ones(count),
        "owner": torch.ones(count, side, side, dtype=torch.int8),
        "owner_weight": torch.ones(count),
    }


def output(count=4, side=3):
    """A net that knows nothing."""
    actions = side * side + 1
    zero = [
        torch.zeros(count, actions),
        torch.zeros(count),
        torch.zeros(count),
        torch.full((count,), 10.0),
        torch.zeros(count, side, side),
        torch.zeros(count, actions),
    ]
    return NetOutput(*(tensor.requires_grad_() for tensor in zero))


def test_ignorance_costs_what_the_formulas_say():
    loss, figures = total_loss(output(), batch(), WEIGHTS)
    assert figures["policy"] == pytest.approx(math.log(10)) and figures["opponent"] == pytest.approx(math.log(10))
    assert figures["value"] == pytest.approx(math.log(2)) and figures["mse"] == pytest.approx(1.0)
    assert figures["score"] == pytest.approx(0.5 * 25 / 10) and figures["score_stdev"] == pytest.approx(
        math.log(10) + 0.5 * 0.25
    )
    assert figures["ownership"] == pytest.approx(math.log(2))
    assert loss.item() == pytest.approx(1.5 * math.log(10) + 2 * math.log(2) + 1.25 + math.log(10) + 0.125)


@pytest.mark.parametrize(
    "target, weight, head",
    [
        ("policy", None, "policy"),
        ("opponent", None, "opponent_policy"),
        ("value", "value_weight", "value"),
        ("score", "score_weight", "score"),
        ("owner", "owner_weight", "ownership"),
    ],
)
def test_missing_targets_teach_nothing(target, weight, head):
    data, found = batch(), output()
    if weight is None:
        data[target][1:] = -1
    else:
        data[weight][1:] = 0
    total_loss(found, data, WEIGHTS)[0].backward()
    gradient = getattr(found, head).grad
    assert gradient[0].abs().sum() > 0 and gradient[1:].abs().sum() == 0


def test_no_target_at_all_is_finite():
    data, found = batch(), output()
    for name in ("value_weight", "score_weight", "owner_weight"):
        data[name][:] = 0
    data["policy"][:] = data["opponent"][:] = -1
    loss, _ = total_loss(found, data, WEIGHTS)
    loss.backward()
    assert loss.item() == 0 and all(part.grad is None or torch.isfinite(part.grad).all() for part in found)


def test_value_gradient_has_the_right_sign():
    data, found = batch(), output()
    data["value"] = torch.tensor([1.0, -1.0, 0.0, 1.0])
    total_loss(found, data, WEIGHTS)[0].backward()
    assert found.value.grad[0] < 0 < found.value.grad[1] and found.value.grad[2] == 0


def test_a_weight_of_zero_leaves_the_term_out():
    _, figures = total_loss(output(), batch(), LossWeights(policy=1, value=1, opponent=0, ownership=0, score=0, score_stdev=0))
    assert set(figures) == {"policy", "value", "top1", "mse"}


@pytest.mark.parametrize(
    "outputs, told",
    [
        ({"policy"}, {"policy", "top1"}),
        ({"value"}, {"value", "mse"}),
        ({"policy", "opponent", "value"}, {"policy", "opponent", "value", "top1", "mse"}),
    ],
)
def test_heads_that_are_not_there_have_no_loss(outputs, told):
    found = output()
    loss, figures = total_loss(found, batch(), WEIGHTS.of_heads(outputs))
    loss.backward()
    assert set(figures) == told and loss.item() > 0
    assert found.score.grad is None and (found.value.grad is None) == ("value" not in outputs)


def test_a_distribution_is_a_policy_target_too():
    data, found = batch(), output()
    data["policy"] = torch.zeros(4, 10)
    data["policy"][:, 2], data["policy"][:, 9] = 0.75, 0.25
    with torch.no_grad():
        found.policy[:, 2] = 1.0
    _, figures = total_loss(found, data, WEIGHTS)
    total = math.log(9 + math.e)
    assert figures["policy"] == pytest.approx(0.75 * (total - 1) + 0.25 * total) and figures["top1"] == 1


def test_a_distribution_at_one_move_costs_what_the_index_does():
    index, shares, found = batch(), batch(), output()
    index["policy"] = torch.tensor([3, 0, -1, 9])
    shares["policy"] = torch.zeros(4, 10)
    shares["policy"][[0, 1, 3], [3, 0, 9]] = 1.0
    with torch.no_grad():
        found.policy.normal_(generator=torch.Generator().manual_seed(1))
    (a, ours), (b, theirs) = total_loss(found, index, WEIGHTS), total_loss(found, shares, WEIGHTS)
    assert a.item() == pytest.approx(b.item()) and all(ours[name].item() == pytest.approx(theirs[name].item()) for name in ours)
    b.backward()
    assert found.policy.grad[2].abs().sum() == 0 and found.policy.grad[0].abs().sum() > 0
