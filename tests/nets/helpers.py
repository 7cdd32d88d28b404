"""Nets with lively weights, and batches of made-up positions with or without padding."""

from __future__ import annotations

import torch
from torch import Tensor

from goengine.nets.build import Net, build
from goengine.nets.norms import MaskedNorm
from goengine.nets.spec import BLOCK_KINDS, NORMS, NetSpec

PLANES, GLOBALS = 7, 3


def tiny(blocks: tuple[object, ...], **changes: object) -> NetSpec:
    """A spec small enough for tests."""
    data = {"features": "test", "planes": PLANES, "globals": GLOBALS, "channels": 16, "blocks": blocks}
    heads = {"pool_channels": 6, "policy_channels": 8, "value_channels": 8, "value_hidden": 12}
    return NetSpec.from_dict({**data, **heads, **changes})


LEE = {"stem_norm": False, "value_channels": 1}

# Every block alone, all of them together, and the other settings of a spec.
SPECS: dict[str, NetSpec] = {
    **{kind: tiny((kind,)) for kind in BLOCK_KINDS},
    "mixed": tiny(BLOCK_KINDS),
    **{f"{norm} norm": tiny(("residual", "gpool", "preact"), norm=norm) for norm in NORMS if norm != "batch"},
    "mish": tiny(("residual", "preact"), activation="mish"),
    "squeezed": tiny(("residual", "gpool", "inverted", "transformer"), squeeze=4),
    "numbers": tiny(
        (
            {"kind": "inverted", "size": 5, "k": 2},
            {"kind": "dilated", "size": 4},
            {"kind": "residual", "size": 7},
            {"kind": "dense", "size": 2, "k": 6},
            {"kind": "transformer", "size": 3},
        )
    ),
    **{f"{kind} widens": tiny(({"kind": kind, "width": 20},)) for kind in BLOCK_KINDS if kind != "squeeze"},
    "silu": tiny(("residual", "gpool"), activation="silu", stem_kernel=3),
    "no globals": tiny(("gpool",), globals=0),
    "lee policy": tiny(("conv", "conv"), globals=0, policy_head="placed", value_head="none", **LEE),
    "lee value": tiny(("conv", "conv"), globals=0, policy_head="none", value_head="placed", **LEE),
    "lee both": tiny(("conv", "residual"), policy_head="placed", value_head="placed", **LEE),
}


def lively(spec: NetSpec, seed: int = 1) -> Net:
    """A net whose every weight and statistic differs from its fresh value, so that nothing is multiplied by zero."""
    net = build(spec, seed)
    generator = torch.Generator().manual_seed(seed + 100)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        for module in net.modules():
            if isinstance(module, MaskedNorm):
                module.running_mean += 0.3 * torch.randn(module.running_mean.shape, generator=generator)
                module.running_var *= 0.5 + torch.rand(module.running_var.shape, generator=generator)
    return net


def positions(spec: NetSpec, batch: int, size: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Random planes [batch,P,size,size] with plane 0 all ones, and random globals."""
    generator = torch.Generator().manual_seed(seed)
    planes = (torch.rand(batch, spec.planes, size, size, generator=generator) < 0.3).float()
    planes[:, 0] = 1.0
    return planes, torch.randn(batch, spec.globals, generator=generator)


def padded(planes: Tensor, to: int) -> Tensor:
    """The same boards in the top left of larger planes."""
    size = planes.shape[-1]
    return torch.nn.functional.pad(planes, (0, to - size, 0, to - size))


def cropped_policy(policy: Tensor, size: int) -> Tensor:
    """The logits of a padded batch that belong to boards of `size`: [B,M*M+1] -> [B,size*size+1]."""
    width = round((policy.shape[1] - 1) ** 0.5)
    board = policy[:, :-1].reshape(-1, width, width)[:, :size, :size]
    return torch.cat((board.reshape(len(policy), -1), policy[:, -1:]), dim=1)
