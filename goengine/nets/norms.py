"""Normalisations: batch, layer, instance, group, and none but a fixed variance.

Knows how each sees the points of the boards only. Batch normalisation keeps statistics of what it saw in training and is a
fixed map in play, as is the fixed one: both fold into the convolution before them and cost nothing. The others look at each
position alone, so they need no statistics and no batch, but are computed in play as well.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets import process_sums
from goengine.nets.extent import Extent


class Norm(nn.Module):
    """A scale and a shift for each channel, behind whatever a subclass does to the signal."""

    eps: Final = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def init_fresh(self) -> None:
        """A scale of 1 and no shift."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def affine(self) -> tuple[Tensor, Tensor] | None:
        """(scale, shift), float64 [C], if it is a fixed map in evaluation mode; None if it looks at the position."""
        return None

    def only_adding(self, bias: np.ndarray) -> dict[str, np.ndarray]:
        """Arrays of one that does nothing but add bias [C], by parameter. Raises ValueError if there is no such thing."""
        raise ValueError(f"a {type(self).__name__} cannot be merged into a convolution")

    def scaled(self, wide: Tensor, dtype: torch.dtype) -> Tensor:
        """wide [B,C,M,M] float32 with the channels' scale and shift, as dtype."""
        return (wide * self.weight.float()[:, None, None] + self.bias.float()[:, None, None]).to(dtype)


class MaskedNorm(Norm):
    """Batch normalisation over the points of the boards only (Ioffe & Szegedy 2015, with on-board statistics).

    Where several processes train together, the statistics are those of all their batches joined. One process without a mask
    takes the library's fused kernel. Values off the board come out arbitrary: the caller masks. A settled one keeps its running
    statistics and normalises by them in training as well: see `settle_norms`.
    """

    momentum = 0.1  # of the running statistics: how far each batch moves them
    running_mean: Tensor
    running_var: Tensor
    settled = False

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    def init_fresh(self) -> None:
        """Changes nothing yet, but for the rounding of eps."""
        super().init_fresh()
        self.running_mean.zero_()
        self.running_var.fill_(1.0)

    def only_adding(self, bias: np.ndarray) -> dict[str, np.ndarray]:
        """Arrays of one that in evaluation mode does nothing but add bias [C]."""
        statistics = {"running_mean": np.zeros_like(bias), "running_var": np.full_like(bias, 1.0 - self.eps)}
        return {"weight": np.ones_like(bias), "bias": bias, **statistics}

    def affine(self) -> tuple[Tensor, Tensor]:
        """In evaluation mode a fixed scale and shift; in float64, so that folding costs no precision worth naming."""
        scale = self.weight.double() * torch.rsqrt(self.running_var.double() + self.eps)
        return scale, self.bias.double() - self.running_mean.double() * scale

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] normalised, same dtype; in training mode updates the running statistics."""
        learning = self.training and not self.settled
        if not learning or (extent.mask is None and process_sums.count() == 1):
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, learning, self.momentum, self.eps
            )
        wide = x.float()
        mean, var, count = _joined(*_statistics(wide, extent))
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * (count / (count - 1).clamp(min=1)), self.momentum)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return ((wide - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def _statistics(wide: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor]:
    """(mean [C], variance [C], number of points) of wide [B,C,M,M] over the points of the boards."""
    count = extent.count.sum()
    mean = extent.masked(wide).sum(dim=(0, 2, 3)) / count
    var = extent.masked((wide - mean[:, None, None]).square()).sum(dim=(0, 2, 3)) / count
    return mean, var, count


def _joined(mean: Tensor, var: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The statistics of all processes' points together, in one exchange (in float64, where squares lose nothing)."""
    if process_sums.count() == 1:
        return mean, var, count
    mean, var = mean.double(), var.double()
    ones, means, squares = process_sums.total(torch.stack((torch.ones_like(mean), mean, var + mean.square())) * count)
    mean, square = means / ones, squares / ones
    return mean.float(), (square - mean.square()).clamp(min=0).float(), ones[0].float()


class LayerNorm(Norm):
    """Over the channels of each point (Ba, Kiros and Hinton 2016; for each point alone as in ConvNeXt, Liu et al. 2022)."""

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] normalised, same dtype; values off the board come out arbitrary."""
        wide = x.float()
        wide = wide - wide.mean(dim=1, keepdim=True)
        return self.scaled(wide * torch.rsqrt(wide.square().mean(dim=1, keepdim=True) + self.eps), x.dtype)


class GroupNorm(Norm):
    """Over the points of each board and the channels of a group (Wu and He 2018): 8, or fewer that divide the channels."""

    most_groups: Final[int] = 8

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.groups = math.gcd(self.most_groups, channels)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] normalised, same dtype; values off the board come out arbitrary."""
        wide = x.float()
        wide = wide - self._mean(wide, extent)
        return self.scaled(wide * torch.rsqrt(self._mean(wide.square(), extent) + self.eps), x.dtype)

    def _mean(self, wide: Tensor, extent: Extent) -> Tensor:
        """[B,C,1,1]: for each channel the mean of its group over the board."""
        means = extent.masked(wide).sum(dim=(2, 3)) / extent.count
        by_group = means.unflatten(1, (self.groups, -1)).mean(dim=2, keepdim=True)
        found: Tensor = by_group.expand(-1, -1, means.shape[1] // self.groups).flatten(1)[:, :, None, None]
        return found


class InstanceNorm(GroupNorm):
    """Over the points of each board, every channel for itself (Ulyanov, Vedaldi and Lempitsky 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.groups = channels


class FixedNorm(Norm):
    """No statistics: the first weights are such that the signal has a variance near one, and a constant takes back what the
    blocks before have added to it (KataGo, docs/KataGoMethods.md: fixed variance initialization, one batch norm; Zhang et al.
    2019). Here without the one batch norm at the end.
    """

    def __init__(self, channels: int, constant: float = 1.0) -> None:
        super().__init__(channels)
        self.constant = constant

    def only_adding(self, bias: np.ndarray) -> dict[str, np.ndarray]:
        """Arrays of one that does nothing but add bias [C]."""
        return {"weight": np.full_like(bias, 1.0 / self.constant), "bias": bias}

    def affine(self) -> tuple[Tensor, Tensor]:
        """Always a fixed scale and shift."""
        return self.weight.double() * self.constant, self.bias.double()

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] scaled and shifted, same dtype; values off the board come out arbitrary."""
        return self.scaled(x.float() * self.constant, x.dtype)


_NORMS: Final[dict[str, type[Norm]]] = {
    "batch": MaskedNorm,
    "layer": LayerNorm,
    "instance": InstanceNorm,
    "group": GroupNorm,
    "fixed": FixedNorm,
}
MakeNorm = Callable[[int], Norm]  # from a number of channels


def make_norm(name: str, depth: int = 0) -> MakeNorm:
    """How to make a normalisation by its name in a spec. depth: blocks that have added to the signal that comes in."""
    return partial(FixedNorm, constant=(1 + depth) ** -0.5) if name == "fixed" else _NORMS[name]


def freeze_batch_norm(net: nn.Module) -> None:
    """Let all normalisations of a trained net keep their statistics from now on.

    Needed where batches are of several sorts, such as board sizes: each would be normalised by its own statistics in training,
    and by what is mixed from all of them in play.
    """
    for module in net.modules():
        if isinstance(module, MaskedNorm):
            module.settled = True


def share_statistics(net: nn.Module, parts: int) -> None:
    """Let each of so many parts of a batch, seen one after the other, move the running statistics so far that all of them
    together move them as far as a whole batch does.
    """
    for module in net.modules():
        if isinstance(module, MaskedNorm):
            module.momentum = 1 - (1 - MaskedNorm.momentum) ** (1 / parts)


@contextlib.contextmanager
def statistics_kept(net: nn.Module) -> Iterator[None]:
    """Meanwhile a net in training mode sees batches without moving its running statistics: it has seen them before."""
    norms = [module for module in net.modules() if isinstance(module, MaskedNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
