"""The averaged net, which is a run's result. Knows tensors that this process may hold shards of, and no training."""

import torch
from torch import nn

from training.core import sharding


class Average:
    """Exponential moving average of a module's parameters and statistics, in float32."""

    def __init__(self, module: nn.Module, decay: float):
        self.decay = decay
        self.arrays = {name: value.detach().clone() for name, value in module.state_dict().items()}
        self._pairs: tuple[list[torch.Tensor], list[torch.Tensor]] | None = None

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the module; faster in the first steps, when the start is worth nothing.

        It must be the same module at every call, and its tensors must stay in the same memory.
        """
        if self._pairs is None:  # a step on a GPU is too short to collect them again
            state = {name: value for name, value in module.state_dict().items() if value.is_floating_point()}
            own = [self.arrays[name] for name in state]
            self._pairs = sharding.local(own), sharding.local(list(state.values()))
        torch._foreach_lerp_(*self._pairs, 1 - min(self.decay, (1 + step) / (10 + step)))
