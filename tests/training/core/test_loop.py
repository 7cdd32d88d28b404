"""The loop on a tiny net: it learns, it resumes to the same weights, and it fails with a clear word."""

import contextlib
import dataclasses
import errno
import itertools
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file as net_files
from goengine.nets.architecture import parse
from goengine.nets.build import build
from training.core.average import Average
from training.core.checkpoint import Counters, RunError, load_state
from training.core.loop import LoopConfig, Stage, Trainer
from training.core.losses import LossWeights, total_loss
from training.core.optimizers import OptimizerConfig
from training.core.schedule import Schedule
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler, stream

pytestmark = pytest.mark.usefixtures("one_thread")

WEIGHTS = LossWeights(policy=1.0, value=0.7, opponent=0.15, ownership=0.25, score=0.05, score_stdev=0.02)


class SmallStage(Stage):
    """The small pack; `fixed` repeats the first batch for ever, `at` calls something before a batch."""

    def __init__(self, pack, batch, fixed=False, at=None):
        self.sampler = Sampler(packs.to_games(pack), features.get("zero"), Draw(3, 1, 1, 0.5))
        self.batch, self.fixed, self.at = batch, fixed, at or {}
        self.spec = small_spec()

    def batches(self, first_sample):
        if self.fixed:
            while True:
                yield self.sampler.batch(0, self.batch)._asdict()
        for number, targets in enumerate(stream(self.sampler, self.batch, first_sample), first_sample // self.batch):
            self.at.get(number, lambda: None)()
            yield targets._asdict()

    def loss(self, module, batch):
        return total_loss(module(batch["planes"], batch["globals"], True), batch, WEIGHTS)

    def validate(self, module, place):
        return {"training": float(module.training)}

    def save_net(self, path, arrays, counters, figures):
        net_files.save(path, arrays, self.spec, step=counters.step)


def small_spec():
    chosen = features.get("zero")
    return parse("b2c16", "zero", chosen.planes, chosen.globals)


def trainer(folder, stage, steps, optimizer="muon", batch=8, rate=0.01, **settings):
    config = LoopConfig(
        batch=batch,
        schedule=Schedule(steps=steps),
        optimizer=OptimizerConfig(optimizer, rate),
        save_every=1e9,
        validate_every=1e9,
        log_every=5,
        **settings,
    )
    return Trainer(folder, build(stage.spec, 1), stage, config)


def lines(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_loss_falls_on_64_fixed_samples(small_pack, tmp_path):
    run = trainer(tmp_path, SmallStage(small_pack, 64, fixed=True), 80, batch=64, rate=0.05, half=False)
    assert run.run()
    log = [line for line in lines(tmp_path) if "loss" in line]
    assert log[-1]["policy"] < 0.5 * log[0]["policy"] and log[-1]["top1"] > 0.7
    assert log[-1]["mse"] < 0.5 * log[0]["mse"] and log[-1]["loss"] < 0.5 * log[0]["loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_a_stopped_run_goes_on_to_the_same_weights(small_pack, tmp_path, optimizer):
    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), 14, optimizer).run()
    interrupted = SmallStage(small_pack, 8, at={5: lambda: os.kill(os.getpid(), signal.SIGTERM)})
    first = trainer(tmp_path / "parts", interrupted, 14, optimizer)
    assert not first.run() and 0 < first.counters.step < 14
    second = trainer(tmp_path / "parts", SmallStage(small_pack, 8), 14, optimizer)
    assert second.counters == first.counters and second.run()
    whole, parts = (load_state(tmp_path / name / "state.safetensors") for name in ("whole", "parts"))
    assert whole[0].keys() == parts[0].keys() and whole[1].step == parts[1].step == 14
    assert all(np.array_equal(whole[0][name], parts[0][name]) for name in whole[0])
    assert (tmp_path / "whole/net.safetensors").exists()


def test_a_killed_run_loses_only_what_came_after_the_checkpoint(small_pack, tmp_path):
    class Killed(Exception):
        pass

    def kill():
        raise Killed

    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), 14).run()
    run = trainer(tmp_path / "parts", SmallStage(small_pack, 8, at={11: kill}), 14)
    run.config, save = dataclasses.replace(run.config, save_every=0.0), run.save
    run.save = lambda: save() if run.counters.step <= 7 else None
    with pytest.raises(Killed):
        run.run()
    with open(tmp_path / "parts" / "log.jsonl", "a") as log:
        log.write('{"step": 12, "validation": {"top1": 0.5}')
    again = trainer(tmp_path / "parts", SmallStage(small_pack, 8), 14)
    assert again.counters.step == 7 and again.run()
    whole, parts = (load_state(tmp_path / name / "state.safetensors")[0] for name in ("whole", "parts"))
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    steps = [line["step"] for line in lines(tmp_path / "parts") if "loss" in line]
    assert steps == sorted(set(steps))


def test_done_runs_do_nothing_more(small_pack, tmp_path):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 2).run()
    before = (tmp_path / "state.safetensors").read_bytes()
    assert trainer(tmp_path, SmallStage(small_pack, 8), 2).run()
    assert (tmp_path / "state.safetensors").read_bytes() == before


class Clock:
    """Seconds that pass only when something happens."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class SlowStage(SmallStage):
    """Steps of one second, measurements of four, checkpoints of two, seven until the first step is over."""

    def __init__(self, pack, clock, at=None):
        super().__init__(pack, 8, at=at)
        self.clock = clock

    def batches(self, first_sample):
        self.clock.now += 6
        first = self.sampler.batch(0, 8)._asdict()
        for number in itertools.count(first_sample // 8):
            self.at.get(number, lambda: None)()
            self.clock.now += 1
            yield first

    def validate(self, module, place):
        self.clock.now += 4
        return {}

    def save_net(self, path, arrays, counters, figures):
        self.clock.now += 2


def timed(folder, pack, clock, budget, began=None, at=None, **settings):
    """A trainer that trains nothing; the shares of the run at which it would have made its steps are in `shares`."""
    stage = SlowStage(pack, clock, at)
    every = {"save_every": 20.0, "validate_every": 30.0, **settings}
    config = LoopConfig(batch=8, schedule=Schedule(seconds=budget), optimizer=OptimizerConfig("sgd"), **every)
    run = Trainer(folder, build(stage.spec, 1), stage, config, clock=clock, began=began)
    run.shares = []
    run.step = lambda batch: run.shares.append(run._progress()) or {"loss": torch.ones(())}
    return run


@pytest.mark.parametrize("budget", [60.0, 61.0, 100.0, 100.5])
@pytest.mark.parametrize("settings", [{}, {"save_every": 1e9, "validate_every": 1e9}, {"save_every": 11.0}])
def test_a_time_budget_is_filled_exactly(small_pack, tmp_path, budget, settings):
    """From the command's start to the end of the last checkpoint, less at most a step."""
    clock = Clock()
    run = timed(tmp_path, small_pack, clock, budget, began=997.0, **settings)
    assert run.run() and budget - 1 <= clock.now - 997 <= budget
    assert run.shares[0] == 0 and run.shares[-1] > 0.95
    saved = (tmp_path / "state.safetensors").read_bytes()
    again = timed(tmp_path, small_pack, clock, budget)
    assert again.run() and (tmp_path / "state.safetensors").read_bytes() == saved  # nothing is left to do


def test_a_time_budget_counts_all_processes(small_pack, tmp_path):
    clock = Clock()
    stop = {20: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    first = timed(tmp_path, small_pack, clock, 100.0, at=stop)
    assert not first.run()
    spent, clock.now = clock.now - 1000, 5.0
    second = timed(tmp_path, small_pack, clock, 100.0)
    assert second.counters == first.counters and second.counters.overhead == 7 and second.counters.seconds > 0
    assert second.run() and 98 <= clock.now - 5 + spent <= 102  # the stop's own checkpoint comes after its counters
    assert second.shares[0] >= first.shares[-1]


def test_more_budget_goes_on(small_pack, tmp_path):
    clock = Clock()
    assert timed(tmp_path, small_pack, clock, 40.0).run()
    second = timed(tmp_path, small_pack, clock, 60.0)
    assert second.run() and len(second.shares) > 1 and 58 <= clock.now - 1000 <= 60


def test_a_slow_start_does_not_eat_the_warm_up(small_pack, tmp_path):
    run = timed(tmp_path, small_pack, Clock(), 200.0, began=900.0)
    assert run.run() and run.shares[:2] == [0.0, 0.0] and run.shares[2] < 0.02


@contextlib.contextmanager
def largest_file(size):
    """The system writes no longer files: "File too large" comes at the byte where "No space left on device" would."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_before_the_first_checkpoint(small_pack, tmp_path):
    with largest_file(10), pytest.raises(RunError, match="nothing was saved, as there is no checkpoint yet"):
        trainer(tmp_path, SmallStage(small_pack, 8), 3).run()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_disk_that_takes_no_more_is_told_and_the_last_checkpoint_stays(small_pack, tmp_path, share):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 3).run()
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    with (
        largest_file(int(share * len(before["state.safetensors"]))),
        pytest.raises(RunError, match="last checkpoint stays valid"),
    ):
        trainer(tmp_path, SmallStage(small_pack, 8), 6).run()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".safetensors", ".part")} == before
    assert not list(tmp_path.glob("*part*"))
    again = trainer(tmp_path, SmallStage(small_pack, 8), 6)
    assert again.counters.step == 3 and again.run()


def test_a_net_that_the_disk_does_not_take_leaves_the_state(small_pack, tmp_path):
    stage = SmallStage(small_pack, 8)

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stage.save_net = full
    with pytest.raises(RunError, match=r"net\.safetensors: No space left.*state is saved"):
        trainer(tmp_path, stage, 6).run()
    again = trainer(tmp_path, SmallStage(small_pack, 8), 8)
    assert again.counters.step == 6 and again.run() and (tmp_path / "net.safetensors").exists()


FULL = """
set -e
mount -t tmpfs -o size={size} none {folder}
{command} --steps 2 >&2
cp {folder}/state.safetensors {folder}/../first
{command} --steps 4 --batch 8 >&2 && exit 3
cmp {folder}/state.safetensors {folder}/../first
"""


@pytest.mark.slow
def test_a_really_full_disk(small_pack, tmp_path):
    """A small file system of its own: it holds a checkpoint, but not a second one beside it."""
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", tmp_path], capture_output=True).returncode:
        pytest.skip("this process may mount nothing")
    small_pack.save(tmp_path / "small.npz")
    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), 1).run()
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "whole").iterdir() if path.is_file()}
    (tmp_path / "disk").mkdir()
    command = f"{sys.executable} -m training supervised --data {tmp_path}/small.npz --run {tmp_path}/disk --net b2c16"
    command += " --optimizer muon --batch 16 --threads 1"
    room = int(1.3 * sizes["state.safetensors"]) + sizes["net.safetensors"]
    script = FULL.format(size=room, folder=tmp_path / "disk", command=command)
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "No space left on device; the last checkpoint stays valid. Make room" in done.stderr


def test_a_second_trainer_is_refused(small_pack, tmp_path):
    first = trainer(tmp_path, SmallStage(small_pack, 8), 2)
    with pytest.raises(RunError, match="another trainer"):
        trainer(tmp_path, SmallStage(small_pack, 8), 2)
    assert first.run()
    assert trainer(tmp_path, SmallStage(small_pack, 8), 3).run()


@pytest.mark.parametrize("steps, optimizer", [(1, "sgd"), (5, "adamw"), (9, "muon")])
def test_stopped_again_and_again(small_pack, tmp_path, steps, optimizer):
    """Stops after the first step, after every one, and in between: always the same weights."""
    assert trainer(tmp_path / "whole", SmallStage(small_pack, 8), steps, optimizer).run()
    for process in range(steps):
        stop = {process * 3: lambda: os.kill(os.getpid(), signal.SIGTERM)}
        if trainer(tmp_path / "parts", SmallStage(small_pack, 8, at=stop), steps, optimizer).run():
            break
    whole, parts = (load_state(tmp_path / name / "state.safetensors") for name in ("whole", "parts"))
    assert whole[1].step == parts[1].step == steps and whole[1].samples == parts[1].samples
    assert all(np.array_equal(whole[0][name], parts[0][name]) for name in whole[0])


def test_a_loss_that_is_not_finite_stops_the_run(small_pack, tmp_path):
    run = trainer(tmp_path, SmallStage(small_pack, 8), 20)
    with torch.no_grad():
        next(run.module.parameters())[0] = float("nan")
    with pytest.raises(RunError, match=r"not finite at step 1:"):
        run.run()
    assert not (tmp_path / "state.safetensors").exists()


@pytest.mark.parametrize(
    "error, said",
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "has no memory left.*a smaller --batch"),
        (RuntimeError("CUDA error: the launch timed out\nmore"), r"failed \(CUDA error: the launch timed out\).*nvidia-smi"),
    ],
)
def test_a_device_that_fails_ends_the_run_and_leaves_the_last_checkpoint(small_pack, tmp_path, error, said):
    class Failing(SmallStage):
        def loss(self, module, batch):
            if float(batch["progress"]) >= 0.5:
                raise error
            return super().loss(module, batch)

    with pytest.raises(RunError, match=f"at step 4: cpu {said}.*; nothing was saved"):
        trainer(tmp_path / "fresh", Failing(small_pack, 8), 8).run()
    assert trainer(tmp_path, SmallStage(small_pack, 8), 2).run()
    before = (tmp_path / "state.safetensors").read_bytes()
    with pytest.raises(RunError, match=r"at step 4: .*; the last checkpoint stays valid"):
        trainer(tmp_path, Failing(small_pack, 8), 8).run()
    assert (tmp_path / "state.safetensors").read_bytes() == before
    assert trainer(tmp_path, SmallStage(small_pack, 8), 8).run()  # nobody holds the folder


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: data[:-8], lambda data: b"x" * 50])
def test_damaged_states_are_named(small_pack, tmp_path, damage):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 1).run()
    path = tmp_path / "state.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError, match=r"state\.safetensors"):
        trainer(tmp_path, SmallStage(small_pack, 8), 2)


def test_another_optimizer_is_refused(small_pack, tmp_path):
    """Momentum of one kind means nothing to another."""
    assert trainer(tmp_path, SmallStage(small_pack, 8), 1, "muon").run()
    with pytest.raises(RunError, match="optimizer muon"):
        trainer(tmp_path, SmallStage(small_pack, 8), 2, "sgd")


def test_a_net_file_is_no_training_state(small_pack, tmp_path):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 1).run()
    net = tmp_path / "net.safetensors"
    (tmp_path / "state.safetensors").write_bytes(net.read_bytes())
    with pytest.raises(RunError, match="not a training state"):
        trainer(tmp_path, SmallStage(small_pack, 8), 2)


def test_validation_sees_the_averaged_net_and_leaves_the_raw_one(small_pack, tmp_path):
    stage = SmallStage(small_pack, 8)
    run = trainer(tmp_path, stage, 3, average=0.5)
    seen = {}
    stage.validate = lambda module, place: (
        seen.update({name: value.clone() for name, value in module.state_dict().items()})
        or {"eval": float(not module.training)}
    )
    run.run()
    assert run.figures == {"eval": 1.0} and run.module.training
    assert all(torch.equal(seen[name], value) for name, value in run.average.arrays.items())
    assert any(not torch.equal(seen[name], value) for name, value in run.module.state_dict().items())
    saved = net_files.load(tmp_path / "net.safetensors")
    assert all(np.array_equal(saved.arrays[name], value.numpy()) for name, value in run.average.arrays.items())
    assert [line for line in lines(tmp_path) if "validation" in line]


def test_average():
    module = torch.nn.Linear(2, 1)
    average = Average(module, decay=0.9)
    before = module.weight.detach().clone()
    with torch.no_grad():
        module.weight.add_(1.0)
    average.update(module, step=10**6)
    assert torch.allclose(average.arrays["weight"], before + 0.1)
    average.update(module, step=0)  # a beginner's average follows quickly
    assert torch.allclose(average.arrays["weight"], before + 0.1 + 0.9 * 0.9)


def test_counters_have_defaults():
    assert Counters() == Counters(0, 0, 0.0)
