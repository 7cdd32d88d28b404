"""The loop on a tiny net: it learns, it resumes to the same weights, and it fails with a clear word."""

import errno
import json
import os
import signal

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import checkpoint as net_files
from goengine.nets import safetensors_file
from goengine.nets.build import build
from goengine.nets.spec import preset
from training import packs
from training.checkpoint import Counters, RunError, load_state
from training.data import Sampler, stream
from training.loop import Average, LoopConfig, Trainer
from training.losses import LossWeights, total_loss
from training.optimizers import OptimizerConfig
from training.sampling import Draw
from training.schedule import Schedule

WEIGHTS = LossWeights(policy=1.0, value=0.7, opponent=0.15, ownership=0.25, score=0.05, score_stdev=0.02)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class SmallStage:
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
    return preset("b2c16", "zero", chosen.planes, chosen.globals)


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
    run.config = LoopConfig(**{**vars(run.config), "save_every": 0.0})
    step = run._step
    run._step = lambda batch: (
        (step(batch), setattr(run, "config", LoopConfig(**{**vars(run.config), "save_every": 1e9})))[0]
        if run.counters.step == 7
        else step(batch)
    )
    with pytest.raises(Killed):
        run.run()
    with open(tmp_path / "parts" / "log.jsonl", "a") as log:
        log.write('{"step": 12, "validation": {"top1": 0.5}')
    again = trainer(tmp_path / "parts", SmallStage(small_pack, 8), 14)
    assert 0 < again.counters.step < 11 and again.run()
    whole, parts = (load_state(tmp_path / name / "state.safetensors")[0] for name in ("whole", "parts"))
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    steps = [line["step"] for line in lines(tmp_path / "parts") if "loss" in line]
    assert steps == sorted(set(steps))


def test_done_runs_do_nothing_more(small_pack, tmp_path):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 2).run()
    before = (tmp_path / "state.safetensors").read_bytes()
    assert trainer(tmp_path, SmallStage(small_pack, 8), 2).run()
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_time_budget_counts_all_processes(small_pack, tmp_path):
    """A clock that adds a second per look: the second process begins where the first one stopped."""

    def clock():
        clock.now += 1.0
        return clock.now

    clock.now = 1000.0
    config = LoopConfig(
        batch=8, schedule=Schedule(seconds=12.0), optimizer=OptimizerConfig("sgd"), save_every=1e9, validate_every=1e9
    )
    stop = SmallStage(small_pack, 8, at={4: lambda: os.kill(os.getpid(), signal.SIGTERM)})
    first = Trainer(tmp_path, build(stop.spec, 1), stop, config, clock=clock)
    assert not first.run()
    clock.now = 5.0
    second = Trainer(tmp_path, build(stop.spec, 1), SmallStage(small_pack, 8), config, clock=clock)
    assert second.counters.seconds == first.counters.seconds > 0
    assert second.run() and 12 <= second.counters.seconds < 14


def test_full_disk_is_told_and_the_last_checkpoint_stays(small_pack, tmp_path, monkeypatch):
    assert trainer(tmp_path, SmallStage(small_pack, 8), 3).run()
    before = (tmp_path / "state.safetensors").read_bytes()

    def full(path, arrays, metadata):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(safetensors_file, "write_file", full)
    with pytest.raises(RunError, match=r"No space left.*last checkpoint stays valid"):
        trainer(tmp_path, SmallStage(small_pack, 8), 6).run()
    monkeypatch.undo()
    assert (tmp_path / "state.safetensors").read_bytes() == before
    assert trainer(tmp_path, SmallStage(small_pack, 8), 6).run()


def test_a_loss_that_is_not_finite_stops_the_run(small_pack, tmp_path):
    run = trainer(tmp_path, SmallStage(small_pack, 8), 20)
    with torch.no_grad():
        next(run.module.parameters())[0] = float("nan")
    with pytest.raises(RunError, match=r"not finite at step 5"):
        run.run()
    assert not (tmp_path / "state.safetensors").exists()


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
