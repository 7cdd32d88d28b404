"""Blocks made of convolutions whose branch is added to their input.

Those that normalise after a convolution fold completely for inference; the pre-activation ones keep one normalisation each.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from goengine.nets.block_base import AddedBlock, InnerGroup, Site
from goengine.nets.extent import Extent
from goengine.nets.layers import ConvNorm, Float32Linear, pool_mean_max


class Residual(AddedBlock):
    """conv, norm, act, conv, norm, + input, act (He et al. 2015, as in AlphaGo Zero)."""

    inner_groups: tuple[InnerGroup, ...] = (InnerGroup("size", ("first",), "last"),)
    rounded_input: tuple[str, ...] = ("first",)
    rounded_inner: tuple[str, ...] = ("last",)

    def __init__(self, site: Site, rate: int = 1, inner: int = 0) -> None:
        """rate: dilation of the first convolution; inner: channels between the two, 0: as many as go out."""
        super().__init__(site)
        inner = inner or site.outputs
        self.first = ConvNorm(site.inputs, inner, 3, site.entry_norm, dilation=rate)
        self.last = ConvNorm(inner, site.outputs, 3, site.norm)

    @classmethod
    def of(cls, site: Site) -> Residual:
        """As a spec describes it."""
        return cls(site, inner=site.block.size)

    @classmethod
    def dilated(cls, site: Site) -> Residual:
        """The first convolution skips points, to see further at the same cost (WaveNet, van den Oord et al. 2016; DeepLab, Chen
        et al. 2017). The second does not, so that no point is left out."""
        made = cls(site, rate=site.block.size, inner=site.block.inner)
        made.inner_groups = (InnerGroup("inner", ("first",), "last"),)
        return made

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = extent.masked(self.act(self.first(x, extent)))
        return self.added(x, self.last(y, extent), extent)


class GlobalPool(AddedBlock):
    """A residual block in which pooled channels set a bias for the others (KataGo, Wu 2019, figure 2, normalised after)."""

    inner_groups: tuple[InnerGroup, ...] = (
        InnerGroup("size", ("first", "bias"), "last"),
        InnerGroup("inner", ("pooled",), "bias"),
    )
    rounded_input: tuple[str, ...] = ("pooled", "first")
    rounded_inner: tuple[str, ...] = ("last",)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        pooled = site.block.inner or site.spec.pool_channels
        others = site.block.size or site.outputs - pooled
        self.pooled = ConvNorm(site.inputs, pooled, 3, site.entry_norm)
        self.first = ConvNorm(site.inputs, others, 3, site.entry_norm)
        self.bias = Float32Linear(3 * pooled, others, bias=False)
        self.last = ConvNorm(others, site.outputs, 3, site.norm)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        pooled = pool_mean_max(self.act(self.pooled(x, extent)), extent)
        y = self.first(x, extent)
        y = extent.masked(self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None]))
        return self.added(x, self.last(y, extent), extent)


class PreResidual(AddedBlock):
    """norm, act, conv, norm, act, conv, + input (He et al. 2016). The first norm cannot be folded."""

    inner_groups: tuple[InnerGroup, ...] = (InnerGroup("size", ("first",), "last"),)
    rounded_inner: tuple[str, ...] = ("first", "last")
    activates: ClassVar[bool] = False
    tip: ClassVar[bool] = True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        inner = site.block.size or site.outputs
        self.norm = site.entry_norm(site.inputs)
        self.first = ConvNorm(site.inputs, inner, 3, site.norm)
        self.last = nn.Conv2d(inner, site.outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = extent.masked(self.act(self.norm(x, extent)))
        y = extent.masked(self.act(self.first(y, extent)))
        return self.added(x, self.last(y), extent)


class PreGlobalPool(AddedBlock):
    """The pre-activation block with a global-pooling bias: KataGo's own arrangement (Wu 2019, figure 2)."""

    inner_groups: tuple[InnerGroup, ...] = (
        InnerGroup("size", ("first", "bias"), "last"),
        InnerGroup("inner", ("pooled",), "bias"),
    )
    rounded_inner: tuple[str, ...] = ("pooled", "first", "last")
    activates: ClassVar[bool] = False
    tip: ClassVar[bool] = True

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        pooled = site.block.inner or site.spec.pool_channels
        others = site.block.size or site.outputs - pooled
        self.norm = site.entry_norm(site.inputs)
        self.pooled = ConvNorm(site.inputs, pooled, 3, site.norm)
        self.first = ConvNorm(site.inputs, others, 3, site.norm)
        self.bias = Float32Linear(3 * pooled, others, bias=False)
        self.last = nn.Conv2d(others, site.outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = extent.masked(self.act(self.norm(x, extent)))
        pooled = pool_mean_max(self.act(self.pooled(y, extent)), extent)
        y = self.first(y, extent)
        y = extent.masked(self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None]))
        return self.added(x, self.last(y), extent)


class Bottleneck(AddedBlock):
    """1x1 down, by default to half the channels, two 3x3, 1x1 up, + input, act (He et al. 2015; two 3x3 as in Danihelka et al.
    2022): cheaper than a residual block of this width."""

    inner_groups: tuple[InnerGroup, ...] = (
        InnerGroup("size", ("inner.0",), "inner.1"),
        InnerGroup("size", ("inner.1",), "inner.2"),
        InnerGroup("size", ("inner.2",), "last"),
    )
    rounded_input: tuple[str, ...] = ("inner.0",)
    rounded_inner: tuple[str, ...] = ("inner.1", "inner.2", "last")

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        half = site.block.size or site.outputs // 2
        down = ConvNorm(site.inputs, half, 1, site.entry_norm)
        self.inner = nn.ModuleList((down, ConvNorm(half, half, 3, site.norm), ConvNorm(half, half, 3, site.norm)))
        self.last = ConvNorm(half, site.outputs, 1, site.norm)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = x
        for layer in self.inner:
            y = extent.masked(self.act(layer(y, extent)))
        return self.added(x, self.last(y, extent), extent)


class Nested(AddedBlock):
    """1x1 down, two residual blocks at that width, 1x1 up, + input, act: KataGo's nested bottleneck (docs/KataGoMethods.md),
    normalised after instead of before."""

    rounded_input: tuple[str, ...] = ("down",)
    rounded_inner: tuple[str, ...] = ("units.0.first", "units.0.last", "units.1.first", "units.1.last", "last")

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        half = site.block.size or site.outputs // 2
        self.down = ConvNorm(site.inputs, half, 1, site.entry_norm)
        self.units = nn.ModuleList(Residual(site.inside(half)) for _ in range(2))
        self.last = ConvNorm(half, site.outputs, 1, site.norm)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = extent.masked(self.act(self.down(x, extent)))
        for unit in self.units:
            y = unit(y, extent)
        return self.added(x, self.last(y, extent), extent)


class Inverted(AddedBlock):
    """1x1 up, a convolution of each channel for itself, 1x1 down, + input, with no activation behind (MobileNet 1 and 2: Howard
    et al. 2017, Sandler et al. 2018; for Go Cazenave 2021)."""

    inner_groups: tuple[InnerGroup, ...] = (InnerGroup("inner", ("first", "depthwise"), "last"),)
    rounded_input: tuple[str, ...] = ("first",)
    rounded_inner: tuple[str, ...] = ("depthwise", "last")
    activates: ClassVar[bool] = False

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        wide = site.block.inner or site.block.k * site.outputs
        self.first = ConvNorm(site.inputs, wide, 1, site.entry_norm)
        self.depthwise = ConvNorm(wide, wide, site.block.size, site.norm, groups=wide)
        self.last = ConvNorm(wide, site.outputs, 1, site.norm)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M] -> [B,D,M,M]."""
        y = extent.masked(self.act(self.first(x, extent)))
        y = extent.masked(self.act(self.depthwise(y, extent)))
        return self.added(x, self.last(y, extent), extent)
