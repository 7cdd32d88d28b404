"""A stage whose samples are not there yet: the loop waits, hears its signals, and ends in time."""

import os
import signal

import numpy as np
import pytest

from tests.training.core.test_loop import Clock, SmallStage, lines, timed, trainer
from training.core.checkpoint import load_state

pytestmark = pytest.mark.usefixtures("one_thread")


def with_waits(stage, waits, clock=None, at=None):
    """The stage with so many waits of half a second before batches by number; -1: for ever."""
    given = stage.batches

    def batches(first_sample):
        for number, batch in enumerate(given(first_sample), first_sample // 8):
            count = waits.get(number, 0)
            while count:
                count -= 1
                if clock:
                    clock.now += 0.5
                if at:
                    at()
                yield None
            yield batch

    stage.batches = batches
    return stage


def test_waits_change_nothing_but_the_time(small_pack, tmp_path):
    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), 7).run()
    stage = with_waits(SmallStage(small_pack, 8), {0: 3, 4: 1, 6: 2})
    assert trainer(tmp_path / "waits", stage, 7).run()
    whole, waits = (load_state(tmp_path / name / "state.safetensors") for name in ("whole", "waits"))
    assert whole[1].step == waits[1].step and whole[1].samples == waits[1].samples
    assert all(np.array_equal(whole[0][name], waits[0][name]) for name in whole[0])


@pytest.mark.parametrize("number", [0, 3])
def test_a_signal_while_it_waits_saves_and_ends(small_pack, tmp_path, number):
    stage = with_waits(SmallStage(small_pack, 8), {number: -1}, at=lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert not trainer(tmp_path / "parts", stage, 7).run()
    again = trainer(tmp_path / "parts", SmallStage(small_pack, 8), 7)
    assert again.counters.step == number and again.run()
    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), 7).run()
    whole, parts = (load_state(tmp_path / name / "state.safetensors")[0] for name in ("whole", "parts"))
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("waits", [{20: -1}, {10: 15, 25: -1}, {0: 20, 12: 7}])
def test_a_budget_ends_while_it_waits(small_pack, tmp_path, waits):
    clock = Clock()
    run = timed(tmp_path, small_pack, clock, 60.0)
    with_waits(run.stage, waits, clock)
    assert run.run() and 58.5 <= clock.now - 1000 <= 60.5
    assert run.counters.step == len(run.shares) > 15
    saved = (tmp_path / "state.safetensors").read_bytes()
    assert timed(tmp_path, small_pack, clock, 60.0).run() and (tmp_path / "state.safetensors").read_bytes() == saved


def test_a_run_that_gets_no_sample_ends_without_a_step(small_pack, tmp_path):
    clock = Clock()
    run = timed(tmp_path, small_pack, clock, 30.0)
    with_waits(run.stage, {0: -1}, clock)
    assert run.run() and run.counters.step == 0 and not run.shares and clock.now - 1000 <= 30 + 8
    assert not [line for line in lines(tmp_path) if "loss" in line]
