"""The comparison of owners as a whole: which sets of positions are asked for, their tables, and what the head costs.

Knows the options of the command compare-owners; the judging is done in `compare_owners`.
"""

import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from goengine.core.tables import table
from goengine.player.net_source import NetSource
from training.core.owner_options import CompareOwnersOptions
from training.data.final_owners import FinalOwners
from training.measure import compare_owners as compared
from training.measure.owner_sources import NetWitness, Witnesses

COSTED = ((19, 8), (19, 1), (9, 8))  # board size, batch
ROUNDS = 40

Say = Callable[[int, str], None]


def report(config: CompareOwnersOptions, say: Say) -> dict[str, Any]:
    """Everything that was asked for, as plain values: by set of positions and mixture, IoU by file and witness, the cost."""
    nets = NetSource(config.net or None, threads=config.threads or None)
    net = NetWitness(config.net, config.threads)
    head = NetWitness(config.net, config.threads, config.head) if config.head else None
    witnesses = Witnesses(net, head, config.playouts)
    told: dict[str, Any] = {"counts": {}, "iou": {}}
    for name, cases in _sets(config):
        found = compared.compare(cases, witnesses, nets, say)
        told["counts"][name] = {mixture: one.figures() for mixture, one in found.items()}
    for path, back in product(config.labels, config.back):
        found_by = compared.divisions(FinalOwners.load(path), witnesses, config.positions, say, back)
        told["iou"][f"{path.stem}, {back} moves before the end" if back else path.stem] = {
            name: compared.rounded(points.iou() | stones.iou()) for name, (points, stones) in found_by.items()
        }
    if config.cost and head is not None:
        told["cost"] = cost(net, head)
    return told


def _sets(config: CompareOwnersOptions) -> Iterator[tuple[str, Iterator[compared.Case]]]:
    if config.games:
        yield "counted games", compared.counted_games(config.games, config.limit)
    if config.gnugo:
        yield "regression games", compared.regression_games(config.gnugo)
    if config.scoring:
        yield "agreed positions", compared.agreed_positions(config.scoring)
    if config.diagrams:
        yield "diagrams", compared.diagrams(config.diagrams)


def cost(net: NetWitness, head: NetWitness) -> dict[str, float]:
    """What the head adds to the net's time, a share, by board size and batch.

    Both take turns, and processor time is compared, which other programs disturb less than the clock.
    """
    random = np.random.default_rng(0)
    found = {}
    for size, batch in COSTED:
        planes = (random.random((batch, head.features.planes, size, size)) < 0.3).astype(np.float32)
        planes[:, 0] = 1
        values = np.zeros((batch, head.features.globals), np.float32)
        spent: tuple[list[float], list[float]] = [], []
        for _ in range(ROUNDS + 1):
            for one, times in zip((net.graph, head.graph), spent, strict=True):
                began = time.process_time()
                one(planes, values)
                times.append(time.process_time() - began)
        before, after = (float(np.median(times[1:])) for times in spent)
        found[f"{size}x{size} batch {batch}"] = round(after / before - 1, 4)
    return found


def tables(told: dict[str, Any]) -> str:
    """The report for people."""
    parts = []
    for name, found in told["counts"].items():
        columns = list(next(iter(found.values()), {}))
        rows = [(mixture, *(str(figures[column]) for column in columns)) for mixture, figures in found.items()]
        parts.append(table(rows, header=(name, *columns)))
    for name, witnesses in told["iou"].items():
        columns = list(next(iter(witnesses.values()), {}))
        rows = [(witness, *("-" if iou[c] is None else f"{iou[c]:.3f}" for c in columns)) for witness, iou in witnesses.items()]
        parts.append(table(rows, header=(f"IoU, {name}", *columns)))
    if "cost" in told:
        parts.append(table([(name, f"{share:+.1%}") for name, share in told["cost"].items()], header=("the head adds", "time")))
    return "\n".join(parts)
