"""A head that divides the board: whose each point is, and whether each stone is alive, dead or in seki.

It stands on the trunk of a finished net, which stays as it is: the segmentation of a picture, with the trunk as its encoder and
blocks of its own, such as U-Net's way down and up again (Ronneberger et al. 2015). Knows modules and graphs; no targets, and
not whether its answers are worth anything.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from goengine.nets.build import Trunk, initialise_layers
from goengine.nets.extent import Extent
from goengine.nets.spec import NetSpec

POINTS: Final = ("own", "opponent", "neutral")
STONES: Final = ("alive", "dead", "seki")


class OwnersOutput(NamedTuple):
    """Logits [B,3,M,M], float32: of each point in the order of POINTS, of each stone in that of STONES; anything elsewhere."""

    points: Tensor
    stones: Tensor


class OwnersHead(nn.Module):
    """Trunk of a net -> OwnersOutput. `spec`: its planes are the trunk's channels, the rest is the head's own."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.trunk = Trunk(spec)
        self.logits = nn.Conv2d(spec.widths[-1], len(POINTS) + len(STONES), 1)

    def forward(self, seen: Tensor) -> OwnersOutput:
        """seen [B,C,M,M]: the trunk's answer for boards that fill their planes -> OwnersOutput."""
        points = torch.ones_like(seen[:, 0], dtype=torch.float32).sum(dim=(1, 2)).unsqueeze(1)
        x = self.trunk(seen, seen[:, :0, 0, 0], Extent(None, points, points.sqrt()))
        logits = self.logits(x).float()
        return OwnersOutput(logits[:, : len(POINTS)], logits[:, len(POINTS) :])


def head_spec(text: str, net: NetSpec) -> NetSpec:
    """The spec of a head with the architecture `text` on the trunk of a net. Raises ArchitectureError, naming what is wrong."""
    from goengine.nets.architecture import parse

    return parse(f"{text}/stem1", net.features, net.widths[-1], 0)


def skeleton(spec: NetSpec) -> OwnersHead:
    """The head without memory for its weights: names and shapes only."""
    with torch.device("meta"):
        return OwnersHead(spec)


def build(spec: NetSpec, seed: int = 0) -> OwnersHead:
    """A head with fresh weights on the CPU, in training mode; the same spec and seed give the same weights."""
    head = skeleton(spec).to_empty(device="cpu")
    initialise_layers(head, head.trunk.blocks, torch.Generator().manual_seed(seed))
    return head
