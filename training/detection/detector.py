"""The net of the detecting reader: a small trunk of inverted blocks (MobileNet 2), maps of three scales, an SSD head on each.

Made of the same blocks as the nets that play. Coarse maps are added to finer ones (feature pyramid, Lin et al. 2017), so that a
crossing is told by its surroundings, too. Knows torch; neither targets nor files.
"""

import itertools
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.block_base import Block, Site
from goengine.nets.blocks import BLOCKS
from goengine.nets.build import initialise_layers
from goengine.nets.extent import whole_boards
from goengine.nets.layers import ConvNorm
from goengine.nets.spec import BlockSpec, NetSpec
from goengine.vision.default_boxes import CLASSES, SIZES

NUMBERS: Final = (len(CLASSES), 4, 4)  # of each default box: classes, box, sides


@dataclass(frozen=True)
class DetectorSpec:
    """Channels behind each halving of the picture, and how many inverted blocks follow. The last three are the maps."""

    channels: tuple[int, ...] = (16, 24, 48, 64, 96)
    blocks: tuple[int, ...] = (0, 0, 3, 3, 3)
    expansion: int = 3


class Detected(NamedTuple):
    """Of each default box [B,D,...], float32: logits of classes, box as `default_boxes.encode` tells it, logits of the sides
    (left, top, right, bottom) on which the board ends beside this point."""

    classes: Tensor
    boxes: Tensor
    sides: Tensor


class Halving(nn.Module):
    """Half as many points a row and column: a convolution of stride 2, then blocks at that width."""

    def __init__(self, inputs: int, outputs: int, blocks: int, expansion: int) -> None:
        super().__init__()
        self.down = ConvNorm(inputs, outputs, 3, stride=2)
        one = BlockSpec("inverted", k=expansion)
        spec = NetSpec("picture", 3, 0, outputs, (one,), pool_channels=1)
        self.blocks = nn.ModuleList(BLOCKS["inverted"](Site(spec, one, outputs, outputs)) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """x [B,C,H,W] -> [B,D,H/2,W/2]."""
        x = self.down(x, whole_boards(x))
        x = F.relu(x)
        for block in self.blocks:
            x = block(x, whole_boards(x))
        return x


class Head(nn.Module):
    """What the default boxes of one map hold: each channel for itself, then all together."""

    def __init__(self, channels: int, boxes: int) -> None:
        super().__init__()
        self.boxes = boxes
        self.near = ConvNorm(channels, channels, 3, groups=channels)
        self.mixed = ConvNorm(channels, channels, 1)
        self.told = nn.Conv2d(channels, boxes * sum(NUMBERS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """x [B,C,H,W] -> [B,H*W*boxes,numbers]."""
        extent = whole_boards(x)
        x = F.relu(self.mixed(F.relu(self.near(x, extent)), extent))
        told: Tensor = self.told(x)
        return told.permute(0, 2, 3, 1).reshape(x.shape[0], -1, sum(NUMBERS))


class Detector(nn.Module):
    """Pictures -> Detected. Made by `build`."""

    def __init__(self, spec: DetectorSpec) -> None:
        super().__init__()
        widths = (3, *spec.channels)
        self.halvings = nn.ModuleList(
            Halving(inputs, outputs, blocks, spec.expansion)
            for inputs, outputs, blocks in zip(widths, widths[1:], spec.blocks, strict=False)
        )
        maps = spec.channels[-len(SIZES) :]
        self.downward = nn.ModuleList(ConvNorm(coarse, fine, 1) for fine, coarse in itertools.pairwise(maps))
        self.heads = nn.ModuleList(Head(channels, len(sizes)) for channels, sizes in zip(maps, SIZES, strict=True))

    def forward(self, pictures: Tensor) -> Detected:
        """pictures [B,3,S,S], red, green and blue from 0 to 255."""
        x = pictures * (1 / 127.5) - 1.0
        maps = []
        for halving in self.halvings:
            x = halving(x)
            maps.append(x)
        maps = maps[-len(self.heads) :]
        for fine in range(len(maps) - 2, -1, -1):
            above = self.downward[fine](maps[fine + 1], whole_boards(maps[fine + 1]))
            maps[fine] = maps[fine] + F.interpolate(above, scale_factor=2.0, mode="nearest")
        told = torch.cat([head(x) for head, x in zip(self.heads, maps, strict=True)], dim=1).float()
        return Detected(*told.split(NUMBERS, dim=2))


RARE: Final = -4.0  # the logit that fresh classes begin with, as nearly all default boxes hold nothing (Lin et al. 2017)


def build(spec: DetectorSpec, seed: int = 0) -> Detector:
    """A detector with fresh weights, in training mode; the same spec and seed give the same weights."""
    net = Detector(spec)
    blocks = [module for module in net.modules() if isinstance(module, Block)]
    initialise_layers(net, blocks, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for head in net.heads:
            assert isinstance(head, Head)
            head.told.weight.mul_(0.1)
            assert head.told.bias is not None
            head.told.bias.view(head.boxes, -1)[:, : len(CLASSES)] = RARE
    return net
