"""Every process has a share of the batch and, of each weight, its gradient and its optimizer's state, a shard (FSDP2, ZeRO 3:
Rajbhandari et al. 2020). torch gathers a block's weights while it is computed. The results are those of plain data-parallel
training, batch normalisation included.
"""

import warnings
from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from goengine.nets.build import Net
from training.core import parallel, sharding
from training.core.checkpoint import RunError
from training.core.device_feed import Batch
from training.core.parallel import COPIES
from training.core.strategy import Autocast, Figures, Loss, SplitStrategy, StepPlan, mean_of, to_numpy


class Sharded(SplitStrategy):
    """The net's weights in shards over all processes of the mesh. Raises RunError for a command that trains several nets."""

    def __init__(self, module: nn.Module, plan: StepPlan, mesh: DeviceMesh) -> None:
        if not isinstance(module, Net):
            raise RunError("--parallel shard splits one net, and this command trains several at once")
        super().__init__(module, plan)
        self.module = module.to(plan.device)  # FSDP takes contiguous weights only
        self._prepare(self.module)
        parallel.share_weights(self.module)
        for block in module.trunk.blocks:
            fully_shard(block, mesh=mesh[COPIES])
        fully_shard(module, mesh=mesh[COPIES])

    def learn(self, loss: Loss, batch: Batch, autocast: Autocast) -> Figures:
        """As `Strategy.learn`; gradients are exchanged once, behind the last part."""
        found, parts = [], self.cut(batch)
        for number, part in enumerate(parts, 1):
            assert isinstance(self.module, FSDPModule)
            self.module.set_requires_gradient_sync(number == len(parts))
            with autocast(), warnings.catch_warnings():
                warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")  # nobody writes into answers
                value, figures = loss(self.module, part)
            (value / len(parts)).backward()
            found.append({"loss": value.detach(), **figures})
        return parallel.mean(mean_of(found))

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """As `Strategy.gathered`."""
        return gathered_shards(tensors)


def gathered_shards(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The whole arrays of tensors that may be sharded, on the first process; nothing elsewhere. All must call it."""
    found = {}
    with parallel.others():
        for name, tensor in tensors.items():
            whole = sharding.whole(tensor)
            if parallel.leads():
                found[name] = to_numpy(whole)
    return found
