"""Shipping: what a card tells of a run, and what is refused before any work."""

import contextlib

import pytest

from goengine.dataio.records import GamePack
from goengine.evaluators.load import load
from goengine.nets import card, weights_file
from tests.training.conftest import random_record
from training import cli
from training.measure.ship_stage import without_folders
from training.stages.supervised import fresh_or_loaded


def test_a_card_names_files_but_no_folders():
    config = {"data": ["/home/me/a.npz", "../secret/b.npz", "c.npz"], "run": "C:\\runs\\first", "rate": 0.1, "net": "b4c64"}
    assert without_folders(config) == {
        "data": ["a.npz", "b.npz", "c.npz"], "run": "first", "rate": 0.1, "net": "b4c64",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more, said",
    [(["--proven", "luck"], "luck"), (["--sizes", "99"], "--sizes"), (["--games", "held-out.sgf"], "the command pack")],
)
def test_wrong_options(more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["ship", "--weights", "net.safetensors", "--name", "mine", "--games", "held-out.npz", *more])
    assert stop.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("net", "features", "told", "untold"),
    [
        (
            "lee-policy-8",
            "lee48",
            {"top1", "cross_entropy", "same_move_int8"},
            {"value_mse", "reliability", "win_rate_off_int8"},
        ),
        (
            "lee-value-8",
            "lee49",
            {"value_mse", "reliability", "win_rate_off_int8"},
            {"top1", "cross_entropy", "same_move_int8"},
        ),
    ],
)
def test_a_net_with_one_head_is_measured_by_that_head(net, features, told, untold, tmp_path):
    """Both forms are made, and the card says what the net knows and nothing of what it does not."""
    GamePack.build(random_record(9, seed) for seed in range(8)).save(tmp_path / "games.npz")
    module = fresh_or_loaded(net, features, seed=1)
    weights_file.save(tmp_path / "net.safetensors", module, module.spec)
    command = ["ship", "--weights", "net.safetensors", "--name", "mine", "--games", "games.npz", "--proven", "value"]
    rest = ["--calibration-games", "games.npz", "--calibration", "16", "--positions", "60", "--folder", ".", "--sizes", "9"]
    with contextlib.chdir(tmp_path):
        assert cli.main([*command, *rest]) == 0
    numbers = card.read(tmp_path / "mine").results.numbers
    assert told <= set(numbers) and not untold & set(numbers)
    with load(tmp_path / "mine", device="cpu", precision="int8") as evaluator:
        assert evaluator.traits.policy_proven == ("policy" in module.spec.outputs)
        assert evaluator.traits.value_proven == ("value" in module.spec.outputs)
