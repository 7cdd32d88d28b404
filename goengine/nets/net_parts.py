"""A net in parts, block by block: what each device computes where a net is split over several.

A part is the net without the blocks of others: its weights have the names that they have in the whole net, so that files of
parts are files of the net. The first part has the stem, the last one the heads. Between parts goes the trunk's signal
[B,C,M,M] alone, so boards must fill their planes. Knows nothing of processes and of learning.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from goengine.nets.build import Net, answers
from goengine.nets.extent import whole_boards
from goengine.nets.heads import NetOutput
from goengine.nets.spec import NetSpec


def cuts(spec: NetSpec, parts: int) -> list[tuple[int, int]]:
    """(first block, first block of the next part) of each part, as even as can be; the first parts, which hold more of what
    waits for its gradient, get fewer. Raises ValueError if there are more parts than blocks.
    """
    blocks = len(spec.blocks)
    if not 1 <= parts <= blocks:
        raise ValueError(f"a net of {blocks} blocks cannot be split into {parts} parts: each part needs a block")
    ends = [blocks * i // parts for i in range(parts + 1)]
    return list(itertools.pairwise(ends))


class NetPart(nn.Module):
    """The blocks `first` to `end` (without it) of a net, with the stem or the heads if it is the first or the last part.

    Takes the net's modules, not copies; others' blocks are not held. Both ends included it computes what the net does.
    """

    def __init__(self, net: Net, first: int, end: int) -> None:
        super().__init__()
        self.spec, self.first, self.end = net.spec, first, end
        self.begins, self.ends = first == 0, end == len(net.spec.blocks)
        self.trunk = copy.copy(net.trunk)
        self.trunk._modules = dict(net.trunk._modules)
        own = [block if first <= i < end else nn.Identity() for i, block in enumerate(net.trunk.blocks)]
        self.trunk.blocks = nn.ModuleList(own)
        if not self.begins:
            del self.trunk.stem
            self.trunk.globals = None
        if self.ends:
            self.policy, self.value = net.policy, net.value
        else:
            self.trunk.tip = None
        self.train(net.training)

    def forward(self, x: Tensor, globals_: Tensor | None = None) -> Tensor | NetOutput:
        """x: planes [B,P,M,M] with globals [B,G] for the first part, else the signal [B,C,M,M] of the part before.

        Returns the signal for the next part, or what the net says. Boards must fill their planes.
        """
        extent = whole_boards(x)
        if self.begins:
            assert globals_ is not None
            x = self.trunk.enter(x, globals_, extent)
        for block in self.trunk.blocks[self.first : self.end]:
            x = block(x, extent)
        return answers(self, self.trunk.leave(x, extent), extent) if self.ends else x


class SplitNet(nn.Module):
    """A net whose parts are on several devices, one after the other; answers as the net does, on the last device.

    devices: one for each part; a device may come twice. Raises ValueError as `cuts`. While one part computes a batch, the part
    before may compute the next one: torch's devices work by themselves.
    """

    def __init__(self, net: Net, devices: Sequence[torch.device]) -> None:
        super().__init__()
        self.spec, self.devices = net.spec, tuple(devices)
        ends = cuts(net.spec, len(devices))
        parts = [NetPart(net, *ends_of).to(device) for ends_of, device in zip(ends, devices, strict=True)]
        self.parts = nn.ModuleList(parts)

    def forward(self, planes: Tensor, globals_: Tensor, full: bool | None = None) -> NetOutput:
        """planes [B,P,M,M], globals [B,G] -> NetOutput. Raises ValueError unless full: boards must fill their planes."""
        if not full:
            raise ValueError("a split net takes boards that fill their planes only")
        x: Tensor | NetOutput = planes
        for i, (part, device) in enumerate(zip(self.parts, self.devices, strict=True)):
            x = part(x.to(device, non_blocking=True), globals_.to(device, non_blocking=True) if i == 0 else None)
        assert isinstance(x, NetOutput)
        return x
