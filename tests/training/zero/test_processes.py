"""Processes beside the learner: started again when they die, given up when it is no use, and gone when we are."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goengine.core import restarts
from training.core.checkpoint import RunError
from training.zero import processes
from training.zero.processes import ProcessGroup, WatchedProcess

ATTACHED = "import os; os.read(0, 1)"  # ends with its standard input
FAILING = "import sys; print('x'); sys.exit('no net')"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


def member(tmp_path, code, name="w1", **how) -> WatchedProcess:
    return WatchedProcess(name, (sys.executable, "-c", code), tmp_path / f"{name}.log", **how)


def watched(at_work: ProcessGroup, happens, seconds=30.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        at_work.watch()
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process that is not our child still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if Path("/proc/self").exists() else True


def test_they_live_as_long_as_the_block(tmp_path):
    with ProcessGroup([member(tmp_path, ATTACHED, name) for name in ("w1", "w2")], print) as at_work:
        processes = [one.process for one in at_work.members]
        at_work.watch()
        assert [process.poll() for process in processes] == [None, None]
    assert all(process.returncode is not None for process in processes)


def test_one_that_was_killed_starts_again(tmp_path, monkeypatch):
    said = []
    with ProcessGroup([member(tmp_path, ATTACHED)], said.append) as at_work:
        (one,) = at_work.members
        for _ in range(restarts.FAILURES + 2):  # however often
            one.restarts.again = 0.0
            watched(at_work, lambda: one.process is not None)
            one.process.kill()
            watched(at_work, lambda: one.process is None)
    assert said == [f"w1 was ended by signal {signal.SIGKILL}; starts again"] * (restarts.FAILURES + 2)


def test_one_that_fails_again_and_again_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.01)
    said = []
    expected = pytest.raises(RunError, match=r"w1 failed 5 times in a row and ended with status 1: no net \(.*w1\.log")
    with expected, ProcessGroup([member(tmp_path, FAILING)], said.append) as at_work:
        watched(at_work, lambda: False)
    assert said == ["w1 ended with status 1: no net; starts again"] * (restarts.FAILURES - 1)


def test_a_process_that_crashes_by_itself_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.01)
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGABRT)"
    expected = pytest.raises(RunError, match=f"w1 failed 5 times in a row and was ended by signal {signal.SIGABRT:d}")
    with expected, ProcessGroup([member(tmp_path, crash)], lambda _: None) as at_work:
        watched(at_work, lambda: False)


def test_what_is_not_needed_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.01)
    said = []
    with ProcessGroup([member(tmp_path, FAILING, "rating", required=False)], said.append) as at_work:
        watched(at_work, lambda: at_work.members[0].given_up)
        for _ in range(5):
            at_work.watch()
        assert at_work.members[0].process is None
    assert said[-1].startswith("rating failed 5 times") and said[-1].endswith("the run goes on without it")


def test_failures_long_ago_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(restarts, "HEALTHY", -1.0)
    said = []
    with ProcessGroup([member(tmp_path, FAILING)], said.append) as at_work:
        watched(at_work, lambda: len(said) > restarts.FAILURES)


def test_one_that_will_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.3)
    with ProcessGroup([member(tmp_path, STUBBORN)], print) as at_work:
        process = at_work.members[0].process
        watched(at_work, lambda: b"ready" in (tmp_path / "w1.log").read_bytes())
    assert process.returncode == -signal.SIGKILL


def test_they_end_when_we_are_killed(tmp_path):
    code = f"""
import sys, time
from pathlib import Path
from training.zero.processes import ProcessGroup, WatchedProcess
worker = WatchedProcess("w1", (sys.executable, "-c", {ATTACHED!r}), Path({str(tmp_path / "w1.log")!r}))
with ProcessGroup([worker], print) as at_work:
    print(at_work.members[0].process.pid, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as leader:
        child = int(leader.stdout.readline())
        leader.kill()
    end = time.monotonic() + 20
    while alive(child):
        assert time.monotonic() < end, "the child is still there"
        time.sleep(0.05)
