"""The layers every block and head is made of: masked batch normalisation, convolution with it, global pooling.

Knows how one net serves every board size. A batch of boards of one size has no mask and takes the plain fused path; a batch
with padding carries the on-board mask, and then statistics, poolings and activations see the points of the board only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets import process_sums

ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {"relu": F.relu, "silu": F.silu}

# KataGo's pooling constants (Wu 2019, section 3.3 and appendix): sizes are centred on 14 and scaled by 10;
# POOL_VARIANCE is the mean of (b - 14)^2 over b = 9..19.
POOL_CENTRE: Final = 14.0
POOL_SCALE: Final = 10.0
POOL_VARIANCE: Final = 10.0
OFF_BOARD: Final = -1e4  # finite in float16 and bfloat16, and beyond any activation


class Extent(NamedTuple):
    """Where the boards of a batch are. mask [B,1,M,M], 1 on the board, or None when the boards fill the planes;
    count [B,1]: points on the board, float32; width [B,1]: its square root."""

    mask: Tensor | None
    count: Tensor
    width: Tensor

    def masked(self, x: Tensor) -> Tensor:
        """x [B,C,M,M] with zeros off the board; x itself when there is no padding."""
        return x if self.mask is None else x * self.mask.to(x.dtype)


def extent_of(planes: Tensor, full: bool | None = None) -> Extent:
    """The extent of a batch of planes [B,C,M,M] whose plane 0 is the on-board mask.

    full: True promises that every board fills the planes, False that the mask is wanted; None looks (on a GPU this waits
    for the device, so a trainer that knows should say).
    """
    on_board = planes[:, 0].float()
    count = on_board.sum(dim=(1, 2)).unsqueeze(1)
    if full is None:
        full = bool((on_board == 1).all())
    return Extent(None if full else on_board.unsqueeze(1), count, count.sqrt())


class Float32Linear(nn.Linear):
    """A linear layer that always computes in float32: the small layers behind poolings, where precision costs nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """x [..., in] -> [..., out], float32 whatever the autocast state and the dtype of the weights."""
        bias = None if self.bias is None else self.bias.float()
        if torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return F.linear(x.float(), self.weight.float(), bias)
        return F.linear(x.float(), self.weight.float(), bias)


class MaskedNorm(nn.Module):
    """Batch normalisation over the points of the boards only (Ioffe & Szegedy 2015, with on-board statistics).

    Where several processes train together, the statistics are those of all their batches joined. One process without a mask
    takes the library's fused kernel. Values off the board come out arbitrary: the caller masks. A settled one keeps its running
    statistics and normalises by them in training as well: see `settle_norms`.
    """

    momentum: Final = 0.1
    eps: Final = 1e-5
    settled = False

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

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


def freeze_batch_norm(net: nn.Module) -> None:
    """Let all normalisations of a trained net keep their statistics from now on.

    Needed where batches are of several sorts, such as board sizes: each would be normalised by its own statistics in training,
    and by what is mixed from all of them in play.
    """
    for module in net.modules():
        if isinstance(module, MaskedNorm):
            module.settled = True


class ConvNorm(nn.Module):
    """A convolution and its batch normalisation; once `fold` has merged them, norm is None and the convolution has a bias.

    normalised: False makes that form at once, for nets that normalise nothing.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, normalised: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=not normalised)
        self.norm: MaskedNorm | None = MaskedNorm(outputs) if normalised else None

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,inputs,M,M], zero off the board -> [B,outputs,M,M], arbitrary off the board."""
        x = self.conv(x)
        return x if self.norm is None else self.norm(x, extent)


def pool_mean_max(x: Tensor, extent: Extent) -> Tensor:
    """KataGo's global pooling: x [B,C,M,M] -> [B,3C] float32: mean, mean * (width - 14)/10, maximum, over on-board points."""
    x = x.float()
    mean = _mean(x, extent)
    if extent.mask is not None:
        x = x + (1.0 - extent.mask) * OFF_BOARD
    return torch.cat((mean, mean * ((extent.width - POOL_CENTRE) / POOL_SCALE), x.flatten(2).max(dim=2).values), dim=1)


def pool_means(x: Tensor, extent: Extent) -> Tensor:
    """KataGo's value-head pooling: [B,3C] float32: mean, mean * (w - 14)/10, mean * ((w - 14)^2 - 10)/100 for width w."""
    mean = _mean(x.float(), extent)
    offset = extent.width - POOL_CENTRE
    return torch.cat((mean, mean * (offset / POOL_SCALE), mean * ((offset.square() - POOL_VARIANCE) / POOL_SCALE**2)), dim=1)


def _mean(x: Tensor, extent: Extent) -> Tensor:
    if extent.mask is None:
        return x.mean(dim=(2, 3))
    return (x * extent.mask).sum(dim=(2, 3)) / extent.count
