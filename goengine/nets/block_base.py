"""What every block of a trunk has in common: where it stands, what it adds to, squeeze-and-excite.

A block maps [B,C,M,M] that is zero off the board to [B,D,M,M] that is, too, and knows of its place only what a `Site` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from goengine.nets.extent import Extent
from goengine.nets.layers import ACTIVATIONS, ConvNorm, Float32Linear, pool_mean
from goengine.nets.norms import MakeNorm, make_norm
from goengine.nets.spec import BlockSpec, NetSpec


@dataclass(frozen=True)
class Site:
    """Where a block stands: channels that come in and go out, blocks before it; squeeze: reduction of squeeze-and-excite in
    its branch, 0 for none."""

    spec: NetSpec
    block: BlockSpec
    inputs: int
    outputs: int
    depth: int = 0
    squeeze: int = 0

    @property
    def norm(self) -> MakeNorm:
        """Normalisations inside the block."""
        return make_norm(self.spec.norm)

    @property
    def entry_norm(self) -> MakeNorm:
        """Normalisations of what is made of the trunk, to which the blocks before have added."""
        return make_norm(self.spec.norm, self.depth)

    def inside(self, channels: int) -> Site:
        """The site of a plain block inside this one."""
        return Site(self.spec, BlockSpec("residual"), channels, channels)


@dataclass(frozen=True)
class InnerGroup:
    """Channels that only the block itself sees, so that they can be cut out of it (`narrow`).

    key: the number of a `BlockSpec` that says how many there are; made: layers whose outputs they are; seen: the layer whose
    inputs they are, once or several times over.
    """

    key: str
    made: tuple[str, ...]
    seen: str


class Block(nn.Module):
    """A block. What others must know of its kind:

    inner_groups: channels that may be cut out; those of one key must stay equally many.
    rounded_input, rounded_inner: convolutions that may compute on integers, by what they see: the block's input, or what is
    made inside (`quantize`). silent: layers that are zero at first, so that a fresh block passes on what it gets.
    activates: its output went through the activation. tip: the trunk must normalise and activate behind it.
    """

    inner_groups: tuple[InnerGroup, ...] = ()
    rounded_input: tuple[str, ...] = ()
    rounded_inner: tuple[str, ...] = ()
    silent: ClassVar[tuple[str, ...]] = ("last",)
    activates: ClassVar[bool] = True
    tip: ClassVar[bool] = False

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.act = ACTIVATIONS[site.spec.activation]


class AddedBlock(Block):
    """A block whose branch is added to its input; a 1x1 convolution carries the input over where the width changes."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.shortcut: nn.Module | None = None
        if site.inputs != site.outputs:
            plain = nn.Conv2d(site.inputs, site.outputs, 1, bias=False)  # behind it another norm takes away what one would add
            self.shortcut = ConvNorm(site.inputs, site.outputs, 1, site.entry_norm) if self.activates else plain
        self.squeeze = Squeeze(site, site.squeeze) if site.squeeze else None

    def carried(self, x: Tensor, extent: Extent) -> Tensor:
        """The input x [B,C,M,M] as the branch is added to it, [B,D,M,M]; arbitrary off the board."""
        if self.shortcut is None:
            return x
        found: Tensor = self.shortcut(x, extent) if isinstance(self.shortcut, ConvNorm) else self.shortcut(x)
        return found

    def added(self, x: Tensor, y: Tensor, extent: Extent) -> Tensor:
        """The input x and the branch's result y [B,D,M,M], added, as the block gives it."""
        if self.squeeze is not None:
            y = self.squeeze(y, extent)
        y = self.carried(x, extent) + y
        return extent.masked(self.act(y) if self.activates else y)


class Squeeze(nn.Module):
    """Each channel times a gate from the means of all (Hu, Shen and Sun 2018; for Go Cazenave 2021). The sigmoid is doubled, so
    that fresh gates are 1."""

    def __init__(self, site: Site, reduction: int) -> None:
        super().__init__()
        inner = max(1, site.outputs // reduction)
        self.act = ACTIVATIONS[site.spec.activation]
        self.first = Float32Linear(site.outputs, inner)
        self.last = Float32Linear(inner, site.outputs)

    def forward(self, x: Tensor, extent: Extent) -> Tensor:
        """x [B,C,M,M], arbitrary off the board -> the same, scaled."""
        gates = 2.0 * torch.sigmoid(self.last(self.act(self.first(pool_mean(x.float(), extent)))))
        return x * gates.to(x.dtype)[:, :, None, None]
