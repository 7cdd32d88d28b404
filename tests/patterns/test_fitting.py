"""The command rollout on a small pack: it learns, goes on after a stop, and refuses what does not belong together."""

import dataclasses
import json

import numpy as np
import pytest

from goengine.dataio.records import GamePack
from goengine.patterns import shipped_policies
from goengine.patterns.policy import ROLLOUT, TREE, load
from tests.training.conftest import random_record
from training.core.checkpoint import RunError
from training.core.command_options import RolloutOptions
from training.stages import patterns


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """Forty games on 7x7, of which each is there four times, so that there is something to learn by heart."""
    path = tmp_path_factory.mktemp("packs") / "small.npz"
    GamePack.build(random_record(7, seed % 40) for seed in range(160)).save(path)
    return path


def config_of(pack, run, **changes) -> RolloutOptions:
    usual = {"data": (pack,), "run": run, "validation": pack, "size": 7, "every": 1, "threads": 1}
    return RolloutOptions(**usual | changes)


def log_of(run) -> list[dict]:
    return [json.loads(line) for line in (run / patterns.LOG).read_text().splitlines()]


@pytest.mark.parametrize("kind", [ROLLOUT, TREE])
def test_it_learns(pack, tmp_path, kind):
    assert patterns.run(config_of(pack, tmp_path / kind, kind=kind))
    log = log_of(tmp_path / kind)
    assert len(log) == patterns.PARTS + 1
    assert log[-1]["validation"]["cross_entropy"] < log[0]["cross_entropy"] - 0.2
    card, policy = shipped_policies.read(kind, tmp_path), load(tmp_path / kind / shipped_policies.POLICY)
    assert card.kind == policy.kind == kind and card.positions == log[-2]["positions"]
    assert card.command.startswith("python -m training rollout --data small.npz")
    assert (len(policy.diamonds) > 0) == (kind == TREE) and shipped_policies.problems(tmp_path) == []


class StopAfter:
    """Stands for the signal to stop: set after so many looks at it."""

    def __init__(self, looks: int):
        self.looks = looks

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_stopped_and_gone_on_it_comes_to_the_same_weights(pack, tmp_path, monkeypatch):
    assert patterns.run(config_of(pack, tmp_path / "whole"))
    with monkeypatch.context() as patched:
        patched.setattr(patterns, "told_to_stop", lambda: StopAfter(37))
        assert not patterns.run(config_of(pack, tmp_path / "parts"))
    assert not (tmp_path / "parts" / shipped_policies.POLICY).exists()
    with open(tmp_path / "parts" / patterns.LOG, "a") as log:  # a part after the state that was saved, and half a line
        log.write(f'{{"part": {len(log_of(tmp_path / "parts")) + 1}}}\n{{"part": 1')
    assert patterns.run(config_of(pack, tmp_path / "parts"))
    whole, parts = (load(tmp_path / run / shipped_policies.POLICY) for run in ("whole", "parts"))
    assert [line.get("part") for line in log_of(tmp_path / "parts")] == [*range(1, patterns.PARTS + 1), None]
    assert (whole.weights == parts.weights).all() and np.abs(whole.weights).max() > 0.5
    with pytest.raises(RunError, match=r"begun with --rate 1\.0, not 2\.0"):
        patterns.run(config_of(pack, tmp_path / "parts", rate=2.0))
    with pytest.raises(RunError, match="--kind"):
        patterns.run(dataclasses.replace(config_of(pack, tmp_path / "parts"), kind=TREE))


def test_two_threads_learn_the_same_games(pack, tmp_path):
    assert patterns.run(config_of(pack, tmp_path / "one")) and patterns.run(config_of(pack, tmp_path / "two", threads=2))
    one, two = (log_of(tmp_path / run)[-1]["validation"] for run in ("one", "two"))
    assert one["positions"] == two["positions"]
    assert one["cross_entropy"] == pytest.approx(two["cross_entropy"], abs=0.05)
