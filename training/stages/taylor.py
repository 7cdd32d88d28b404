"""Which inner channels of a net matter: what the loss would change without them, to first order, and which to cut.

The criterion is Molchanov et al., Importance estimation for neural network pruning, 2019 (gates): a channel times 1 has the
importance E[(dL/dgate)^2], a mean over positions of the square of what cutting it would change. Channels are cut in chunks,
those first that matter least for each weight that goes. Knows a net and a loss; trains nothing.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from goengine.nets.build import Net
from goengine.nets.narrow import Group, groups
from training.core.device_feed import Batch


def importances(net: Net, batches: Iterable[Batch], loss: Callable[[Net, Batch], Tensor]) -> list[np.ndarray]:
    """For each of `groups(net)` the importance of its channels, float64, a mean over the positions of the batches.

    loss: the mean over a batch's positions. The net is left in evaluation mode. Raises ValueError without batches.
    """
    net.eval()
    found = groups(net)
    sums, count = [np.zeros(group.channels) for group in found], 0
    for batch in batches:
        positions = len(batch["planes"])
        gates = [torch.ones(positions, group.channels, device=batch["planes"].device, requires_grad=True) for group in found]
        hooks = [
            net.get_submodule(group.seen).register_forward_pre_hook(_gated(gate))
            for group, gate in zip(found, gates, strict=True)
        ]
        try:
            slopes = torch.autograd.grad(loss(net, batch), gates)
        finally:
            for hook in hooks:
                hook.remove()
        for total, slope in zip(sums, slopes, strict=True):
            total += (slope.double() * positions).square().sum(0).cpu().numpy()
        count += positions
    if not count:
        raise ValueError("channels are judged on at least one batch of positions")
    return [total / count for total in sums]


def _gated(gate: Tensor) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
    def multiplied(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        x = inputs[0]
        if x.ndim == 2:  # a pooling, which gives each channel several times over
            return x * gate.repeat(1, x.shape[1] // gate.shape[1]).to(x.dtype), *inputs[1:]
        return x * gate[:, :, None, None].to(x.dtype), *inputs[1:]

    return multiplied


def chosen(found: Sequence[Group], importance: Sequence[np.ndarray], share: float, chunk: int) -> list[np.ndarray]:
    """For each group the channels that stay when this share of the groups' weights has been cut, ascending.

    Channels go in chunks, so that widths become multiples of `chunk`; of each width one chunk, or what there is, stays.
    """
    chunks = []
    for width in dict.fromkeys(group.width for group in found):
        tied = [number for number, group in enumerate(found) if group.width == width]
        orders = {number: np.argsort(importance[number], kind="stable") for number in tied}
        channels, weights = found[tied[0]].channels, sum(found[number].weights for number in tied)
        first = channels % chunk or chunk
        for start, end in zip([0, *range(first, channels, chunk)], range(first, channels, chunk), strict=False):
            lost = sum(float(importance[number][orders[number][start:end]].sum()) for number in tied)
            cost = (end - start) * max(weights, 1)
            chunks.append((lost / cost, cost, {number: order[start:end] for number, order in orders.items()}))
    gone: list[list[np.ndarray]] = [[] for _ in found]
    left = share * sum(group.channels * group.weights for group in found)
    for _, cost, parts in sorted(chunks, key=lambda one: one[0]):
        if left <= 0:
            break
        left -= cost
        for number, part in parts.items():
            gone[number].append(part)
    return [
        np.setdiff1d(np.arange(group.channels), np.concatenate([*parts, np.zeros(0, np.int64)]))
        for group, parts in zip(found, gone, strict=True)
    ]
