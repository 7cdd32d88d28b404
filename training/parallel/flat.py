"""A module's tensors as flat arrays: how they travel.

Trainable weights come first, then what is not learned by gradients: statistics of norms, frozen weights. Values are in the
order of the tensors' shapes, whatever their layout in memory.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn


class FlatModule:
    """Reads and writes a module's tensors, which stay in place."""

    def __init__(self, module: nn.Module):
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        learned = {p.data_ptr() for p in self.parameters}
        rest = (value for value in module.state_dict().values() if value.is_floating_point())
        self.others = [value for value in rest if value.data_ptr() not in learned]
        self.weights = sum(p.numel() for p in self.parameters)
        self.statistics = sum(value.numel() for value in self.others)

    def read(self) -> np.ndarray:
        """float32[W+S], a copy."""
        return _joined([*self.parameters, *self.others])

    def read_statistics(self) -> np.ndarray:
        """float32[S], a copy."""
        return _joined(self.others)

    def write(self, values: np.ndarray) -> None:
        """Put back what `read` gave."""
        _copy([*self.parameters, *self.others], values)

    def read_gradients(self) -> tuple[np.ndarray, np.ndarray]:
        """(float32[W] with zeros where there is none, bool[P]: which parameters have one)."""
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        return _joined(gradients), np.array([p.grad is not None for p in self.parameters])

    def write_gradients(self, values: np.ndarray, present: np.ndarray) -> None:
        """Give the parameters these gradients."""
        for p, there in zip(self.parameters, present.tolist(), strict=True):
            p.grad = torch.empty_like(p) if there else None
        spare = [torch.empty_like(p) if p.grad is None else p.grad for p in self.parameters]
        _copy(spare, values)

    @torch.no_grad()
    def blend_statistics(self, values: np.ndarray, share: float) -> None:
        """Move the statistics towards float32[S] by that share; 1: all the way."""
        place = 0
        for tensor in self.others:
            part = torch.from_numpy(values[place : place + tensor.numel()]).view(tensor.shape).to(tensor.device)
            tensor.copy_(part) if share == 1 else tensor.lerp_(part, share)
            place += tensor.numel()


def _joined(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    if not tensors:
        return np.zeros(0, np.float32)
    found: np.ndarray = torch.cat([tensor.detach().float().reshape(-1) for tensor in tensors]).cpu().numpy()
    return found


@torch.no_grad()
def _copy(tensors: Sequence[torch.Tensor], values: np.ndarray) -> None:
    place = 0
    for tensor in tensors:
        part = np.ascontiguousarray(values[place : place + tensor.numel()])
        tensor.copy_(torch.from_numpy(part.copy() if not part.flags.writeable else part).view(tensor.shape))
        place += tensor.numel()
