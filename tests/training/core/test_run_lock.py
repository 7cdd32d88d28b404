"""Two trainers never work in one folder, and the lock goes with its process."""

import os
import subprocess
import sys

import pytest

from training.core.checkpoint import RunError
from training.core.run_lock import lock_run

HOLDER = """
import sys
from pathlib import Path
from training.core.run_lock import lock_run
lock = lock_run(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_at_a_time(tmp_path):
    first = lock_run(tmp_path)
    with pytest.raises(RunError, match=rf"another trainer \(process {os.getpid()}\) is at work there"):
        lock_run(tmp_path)
    first.release()
    first.release()
    lock_run(tmp_path).release()


def test_what_a_killed_trainer_left_is_removed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (tmp_path / f".state.safetensors.{ended.pid}.part").write_bytes(b"half")
    (tmp_path / "state.safetensors").write_bytes(b"whole")
    lock_run(tmp_path).release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "state.safetensors"]


def test_the_lock_dies_with_its_process(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=rf"process {other.pid}\)"):
            lock_run(tmp_path)
        other.kill()
        other.wait()
    lock_run(tmp_path).release()
