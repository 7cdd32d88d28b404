"""A net split by blocks over a line of processes, through which parts of each batch follow one another.

torch's `distributed.pipelining` sends signals forward and gradients back in the order 1F1B (Narayanan et al. 2019): a process
computes a backward pass as soon as it can, so that it holds signals of few parts at a time. Each process holds, trains and
averages its own part of the net. Batch normalisation sees a part of the batch at a time (GPipe, Huang et al. 2019), exactly as
with so many `--accumulate` in one process. Every process draws the batch itself: the first needs planes, the last targets.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.pipelining import PipelineStage, Schedule1F1B

from goengine.nets import process_sums
from goengine.nets.build import Net
from goengine.nets.heads import NetOutput
from goengine.nets.net_parts import NetPart, cuts
from training.core import parallel
from training.core.checkpoint import RunError
from training.core.device_feed import Batch
from training.core.parallel import PARTS
from training.core.strategy import Autocast, Figures, Loss, SplitStrategy, StepPlan, mean_of, placed, to_numpy

CPU = torch.device("cpu")


class Pipeline(SplitStrategy):
    """This process's part of a pipeline; plan.parts of a batch follow each other through it.

    Raises RunError if the net has fewer blocks than the mesh has parts, or there are fewer parts of a batch than that.
    """

    def __init__(self, module: nn.Module, plan: StepPlan, mesh: DeviceMesh) -> None:
        if not isinstance(module, Net):
            raise RunError("--parallel pipeline splits one net, and this command trains several at once")
        self._group, self.place, self.stages = mesh.get_group(PARTS), mesh.get_local_rank(PARTS), mesh.size(1)
        if plan.parts < self.stages:
            raise RunError(f"--microbatches {plan.parts} cannot fill {self.stages} stages: give at least {self.stages}")
        try:
            own = cuts(module.spec, self.stages)[self.place]
        except ValueError as error:
            raise RunError(f"--stages {self.stages}: {error}") from None
        super().__init__(module, plan)
        self._names = set(module.state_dict())
        self.module: NetPart = cast(NetPart, placed(NetPart(module, *own), plan.device))
        self._prepare(self.module)
        self._runner = _Runner(self.module)
        self._schedules: dict[tuple[int, ...], Schedule1F1B] = {}
        self._figures: list[str] = []

    @property
    def _ends(self) -> bool:
        return self.place == self.stages - 1

    def learn(self, loss: Loss, batch: Batch, autocast: Autocast) -> Figures:
        """As `Strategy.learn`; the last process computes the loss, and tells it."""
        parts = self.cut(batch)
        runner = self._runner
        runner.begin(loss, parts, autocast)
        order = torch.arange(self.plan.parts)
        inputs = (batch["planes"], batch["globals"]) if self.place == 0 else ()
        numbered: dict[str, Any] = {"number": order} if self._ends else {}
        with parallel.others():
            self._schedule(batch).step(*inputs, target=order if self._ends else None, return_outputs=False, **numbered)
        if process_sums.count() > 1:
            parallel.average_gradients(self.module.parameters(), process_sums.group())
        with parallel.others():
            return self._told(mean_of(runner.found) if self._ends else {})

    def _schedule(self, batch: Batch) -> Schedule1F1B:
        """For batches of this form: the buffers between processes have one shape."""
        planes = batch["planes"]
        key = tuple(planes.shape)
        if key not in self._schedules:
            rows, size, form = key[0] // self.plan.parts, key[-1], planes.dtype
            widths = self.module.spec.widths

            def signal(block: int) -> Tensor:
                """What goes into that block."""
                return torch.empty((rows, widths[block], size, size), dtype=form, device="meta", requires_grad=True)

            inputs: tuple[Tensor, ...] = (signal(self.module.first),)
            if self.place == 0:
                inputs = tuple(batch[name][:rows].to("meta") for name in ("planes", "globals"))
            output = torch.empty((), device="meta", requires_grad=True) if self._ends else signal(self.module.end)
            stage = PipelineStage(self._runner, self.place, self.stages, self.plan.device, inputs, output, group=self._group)
            self._schedules[key] = Schedule1F1B(stage, self.plan.parts, loss_fn=_already)
        return self._schedules[key]

    def _told(self, figures: Figures) -> Figures:
        """The last process's figures, the mean over all copies of the net, everywhere."""
        last = distributed.get_global_rank(self._group, self.stages - 1)
        if not self._figures:
            box = [list(figures)]
            distributed.broadcast_object_list(box, last, group=self._group, device=CPU)
            self._figures = box[0]
        values = torch.zeros(len(self._figures), device=self.plan.device)
        if self._ends:
            values = process_sums.total(torch.stack([figures[name].float().to(values.device) for name in self._figures]))
        distributed.broadcast(values, last, group=self._group)
        return dict(zip(self._figures, values / process_sums.count(), strict=True))

    def norm(self) -> Tensor:
        """As `Strategy.norm`: of all parts together."""
        square = super().norm().to(self.plan.device).square()
        with parallel.others():
            distributed.all_reduce(square, group=self._group)
        return square.sqrt()

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """As `Strategy.gathered`, of the parts of the first copy of the net."""
        own = {name: to_numpy(tensor) for name, tensor in tensors.items()}
        with parallel.others():
            if parallel.leads():
                for source in range(1, self.stages):
                    box: list[Any] = [None]
                    distributed.recv_object_list(box, source, device=CPU)
                    own |= box[0]
                return own
            if distributed.get_rank() < self.stages:
                distributed.send_object_list([own], 0, device=CPU)
        return {}

    def own(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As `Strategy.own`: those of this process's blocks."""
        held, found = self.module.state_dict().keys(), {}
        for name, array in arrays.items():
            weight = name.partition("|")[0]
            if weight not in self._names:
                raise KeyError(name)
            if weight in held:
                found[name] = array
        return found


class _Runner(nn.Module):
    """A part of a net as torch's pipeline calls it: signals have one form between processes, the last part gives the loss."""

    def __init__(self, part: NetPart) -> None:
        super().__init__()
        self.part = part
        self.found: list[Figures] = []

    def begin(self, loss: Loss, parts: list[Batch], autocast: Autocast) -> None:
        """Before a batch: what its loss is, and its parts."""
        self._loss, self._parts, self._autocast, self.found = loss, parts, autocast, []

    def forward(self, x: Tensor, globals_: Tensor | None = None, number: Tensor | None = None) -> Tensor:
        """The signal behind this part, or the loss of the part of the batch with that number, int64 [1]."""
        form = x.dtype
        x = x.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            y = self.part(x, globals_)
            if number is None:
                return cast(Tensor, y).to(form).contiguous()
            value, figures = self._loss(_Said(cast(NetOutput, y)), self._parts[int(number)])
        self.found.append({"loss": value.detach(), **figures})
        return value


class _Said(nn.Module):
    """Stands for the net where its answers are there already."""

    def __init__(self, answers: NetOutput) -> None:
        super().__init__()
        self._answers = answers

    def forward(self, planes: Tensor, globals_: Tensor, full: bool | None = None) -> NetOutput:
        """The answers."""
        return self._answers


def _already(loss: Tensor, _number: Tensor) -> Tensor:
    """The last part has computed the loss."""
    return loss
