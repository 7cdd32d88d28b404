"""Which strategy the options of a training command ask for."""

import dataclasses

from torch import nn
from torch.distributed.device_mesh import DeviceMesh

from training.core.checkpoint import RunError
from training.core.launch import launched
from training.core.split_options import SplitOptions
from training.core.strategy import MakeStrategy, StepPlan, Strategy


def ways(config: SplitOptions) -> int:
    """Processes that share each net. Raises RunError if one process alone is asked to split its net."""
    if config.parallel == "data":
        return 1
    if launched() == 1:
        raise RunError(f"--parallel {config.parallel} needs several processes: start the command with torchrun")
    return 1 if config.parallel == "shard" else config.stages or launched()


def strategy(config: SplitOptions, mesh: DeviceMesh | None) -> MakeStrategy:
    """What makes the strategy; mesh: as `training.core.parallel.joined` gives it."""

    def make(module: nn.Module, plan: StepPlan) -> Strategy:
        if mesh is None:
            return Strategy(module, plan)
        if config.parallel == "pipeline":
            from training.parallel.pipeline import Pipeline

            return Pipeline(module, dataclasses.replace(plan, parts=config.microbatches), mesh)
        if config.parallel == "tensor":
            from training.parallel.tensor_split import TensorSplit

            return TensorSplit(module, plan, mesh)
        if config.parallel == "shard":
            from training.parallel.sharded import Sharded

            return Sharded(module, plan, mesh)
        return Strategy(module, plan)

    return make
