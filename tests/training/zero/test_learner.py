"""The learner of a zero run on random shards: it learns, publishes, waits, and goes on to the same weights."""

import json
import os
import shutil
import signal
from functools import partial
from itertools import count

import numpy as np
import pytest

from goengine import features
from goengine.core.options import Seconds
from goengine.evaluators.load import load
from goengine.nets import weights_file
from goengine.zero import run_folder
from tests.zero.random_games import random_shard
from training.core.checkpoint import Counters, RunError, load_state
from training.zero import learner, replay_window
from training.zero.learner import ZeroStage, learn, replay_config
from training.zero.publishing import begin
from training.zero.replay_window import Replay
from training.zero.zero_options import ZeroOptions

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 5


def options(run, **settings):
    chosen = {
        "size": str(SIZE),
        "net": "b2c16",
        "batch": 16,
        "window": 100,
        "first_rows": 20,
        "uses": 100.0,
        "half": False,
        "steps": 6,
        "rate_games": 0,
        "save_every": Seconds(1e9),
        "validate_every": Seconds(1e9),
        "visits": "4,8@0.5",
        **settings,
    }
    return ZeroOptions(run=run, **chosen)


def add_shards(run, *numbers, games=5):
    for number in numbers:
        path = run_folder.next_shard_path(run, "test")
        random_shard(SIZE, range(games * number, games * number + games)).save(path)
        os.utime(path, (1000 + number, 1000 + number))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run folder with its first net."""
    folder = tmp_path_factory.mktemp("zero") / "run"
    begin(options(folder))
    return folder


@pytest.fixture
def empty(begun, tmp_path):
    """A run folder without games."""
    return shutil.copytree(begun, tmp_path / "run")


@pytest.fixture
def run(empty):
    """A run folder with three shards."""
    add_shards(empty, 0, 1, 2)
    return empty


@pytest.fixture
def quick(monkeypatch):
    """Nets are published without an export, which takes seconds."""

    def publish(run, arrays, spec, boards, story, *, graph, calibration):
        def write(folder):
            for name in run_folder.NET_FILES:
                (folder / name).touch()

        return run_folder.publish(run, write, boards, samples=story.samples, step=story.step)

    monkeypatch.setattr(learner, "publish_net", publish)


def state(run):
    return load_state(run / "learner" / "state.safetensors")


def lines(run):
    return [json.loads(line) for line in (run / "learner" / "log.jsonl").read_text().splitlines()]


def test_one_head_alone_learns(run, quick):
    before = weights_file.load(run / "nets" / "000000" / "net.safetensors").arrays
    assert learn(options(run, only="value", keep_norms=True, average=0.0), run)
    after = weights_file.load(run / "learner" / "net.safetensors").arrays
    changed = {name for name in after if not np.allclose(after[name], before[name], atol=1e-3)}
    assert changed and all(name.startswith("value.") for name in changed)


def test_it_learns_and_publishes_what_workers_can_play(run):
    seen = []
    assert learn(options(run), run, on_tick=seen.append)
    net = run_folder.newest(run)
    assert (net.name, net.step, net.samples) == ("000001", 6, 96)
    assert net.settings.visits == 8 and net.settings.size == SIZE  # the second half of the run
    learned = weights_file.load(net.folder / "net.safetensors")
    kept = weights_file.load(run / "learner" / "net.safetensors")
    assert learned.meta.step == kept.meta.step == 6 and learned.meta.config["size"] == str(SIZE)
    assert all(np.array_equal(learned.arrays[name], kept.arrays[name]) for name in kept.arrays)
    before = weights_file.load(run / "nets" / "000000" / "net.safetensors")
    assert any(not np.array_equal(learned.arrays[name], before.arrays[name]) for name in before.arrays)
    evaluator = load(str(net.folder / "net.xml"), device="cpu", threads=1)
    assert evaluator.features == "zero"
    evaluator.close()
    on_integers = [path.read_text().count("FakeQuantize") for path in sorted((run / "nets").glob("*/net.xml"))]
    assert on_integers[0] == 0 < on_integers[1]  # nothing had been played when the first net was made
    figures = [line["validation"] for line in lines(run) if "validation" in line][-1]
    assert set(figures) == {"policy", "lag", "top1", "value_mse", "value_right"}
    assert 0 < figures["lag"] < figures["policy"] and 0 <= figures["top1"] <= 1
    assert learned.meta.data["games"] == 15 and learned.meta.data["validation"].keys() == figures.keys()
    last = seen[-1]
    assert last.shards == 3 and last.games == 15 and last.window == last.made > 40 and not last.waiting and last.komi == {}


def stop_at(count, killed=None):
    """An on_tick that stops the run before its batch number `count`."""
    ticks = iter(range(10**6))

    def tick(standing):
        if not standing.waiting and next(ticks) == count:
            if killed:
                raise killed
            os.kill(os.getpid(), signal.SIGTERM)

    return tick


def test_a_stopped_run_goes_on_to_the_same_weights(run, tmp_path, quick):
    other = shutil.copytree(run, tmp_path / "other")  # with the times of its shards
    assert learn(options(run, steps=9), run)
    assert not learn(options(other, steps=9), other, on_tick=stop_at(4))
    assert 0 < state(other)[1].step < 9 and run_folder.newest(other).step == state(other)[1].step
    assert learn(options(other, steps=9), other)
    (whole, counters), (parts, same) = state(run)[:2], state(other)[:2]
    assert counters.step == same.step == 9 and counters.samples == same.samples
    assert whole.keys() == parts.keys() and all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_a_learner_whose_state_was_removed_begins_anew_and_positions_count_on(run, quick):
    assert learn(options(run), run)
    before = run_folder.newest(run)
    (run / "learner" / "state.safetensors").unlink()
    assert learn(options(run, steps=2), run)
    after = run_folder.newest(run)
    assert after.step == 2 < before.step and after.samples == before.samples + 2 * 16
    assert {line["step"] for line in lines(run)} <= {0, 1, 2}


def test_an_error_of_the_caller_ends_the_run(run, quick):
    class Broken(Exception):
        pass

    with pytest.raises(Broken):
        learn(options(run), run, on_tick=stop_at(3, killed=Broken()))
    assert learn(options(run), run)  # the folder is free again


def test_a_second_learner_is_refused(run, quick):
    def second(standing):
        with pytest.raises(RunError, match="another trainer"):
            learn(options(run), run)
        seen.append(standing)

    seen = []
    assert learn(options(run, steps=1), run, on_tick=second) and seen


def test_it_waits_for_games_and_says_so(empty, capsys, quick):
    seen = []

    def tick(standing):
        seen.append(standing)
        if len(seen) == 2:
            add_shards(empty, 0, 1)

    assert learn(options(empty, steps=2), empty, on_tick=tick)
    assert [standing.waiting for standing in seen[:2]] == [True, True] and not seen[-1].waiting
    assert seen[0].shards == 0 and seen[-1].shards == 2
    assert capsys.readouterr().err.count("learning waits for games: 0 positions so far, it begins with 20") == 1


def test_reading_what_is_there_is_not_waiting_for_games(run, capsys, quick, monkeypatch):
    slow = partial(Replay, clock=count(step=0.6 * replay_window.LOOK_SECONDS).__next__)  # a look has time for one shard
    monkeypatch.setattr(learner, "Replay", slow)
    seen = []
    assert learn(options(run, steps=1), run, on_tick=seen.append)
    assert seen[0].waiting and seen[0].shards < 3 and seen[-1].shards == 3
    assert "learning waits" not in capsys.readouterr().err


def test_a_budget_ends_a_run_without_games_and_publishes_nothing(empty):
    assert learn(options(empty, steps=None, budget=Seconds(0.3)), empty)
    assert run_folder.newest(empty).number == 0 and state(empty)[1].step == 0


def test_it_learns_no_more_often_than_asked_for(run, quick):
    """Rows are used up after some batches; a newer shard brings more."""
    made, seen = [], []

    def tick(standing):
        made.append(standing.made)
        seen.append(standing.samples)
        if standing.waiting and len(seen) < 500:
            add_shards(run, 3)
            seen.extend([0] * 500)

    assert learn(options(run, uses=1.0, batch=8, steps=made_rows(run) // 8 + 2), run, on_tick=tick)
    assert max(seen) > made[0] and all(drawn <= rows for drawn, rows in zip(seen, made, strict=False) if drawn)


def made_rows(run):
    source = Replay(replay_config(options(run)), features.get("zero"), lambda: run_folder.shard_paths(run), str)
    source.look()
    return source.made


def test_a_damaged_shard_does_not_stop_it(run, capsys, quick):
    (run / "shards" / "bad-000001.npz").write_bytes(b"PK")
    assert learn(options(run), run)
    assert "bad-000001.npz" in capsys.readouterr().err and (run / "shards" / "bad-000001.npz").exists()


@pytest.mark.parametrize("wanted", [True, False])
def test_the_fair_komi_goes_to_self_play(run, monkeypatch, wanted, quick):
    monkeypatch.setattr(replay_window, "FAIR_GAMES", 2)
    assert learn(options(run, fair_komi=wanted, play=("komi=-40",)), run)
    parts = [replay_window.load_part(path, [SIZE]).games for path in run_folder.shard_paths(run)[:2]]
    komi = replay_window.fair_komi(parts)
    assert komi is not None and run_folder.newest(run).settings.komi == (komi if wanted else -40)


def test_loss_falls_on_a_few_fixed_games(empty, quick):
    add_shards(empty, 0, games=4)
    few = options(empty, steps=150, batch=32, uses=1e6, rate=0.03, log_every=10, symmetries=False)
    assert learn(few, empty)
    log = [line for line in lines(empty) if "loss" in line]
    assert log[-1]["loss"] < 0.7 * log[0]["loss"] and log[-1]["top1"] > 0.8 > log[0]["top1"]
    assert log[-1]["mse"] < 0.3 * log[0]["mse"]
    rates = [line["rate"] for line in log]
    assert rates[1] == rates[9] == 0.03 > rates[-1]


def test_the_stage_publishes_through_what_it_is_given(run, tmp_path):
    config = options(run).resolve_defaults()
    source = Replay(replay_config(config), features.get("zero"), lambda: run_folder.shard_paths(run), str)
    module, given = weights_file.load_module(run / "nets" / "000000" / "net.safetensors")[0], []
    stage = ZeroStage(config, module, source, lambda *told: given.append(told), lambda standing: None)
    stage.progress = 0.7
    counters = Counters(step=5, samples=80)
    arrays = weights_file.arrays_of(module)
    stage.save_net(tmp_path / "net.safetensors", arrays, counters, {"policy": 2.5, "value_mse": float("nan")})
    ((published, (board,), told, card),) = given
    assert published is arrays and board.settings.visits == 8 and told == counters and card["validation"] == {"policy": 2.5}
    assert weights_file.load(tmp_path / "net.safetensors").meta.step == 5
