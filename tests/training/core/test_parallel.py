"""Two processes that train one net: the weights are those of one process with the joined batch."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch import distributed

from goengine.dataio.records import GamePack
from goengine.nets import process_sums
from goengine.nets.extent import extent_of
from goengine.nets.norms import MaskedNorm
from goengine.zero import run_folder
from tests.training.conftest import random_record
from tests.zero.random_games import random_shard
from training import cli
from training.core import launch, parallel
from training.core.checkpoint import RunError, load_state
from training.core.losses import weighted_mean
from training.zero.publishing import begin
from training.zero.zero_options import ZeroOptions

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not (distributed.is_available() and distributed.is_gloo_available()), reason="this torch has no gloo"),
]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(rank: int, count: int, port: int) -> dict[str, str]:
    """What torchrun gives its processes."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return {name: str(value) for name, value in told.items()} | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}


def on_ranks(work, count=2, seconds=120) -> list:
    """What work(rank) returns in each of some processes that form a group."""
    context = torch.multiprocessing.get_context("spawn")
    results, port = context.Queue(), free_port()
    processes = [context.Process(target=_on_rank, args=(work, rank, count, port, results)) for rank in range(count)]
    for process in processes:
        process.start()
    found = dict(results.get(timeout=seconds) for _ in range(count))
    for process in processes:
        process.join(60)
    return [found[rank] for rank in range(count)]


def _on_rank(work, rank, count, port, results):
    os.environ |= environment(rank, count, port)
    torch.set_num_threads(1)
    with parallel.joined("cpu"):
        results.put((rank, work(rank)))


# -- pieces --


def boards(padded: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Six boards on planes of 5 x 5, of several sizes where padded: (x [6,3,5,5] far from 0, planes [6,1,5,5])."""
    generator = torch.Generator().manual_seed(1)
    x = 100 + torch.randn(6, 3, 5, 5, generator=generator)
    planes = torch.zeros(6, 1, 5, 5)
    for board, size in zip(planes, (5, 4, 3, 5, 5, 2) if padded else [5] * 6, strict=True):
        board[:, :size, :size] = 1
    return x, planes


def normalised(padded: bool, rows: slice) -> list[np.ndarray]:
    """(output, gradients of input and weights, statistics) of a norm on some of the boards, for a loss of all of them."""
    x, planes = (part[rows] for part in boards(padded))
    norm = MaskedNorm(3)
    for values, start in zip((*norm.parameters(), *norm.buffers()), (1.5, 0.5, 0.0, 1.0), strict=True):
        values.detach().fill_(start)
    x.requires_grad_(True)
    y = norm(x, extent_of(planes, full=not padded)) * planes
    (y**3).sum().backward()
    grads = [process_sums.total(norm.weight.grad), process_sums.total(norm.bias.grad)]
    return [part.detach().numpy() for part in (y, x.grad, *grads, norm.running_mean, norm.running_var)]


def _norms(rank):
    rows = (slice(0, 3), slice(3, 6))[rank]
    return [normalised(padded, rows) for padded in (False, True)]


def _pieces(rank):
    return {work.__name__: work(rank) for work in (_norms, _told, _dealt)}


@pytest.fixture(scope="module")
def pieces():
    """What two processes find out about the pieces: one start for all tests."""
    found = on_ranks(_pieces)
    return {name: [part[name] for part in found] for name in found[0]}


def test_statistics_are_those_of_all_boards(pieces):
    found = pieces["_norms"]
    for number, padded in enumerate((False, True)):
        whole = normalised(padded, slice(None))
        parts = [found[rank][number] for rank in range(2)]
        for place, one in enumerate(whole):
            together = np.concatenate([part[place] for part in parts]) if place < 2 else parts[0][place]
            assert np.allclose(together, one, rtol=1e-4, atol=1e-4), (padded, place)
            assert place < 2 or np.array_equal(parts[0][place], parts[1][place])


def _told(rank):
    values, weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    seen = {"rank": process_sums.rank(), "count": process_sums.count(), "first": parallel.first(lambda: rank * 10)}
    seen["any"] = [parallel.anybody(rank == 1), parallel.anybody(False)]
    clock = parallel.shared(lambda: 100.0 + rank)
    seen["clock"] = clock()
    own = weighted_mean(values[rank], weights[rank])
    seen["mean"] = float(parallel.mean({"loss": own})["loss"])

    def fail():
        raise OSError("the disk is full")

    with pytest.raises((OSError, RunError), match="the disk is full") as raised:
        parallel.first(fail)
    seen["raised"] = raised.type.__name__
    with pytest.raises(RunError, match="--batch 7 cannot be dealt evenly to 2"):
        parallel.check(7)
    return seen


def test_all_hear_the_first(pieces):
    found = pieces["_told"]
    assert [seen.pop("rank") for seen in found] == [0, 1] and [seen.pop("raised") for seen in found] == ["OSError", "RunError"]
    assert (
        found[0]
        == found[1]
        == {"count": 2, "first": 0, "any": [True, False], "clock": 100.0, "mean": pytest.approx((1 + 3 + 4) / 3)}
    )


def _batches():
    whole = {"planes": np.arange(24, dtype=np.uint8).reshape(4, 2, 3), "value": np.arange(4, dtype=np.float32)}
    yield whole
    yield None
    yield {name: array + 1 for name, array in whole.items()}
    yield {"planes": np.ones((2, 5), np.int64), "flag": np.array([True, False])}


def _dealt(rank):
    batches = parallel.scattered(_batches() if rank == 0 else None)
    return [next(batches) for _ in range(4)]


def test_batches_are_dealt_by_the_first(pieces):
    found = pieces["_dealt"]
    for number, whole in enumerate(_batches()):
        parts = [found[rank][number] for rank in range(2)]
        if whole is None:
            assert parts == [None, None]
            continue
        for name, array in whole.items():
            together = np.concatenate([part[name] for part in parts])
            assert together.dtype == array.dtype and np.array_equal(together, array)


def test_alone_nothing_is_different():
    assert (process_sums.rank(), process_sums.count(), launch.launched()) == (0, 1, 1) and launch.leads()
    assert parallel.first(lambda: 3) == 3 and parallel.anybody(True) and list(parallel.scattered(iter([None]))) == [None]
    module = torch.nn.Linear(1, 1)
    assert parallel.replicated(module) is module and process_sums.total(module.weight) is module.weight
    with parallel.joined("cpu"):
        assert not distributed.is_initialized()


# -- whole runs --


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "small.npz"
    GamePack.build(random_record(5, seed) for seed in range(30)).save(path)
    return path


def arguments(pack, run, **options) -> list[str]:
    chosen = {"steps": 6, "batch": 16, "net": "b2c16", "optimizer": "sgd", "threads": 1, "device": "cpu", "log_every": 2}
    chosen |= {"data": pack, "validation": pack, "validation_positions": 64, "run": run} | options
    words = [word for name, value in chosen.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return ["supervised", *words, "--no-half"]


def processes(argv, count=2) -> list[subprocess.Popen]:
    """The command as torchrun starts it."""
    port = free_port()
    command = [sys.executable, "-m", "training", *argv]
    return [
        subprocess.Popen(command, env=os.environ | environment(rank, count, port), stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]


def ended(started) -> list[tuple[int, str]]:
    """(status, what it said) of each; none stays behind."""
    try:
        told = [process.communicate(timeout=180)[1] for process in started]
    finally:
        for process in started:
            with contextlib.suppress(OSError):
                process.kill()
    return [(process.returncode, said) for process, said in zip(started, told, strict=True)]


def same(one, other, **within) -> None:
    """Two runs have the same weights, averages, optimizer states and figures."""
    (first, counters), (second, others) = (load_state(run / "state.safetensors")[:2] for run in (one, other))
    assert first.keys() == second.keys() and counters.step == others.step and counters.samples == others.samples
    for name in first:
        assert np.allclose(first[name], second[name], **within), name
    logs = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (one, other)]
    assert [line.keys() for line in logs[0]] == [line.keys() for line in logs[1]]
    for line, twin in zip(*logs, strict=True):
        assert line.get("selfplay") == twin.get("selfplay")  # of the games: no process computes it
        figures = {name: line[name] for name in line.keys() - {"seconds", "per_second", "validation", "selfplay"}}
        assert figures == pytest.approx({name: twin[name] for name in figures}, rel=1e-3, abs=1e-4)


def test_two_processes_give_the_weights_of_one(pack, tmp_path):
    assert cli.main(arguments(pack, tmp_path / "one")) == 0
    leader, follower = ended(processes(arguments(pack, tmp_path / "two")))
    assert leader[0] == follower[0] == 0, leader[1] + follower[1]
    assert "complete" in leader[1] and "complete" not in follower[1]
    same(tmp_path / "one", tmp_path / "two", rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_stopped_pair_goes_on(pack, tmp_path):
    """SIGTERM to one of them stops both, with everything saved."""
    options = {"steps": 400, "optimizer": "muon"}
    started = processes(arguments(pack, tmp_path / "two", **options))
    wait_for_learning(tmp_path / "two", started)
    started[1].send_signal(signal.SIGTERM)
    found = ended(started)
    assert [status for status, _ in found] == [130, 130], found
    step = load_state(tmp_path / "two" / "state.safetensors")[1].step
    assert 0 < step < 400
    options["steps"] = step + 3
    found = ended(processes(arguments(pack, tmp_path / "two", **options)))
    assert [status for status, _ in found] == [0, 0], found
    assert load_state(tmp_path / "two" / "state.safetensors")[1].step == step + 3


def wait_for_learning(run, started, seconds=120.0) -> None:
    """Until there was a step: the log is opened just before."""
    end = time.monotonic() + seconds
    while not (run / "log.jsonl").exists():
        assert time.monotonic() < end and all(process.poll() is None for process in started)
        time.sleep(0.05)
    time.sleep(0.5)


@pytest.mark.slow
def test_two_learners_of_one_zero_run(tmp_path):
    """`training zero` under torchrun: the first process leads the run, and both give the weights that one gives."""
    for name, count in (("one", 1), ("two", 2)):
        run = tmp_path / name
        begun = ZeroOptions(run=run, size="5", net="b2c16", steps=6)
        begin(begun)
        for number in range(3):
            path = run_folder.next_shard_path(run, "test")
            random_shard(5, range(5 * number, 5 * number + 5)).save(path)
            os.utime(path, (1000 + number, 1000 + number))
        words = "--size 5 --net b2c16 --workers 0 --rate-games 0 --steps 6 --batch 16 --window 100 --first-rows 20 --uses 100"
        words += " --optimizer sgd --no-half --device cpu --log-every 2"
        found = ended(processes(["zero", "--run", str(run), *words.split()], count))
        assert [status for status, _ in found] == [0] * count, found
        assert run_folder.newest(run).step == 6
    same(tmp_path / "one" / "learner", tmp_path / "two" / "learner", rtol=1e-4, atol=1e-5)


def test_what_the_first_cannot_do_ends_all(pack, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.safetensors").write_bytes(b"nothing")
    for status, said in ended(processes(arguments(pack, tmp_path / "run"))):
        assert status == 1 and "cannot resume from" in said and "Traceback" not in said, said


def test_a_command_for_one_process_says_so(pack, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RunError, match="trains in one process: start it without torchrun"):
        parallel.check(16)


@pytest.mark.slow
def test_torchrun(pack, tmp_path):
    """The command line of the README."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "--", "training"]
    done = subprocess.run([*command, *arguments(pack, tmp_path / "two")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("complete") == 1
    assert cli.main(arguments(pack, tmp_path / "one")) == 0
    same(tmp_path / "one", tmp_path / "two", rtol=1e-4, atol=1e-5)
