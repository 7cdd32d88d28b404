"""What a step keeps in memory, counted: weights, gradients, optimizer, and what waits for the backward pass.

Bytes of tensors, exact and the same on every machine; what the allocator and the libraries need beside them is not counted.
Knows autograd's hooks and strategies, and no command.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from training.core import optimizers, sharding
from training.core.device_feed import Batch
from training.core.strategy import Autocast, Loss, Strategy


class SavedBytes:
    """Counts the bytes that autograd keeps for backward passes, while it is entered; `peak` is the most at any moment.

    Each storage counts once. Weights do not count, as they are there anyway, nor do the tensors `known`. What a block computes
    again during its backward pass is not seen: it is as much as one block keeps.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage().data_ptr() for tensor in known}
        self._users: dict[int, int] = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack)

    def __enter__(self) -> SavedBytes:
        self._hooks.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hooks.__exit__(kind, error, trace)

    def _pack(self, tensor: Tensor) -> Any:
        if isinstance(tensor, nn.Parameter) or isinstance(tensor._base, nn.Parameter):
            return tensor
        storage = sharding.local([tensor])[0].untyped_storage()
        if storage.data_ptr() in self._known:
            return tensor
        return _Held(self, tensor, storage.data_ptr(), storage.nbytes())

    @staticmethod
    def _unpack(kept: Any) -> Tensor:
        found: Tensor = kept.tensor if isinstance(kept, _Held) else kept
        return found

    def count(self, place: int, size: int, change: int) -> None:
        """One user more (1) or less (-1) of a storage."""
        before = self._users.get(place, 0)
        self._users[place] = before + change
        if before == 0 or before + change == 0:
            self.now += size * change
            self.peak = max(self.peak, self.now)


class _Held:
    """A saved tensor, until autograd lets it go."""

    def __init__(self, counter: SavedBytes, tensor: Tensor, place: int, size: int) -> None:
        self.tensor, self._of = tensor, (counter, place, size)
        counter.count(place, size, 1)

    def __del__(self) -> None:
        counter, place, size = self._of
        counter.count(place, size, -1)


@dataclass(frozen=True)
class Kept:
    """Bytes that one process holds in a step."""

    weights: int  # with statistics; the average of the weights is as much again
    gradients: int
    optimizer: int
    signals: int  # kept between forward and backward pass, at most

    @property
    def total(self) -> int:
        """All of it, with the average of the weights."""
        return 2 * self.weights + self.gradients + self.optimizer + self.signals

    def most(self, other: Kept) -> Kept:
        """The larger of each."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Kept(*(max(pair) for pair in pairs))


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """What this process holds of them."""
    return sum(tensor.numel() * tensor.element_size() for tensor in sharding.local(list(tensors)))


def kept_by_a_step(strategy: Strategy, optimizer: torch.optim.Optimizer, loss: Loss, batch: Batch, autocast: Autocast) -> Kept:
    """One step, and what it kept."""
    module = strategy.module
    with SavedBytes(value for value in batch.values() if value.dim()) as saved:
        strategy.learn(loss, batch, autocast)
    gradients = bytes_of(p.grad for p in module.parameters() if p.grad is not None)
    strategy.clip(strategy.norm(), 4.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    states = optimizers.state_tensors(optimizer, module).values()
    return Kept(bytes_of(module.state_dict().values()), gradients, bytes_of(states), saved.peak)
