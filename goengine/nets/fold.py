"""Merging normalisation into the convolution before it: the same function, fewer operations.

Knows that in evaluation mode batch and fixed normalisation are an affine map per channel; others stay. Post-activation blocks
lose all of theirs, pre-activation blocks keep the one at their entrance. A folded net is for playing: it is not trained or
saved as a checkpoint.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from goengine.nets.layers import ConvNorm

M = TypeVar("M", bound=nn.Module)


def fold(net: M) -> M:
    """A copy of a net or head, in evaluation mode, with every foldable normalisation merged; `net` stays as it is."""
    folded = copy.deepcopy(net).eval()
    for module in folded.modules():
        if isinstance(module, ConvNorm):
            _merge(module)
    return folded.requires_grad_(False)


def _merge(unit: ConvNorm) -> None:
    found = None if unit.norm is None else unit.norm.affine()
    if found is None:
        return
    scale, bias = found
    with torch.no_grad():
        weight = unit.conv.weight.double() * scale[:, None, None, None]
        unit.conv.weight.copy_(weight)
        unit.conv.bias = nn.Parameter(bias.to(unit.conv.weight.dtype))
    unit.norm = None
