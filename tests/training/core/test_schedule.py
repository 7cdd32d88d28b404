"""How far a run is and its learning rate."""

import pytest

from training.core.schedule import Schedule


def test_budget_in_steps():
    schedule = Schedule(steps=1000, warmup=0.1, floor=0.01)
    assert schedule.progress(0, 1e9) == 0.0 and schedule.progress(500, 0.0) == 0.5
    assert schedule.progress(999, 0.0) < 1 and schedule.progress(1000, 0.0) == 1
    assert schedule.progress(5000, 0.0) == 1.0


def test_budget_in_seconds_and_the_further_of_both():
    schedule = Schedule(seconds=60.0)
    assert schedule.progress(10**9, 30.0) == 0.5 and schedule.progress(0, 60.0) == 1
    both = Schedule(steps=100, seconds=60.0)
    assert both.progress(80, 30.0) == 0.8 and both.progress(10, 30.0) == 0.5


def test_curve():
    schedule = Schedule(steps=1000, warmup=0.1, floor=0.01)
    assert schedule.factor(0.0) > 0
    assert schedule.factor(0.05) == pytest.approx(0.5) and schedule.factor(0.1) == pytest.approx(1.0)
    assert schedule.factor(0.55) == pytest.approx(0.505) and schedule.factor(1.0) == pytest.approx(0.01)
    falling = [schedule.factor(i / 100) for i in range(10, 101)]
    assert falling == sorted(falling, reverse=True)


def test_a_rate_that_is_held():
    schedule = Schedule(steps=1000, warmup=0.1, floor=0.01, hold=0.6)
    assert schedule.factor(0.05) == pytest.approx(0.5)
    assert {schedule.factor(share) for share in (0.1, 0.3, 0.6)} == {1.0}
    assert schedule.factor(0.8) == pytest.approx(0.505) and schedule.factor(1.0) == pytest.approx(0.01)
    assert Schedule(steps=10, warmup=0.5, hold=0.2).factor(0.5) == 1.0  # held for less than it rises


def test_no_warmup():
    assert Schedule(steps=10, warmup=0.0).factor(0.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong", [{}, {"steps": 0}, {"steps": 5, "warmup": 1.0}, {"steps": 5, "floor": -0.1}, {"steps": 5, "hold": 1.0}]
)
def test_refused(wrong):
    with pytest.raises(ValueError):
        Schedule(**wrong)


def test_other_seconds_shorten_the_run_and_move_nothing():
    schedule = Schedule(seconds=100.0)
    assert schedule.progress(0, 0.0, other=40.0) == 0 and schedule.progress(0, 30.0, other=40.0) == 0.5
    assert schedule.progress(0, 60.0, other=40.0) == 1 and schedule.progress(0, 1.0, other=100.0) == 1
