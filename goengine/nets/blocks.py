"""The registry of a trunk's blocks: each under the name by which a NetSpec asks for it. docs/architectures.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch

from goengine.nets import other_blocks, residual_blocks
from goengine.nets.block_base import Block, Site
from goengine.nets.layers import ConvNorm
from goengine.nets.spec import NetSpec

BLOCKS: Final[dict[str, Callable[[Site], Block]]] = {
    "residual": residual_blocks.Residual.of,
    "gpool": residual_blocks.GlobalPool,
    "preact": residual_blocks.PreResidual,
    "preact_gpool": residual_blocks.PreGlobalPool,
    "bottleneck": residual_blocks.Bottleneck,
    "conv": other_blocks.Plain,
    "nested": residual_blocks.Nested,
    "dilated": residual_blocks.Residual.dilated,
    "inverted": residual_blocks.Inverted,
    "dense": other_blocks.Dense,
    "transformer": other_blocks.Transformer,
    "down_up": other_blocks.DownUp,
    "down_up_linear": other_blocks.DownUpLinear,
    "squeeze": other_blocks.SqueezeBlock,
}


def blocks_of(spec: NetSpec) -> list[Block]:
    """The blocks of a trunk, in order."""
    widths = spec.widths
    return [
        BLOCKS[block.kind](Site(spec, block, widths[i], widths[i + 1], depth=i, squeeze=spec.squeeze))
        for i, block in enumerate(spec.blocks)
    ]


def zero_branch(block: Block) -> None:
    """Silences the block's branch: a fresh net is its stem and heads only and trains fast at any depth (Goyal et al. 2017).

    A block that is no branch beside its input stays as it is.
    """
    with torch.no_grad():
        for name in block.silent:
            layer = block.get_submodule(name)
            if isinstance(layer, ConvNorm):
                (layer.conv if layer.norm is None else layer.norm).weight.zero_()
            else:
                layer.get_parameter("weight").zero_()
