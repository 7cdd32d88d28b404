"""Several processes train one net: how they find each other, and what they must do alike.

torchrun starts the processes and numbers them (ranks). Rank 0 leads: only rank 0 holds the run's folder, measures, reports and
reads the clock. It sends the time to all others, so that all decide alike. Each step is synchronous: every rank computes its
part of the joined batch, torch's DistributedDataParallel averages the gradients, and losses and batch statistics are those of
the joined batch (`goengine.nets.process_sums`). So any number of ranks gives the same weights as one. Several neighbours may
share one net (`training.parallel`): these see the same samples. Without torchrun everything here does what one process does.
Knows no Go and no losses.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from goengine.nets import process_sums
from training.core import sharding
from training.core.checkpoint import RunError
from training.core.launch import launched

T = TypeVar("T")
Arrays = Mapping[str, np.ndarray | torch.Tensor]
Form = list[tuple[str, str, tuple[int, ...]]]  # name, type, shape of a row
COPIES, PARTS = "copies", "parts"  # dimensions of the mesh: copies of a net, and parts of each
_PARTING = 10  # seconds that a process waits for the others before it leaves the group
NOTHING, SAME, OTHER = range(3)  # what is scattered: no batch, one of the form of the last, one of another form


@contextlib.contextmanager
def joined(device: str, ways: int = 1) -> Iterator[DeviceMesh | None]:
    """All processes that torchrun started, as one group: gloo between CPUs, NCCL between GPUs, of which each takes its own.

    ways: neighbours that share one net. Yields the mesh (copies of the net, its parts), None for one process alone. Raises
    RunError if the processes do not find each other, cannot be divided so, or there are fewer GPUs than processes here.
    """
    if launched() % ways:
        raise RunError(f"{launched()} processes cannot be divided into nets that {ways} processes share each")
    if launched() == 1:
        yield None
        return
    cuda = device.startswith("cuda")
    if cuda:
        place = int(os.environ.get("LOCAL_RANK", "0"))
        if place >= torch.cuda.device_count():
            raise RunError(f"process {place + 1} of this machine has no GPU: torch sees {torch.cuda.device_count()}")
        torch.cuda.set_device(place)
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    except (RuntimeError, ValueError) as error:
        raise RunError(f"the {launched()} processes do not find each other: {error}; start them with torchrun") from error
    try:
        mesh = init_device_mesh("cuda" if cuda else "cpu", (launched() // ways, ways), mesh_dim_names=(COPIES, PARTS))
        with process_sums.within(mesh.get_group(COPIES)):
            yield mesh
    finally:
        if not cuda:
            _part()
        distributed.destroy_process_group()


def _part() -> None:
    """All leave gloo's group together: where one is gone while another still sends to it, gloo ends that one with SIGABRT."""
    with contextlib.suppress(RuntimeError):  # one is gone already
        distributed.monitored_barrier(timeout=timedelta(seconds=_PARTING))


def ranks() -> int:
    """Number of processes that train together, whatever each of them does; 1 without torchrun."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def leads() -> bool:
    """Whether this is rank 0."""
    return ranks() == 1 or distributed.get_rank() == 0


def check(batch: int) -> None:
    """Raises RunError if the batch cannot be dealt evenly, or if torchrun started a command that trains in one process."""
    if launched() > 1 and ranks() == 1:
        raise RunError("this command trains in one process: start it without torchrun")
    if batch % process_sums.count():
        raise RunError(f"--batch {batch} cannot be dealt evenly to {process_sums.count()} processes")


def replicated(module: nn.Module) -> nn.Module:
    """The module for the forward pass: rank 0's weights everywhere, and gradients that are the mean over all ranks."""
    if process_sums.count() == 1:
        return module
    # The statistics are the same everywhere already. Static: losses may leave some weights without a gradient.
    return DistributedDataParallel(module, broadcast_buffers=False, static_graph=True)


def first(work: Callable[[], T]) -> T:
    """What rank 0 makes of it; the others wait, and are given the same. What it raises is a RunError for the others."""
    if ranks() == 1:
        return work()
    result: T | None = None
    error: Exception | None = None
    if leads():
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 (the others must not wait for ever)
            error = raised
    box: list[Any] = [result, None if error is None else str(error)]
    with others():
        distributed.broadcast_object_list(box, 0, device=torch.device("cpu"))
    if error is not None:
        raise error
    if box[1] is not None:
        raise RunError(box[1])
    return cast(T, box[0])


def shared(clock: Callable[[], float]) -> Callable[[], float]:
    """Rank 0's clock. All ranks must read it equally often."""
    if ranks() == 1:
        return clock

    def read() -> float:
        now = torch.tensor(clock(), dtype=torch.float64)
        with others():
            distributed.broadcast(now, 0)
        return float(now)

    return read


def anybody(asked: bool) -> bool:
    """Whether it is so on any rank."""
    if ranks() == 1:
        return asked
    found = torch.tensor(int(asked))
    with others():
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return bool(found)


def mean(figures: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each figure's mean over all ranks; they stay on their device."""
    if ranks() == 1:
        return dict(figures)
    values = torch.stack([value.float() for value in figures.values()])
    distributed.all_reduce(values)
    return dict(zip(figures, values / ranks(), strict=True))


def average_gradients(parameters: Iterable[nn.Parameter], group: distributed.ProcessGroup | None) -> None:
    """Each gradient becomes its mean over a group's processes, where DistributedDataParallel does not see to it.

    All of them must call it, with gradients of the same weights.
    """
    count = distributed.get_world_size(group)
    with others():
        for gradient in sharding.local([p.grad for p in parameters if p.grad is not None]):
            mean = gradient.clone(memory_format=torch.contiguous_format)
            distributed.all_reduce(mean, group=group)
            gradient.copy_(mean / count)


def share_weights(module: nn.Module) -> None:
    """Rank 0's weights and statistics everywhere, for modules that DistributedDataParallel does not wrap."""
    if ranks() > 1:
        with others():
            for value in module.state_dict().values():
                whole = value.clone(memory_format=torch.contiguous_format)
                distributed.broadcast(whole, 0)
                value.copy_(whole)


def scattered(batches: Iterator[Arrays | None] | None) -> Generator[Arrays | None, None, None]:
    """Each rank's rows of batches that rank 0 alone can make (None elsewhere); None, for no batch yet, goes to all."""
    if ranks() == 1:
        yield from batches or ()
        return
    form: Form = []
    while True:
        batch = next(batches) if batches is not None and leads() else None
        new = _form(batch) if batch is not None else form
        head = torch.tensor([NOTHING if batch is None else SAME if new == form else OTHER, _rows(batch)])
        with others():
            distributed.broadcast(head, 0)
            kind, rows = head.tolist()
            if kind == OTHER:
                box = [new]
                distributed.broadcast_object_list(box, 0, device=torch.device("cpu"))
                form = box[0]
            own = None if kind == NOTHING else _deal(batch, form, rows // process_sums.count())
        yield own


def _form(batch: Arrays) -> Form:
    return [(name, np.asarray(array).dtype.str, tuple(array.shape[1:])) for name, array in batch.items()]


def _rows(batch: Arrays | None) -> int:
    return 0 if batch is None else len(next(iter(batch.values())))


def _deal(batch: Arrays | None, form: Form, rows: int) -> dict[str, np.ndarray]:
    """Every rank's own `rows` of each array; batch: on rank 0. Those that share a net get the same."""
    own, ways = {}, ranks() // process_sums.count()
    for name, dtype, shape in form:
        array = np.zeros((rows, *shape), dtype)
        parts = None
        if batch is not None:
            starts = [rank // ways * rows for rank in range(ranks())]
            parts = [_bytes(np.asarray(batch[name])[start : start + rows]) for start in starts]
        distributed.scatter(_bytes(array), parts, 0)
        own[name] = array
    return own


def _bytes(array: np.ndarray) -> torch.Tensor:
    """The array's memory."""
    return torch.from_numpy(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


@contextlib.contextmanager
def others() -> Iterator[None]:
    """Something that needs all ranks. Raises RunError if one is gone."""
    try:
        yield
    except RuntimeError as error:
        raise RunError(f"another process of this training is gone ({str(error).splitlines()[0]})") from error
