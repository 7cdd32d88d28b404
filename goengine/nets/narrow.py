"""Cutting channels out of the inside of a net's blocks: the same net, narrower, with the widths in its spec.

Knows which layers make a group of inner channels and which one reads them (`InnerGroup` of each block), and takes the cut
channels out of both. Does not know which channels are worth keeping, and does not train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from goengine.nets.build import Net, skeleton
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import arrays_of, restore


@dataclass(frozen=True)
class Group:
    """One group of inner channels of a net. block: its number from 0; made, seen: layers by their names in the net; weights:
    numbers of the kernels that go with each channel, which cost multiply-adds at every point of the board."""

    block: int
    key: str
    made: tuple[str, ...]
    seen: str
    channels: int
    weights: int

    @property
    def width(self) -> tuple[int, str]:
        """Whose number says how many channels there are; groups of the same width must stay equally wide."""
        return self.block, self.key


def groups(net: Net) -> list[Group]:
    """All groups of inner channels, from the input to the heads; empty if no block of the net has any."""
    found = []
    for number, block in enumerate(net.trunk.blocks):
        start = f"trunk.blocks.{number}"
        for group in block.inner_groups:
            made, seen = tuple(f"{start}.{name}" for name in group.made), f"{start}.{group.seen}"
            kernels = [kernel for name in made if (kernel := _weight(net, name)).ndim == 4]
            channels = len(kernels[0])
            read = _weight(net, seen)
            weights = sum(kernel[0].numel() for kernel in kernels) + (read[:, 0].numel() if read.ndim == 4 else 0)
            found.append(Group(number, group.key, made, seen, channels, weights))
    return found


def _weight(net: Net, name: str) -> torch.Tensor:
    layer = net.get_submodule(name)
    found: torch.Tensor = getattr(layer, "conv", layer).weight
    return found


def narrowed(net: Net, keep: Sequence[np.ndarray]) -> Net:
    """A copy of the net with these channels only, in evaluation mode.

    keep: for each of `groups(net)`, ascending numbers of the channels that stay, at least one. Raises ValueError if groups of
    one width would not stay equally wide, or a group has no such channels.
    """
    arrays, found = arrays_of(net), groups(net)
    widths: dict[tuple[int, str], int] = {}
    for group, kept in zip(found, keep, strict=True):
        if not len(kept) or (np.diff(kept) <= 0).any() or kept[0] < 0 or kept[-1] >= group.channels:
            raise ValueError(f"block {group.block + 1}: expected channels of 0 to {group.channels - 1}, ascending, got {kept}")
        if widths.setdefault(group.width, len(kept)) != len(kept):
            raise ValueError(f"block {group.block + 1}: its inner layers must stay equally wide")
        _cut(arrays, group, kept)
    spec = with_widths(net.spec, {group.width: (group.channels, widths[group.width]) for group in found})
    made = skeleton(spec).to_empty(device="cpu")
    restore(made, arrays)
    return made.eval()


def _cut(arrays: dict[str, np.ndarray], group: Group, kept: np.ndarray) -> None:
    for made in group.made:
        for name in [name for name in arrays if name.startswith(f"{made}.")]:
            arrays[name] = arrays[name][kept]
    for name in (f"{group.seen}.conv.weight", f"{group.seen}.weight"):
        if name in arrays:  # a pooling reads each channel several times over
            times = arrays[name].shape[1] // group.channels
            arrays[name] = arrays[name][:, np.concatenate([kept + i * group.channels for i in range(times)])]


def with_widths(spec: NetSpec, widths: Mapping[tuple[int, str], tuple[int, int]]) -> NetSpec:
    """The spec with other inner widths. widths: by block from 0 and key, (channels before, channels now). A block in which
    nothing changes stays as it is; another says all its widths, since one may follow from the other."""
    blocks = list(spec.blocks)
    changed = {number for (number, _), (before, now) in widths.items() if before != now}
    for (number, key), (_, now) in widths.items():
        if number in changed:
            blocks[number] = replace(blocks[number], **({"k": 0} if key == "inner" else {}), **{key: now})
    return replace(spec, blocks=tuple(blocks))
