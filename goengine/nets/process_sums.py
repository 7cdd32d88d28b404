"""What a net's statistics need where several processes train it together: sums over all of them.

Asks torch's process group, if somebody has made one (`training.core.parallel` does); where there is none, this process is the
only one and every sum is its own. Processes that share one net see the same samples, and are not summed over (`within`). Knows
nothing of nets, batches or of how the processes found each other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, distributed

_group: distributed.ProcessGroup | None = None  # None: all processes


@contextlib.contextmanager
def within(group: distributed.ProcessGroup | None) -> Iterator[None]:
    """Meanwhile only this group's processes count: those that hold the same part of a net that is split."""
    global _group
    before, _group = _group, group
    try:
        yield
    finally:
        _group = before


def group() -> distributed.ProcessGroup | None:
    """Those that count; None for all processes."""
    return _group


def count() -> int:
    """Number of processes that see other samples of the same batch, this one included; 1 without a process group."""
    return distributed.get_world_size(_group) if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this one is, from 0."""
    return distributed.get_rank(_group) if count() > 1 else 0


def total(x: Tensor) -> Tensor:
    """Sum of x over all processes, in each of them the same. Every process must call it, with the same shape.

    Its gradient is that of the sum of all processes' losses.
    """
    return _Total.apply(x) if count() > 1 else x


class _Total(torch.autograd.Function):
    """The sum forward, and the sum of the gradients backward."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(x, group=_group)
        return x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(gradient, group=_group)
        return gradient
