"""The layers of transformer blocks split over processes: each has some heads of the attention and some channels of the MLP.

torch's own plan (`distributed.tensor.parallel`): a layer whose outputs are dealt (ColwiseParallel), then one whose inputs are
(RowwiseParallel), with one sum over the processes behind each pair (Shoeybi et al. 2019, Megatron-LM). Everything else of the
net is the same in all processes, which see the same samples. A block's 1x1 convolutions become linear layers over the channels
for it, with the same weights; the rows of queries, keys and values are put in order of processes, and back in every file.
"""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.nn import functional as F

from goengine.nets import process_sums
from goengine.nets.build import Net
from goengine.nets.other_blocks import Transformer
from training.core import parallel, sharding
from training.core.checkpoint import RunError
from training.core.device_feed import Batch
from training.core.parallel import PARTS
from training.core.strategy import Autocast, Figures, Loss, SplitStrategy, StepPlan, mean_of, placed
from training.parallel.sharded import gathered_shards

PAIRS = (("seen", "attended"), ("first", "last"))  # layers of a block: dealt outputs, dealt inputs


class TensorSplit(SplitStrategy):
    """A net whose transformer blocks are split over the mesh's parts.

    Raises RunError if it has no such block, or one whose heads or channels cannot be dealt evenly.
    """

    def __init__(self, module: nn.Module, plan: StepPlan, mesh: DeviceMesh) -> None:
        if not isinstance(module, Net):
            raise RunError("--parallel tensor splits one net, and this command trains several at once")
        ways = mesh.size(1)
        blocks = {f"trunk.blocks.{i}": block for i, block in enumerate(module.trunk.blocks) if isinstance(block, Transformer)}
        if not blocks:
            raise RunError("--parallel tensor splits transformer blocks (t), and this net has none: take --parallel pipeline")
        for name, block in blocks.items():
            _check(name, block, ways)
        super().__init__(module, plan)
        parallel.share_weights(module)
        self._orders = {f"{name}.seen.weight": _order(block, ways) for name, block in blocks.items()}
        self.module = placed(module, plan.device)
        for name, block in blocks.items():
            _split(block, self._orders[f"{name}.seen.weight"], mesh[PARTS])
        self._prepare(self.module)
        self._group = mesh.get_group(PARTS)

    def learn(self, loss: Loss, batch: Batch, autocast: Autocast) -> Figures:
        """As `Strategy.learn`."""
        found = []
        for part in self.cut(batch):
            with autocast():
                value, figures = loss(self.module, part)
            (value / self.plan.parts).backward()
            found.append({"loss": value.detach(), **figures})
        self._join()
        return parallel.mean(mean_of(found))

    def _join(self) -> None:
        """The mean of gradients over copies of the net; and over its parts where all have the same, lest rounding part them."""
        if process_sums.count() > 1:
            parallel.average_gradients(self.module.parameters(), process_sums.group())
        parallel.average_gradients((p for p in self.module.parameters() if not sharding.is_sharded(p)), self._group)

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """As `Strategy.gathered`."""
        return {name: self._ordered(name, array, back=True) for name, array in gathered_shards(tensors).items()}

    def own(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As `Strategy.own`."""
        return {name: self._ordered(name, array) for name, array in arrays.items()}

    def _ordered(self, name: str, array: np.ndarray, back: bool = False) -> np.ndarray:
        """The rows of queries, keys and values in order of processes, or back; other arrays as they are."""
        order = self._orders.get(name.partition("|")[0])
        if order is None or array.shape[:1] != order.shape:
            return array
        return array[np.argsort(order) if back else order]


def _check(name: str, block: Transformer, ways: int) -> None:
    """Raises RunError if the block's layers cannot be dealt evenly."""
    for what, count in (("heads", block.heads), ("channels in its MLP", block.first.out_channels)):
        if count % ways:
            place = int(name.rpartition(".")[2]) + 1
            raise RunError(
                f"--stages {ways}: block {place} has {count} {what}, which cannot be dealt evenly to {ways} processes"
            )


def _order(block: Transformer, ways: int) -> np.ndarray:
    """Rows of queries, keys and values, [3, heads, channels] in a file, by process: each gets its heads of all three."""
    rows = np.arange(3 * block.heads * block.each).reshape(3, ways, -1)
    return rows.transpose(1, 0, 2).ravel()


def _split(block: Transformer, order: np.ndarray, mesh: DeviceMesh) -> None:
    """Deal the layers of a block; this process keeps its share."""
    with torch.no_grad():
        block.seen.weight.copy_(block.seen.weight[torch.from_numpy(order)])
    for name in (name for pair in PAIRS for name in pair):
        layer = PointLinear(cast(nn.Conv2d, getattr(block, name)))
        layer.register_forward_pre_hook(_channels_last)
        setattr(block, name, layer)
    plan = {name: kind for pair in PAIRS for name, kind in zip(pair, (ColwiseParallel(), RowwiseParallel()), strict=True)}
    parallelize_module(block, mesh, plan)
    for name in plan:
        getattr(block, name).register_forward_hook(_channels_first)
    block.heads //= mesh.size()


class PointLinear(nn.Linear):
    """A 1x1 convolution as a linear layer: x [B,M,M,C] -> [B,M,M,D], with the convolution's weight [D,C,1,1]."""

    def __init__(self, conv: nn.Conv2d) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = conv.in_channels, conv.out_channels
        self.weight = conv.weight
        self.register_parameter("bias", cast(nn.Parameter | None, conv.bias))

    def forward(self, x: Tensor) -> Tensor:
        """x [B,M,M,C] -> [B,M,M,D]."""
        return F.linear(x, self.weight.flatten(1), self.bias)


def _channels_last(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """[B,C,M,M] -> [B,M,M,C]: torch's plan deals the last dimension."""
    return (inputs[0].permute(0, 2, 3, 1),)


def _channels_first(_layer: nn.Module, _inputs: tuple[Tensor, ...], found: Tensor) -> Tensor:
    """[B,M,M,C] -> [B,C,M,M]."""
    return found.permute(0, 3, 1, 2)
