"""The layers every block and head is made of: convolution with a normalisation, activations, global pooling.

Knows how one net serves every board size: poolings see the points of the boards only (`extent`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.extent import Extent
from goengine.nets.norms import MakeNorm, MaskedNorm, Norm

ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {"relu": F.relu, "silu": F.silu, "mish": F.mish}

# KataGo's pooling constants (Wu 2019, section 3.3 and appendix): sizes are centred on 14 and scaled by 10;
# POOL_VARIANCE is the mean of (b - 14)^2 over b = 9..19.
POOL_CENTRE: Final = 14.0
POOL_SCALE: Final = 10.0
POOL_VARIANCE: Final = 10.0
OFF_BOARD: Final = -1e4  # finite in float16 and bfloat16, and beyond any activation


class Float32Linear(nn.Linear):
    """A linear layer that always computes in float32: the small layers behind poolings, where precision costs nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """x [..., in] -> [..., out], float32 whatever the autocast state and the dtype of the weights."""
        bias = None if self.bias is None else self.bias.float()
        if torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return F.linear(x.float(), self.weight.float(), bias)
        return F.linear(x.float(), self.weight.float(), bias)


class ConvNorm(nn.Module):
    """A convolution and its normalisation; once `fold` has merged them, norm is None and the convolution has a bias.

    norm: makes the normalisation; None makes the merged form at once, for nets that normalise nothing. how: dilation, groups
    and stride of the convolution.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, norm: MakeNorm | None = MaskedNorm, **how: int) -> None:
        super().__init__()
        padding = kernel // 2 * how.get("dilation", 1)
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=norm is None, **how)
        self.norm: Norm | None = None if norm is None else norm(outputs)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,inputs,M,M], zero off the board -> [B,outputs,M,M], arbitrary off the board; extent: of what comes out."""
        x = self.conv(x)
        return x if self.norm is None else self.norm(x, extent)


def pool_mean_max(x: Tensor, extent: Extent) -> Tensor:
    """KataGo's global pooling: x [B,C,M,M] -> [B,3C] float32: mean, mean * (width - 14)/10, maximum, over on-board points."""
    x = x.float()
    mean = pool_mean(x, extent)
    if extent.mask is not None:
        x = x + (1.0 - extent.mask) * OFF_BOARD
    return torch.cat((mean, mean * ((extent.width - POOL_CENTRE) / POOL_SCALE), x.flatten(2).max(dim=2).values), dim=1)


def pool_means(x: Tensor, extent: Extent) -> Tensor:
    """KataGo's value-head pooling: [B,3C] float32: mean, mean * (w - 14)/10, mean * ((w - 14)^2 - 10)/100 for width w."""
    mean = pool_mean(x.float(), extent)
    offset = extent.width - POOL_CENTRE
    return torch.cat((mean, mean * (offset / POOL_SCALE), mean * ((offset.square() - POOL_VARIANCE) / POOL_SCALE**2)), dim=1)


def pool_mean(x: Tensor, extent: Extent) -> Tensor:
    """The mean of each channel over on-board points: x [B,C,M,M] -> [B,C]."""
    if extent.mask is None:
        return x.mean(dim=(2, 3))
    return (x * extent.mask).sum(dim=(2, 3)) / extent.count
