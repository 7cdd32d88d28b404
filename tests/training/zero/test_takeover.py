"""A larger net takes over a run: when, what it may draw, and that any kill leaves what the next start understands."""

import json
import os
import shutil
import time

import numpy as np
import pytest

from goengine import features
from goengine.core.options import Seconds
from goengine.nets import architecture, build, weights_file
from goengine.nets.architecture import to_text
from goengine.zero import run_folder
from tests.zero.random_games import random_shard
from training.core import launch
from training.core.checkpoint import Counters, RunError, load_state, save_state
from training.zero import learner, publishing, takeover, zero_run
from training.zero.takeover import READY, Successor, finish_takeover, succeed
from training.zero.zero_options import ZeroOptions

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 5


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nets are published without an export, which takes seconds."""

    def publish(run, weights, form, boards, story, *, graph=True, calibration=()):
        def write(folder):
            for name in run_folder.NET_FILES:
                (folder / name).touch()
            weights_file.save(folder / "net.safetensors", weights, form, step=story.step, config=story.config, data=story.data)

        return run_folder.publish(run, write, boards, samples=story.samples, step=story.step)

    for module in (publishing, learner, takeover):
        monkeypatch.setattr(module, "publish_net", publish)


def options(run, **settings):
    chosen = {"size": str(SIZE), "net": "b2c16", "batch": 16, "window": 30, "first_rows": 20, "uses": 50.0, "half": False}
    chosen |= {"steps": 8, "rate_games": 0, "workers": 0, "visits": "4", "validation_positions": 64}
    return ZeroOptions(
        run=run, **{**chosen, "save_every": Seconds(1e-9), "validate_every": Seconds(1e-9), **settings}
    ).resolve_defaults()


def form(name):
    chosen = features.get("zero")
    return architecture.parse(name, "zero", chosen.planes, chosen.globals)


@pytest.fixture
def run(tmp_path):
    """A run folder with its first net and five shards."""
    folder = tmp_path / "run"
    publishing.begin(options(folder))
    for number in range(5):
        path = run_folder.next_shard_path(folder, "test")
        random_shard(SIZE, range(5 * number, 5 * number + 5)).save(path)
        os.utime(path, (1000 + number, 1000 + number))
    return folder


def candidate(run, **settings):
    """The options that ask for a larger net, and that net."""
    config = options(run, net="b3c32", **settings)
    return config, publishing.larger(config, run_folder.newest(run))


def folders(run):
    return {path.name for path in run.iterdir() if path.name.startswith("learner")}


def always(monkeypatch, answer):
    monkeypatch.setattr(Successor, "ready", property(lambda self: bool(answer and self.measured)))


def newest_form(run):
    return weights_file.load(run_folder.newest(run).folder / "net.safetensors").spec


def test_which_net_is_larger(run, tmp_path):
    present = run_folder.newest(run)
    assert publishing.larger(options(run), present) is None and publishing.larger(options(run, net="gone.xml"), present) is None
    assert candidate(run)[1].spec == form("b3c32")
    weights_file.save(tmp_path / "big.safetensors", build.build(form("b3c32"), 5), form("b3c32"))
    weights_file.save(tmp_path / "same.safetensors", build.build(form("b2c16"), 5), form("b2c16"))
    assert publishing.larger(options(run, net=str(tmp_path / "big.safetensors")), present).spec == form("b3c32")
    assert publishing.larger(options(run, net=str(tmp_path / "same.safetensors")), present) is None
    assert [to_text(form(name)) for name in ("b2c16", "b6c64")] == ["b2c16", "b6c64"]


def test_a_smaller_net_and_other_features_are_refused(run, tmp_path):
    boards, story = options(run).boards(0.0), publishing.Story()
    larger = publishing.publish_net(run, build.build(form("b3c32"), 1), form("b3c32"), boards, story)
    before = (run / "config.json").read_text()
    with pytest.raises(RunError, match=r"has a net of another size, b3c32, .* go on with --net b3c32"):
        publishing.begin(options(run))
    chosen = features.get("agz17")
    other = architecture.parse("b4c32", "agz17", chosen.planes, chosen.globals)
    weights_file.save(tmp_path / "other.safetensors", build.build(other, 7), other)
    with pytest.raises(RunError, match="sees the features agz17"):
        publishing.begin(options(run, net=str(tmp_path / "other.safetensors")))
    assert run_folder.newest(run) == larger and (run / "config.json").read_text() == before


def test_it_learns_takes_over_and_the_run_goes_on(run, monkeypatch, capsys):
    assert zero_run.run(options(run, steps=3), time.monotonic())
    rests = load_state(run / "learner/state.safetensors")[1]
    before, always_ready = run_folder.newest(run), always(monkeypatch, True)
    assert always_ready is None and zero_run.run(candidate(run)[0], time.monotonic())
    said = capsys.readouterr().err
    assert "b3c32 learns from the games of b2c16" in said and "b3c32 takes over: policy " in said
    assert folders(run) == {"learner", "learner-b2c16"}
    assert load_state(run / "learner-b2c16/state.safetensors")[1] == rests
    nets = run_folder.nets(run)
    first = nets[before.number + 1]
    assert weights_file.load(first.folder / "net.safetensors").spec == form("b3c32") == newest_form(run)
    assert nets[-1].step == 8 > first.step > 0 and first.boards == before.boards
    batch = options(run).batch
    assert first.samples == before.samples + first.step * batch  # what both have drawn
    assert nets[-1].samples == before.samples + nets[-1].step * batch
    found = load_state(run / "learner/state.safetensors")[1]
    assert found.step == 8 and found.seconds > rests.seconds  # the budget is the run's
    log = [json.loads(line) for line in (run / "learner/log.jsonl").read_text().splitlines()]
    judged = next(line["validation"] for line in log if "validation" in line)
    assert {"policy", "value_mse", "present_policy", "present_value_mse"} <= set(judged)
    again = (run / "learner/state.safetensors").read_bytes()
    assert zero_run.run(candidate(run)[0], time.monotonic())  # the same command: nothing is left to do
    assert (run / "learner/state.safetensors").read_bytes() == again and folders(run) == {"learner", "learner-b2c16"}


def test_a_larger_net_keeps_its_statistics_where_that_is_asked_for(run, monkeypatch):
    """As one that learns alone (`training.zero.learner.stage_setup` makes the loop of both)."""
    always(monkeypatch, False)
    config, module = candidate(run, keep_norms=True)
    before = {name: value.clone() for name, value in module.state_dict().items() if "running" in name}
    succeed(config, module, time.monotonic(), lambda standing: None, print)
    after = load_state(run / run_folder.NEXT / "state.safetensors")[0]
    assert before and all(np.array_equal(after[f"weights/{name}"], value.numpy()) for name, value in before.items())


def test_nothing_changes_before_it_is_as_good(run, monkeypatch):
    always(monkeypatch, False)
    config, module = candidate(run)
    said, seen = [], []
    assert succeed(config, module, time.monotonic(), seen.append, said.append) is True
    assert len(run_folder.nets(run)) == 1 and folders(run) == {"learner", "learner-next"}
    assert "was over before b3c32 was as good" in said[-1] and seen[0].learner == "learner-next"
    reached = load_state(run / "learner-next/state.safetensors")[1]
    config, module = candidate(run, steps=10)
    always(monkeypatch, True)
    assert succeed(config, module, time.monotonic(), seen.append, said.append) is None
    assert load_state(run / "learner/state.safetensors")[1].step > reached.step == 8  # it went on
    assert newest_form(run) == form("b3c32")


def test_another_net_that_learns_there_is_named(run, monkeypatch):
    always(monkeypatch, False)
    config, module = candidate(run, steps=1)
    assert succeed(config, module, time.monotonic(), print, str)
    config = options(run, net="b4c32")
    with pytest.raises(RunError, match=r"learner-next: b3c32 learns there; go on with --net b3c32"):
        succeed(config, publishing.larger(config, run_folder.newest(run)), time.monotonic(), print, str)


def test_it_draws_as_often_as_the_window_allows(run):
    save_state(run / "learner/state.safetensors", {}, Counters(9, 144, 70.0, 5.0, 1.0), {})
    config, module = candidate(run, uses=3.0)
    replay = learner.open_replay(config, run, "zero")
    takeover._begin(config, module, replay)
    counters = load_state(run / "learner-next/state.safetensors")[1]
    assert 0 < replay.rows < replay.made
    assert counters == Counters(0, int(3 * (replay.made - replay.rows)), 70.0, 5.0, 1.0)
    last = counters.samples + 3 * replay.rows - config.batch
    assert replay.source(last - 1, config.batch) and replay.source(last + 2, config.batch) is None


def test_when_it_is_ready(run):
    config, module = candidate(run)
    stage = Successor(config, module, learner.open_replay(config, run, "zero"), module, print)

    def measured(*pairs):
        stage.measured.clear()
        stage.measured.extend((np.array(ours), np.array(theirs)) for ours, theirs in pairs)
        return stage.ready

    good, bad, present = (2.0, 0.5), (2.3, 0.5), (2.1, 0.5)
    assert not measured() and not measured((good, present), (good, present))
    assert measured(*[(good, present)] * 3) and measured(*[(present, present)] * 3)
    assert not measured(*[((1.0, 0.6), present)] * 3)  # in both, not in one
    assert measured((good, present), (good, present), (bad, present)) and not measured(*[(bad, present)] * 3)
    assert not measured((good, present), *[(bad, present)] * 3)  # the last ones count
    stage._kept()
    assert not stage.done
    stage._watch(stage.standing())
    measured(*[(good, present)] * 3)
    stage._kept()
    with pytest.raises(takeover._TakesOver):
        stage._watch(stage.standing())


def test_both_are_measured_on_the_same_rows(run):
    config, module = candidate(run)
    stage = Successor(config, module, learner.open_replay(config, run, "zero"), module.eval(), print)
    from training.core.device_feed import DeviceFeed

    stage.replay.look()
    figures = stage.validate(module.eval(), DeviceFeed("cpu", False))
    assert all(figures[f"present_{name}"] == figures[name] for name in ("policy", "lag", "value_mse"))
    assert len(stage.measured) == 1


class Killed(Exception):
    pass


@pytest.mark.parametrize("moment", ["before it is chosen", "first rename", "second rename", "third rename", "published"])
def test_a_kill_while_it_takes_over_is_made_good(run, tmp_path, monkeypatch, moment):
    assert learner.learn(options(run, steps=1), run)
    always(monkeypatch, False)
    config, module = candidate(run, steps=1)
    assert succeed(config, module, time.monotonic(), print, str)
    heirs = (run / "learner-next/state.safetensors").read_bytes()
    olds = (run / "learner/state.safetensors").read_bytes()
    nets = len(run_folder.nets(run))
    # As `succeed` and `finish_takeover` leave them, step by step.
    steps = [("learner-next", READY), ("learner", "learner-b2c16"), (READY, "learner")]
    done = ["before it is chosen", "first rename", "second rename", "third rename", "published"].index(moment)
    for before, after in steps[:done]:
        (run / before).rename(run / after)
    if moment == "published":
        finish_takeover(options(run), str)
    copy = shutil.copytree(run, tmp_path / "moved")
    for folder in (run, copy):
        for _ in range(2):
            finish_takeover(options(folder), str)
        if moment == "before it is chosen":
            assert folders(folder) == {"learner", "learner-next"} and len(run_folder.nets(folder)) == nets
            continue
        assert folders(folder) == {"learner", "learner-b2c16"} and len(run_folder.nets(folder)) == nets + 1
        assert (folder / "learner/state.safetensors").read_bytes() == heirs
        assert (folder / "learner-b2c16/state.safetensors").read_bytes() == olds
        assert newest_form(folder) == form("b3c32")


def test_settling_leaves_every_other_folder_alone(tmp_path, run):
    finish_takeover(options(tmp_path / "none"), print)
    assert not (tmp_path / "none").exists()
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    finish_takeover(options(run), print)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    (run / "learner-b2c16").mkdir()
    (run / READY).mkdir()
    finish_takeover(options(run), str)
    assert folders(run) == {"learner", "learner-b2c16", "learner-b2c16-2"}  # nobody's folder is lost


def test_one_process_alone(run, monkeypatch):
    monkeypatch.setattr(launch, "launched", lambda: 2)
    with pytest.raises(RunError, match="start it without torchrun"):
        zero_run.run(candidate(run)[0], time.monotonic())
