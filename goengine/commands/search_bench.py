"""How much of a net's speed the search keeps, and what a second core brings, for `goengine bench`.

The net alone and the searches are measured by turns, each several times, as machines are not equally fast all the time. Where
the system allows it, one core means one core: a search has two threads, its own and the net's, and would use two.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from goengine.board.position import Position
from goengine.core import machine
from goengine.core.figures import Figure
from goengine.evaluators.base import Batch, Evaluator
from goengine.search.params import PLAY, Limits
from goengine.search.search import Search

TURNS = 4  # the first one warms up


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """This thread, and those that it starts, on so many of the cores; does nothing where the system has no such call."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def search_figures(
    load: Callable[[int], Evaluator], batch_for: Callable[[Evaluator], Batch], size: int, seconds: float
) -> Iterator[Figure]:
    """The net alone on one core, the search on one core, its share of that, and what two cores make of it where there are two.

    ``load(threads)`` gives the net; ``batch_for(net)`` the batch that it is asked alone. ``seconds``: of each measurement.
    """
    nets: dict[int, Evaluator] = {}
    for cores in (1, 2)[: machine.usable_cores()]:
        with on_cores(cores):
            nets[cores] = load(cores)
    batch, best = batch_for(nets[1]), {}
    for turn in range(TURNS):
        with on_cores(1):
            rates = {0: _evaluations(nets[1], batch, seconds)}
        for cores, net in nets.items():
            with on_cores(cores):
                rates[cores] = _visits(net, size, seconds)
        if turn:
            best = {cores: max(rate, best.get(cores, 0.0)) for cores, rate in rates.items()}
    for net in nets.values():
        net.close()
    name = f"{nets[1].name} ({nets[1].traits.device})"
    yield Figure(f"{name} alone on one core, batch {batch.rows}", size, best[0], "evaluations/s")
    yield Figure(f"search with {name} on one core", size, best[1], "visits/s")
    yield Figure("share of the net's speed that the search keeps", size, 100 * best[1] / best[0], "%")
    if 2 in best:
        yield Figure("search on two cores against one", size, best[2] / best[1], "times")


def _evaluations(net: Evaluator, batch: Batch, seconds: float) -> float:
    """Rows a second, one batch after the other."""
    start, rows = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds or not rows:
        net.evaluate(batch)
        rows += batch.rows
    return rows / elapsed


def _visits(net: Evaluator, size: int, seconds: float) -> float:
    """Visits a second from the empty board, without a cache."""
    search = Search(net, PLAY, seed=1)
    search.set_position(Position(size))
    result = search.run(Limits(seconds=seconds))
    return result.playouts / result.seconds
