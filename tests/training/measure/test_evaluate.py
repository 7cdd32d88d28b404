"""Figures on recorded games against a slow count."""

import json

import numpy as np
import pytest

from goengine import features
from goengine.board.state import BLACK
from goengine.evaluators.uniform import Uniform
from training import cli
from training.data import packs
from training.measure import evaluate
from training.measure.evaluate import Figures, Predictions, combine, measure


def test_figures_equal_a_slow_count(small_pack):
    """A predictor that knows its own wishes only: index b % 50 first, then rising indices."""
    calls = []

    def predict(planes, values):
        count = len(planes)
        logits = np.tile(-np.arange(50, dtype=np.float32) / 10, (count, 1))
        first = sum(calls)
        calls.append(count)
        value = np.where((first + np.arange(count)) % 2 == 0, 0.5, -0.25).astype(np.float32)
        return Predictions(logits, value, np.full(count, 3.0, np.float32))

    games = packs.to_games(small_pack)
    found = measure(predict, games, features.get("zero"), batch=13)
    total = games.moves.size
    assert found.positions == total == sum(calls)
    indices = small_pack.moves.astype(int)
    assert found.top1 == pytest.approx(np.mean(indices == 0)) and found.top5 == pytest.approx(np.mean(indices < 5))
    log_sum = np.log(np.exp(-np.arange(50) / 10).sum())
    assert found.cross_entropy == pytest.approx(np.mean(log_sum + indices / 10))
    owner = np.repeat(np.arange(len(small_pack)), small_pack.lengths())
    sign = np.where(games.colors == BLACK, 1, -1)
    value = np.where(np.arange(total) % 2 == 0, 0.5, -0.25)
    judged = small_pack.outcome[owner] != 2
    truth = sign * small_pack.outcome[owner]
    assert found.value_mse == pytest.approx(np.mean((value - truth)[judged] ** 2)) and found.judged == judged.sum()
    assert found.value_right == pytest.approx(np.mean((np.sign(value) == truth)[judged]))
    margin = small_pack.margin[owner]
    counted = ~np.isnan(margin)
    assert found.score_error == pytest.approx(np.mean(np.abs(3.0 - (sign * margin)[counted])), rel=1e-6)


def test_combine_weighs_by_what_was_measured():
    a = Figures(10, 0.5, 1.0, 2.0, 1.0, 0.5, 4.0, counted=5, judged=10)
    b = Figures(30, 0.1, 0.2, 3.0, float("nan"), float("nan"), float("nan"), counted=0, judged=0)
    both = combine([a, b])
    assert both.positions == 40 and both.top1 == pytest.approx(0.2) and both.value_mse == 1.0 and both.score_error == 4.0
    assert np.isnan(combine([b]).value_mse)


def test_evaluators_of_the_engine(small_pack):
    evaluator = Uniform()
    found = measure(
        evaluate.from_evaluator(evaluator), packs.to_games(small_pack), features.get(evaluator.features), positions=100
    )
    assert (
        found.positions == 100
        and found.cross_entropy == pytest.approx(np.log(50), rel=1e-5)
        and found.value_mse == pytest.approx(1.0)
    )


def test_command(small_pack, tmp_path, capsys):
    small_pack.save(tmp_path / "small.npz")
    assert (
        cli.main(["evaluate", "--net", "uniform", "--games", str(tmp_path / "small.npz"), "--positions", "50", "--json"]) == 0
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed["positions"] == 50 and printed["cross_entropy"] == pytest.approx(np.log(50), rel=1e-5)
    assert cli.main(["evaluate", "--net", "uniform", "--games", str(tmp_path / "small.npz"), "--phases"]) == 0
    out = capsys.readouterr().out
    assert "top1" in out and "moves 0-49" in out and "not counted, 10 moves before the end" in out


def test_command_fails_with_a_word(tmp_path, capsys):
    assert cli.main(["evaluate", "--net", "uniform", "--games", str(tmp_path / "none.npz")]) == 1
    assert "none.npz" in capsys.readouterr().err
    assert cli.main(["evaluate", "--net", str(tmp_path / "no-such-net"), "--games", str(tmp_path / "none.npz")]) == 1
    assert "no-such-net" in capsys.readouterr().err


def test_views_are_averaged(small_pack, tmp_path, capsys):
    """The net is not quite symmetric, so all eight views together say something else than one."""
    small_pack.save(tmp_path / "small.npz")

    def entropy(*more) -> float:
        words = ["evaluate", "--net", "b8c96-rl", "--device", "cpu", "--games", str(tmp_path / "small.npz"), "--json"]
        assert cli.main([*words, "--positions", "40", *more]) == 0
        return json.loads(capsys.readouterr().out)["cross_entropy"]

    one, eight = entropy(), entropy("--symmetries", "8")
    assert one != eight and eight == pytest.approx(entropy("--symmetries", "8", "--batch", "7"), abs=0.02)
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--games", "g.npz", "--symmetries", "9"])
    assert "must be from 1 to 8, not 9" in capsys.readouterr().err
