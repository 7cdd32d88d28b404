"""What each way to save memory saves: what `python -m training memory` measures.

Each row is one training step in processes of its own, on one random batch: bytes of tensors are counted in each process
(`training.parallel.memory`), and the operating system tells how much the process grew. On CPUs; a GPU's tensors are as large.
"""

import contextlib
import dataclasses
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from training.core.checkpoint import RunError
from training.core.split_options import MemoryOptions, SplitOptions

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Row:
    """One way, and what the process that holds most of each kind holds, in bytes. grown: by the operating system's count."""

    way: str
    processes: int
    weights: int
    gradients: int
    optimizer: int
    signals: int
    total: int
    grown: int


def ways(config: MemoryOptions) -> list[tuple[str, int, SplitOptions]]:
    """(its options in words, processes, its options) of each way that is compared."""
    n, parts = config.processes, config.parts
    found = [
        ("(nothing)", 1, SplitOptions()),
        (f"--accumulate {parts}", 1, SplitOptions(accumulate=parts)),
        ("--recompute", 1, SplitOptions(recompute=True)),
        (f"--accumulate {parts} --recompute", 1, SplitOptions(accumulate=parts, recompute=True)),
        ("--parallel data", n, SplitOptions()),
        ("--parallel shard", n, SplitOptions(parallel="shard")),
        ("--parallel shard --recompute", n, SplitOptions(parallel="shard", recompute=True)),
        (f"--parallel pipeline --microbatches {parts}", n, SplitOptions(parallel="pipeline", microbatches=parts)),
    ]
    if _has_transformers(config):
        found.append(("--parallel tensor", n, SplitOptions(parallel="tensor")))
    return found


def measure(config: MemoryOptions) -> Iterator[Row]:
    """A row for each way, one after the other. Raises RunError if a process fails."""
    for words, processes, split in ways(config):
        found = _in_processes(config, split, processes)
        kept = found[0][0]
        for other, _ in found[1:]:
            kept = kept.most(other)
        total = max(own.total for own, _ in found)
        yield Row(words, processes, *dataclasses.astuple(kept), total, max(grown for _, grown in found))


def _has_transformers(config: MemoryOptions) -> bool:
    return any(block.kind == "transformer" for block in _spec(config).blocks)


def _spec(config: MemoryOptions) -> Any:
    from goengine import features
    from goengine.nets import architecture

    chosen = features.get("zero")
    return architecture.parse(config.net, chosen.name, chosen.planes, chosen.globals)


def _in_processes(config: MemoryOptions, split: SplitOptions, count: int) -> list[Any]:
    """What `_step` finds in each of so many processes."""
    import torch.multiprocessing

    context = torch.multiprocessing.get_context("spawn")
    results, port = context.Queue(), _free_port()
    processes = [context.Process(target=_process, args=(config, split, rank, count, port, results)) for rank in range(count)]
    for process in processes:
        process.start()
    try:
        found = dict(_collected(results, processes) for _ in range(count))
    finally:
        for process in processes:
            process.join(30)
            process.kill()
    if errors := [what for what in found.values() if isinstance(what, str)]:
        raise RunError(errors[0])
    return [found[rank] for rank in range(count)]


def _collected(results: Any, processes: list[Any]) -> Any:
    """The next process's result. Raises RunError if all are gone without one."""
    import queue

    while True:
        with contextlib.suppress(queue.Empty):
            return results.get(timeout=1.0)
        if not any(process.is_alive() for process in processes) and results.empty():
            raise RunError(f"a process ended with status {processes[0].exitcode} before it had measured")


def _process(config: MemoryOptions, split: SplitOptions, rank: int, count: int, port: int, results: Any) -> None:
    import torch

    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": LOOPBACK, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in told.items()}
    torch.set_num_threads(1)
    try:
        results.put((rank, _step(config, split, count)))
    except (RunError, RuntimeError) as error:
        results.put((rank, str(error)))


def _step(config: MemoryOptions, split: SplitOptions, count: int) -> Any:
    """(what a step kept, how far the process grew in it)."""
    import torch

    from goengine.nets.build import build
    from training.core import optimizers, parallel
    from training.core.device_feed import DeviceFeed
    from training.core.losses import LossWeights, total_loss
    from training.core.strategy import StepPlan
    from training.parallel import choice, memory

    ways = 1 if split.parallel in ("data", "shard") else count
    with parallel.joined("cpu", ways) as mesh:
        feed = DeviceFeed("cpu", config.half)
        net = build(_spec(config), 1)
        weights = LossWeights(1.0, 1.0, 0.15, 0.25, 0.05, 0.02).of_heads(net.spec.outputs)
        strategy = choice.strategy(split, mesh)(net, StepPlan(feed.device, split.accumulate, split.recompute))
        optimizer = optimizers.make(strategy.module, optimizers.OptimizerConfig(config.optimizer))
        batch = feed.put(random_batch(net.spec, config.batch // (count // ways), config.size))
        before = _resident()
        kept = memory.kept_by_a_step(
            strategy,
            optimizer,
            lambda module, part: total_loss(module(part["planes"], part["globals"], True), part, weights),
            {**batch, "progress": torch.tensor(0.5)},
            feed.autocast,
        )
        return kept, max(0, _most_resident() - before)


def random_batch(spec: Any, rows: int, size: int) -> dict[str, Any]:
    """Planes and targets without meaning, of the right forms."""
    import numpy as np

    rng = np.random.default_rng(1)
    planes = rng.integers(0, 2, (rows, spec.planes, size, size)).astype(np.uint8)
    planes[:, 0] = 1
    return {
        "planes": planes,
        "globals": rng.random((rows, spec.globals), np.float32),
        "policy": rng.integers(0, size * size, rows),
        "opponent": rng.integers(0, size * size, rows),
        "value": np.sign(rng.random(rows, np.float32) - 0.5),
        "value_weight": np.ones(rows, np.float32),
        "score": rng.random(rows, np.float32),
        "score_weight": np.ones(rows, np.float32),
        "owner": rng.integers(-1, 2, (rows, size, size)).astype(np.int8),
        "owner_weight": np.ones(rows, np.float32),
    }


def _resident() -> int:
    """Bytes of memory that this process has now; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _most_resident() -> int:
    """Bytes of memory that this process had at most; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1]) * 1024
    return 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])
