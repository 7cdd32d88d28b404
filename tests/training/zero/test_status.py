"""Self-play's figures in the log of a run, and how often they come."""

import io
import json
import time
from dataclasses import replace

import pytest
import torch

from goengine import features
from goengine.core.progress import Progress
from goengine.zero import run_folder
from goengine.zero.run_folder import SizeSettings, Status
from tests.zero.random_games import random_shard
from tests.zero.runs import SETTINGS
from training.core import reporter
from training.core.checkpoint import Counters
from training.core.reporter import Reporter
from training.zero.replay_window import Replay, ReplayConfig
from training.zero.status import figures


@pytest.fixture
def run(tmp_path):
    """A run folder with a net that nobody can play."""
    run_folder.create(tmp_path / "run", [5, 7], "zero", {})

    def write(folder):
        for name in run_folder.NET_FILES:
            (folder / name).touch()

    settings = replace(SETTINGS, visits=6, komi=2.5)
    run_folder.publish(tmp_path / "run", write, [SizeSettings(settings)], samples=0, step=0)
    return tmp_path / "run"


def test_figures_of_a_run(run):
    assert figures(run, 0, {}) == {"games": 0, "window": 0, "visits": 6, "komi": 2.5}
    now = time.time()
    speeds = {"games_per_minute": 60.0, "evaluations_per_second": 1000.0, "time": now}
    run_folder.write_status(run, "w1", Status(games=1000, busy=0.8, **speeds))
    run_folder.write_status(run, "w2", Status(games=500, busy=0.9, **speeds))
    run_folder.write_status(run, "gone", Status(games=7, busy=0.1, **{**speeds, "time": now - 1000}))
    assert figures(run, 9000, {5: 21.456}) == {
        "games": 1507,
        "window": 9000,
        "games_per_minute": 120.0,
        "evaluations_per_second": 2000.0,
        "net_busy": 0.85,
        "plies": 21.46,
        "visits": 6,
        "komi": 2.5,
    }


def test_figures_of_several_sizes(run):
    def write(folder):
        for name in run_folder.NET_FILES:
            (folder / name).touch()

    boards = [SizeSettings(SETTINGS, 0.5), SizeSettings(replace(SETTINGS, size=7, komi=9.0), 0.5)]
    run_folder.publish(run, write, boards, samples=0, step=0)
    found = figures(run, 50, {5: 20.0, 7: 40.123})
    assert found == {
        "games": 0,
        "window": 50,
        "plies_5": 20.0,
        "plies_7": 40.12,
        "visits": SETTINGS.visits,
        "komi_5": SETTINGS.komi,
        "komi_7": 9.0,
    }


def test_the_length_of_games(tmp_path):
    random_shard(5, range(5)).save(tmp_path / "a-000001.npz")
    config = ReplayConfig(shares={5: 1.0}, window=40, first_rows=1, uses=9.0, horizon_weight=0.5, seed=3)
    source = Replay(config, features.get("zero"), lambda: [tmp_path / "a-000001.npz"], str)
    assert source.plies == {} and source.rows == 0
    source.look()
    assert source.plies == {5: random_shard(5, range(5)).games.moves.size / 5} and source.rows == source.made > 0


def test_a_report_asks_for_them_once_a_minute(tmp_path, monkeypatch):
    now, asked = [100.0], []
    monkeypatch.setattr(reporter.time, "monotonic", lambda: now[0])
    board = pytest.importorskip("torch.utils.tensorboard.writer").SummaryWriter
    shown = []
    monkeypatch.setattr(board, "add_scalar", lambda self, name, value, step: shown.append((name, value, step)))

    def around():
        asked.append(now[0])
        return {"selfplay": {"games": len(asked)}}

    bar, found = Progress("x", stream=io.StringIO(), bar=False), Reporter(tmp_path / "log.jsonl", around)
    for step in range(1, 6):
        found.add({"loss": torch.tensor(1.0)})
        found.report(Counters(step, 8 * step), 0.1, bar, 0.5)
        now[0] += 25
    found.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line.get("selfplay") for line in lines] == [{"games": 1}, None, None, {"games": 2}, None]
    assert ("selfplay/games", 2, 4) in shown and all(line["loss"] == 1.0 for line in lines)
    silent = Reporter(None, around)  # not the process that leads
    silent.add({"loss": torch.tensor(1.0)})
    silent.report(Counters(1, 8), 0.1, bar, 0.5)
    assert len(asked) == 2
