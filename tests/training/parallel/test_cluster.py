"""The server and its workers as Ray's actors: a run learns, and bears the death of anybody."""

import importlib.util
import json
import os
import random
import secrets
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from goengine.nets import weights_file
from goengine.zero import run_folder
from tests.processes import hearing_interrupts, wait_for
from tests.training.parallel.harness import SMALL, small_games
from tests.zero.random_games import random_shard
from training.core.checkpoint import load_state
from training.parallel.staleness import FILE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]


STEPS = 40  # after 20 the loss on 19x19 may still be where it began
LONG = 900.0  # seconds; Ray's processes need many to start on a machine at work
HEAD = """
import sys
from goengine.core.ray_cluster import ClusterAddress, connected
with connected(ClusterAddress(cpus=8)) as ray:
    print(ray.get_runtime_context().gcs_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def head():
    """The process of a Ray cluster on this machine, for all tests of this file: its start takes long. `address` is where.

    $GOENGINE_TEST_RAY, as ADDRESS=PROCESS, names one that is there, which a machine at work may be too slow to start.
    """
    if there := os.environ.get("GOENGINE_TEST_RAY"):
        address, _, pid = there.partition("=")
        yield SimpleNamespace(address=address, pid=int(pid))
        return
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}  # Ray wants one of who comes later
    with subprocess.Popen([sys.executable, "-c", HEAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.address = process.stdout.readline().strip()
        yield process
        process.stdin.close()
        process.wait(120)
    del os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"]


def arguments(head, folder, run, **changes) -> list[str]:
    changes = {"address": head.address, **changes}
    pack = small_games(folder, changes.pop("size", 5))
    chosen = {"data": pack, "validation": pack, "run": run, "parallel": "async", "gradient_workers": 2, **SMALL, **changes}
    half = "--half" if chosen.pop("half") else "--no-half"
    words = [word for name, value in chosen.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", "training", "supervised", *words, half]


def record(run) -> dict:
    return json.loads((run / FILE).read_text())


def step_of(run) -> int:
    return load_state(run / "state.safetensors")[1].step if (run / "state.safetensors").exists() else 0


def actors(process, kind) -> list[int]:
    """Process numbers of the command's actors of that class."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found, more = [], {process.pid}
    while more:
        fresh = {int(pid): words for pid, parent, words in rows if int(parent) in more}
        found += [pid for pid, words in fresh.items() if kind in words]
        more = fresh.keys()
    return found


@pytest.mark.parametrize("size, parallel", [(5, "async"), (19, "async"), (5, "backup")])
def test_two_workers_learn(head, tmp_path, size, parallel):
    run = tmp_path / "run"
    done = subprocess.run(
        arguments(head, tmp_path, run, size=size, parallel=parallel, steps=STEPS), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stderr and "Traceback" not in done.stderr
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert step_of(run) == STEPS and sum(losses[-5:]) < sum(losses[:5]) and "top1" in lines[-1]["validation"]
    counts = record(run)
    assert sum(counts["workers"].values()) == STEPS and set(counts["workers"]) <= {"worker-1", "worker-2"}
    assert counts["fates"].get("of another server", 0) == 0


def test_a_run_bears_ten_killed_workers_and_a_killed_server(head, tmp_path):
    run, chance, said = tmp_path / "run", random.Random(1), tmp_path / "said"
    command = arguments(head, tmp_path, run, steps=100_000, save_every=1, log_every=1, gradient_workers=3, average=0.9)
    with open(said, "w") as file, hearing_interrupts(command, stderr=file, start_new_session=True) as process:
        goes_on(run, 0)
        for number in range(10):
            wait_for(lambda: working(head), LONG)
            os.kill(chance.choice(working(head)), signal.SIGKILL)
            if number == 5:
                os.kill(actors(head, "ServerActor")[0], signal.SIGKILL)
                goes_on(run, step_of(run))
            goes_on(run, step_of(run))
        os.killpg(process.pid, signal.SIGINT)
        process.wait(LONG)
    words = said.read_text()
    assert process.returncode == 130 and "saved; the same command goes on" in words, words
    assert words.count("another one starts") >= 10 and words.count("the server died") == 1 and "Traceback" not in words, words
    counts, step = record(run), step_of(run)
    assert step > 11 and counts["fates"]["used"] >= step
    again = arguments(head, tmp_path, run, steps=step + 3, save_every=1, log_every=1, gradient_workers=1, average=0.9)
    assert subprocess.run(again).returncode == 0 and step_of(run) == step + 3


def goes_on(run, step) -> None:
    """Wait until a later step has been saved."""
    wait_for(lambda: step_of(run) > step, LONG)


def working(head) -> list[int]:
    """Process numbers of workers that compute."""
    return actors(head, "WorkerActor.work")


def test_workers_come_later(head, tmp_path):
    run = tmp_path / "run"
    join = [sys.executable, "-m", "training", "join", "--run", str(run), "--address", head.address, "--name", "guest"]
    nobody = subprocess.run(join, capture_output=True, text=True)
    assert nobody.returncode == 1 and f"no run learns in {run} on that cluster" in nobody.stderr, nobody.stderr
    command = arguments(head, tmp_path, run, steps=100_000, save_every=1, gradient_workers=1)
    with hearing_interrupts(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: step_of(run) > 0, LONG)
        with hearing_interrupts(join, stderr=subprocess.PIPE, text=True) as guest:
            wait_for(lambda: record(run)["workers"].get("guest-1", 0) > 3, LONG)
            guest.send_signal(signal.SIGINT)
            assert guest.wait(LONG) == 0
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=LONG)[1]
    assert process.returncode == 130, said


def test_reinforce(head, tmp_path):
    from goengine import features
    from goengine.nets.architecture import parse
    from goengine.nets.build import build

    chosen = features.get("agz17")
    spec = parse("lee-policy-8", "agz17", chosen.planes, chosen.globals)
    weights_file.save(tmp_path / "policy.safetensors", build(spec, 1), spec)
    words = f"--net {tmp_path / 'policy.safetensors'} --run {tmp_path / 'run'} --size 3 --games 6 --every 2 --rows 16"
    words += f" --validation-games 4 --threads 1 --iterations 6 --parallel async --device cpu --address {head.address}"
    done = subprocess.run([sys.executable, "-m", "training", "reinforce", *words.split()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert step_of(tmp_path / "run") == 6 and record(tmp_path / "run")["fates"]["used"] == 6
    assert sorted(path.name for path in (tmp_path / "run" / "pool").iterdir())[:3] == [
        f"00000{n}.safetensors" for n in (0, 2, 4)
    ]


def test_zero(head, tmp_path):
    from training.zero.publishing import begin
    from training.zero.zero_options import ZeroOptions

    run = tmp_path / "run"
    begin(ZeroOptions(run=run, size="5", net="b2c16", steps=6))
    for number in range(3):
        random_shard(5, range(5 * number, 5 * number + 5)).save(run_folder.next_shard_path(run, "test"))
    words = "--size 5 --net b2c16 --workers 0 --rate-games 0 --steps 6 --batch 16 --window 100 --first-rows 20 --uses 100"
    words += " --optimizer sgd --no-half --device cpu --log-every 2 --parallel async"
    words += f" --address {head.address}"
    command = [sys.executable, "-m", "training", "zero", "--run", str(run), *words.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert step_of(run / "learner") == 6 and run_folder.newest(run).step == 6
    assert record(run / "learner")["fates"]["used"] == 6


def test_what_the_server_cannot_begin_with_is_named(head, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "state.safetensors").write_bytes(b"nothing")
    done = subprocess.run(arguments(head, tmp_path, run), capture_output=True, text=True)
    assert done.returncode == 1 and "cannot resume from" in done.stderr and "Traceback" not in done.stderr, done.stderr
