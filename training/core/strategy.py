"""How a step's gradients come about, and which part of the net this process holds.

The plain strategy is here: this process holds all of the net, alone or in step with others that hold it, too. It knows parts of
a batch, one after the other (gradient accumulation), and blocks that are computed again instead of kept (activation
checkpointing). Strategies that split the net are in `training.parallel`; the loop treats all alike. Knows no optimizer.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from goengine.nets import process_sums
from goengine.nets.norms import share_statistics, statistics_kept
from training.core import parallel, sharding
from training.core.checkpoint import RunError
from training.core.device_feed import Batch
from training.core.losses import parts_of

T = TypeVar("T")
Figures = dict[str, Tensor]
Loss = Callable[[nn.Module, Batch], tuple[Tensor, Figures]]
Autocast = Callable[[], contextlib.AbstractContextManager[Any]]


@dataclass(frozen=True)
class StepPlan:
    """How a step is computed. parts: of a batch, one after the other. recompute: keep of each block only what goes in."""

    device: torch.device
    parts: int = 1
    recompute: bool = False
    compile: bool = False


class Strategy:
    """All of the net in this process, alone or one of several (`training.core.parallel`).

    module: what this process holds of the net, with the names of the whole. Raises RunError if that cannot be.
    """

    def __init__(self, module: nn.Module, plan: StepPlan) -> None:
        self.plan = plan
        self.module = placed(module, plan.device)
        self._prepare(self.module)
        by_ddp = plan.parts == 1  # several backward passes for each exchange are none of its static graph
        if not by_ddp:
            parallel.share_weights(self.module)
        self._joined_by_hand = not by_ddp and process_sums.count() > 1
        forward = parallel.replicated(self.module) if by_ddp else self.module
        # One program for each board size: kernels for any shape are slower. The compiler cannot handle calls between ranks.
        compiled = plan.compile and not plan.recompute and process_sums.count() == 1
        self._forward: nn.Module = cast(nn.Module, torch.compile(forward, dynamic=False)) if compiled else forward

    def _prepare(self, module: nn.Module) -> None:
        if self.plan.recompute:
            recompute_blocks(module)
        if self.plan.parts > 1:
            share_statistics(module, self.plan.parts)

    def learn(self, loss: Loss, batch: Batch, autocast: Autocast) -> Figures:
        """The gradients of a batch's loss, into the module. Returns the loss and its figures, the same in every process."""
        found = []
        for part in self.cut(batch):
            with autocast():
                value, figures = loss(self._forward, part)
            (value / self.plan.parts).backward()
            found.append({"loss": value.detach(), **figures})
        if self._joined_by_hand:
            parallel.average_gradients(self.module.parameters(), process_sums.group())
        return parallel.mean(mean_of(found))

    def cut(self, batch: Batch) -> list[Batch]:
        """The batch in parts. Raises RunError if it cannot be dealt evenly."""
        try:
            return parts_of(batch, self.plan.parts)
        except ValueError as error:
            raise RunError(f"{error}; choose another --batch, or another number of parts") from None

    def norm(self) -> Tensor:
        """The length of the whole net's gradient; all processes must ask."""
        return sharding.norm(self._gradients())

    def clip(self, length: Tensor, most: float) -> None:
        """Shorten the gradient of that length to at most `most`."""
        sharding.shorten(self._gradients(), length, most)

    def _gradients(self) -> list[Tensor]:
        return [p.grad for p in self.module.parameters() if p.grad is not None]

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """The whole net's arrays from every process's own tensors, by name; on the first process, nothing elsewhere.

        Names are weights' names, or begin with one and '|'.
        """
        if not parallel.leads():
            return {}
        return {name: to_numpy(tensor) for name, tensor in tensors.items()}

    def own(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What this process holds of the whole net's arrays. Raises KeyError if one is none of the net's."""
        return dict(arrays)

    def measured(self, average: Mapping[str, Tensor], work: Callable[[nn.Module], T]) -> T:
        """What `work` finds with the whole averaged net, in evaluation mode; only the first process looks, all are told."""

        def look() -> T:
            raw = {name: value.clone() for name, value in self.module.state_dict().items()}
            self.module.load_state_dict(average)
            self.module.eval()
            with torch.inference_mode():
                found = work(self.module)
            self.module.load_state_dict(raw)
            self.module.train()
            return found

        return parallel.first(look)


MakeStrategy = Callable[[nn.Module, StepPlan], Strategy]


class SplitStrategy(Strategy):
    """What strategies have in common whose processes hold parts of the net only: they measure a whole copy of it."""

    def __init__(self, whole: nn.Module, plan: StepPlan) -> None:
        """whole: the net, before anything was taken from it or sharded."""
        self.plan = plan
        self._measure = copy.deepcopy(whole).to("meta")

    def measured(self, average: Mapping[str, Tensor], work: Callable[[nn.Module], T]) -> T:
        """As `Strategy.measured`; the first process holds the whole net meanwhile, without gradients and optimizer."""
        arrays = self.gathered(average)

        def look() -> T:
            net = copy.deepcopy(self._measure).to_empty(device=self.plan.device)
            net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
            with torch.inference_mode():
                return work(placed(net, self.plan.device).eval())

        return parallel.first(look)


def placed(module: nn.Module, device: torch.device) -> nn.Module:
    """The module on the device, in the memory format that convolutions are fast in."""
    found: nn.Module = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not list it
    return found


def to_numpy(tensor: Tensor) -> np.ndarray:
    """The tensor's values in memory of the CPU's own."""
    found: np.ndarray = tensor.detach().cpu().contiguous().numpy()
    return found


def mean_of(parts: list[Figures]) -> Figures:
    """The mean of each figure over the parts of a batch."""
    if len(parts) == 1:
        return parts[0]
    return {name: torch.stack([part[name] for part in parts]).mean(0) for name in parts[0]}


def recompute_blocks(module: nn.Module) -> None:
    """From now on each block of the module's trunks keeps only its input for the backward pass, and is computed again there
    (Chen et al. 2016). Running statistics move once all the same.
    """
    for trunk in module.modules():
        blocks = getattr(trunk, "blocks", None)
        for block in blocks if isinstance(blocks, nn.ModuleList) else ():
            block.forward = partial(_recomputed, block, block.forward)


def _recomputed(block: nn.Module, forward: Callable[..., Any], *inputs: Any) -> Any:
    if not (block.training and torch.is_grad_enabled()):
        return forward(*inputs)
    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=lambda: (contextlib.nullcontext(), _again(block)))


@contextlib.contextmanager
def _again(block: nn.Module) -> Iterator[None]:
    with statistics_kept(block):
        yield
