"""Tensors of which each process holds a shard, torch's DTensor, beside those that each holds whole: one way to treat both.

Knows torch's DTensor, and no nets. What is whole passes through everything here as it is. `whole` is asked of all processes
that hold shards, in the same order.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, distributed


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process holds a shard of it only."""
    if not distributed.is_available() or not distributed.is_initialized():
        return False
    from torch.distributed.tensor import DTensor  # takes a while, and one process alone never needs it

    return isinstance(tensor, DTensor)


def local(tensors: Sequence[Tensor]) -> list[Tensor]:
    """What this process holds of each, in the same memory."""
    return [cast(Any, tensor).to_local() if is_sharded(tensor) else tensor for tensor in tensors]


def whole(tensor: Tensor) -> Tensor:
    """All of it."""
    found: Tensor = cast(Any, tensor).full_tensor() if is_sharded(tensor) else tensor
    return found


def like(pattern: Tensor, value: Tensor) -> Tensor:
    """The whole `value` held as `pattern` is: in its memory format and device, sharded if it is."""
    if not is_sharded(pattern):
        return torch.empty_like(pattern, dtype=value.dtype).copy_(value)
    from torch.distributed.tensor import distribute_tensor

    mesh = cast(Any, pattern).device_mesh
    return distribute_tensor(value.to(mesh.device_type), mesh, cast(Any, pattern).placements, src_data_rank=None)


def joined(pattern: Tensor, shard: Tensor) -> Tensor:
    """The whole tensor of which each process holds a shard as of `pattern`."""
    if not is_sharded(pattern):
        return shard
    from torch.distributed.tensor import DTensor

    mesh, placements = cast(Any, pattern).device_mesh, cast(Any, pattern).placements
    made = DTensor.from_local(shard, mesh, placements, run_check=False, shape=pattern.shape, stride=pattern.stride())
    return made.full_tensor()


def norm(gradients: Sequence[Tensor]) -> Tensor:
    """The length of all together, on their device."""
    kinds = [[g for g in gradients if is_sharded(g) == kind] for kind in (False, True)]
    parts = [whole(torch.nn.utils.get_total_norm(kind)) for kind in kinds if kind]
    return torch.stack(parts).norm() if len(parts) > 1 else parts[0] if parts else torch.zeros(())


def shorten(gradients: Sequence[Tensor], length: Tensor, most: float) -> None:
    """Scale gradients of that length to at most `most`, as torch's `clip_grads_with_norm_`."""
    torch._foreach_mul_(local(gradients), (most / (length + 1e-6)).clamp(max=1.0))
