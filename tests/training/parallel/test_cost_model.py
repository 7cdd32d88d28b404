"""The arithmetic of many workers: limits that can be worked out by hand."""

import math
import random
import statistics

import pytest

from training.parallel.cost_model import Costs, asynchronous, kth_of, ring, stepwise, table

COSTS = Costs(compute=1.0, spread=0.0, step=0.01, size=1e6)


def test_async_is_held_back_by_the_slowest_part():
    one = asynchronous(1, COSTS)
    assert (one.gradients, one.staleness, one.limit) == (pytest.approx(1 / 1.01), 0, "workers")
    assert asynchronous(50, COSTS).gradients == pytest.approx(50 / 1.01)
    many = asynchronous(1000, COSTS)
    assert (many.gradients, many.limit, many.staleness) == (pytest.approx(100), "server", 999)
    thin = asynchronous(1000, Costs(1.0, 0.0, 0.001, 1e6, bandwidth=1e9 / 8))  # 125 gradients of 1 MB a second
    assert (thin.gradients, thin.limit) == (pytest.approx(125), "network")


def test_a_step_of_all_waits_for_the_slowest_and_backup_does_not():
    spread = Costs(1.0, 0.2, 0.0, 0.0)
    assert stepwise(100, 100, spread).steps < stepwise(100, 95, spread).steps < 1
    assert stepwise(100, 100, Costs(1.0, 0.0, 0.0, 0.0)).gradients == pytest.approx(100)
    assert ring(2, Costs(1.0, 0.0, 0.0, 1e6, bandwidth=1e6)).steps == pytest.approx(1 / 2)
    assert ring(2, Costs(1.0, 0.0, 0.0, 1e6, bandwidth=1e5)).limit == "network"


@pytest.mark.parametrize("k, n", [(1, 4), (3, 4), (4, 4), (95, 100), (100, 100)])
def test_order_statistics_are_those_of_draws(k, n):
    draws = random.Random(1)
    drawn = statistics.mean(sorted(draws.gauss(10, 2) for _ in range(n))[k - 1] for _ in range(1000))
    assert kth_of(k, n, 10, 2) == pytest.approx(drawn, abs=0.2)
    assert kth_of(1, 1, 3.0, 2.0) == 3.0 and kth_of(1, 1000, 0.1, 1.0) == 0.0


def test_the_table_has_every_mode_and_network():
    rows = table(COSTS, (100, 1000), (1, 10), latency=0.001)
    assert len(rows) == 2 * 2 * 4 and all(0 < row.efficiency <= 1 and math.isfinite(row.pace.steps) for row in rows)
    assert {row.mode for row in rows} >= {"async", "sync by a ring", "backup, 5 spare", "backup, 50 spare"}
    for row in rows:
        if row.network == "1 Gbit/s":
            faster = next(r for r in rows if (r.mode, r.workers, r.network) == (row.mode, row.workers, "10 Gbit/s"))
            assert faster.efficiency >= row.efficiency
