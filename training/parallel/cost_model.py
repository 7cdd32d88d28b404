"""How fast many workers learn together, by arithmetic: computing, the server's steps, and the network.

Every assumption is in `ASSUMPTIONS`, which is printed with the figures. Knows neither nets nor Ray.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Mode = Literal["async", "backup", "sync"]
ASSUMPTIONS = (
    "a gradient takes each worker the measured mean, with the measured spread, normally distributed and independent",
    "a gradient and the net are 4 bytes a number, uncompressed; the server's link carries all of them, both ways at once",
    "the server handles one step after another in the measured time; in backup and sync it adds up the gradients meanwhile",
    "workers have links as fast as the server's; a message takes the latency once each way; Ray's own work is in the latency",
    "async: each worker has one gradient under way, so the mean staleness of n workers is n - 1",
    "backup and sync: a step takes as long as its k-th fastest worker of n (order statistics after Blom)",
    "ring: torchrun's DistributedDataParallel, all of n, 2 (n - 1) / n times the gradient over each link, nothing overlaps",
)


@dataclass(frozen=True)
class Costs:
    """What was measured, and the network."""

    compute: float  # seconds of a gradient on a worker, mean
    spread: float  # seconds, standard deviation of that
    step: float  # seconds of a step on the server
    size: float  # bytes of a gradient, and of the net
    latency: float = 0.0  # seconds of a message beside its bytes
    bandwidth: float = math.inf  # bytes a second of a link


@dataclass(frozen=True)
class Pace:
    """What comes of it."""

    gradients: float  # used a second
    steps: float  # a second
    staleness: float  # mean, in steps
    limit: str  # what holds it back: workers, server or network


def kth_of(k: int, n: int, mean: float, spread: float) -> float:
    """Expected time of the k-th fastest of n workers, seconds: Blom's approximation of normal order statistics."""
    if n == 1 or spread == 0:
        return mean
    return max(0.0, mean + spread * NormalDist().inv_cdf((k - 0.375) / (n + 0.25)))


def asynchronous(n: int, costs: Costs) -> Pace:
    """n workers that do not wait. The slowest of three paces rules: the workers', the server's, its link's."""
    wire = costs.size / costs.bandwidth
    cycle = costs.compute + costs.step + 2 * (wire + costs.latency)
    paces = {
        "workers": n / cycle,
        "server": 1 / costs.step if costs.step else math.inf,
        "network": 1 / wire if wire else math.inf,
    }
    limit = min(paces, key=lambda name: paces[name])
    return Pace(paces[limit], paces[limit], n - 1.0, limit)


def stepwise(n: int, k: int, costs: Costs) -> Pace:
    """Steps of the first k gradients of n workers, through a server; k = n waits for all."""
    compute = kth_of(k, n, costs.compute, costs.spread)
    network = (k + n) * costs.size / costs.bandwidth + 2 * costs.latency
    parts = {"workers": compute, "server": costs.step, "network": network}
    seconds = sum(parts.values())
    return Pace(k / seconds, 1 / seconds, 0.0, max(parts, key=lambda name: parts[name]))


def ring(n: int, costs: Costs) -> Pace:
    """Steps of all n without a server (DistributedDataParallel)."""
    compute = kth_of(n, n, costs.compute, costs.spread)
    network = 2 * (n - 1) / n * costs.size / costs.bandwidth + 2 * (n - 1) * costs.latency
    seconds = compute + network
    return Pace(n / seconds, 1 / seconds, 0.0, "workers" if compute >= network else "network")


def pace(mode: Mode, n: int, k: int, costs: Costs) -> Pace:
    """By mode."""
    return asynchronous(n, costs) if mode == "async" else stepwise(n, k, costs)


@dataclass(frozen=True)
class Row:
    """One line of the table of many workers."""

    mode: str
    workers: int
    network: str
    pace: Pace
    efficiency: float  # of n workers that nothing holds back


def table(costs: Costs, workers: Sequence[int], gbits: Sequence[float], latency: float) -> list[Row]:
    """Every mode, number of workers and network. latency: of a message, seconds."""
    rows = []
    for n in workers:
        for gbit in gbits:
            there = Costs(costs.compute, costs.spread, costs.step, costs.size, latency, gbit * 1e9 / 8)
            spare = max(1, round(0.05 * n))  # Chen et al. 2016 found about 5 % to be enough
            found = {
                "async": asynchronous(n, there),
                f"backup, {spare} spare": stepwise(n, n - spare, there),
                "sync by a server": stepwise(n, n, there),
                "sync by a ring": ring(n, there),
            }
            ideal = n / costs.compute
            rows += [Row(mode, n, f"{gbit:g} Gbit/s", found[mode], found[mode].gradients / ideal) for mode in found]
    return rows
