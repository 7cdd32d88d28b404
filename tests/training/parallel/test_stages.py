"""Reinforcement and self-play's learner by workers, as threads: one gives the weights of a process alone."""

import os
from functools import partial

import numpy as np
import pytest

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from goengine.zero import run_folder
from tests.training.parallel.harness import Together, fates
from tests.zero.random_games import random_shard
from training.core.checkpoint import load_state
from training.parallel.cluster import step_rule
from training.parallel.server import ParameterServer
from training.stages import reinforce
from training.stages.policy_options import ReinforceOptions
from training.zero import learner
from training.zero.publishing import begin
from training.zero.zero_options import ZeroOptions

pytestmark = pytest.mark.usefixtures("one_thread")


def same(one, other) -> None:
    first, second = (load_state(run / "state.safetensors")[0] for run in (one, other))
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def reinforcement(folder, run, **changes) -> ReinforceOptions:
    net = folder / "policy.safetensors"
    if not net.exists():
        chosen = features.get("agz17")
        spec = parse("lee-policy-8", "agz17", chosen.planes, chosen.globals)
        weights_file.save(net, build(spec, 1), spec)
    values = {
        "net": net,
        "run": folder / run,
        "size": 3,
        "batch": 6,
        "validation_games": 4,
        "threads": 1,
        "every": 2,
        "rows": 16,
    }
    return ReinforceOptions(**{**values, "steps": 4, "device": "cpu", "half": False, "parallel": "async", **changes})


def test_reinforcement(tmp_path):
    assert reinforce.run(reinforcement(tmp_path, "alone", parallel="data"))
    together = Together(reinforcement(tmp_path, "pushed"), reinforce.setup)
    together.worker("w")
    assert together.ended() is True
    same(tmp_path / "alone", tmp_path / "pushed")
    pools = [sorted(path.name for path in (tmp_path / run / "pool").iterdir()) for run in ("alone", "pushed")]
    assert pools[0] == pools[1] == [f"{step:06d}.safetensors" for step in (0, 2, 4)]


def test_a_worker_that_is_faster_than_the_server_finds_its_opponent(tmp_path):
    config = reinforcement(tmp_path, "run")
    ParameterServer(reinforce.setup(config), step_rule(config))  # has not begun to run
    assert (config.run / "pool" / "000000.safetensors").is_file()


def test_reinforcement_by_three(tmp_path):
    config = reinforcement(tmp_path, "run", parallel="backup", gradient_workers=3, steps=5)
    together = Together(config, reinforce.setup)
    for name in "abc":
        together.worker(name)
    assert together.ended() is True
    assert load_state(config.run / "state.safetensors")[1].samples == 5 * 6 and fates(together.server)["used"] == 10


def zero(folder, name, **changes) -> ZeroOptions:
    values = {
        "size": "5",
        "net": "b2c16",
        "steps": 5,
        "batch": 16,
        "window": 100,
        "first_rows": 20,
        "uses": 100.0,
        "workers": 0,
    }
    more = {"rate_games": 0, "optimizer": "sgd", "half": False, "device": "cpu", "log_every": 2, "parallel": "async"}
    config = ZeroOptions(**{**values, **more, "run": folder / name, **changes})
    begin(config)
    for number in range(3):
        path = run_folder.next_shard_path(config.run, "test")
        random_shard(5, range(5 * number, 5 * number + 5)).save(path)
        os.utime(path, (1000 + number, 1000 + number))
    return config.resolve_defaults()


def test_the_learner_of_self_play(tmp_path):
    alone = zero(tmp_path, "alone", parallel="data")
    assert learner.learn(alone, alone.run)
    config = zero(tmp_path, "pushed")
    together = Together(config, partial(learner.setup, run=config.run))
    together.worker("w")
    assert together.ended() is True
    same(alone.run / "learner", config.run / "learner")
    assert run_folder.newest(config.run).step == 5
    standing = together.server.standing()
    assert standing.samples >= 5 * 16 and standing.progress == pytest.approx(4 / 5)


def test_the_learner_of_self_play_by_two(tmp_path):
    config = zero(tmp_path, "run", max_staleness=3)
    together = Together(config, partial(learner.setup, run=config.run))
    for name in "ab":
        together.worker(name)
    assert together.ended() is True and run_folder.newest(config.run).step == 5
