"""From a NetSpec to a module with fresh weights.

Knows how stem, trunk and heads are put together and initialised. Plane 0 of the input is the on-board mask; boards of
different sizes may share a batch, each in the top left corner of its planes, and padding never changes what a board gets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from goengine.nets.block_base import Block
from goengine.nets.blocks import blocks_of, zero_branch
from goengine.nets.extent import Extent, extent_of
from goengine.nets.heads import POLICY_HEADS, VALUE_HEADS, NetOutput
from goengine.nets.layers import ACTIVATIONS, ConvNorm, Float32Linear
from goengine.nets.norms import Norm, make_norm
from goengine.nets.spec import NetSpec


class Trunk(nn.Module):
    """Stem convolution with the globals as a bias per channel, then the blocks, then a last norm if a block pre-activates."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.stem = ConvNorm(spec.planes, spec.channels, spec.stem_kernel, make_norm(spec.norm) if spec.stem_norm else None)
        self.globals = Float32Linear(spec.globals, spec.channels, bias=False) if spec.globals else None
        blocks = blocks_of(spec)
        self.blocks = nn.ModuleList(blocks)
        self.tip = make_norm(spec.norm)(spec.widths[-1]) if any(block.tip for block in blocks) else None

    def forward(self, planes: Tensor, globals_: Tensor, extent: Extent) -> Tensor:
        """planes [B,P,M,M], globals [B,G] -> [B,C,M,M], zero off the board; C: the last of `NetSpec.widths`."""
        x = self.enter(planes, globals_, extent)
        for block in self.blocks:
            x = block(x, extent)
        return self.leave(x, extent)

    def enter(self, planes: Tensor, globals_: Tensor, extent: Extent) -> Tensor:
        """What the first block sees: planes [B,P,M,M], globals [B,G] -> [B,C,M,M], C: the first of `NetSpec.widths`."""
        x = self.stem(planes, extent)
        if self.globals is not None:
            x = x + self.globals(globals_).to(x.dtype)[:, :, None, None]
        return extent.masked(self.act(x))

    def leave(self, x: Tensor, extent: Extent) -> Tensor:
        """What the heads see of what the last block gives, [B,C,M,M] both."""
        return x if self.tip is None else extent.masked(self.act(self.tip(x, extent)))


class Net(nn.Module):
    """A whole net; `spec` says which. Made by `build`."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.trunk = Trunk(spec)
        self.policy = POLICY_HEADS[spec.policy_head](spec)
        self.value = VALUE_HEADS[spec.value_head](spec)

    def forward(self, planes: Tensor, globals_: Tensor, full: bool | None = None) -> NetOutput:
        """planes [B,P,M,M], globals [B,G] -> NetOutput.

        full: True promises that no board is padded (the fast path), False asks for the masked path, None looks at plane 0.
        Does not check that plane 0 is a mask of zeros and ones.
        """
        extent = extent_of(planes, full)
        return answers(self, self.trunk(planes, globals_, extent), extent)


def answers(net: nn.Module, x: Tensor, extent: Extent) -> NetOutput:
    """What the heads of a net, its policy and its value, say of what its trunk gives, x [B,C,M,M]."""
    policy, reply = net.policy(x, extent)
    value, score, stdev, owner = net.value(x, extent)
    return NetOutput(policy, value, score, stdev, owner, reply)


def skeleton(spec: NetSpec) -> Net:
    """The net without memory for its weights (PyTorch's meta device): names and shapes only."""
    with torch.device("meta"):
        return Net(spec)


def build(spec: NetSpec, seed: int = 0) -> Net:
    """A net with fresh weights on the CPU, in training mode; the same spec and seed give the same weights.

    A trainer on a CPU wants `.to(memory_format=torch.channels_last)` and bfloat16 autocast: two to three times faster.
    """
    net = skeleton(spec).to_empty(device="cpu")
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def initialise(net: Net, generator: torch.Generator) -> None:
    """Fills all weights: those of `initialise_layers`, and small outputs."""
    initialise_layers(net, net.trunk.blocks, generator)
    with torch.no_grad():
        net.policy.init_near_zero()
        net.value.init_near_zero()
        for block in net.trunk.blocks:
            if hasattr(block, "bias"):  # the pooled bias joins a normalised signal: keep it the smaller of the two
                block.bias.weight.mul_(0.5)


def initialise_layers(module: nn.Module, blocks: Iterable[nn.Module], generator: torch.Generator) -> None:
    """Fills all weights of a module with these blocks: He's normal for convolutions (He et al. 2015), silent branches."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, Float32Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.ConvTranspose2d):  # each of its values is a sum of a quarter of the kernel, so on average
            std = (2.0 / (layer.in_channels * layer.weight[0, 0].numel() / 4)) ** 0.5
            nn.init.normal_(layer.weight, 0.0, std, generator=generator)
        elif isinstance(layer, Norm):
            layer.init_fresh()
    for block in blocks:
        zero_branch(cast(Block, block))


def parameter_count(net: nn.Module) -> int:
    """How many numbers training changes."""
    return sum(parameter.numel() for parameter in net.parameters())
