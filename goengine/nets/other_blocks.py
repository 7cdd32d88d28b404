"""Blocks that are not a stack of convolutions beside their input: plain, dense, down and up again, attention, gates."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.block_base import AddedBlock, Block, InnerGroup, Site, Squeeze
from goengine.nets.extent import Extent
from goengine.nets.layers import OFF_BOARD, ConvNorm
from goengine.nets.norms import LayerNorm
from goengine.nets.residual_blocks import Residual

HEAD_CHANNELS: Final = 32  # of a transformer's head, where a text does not say how many heads
ROTARY_BASE: Final = 100.0  # the slowest angle turns by nearly 1/100 a point (Heo et al. 2024 take this for images)


class Plain(Block):
    """conv with a bias, act: a hidden layer of the first AlphaGo (Silver et al. 2016). Nothing is normalised or added."""

    rounded_input: tuple[str, ...] = ("layer",)
    silent: ClassVar[tuple[str, ...]] = ()

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.layer = ConvNorm(site.inputs, site.outputs, 3, None)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        return extent.masked(self.act(self.layer(x, extent)))


class Dense(Block):
    """Layers that each see all before them and append a few channels, then a 1x1 transition to the block's width (DenseNet,
    Huang et al. 2017). Without pooling: boards do not shrink. Normalised after the convolutions instead of before, so that
    everything folds; nothing is added to the input.
    """

    silent: ClassVar[tuple[str, ...]] = ()

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        names = [f"layers.{i}" for i in range(site.block.size)]
        self.rounded_input, self.rounded_inner = ("layers.0",), (*names[1:], "transition")
        growth, ends = site.block.k, [site.inputs + i * site.block.k for i in range(site.block.size + 1)]
        norms = [site.entry_norm, *[site.norm] * (site.block.size - 1)]
        self.layers = nn.ModuleList(ConvNorm(n, growth, 3, norm) for n, norm in zip(ends, norms, strict=False))
        self.transition = ConvNorm(ends[-1], site.outputs, 1, site.entry_norm)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        for layer in self.layers:
            x = torch.cat((x, extent.masked(self.act(layer(x, extent)))), dim=1)
        return extent.masked(self.act(self.transition(x, extent)))


class DownUp(AddedBlock):
    """Every second point, a residual block there, up again, conv, + input, act (U-Net, Ronneberger et al. 2015; the skip is
    added as in LinkNet, Chaurasia and Culurciello 2017). A board of width w has (w + 1) // 2 points a row inside, so that odd
    sizes come back exactly. This one goes up by a transposed convolution.
    """

    rounded_input = ("down",)
    rounded_inner = ("unit.first", "unit.last", "last")

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        inner = site.block.size or site.outputs
        self.down = ConvNorm(site.inputs, inner, 3, site.entry_norm, stride=2)
        self.unit = Residual(site.inside(inner))
        self._add_up(inner)
        self.last = ConvNorm(inner, site.outputs, 3, site.norm)

    def _add_up(self, channels: int) -> None:
        self.up = nn.ConvTranspose2d(channels, channels, 3, stride=2, padding=1, output_padding=1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        within = extent.halved(x[:, :1, ::2, ::2])
        y = self.down(x, within)
        y = self.unit(within.masked(self.act(y)), within)
        y = self._up(y, within)[:, :, : x.shape[2], : x.shape[3]]
        return self.added(x, self.last(extent.masked(y), extent), extent)

    def _up(self, y: Tensor, within: Extent) -> Tensor:
        """y [B,C,N,N] -> [B,C,2N,2N]."""
        return self.act(self.up(y))


class DownUpLinear(DownUp):
    """As DownUp, but up by linear interpolation: a point between others has the mean of those that are on the board."""

    def _add_up(self, channels: int) -> None:
        pass

    def _up(self, y: Tensor, within: Extent) -> Tensor:
        """y [B,C,N,N] -> [B,C,2N,2N]."""
        ones = torch.ones_like(y[:, :1]) if within.mask is None else within.mask.to(y.dtype)
        return _between(_between(y, ones, 2), _between(ones, ones, 2), 3)


def _between(y: Tensor, ones: Tensor, dim: int) -> Tensor:
    """y [B,C,...] twice as long in a dimension: each value, then its mean with the next where both are on the board (ones)."""
    after, there = _next(y, dim), _next(ones, dim)
    return torch.stack((y, (y + after) / (ones + there).clamp(min=1)), dim=dim + 1).flatten(dim, dim + 1)


def _next(x: Tensor, dim: int) -> Tensor:
    """x one place on in a dimension, with a zero at its end."""
    rest = x.narrow(dim, 1, x.shape[dim] - 1)
    return torch.cat((rest, torch.zeros_like(x.narrow(dim, 0, 1))), dim=dim)


class Transformer(AddedBlock):
    """norm, attention of every point to every point of its board, + input; norm, MLP, + that (Vaswani et al. 2017, normalised
    before). Queries and keys are turned by their row and column (RoFormer, Su et al. 2021; in two dimensions Heo et al. 2024),
    so that only the distance between two points counts, and one net plays every size. Its norms are layer norms whatever the
    others are.
    """

    inner_groups: tuple[InnerGroup, ...] = (InnerGroup("inner", ("first",), "last"),)
    silent: ClassVar[tuple[str, ...]] = ("attended", "last")
    activates: ClassVar[bool] = False
    tip: ClassVar[bool] = True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        channels = site.outputs
        self.heads = site.block.size or max(1, channels // HEAD_CHANNELS)
        self.each = 4 * math.ceil(channels / self.heads / 4)  # row and column, each in pairs
        self.norm = LayerNorm(channels)
        self.seen = nn.Conv2d(channels, 3 * self.heads * self.each, 1, bias=False)
        self.attended = nn.Conv2d(self.heads * self.each, channels, 1, bias=False)
        self.norm_mlp = LayerNorm(channels)
        wide = site.block.inner or site.block.k * channels
        self.first = nn.Conv2d(channels, wide, 1)
        self.last = nn.Conv2d(wide, channels, 1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        x = self.carried(x, extent)
        x = x + self.attended(self._attention(self.seen(self.norm(x, extent)), extent))
        y = self.last(self.act(self.first(self.norm_mlp(x, extent))))
        return extent.masked(x + (y if self.squeeze is None else self.squeeze(y, extent)))

    def _attention(self, seen: Tensor, extent: Extent) -> Tensor:
        """Queries, keys and values [B,3*H*E,M,M] -> [B,H*E,M,M]."""
        width = seen.shape[-1]
        query, key, value = seen.flatten(2).unflatten(1, (3, self.heads, self.each)).transpose(3, 4).unbind(1)
        angles = _angles(width, self.each, seen.device)
        query, key = (_turned(x, angles).to(value.dtype) for x in (query, key))
        mask = None if extent.mask is None else ((1.0 - extent.mask) * OFF_BOARD).flatten(2).unsqueeze(1).to(value.dtype)
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        found: Tensor = y.transpose(2, 3).flatten(1, 2).unflatten(2, (width, width))
        return found


def _angles(width: int, channels: int, device: torch.device) -> Tensor:
    """Angle of each pair of channels at each point, row by row: [width*width, channels // 2], float32."""
    speeds = ROTARY_BASE ** -(torch.arange(channels // 4, device=device, dtype=torch.float32) / (channels // 4))
    along = torch.arange(width, device=device).float()[:, None] * speeds
    rows = along[:, None, :] + torch.zeros_like(along)[None, :, :]
    return torch.cat((rows, rows.transpose(0, 1)), dim=2).flatten(0, 1)


def _turned(x: Tensor, angles: Tensor) -> Tensor:
    """x [...,N,E] with each pair of channels turned by its angle, float32."""
    one, other = x.float().chunk(2, dim=-1)
    return torch.cat((one * angles.cos() - other * angles.sin(), one * angles.sin() + other * angles.cos()), dim=-1)


class SqueezeBlock(Block):
    """Squeeze-and-excite by itself: the trunk's channels times their gates (`Squeeze`)."""

    silent: ClassVar[tuple[str, ...]] = ("squeeze.last",)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.squeeze = Squeeze(site, site.block.size)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,C,M,M]."""
        found: Tensor = self.squeeze(x, extent)
        return found
