"""The trunk's blocks, each under the name by which a NetSpec asks for it.

A block maps [B,C,M,M] that is zero off the board to the same, and knows nothing of what stands before or behind it. Blocks
that normalise after a convolution fold completely for inference; the pre-activation ones keep one normalisation each.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from goengine.nets.layers import ACTIVATIONS, ConvNorm, Extent, Float32Linear, MaskedNorm, pool_mean_max
from goengine.nets.spec import NetSpec


class Residual(nn.Module):
    """conv, norm, act, conv, norm, + input, act (He et al. 2015, as in AlphaGo Zero)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.first = ConvNorm(spec.channels, spec.channels, 3)
        self.last = ConvNorm(spec.channels, spec.channels, 3)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        y = extent.masked(self.act(self.first(x, extent)))
        return extent.masked(self.act(x + self.last(y, extent)))


class GlobalPool(nn.Module):
    """A residual block in which pooled channels set a bias for the others (KataGo, Wu 2019, figure 2, normalised after)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        pooled, others = spec.pool_channels, spec.channels - spec.pool_channels
        self.act = ACTIVATIONS[spec.activation]
        self.pooled = ConvNorm(spec.channels, pooled, 3)
        self.first = ConvNorm(spec.channels, others, 3)
        self.bias = Float32Linear(3 * pooled, others, bias=False)
        self.last = ConvNorm(others, spec.channels, 3)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        pooled = pool_mean_max(self.act(self.pooled(x, extent)), extent)
        y = self.first(x, extent)
        y = extent.masked(self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None]))
        return extent.masked(self.act(x + self.last(y, extent)))


class PreResidual(nn.Module):
    """norm, act, conv, norm, act, conv, + input (He et al. 2016). The first norm cannot be folded."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.norm = MaskedNorm(spec.channels)
        self.first = ConvNorm(spec.channels, spec.channels, 3)
        self.last = nn.Conv2d(spec.channels, spec.channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        y = extent.masked(self.act(self.norm(x, extent)))
        y = extent.masked(self.act(self.first(y, extent)))
        return extent.masked(x + self.last(y))


class PreGlobalPool(nn.Module):
    """The pre-activation block with a global-pooling bias: KataGo's own arrangement (Wu 2019, figure 2)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        pooled, others = spec.pool_channels, spec.channels - spec.pool_channels
        self.act = ACTIVATIONS[spec.activation]
        self.norm = MaskedNorm(spec.channels)
        self.pooled = ConvNorm(spec.channels, pooled, 3)
        self.first = ConvNorm(spec.channels, others, 3)
        self.bias = Float32Linear(3 * pooled, others, bias=False)
        self.last = nn.Conv2d(others, spec.channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        y = extent.masked(self.act(self.norm(x, extent)))
        pooled = pool_mean_max(self.act(self.pooled(y, extent)), extent)
        y = self.first(y, extent)
        y = extent.masked(self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None]))
        return extent.masked(x + self.last(y))


class Bottleneck(nn.Module):
    """1x1 down to half the channels, two 3x3, 1x1 up, + input, act: cheaper than a residual block of this width."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        half = spec.channels // 2
        self.act = ACTIVATIONS[spec.activation]
        self.inner = nn.ModuleList((ConvNorm(spec.channels, half, 1), ConvNorm(half, half, 3), ConvNorm(half, half, 3)))
        self.last = ConvNorm(half, spec.channels, 1)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        y = x
        for layer in self.inner:
            y = extent.masked(self.act(layer(y, extent)))
        return extent.masked(self.act(x + self.last(y, extent)))


class Plain(nn.Module):
    """conv with a bias, act: a hidden layer of the first AlphaGo (Silver et al. 2016). Nothing is normalised or added."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.layer = ConvNorm(spec.channels, spec.channels, 3, normalised=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        return extent.masked(self.act(self.layer(x, extent)))


BLOCKS: Final[dict[str, type[nn.Module]]] = {
    "residual": Residual,
    "gpool": GlobalPool,
    "preact": PreResidual,
    "preact_gpool": PreGlobalPool,
    "bottleneck": Bottleneck,
    "conv": Plain,
}


def zero_branch(block: nn.Module) -> None:
    """Silences the block's branch: a fresh net is its stem and heads only and trains fast at any depth (Goyal et al. 2017).

    A block that is no branch beside its input stays as it is.
    """
    last = getattr(block, "last", None)
    if last is None:
        return
    with torch.no_grad():
        if isinstance(last, ConvNorm) and last.norm is not None:
            last.norm.weight.zero_()
        else:
            last.weight.zero_()
