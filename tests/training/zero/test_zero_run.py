"""The command zero: a run goes from nothing to its end, whatever is killed on the way, and refuses what is not its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from goengine import features
from goengine.core import restarts
from goengine.core.options import Seconds
from goengine.nets import architecture, build, weights_file
from goengine.zero import run_folder
from goengine.zero.run_folder import RunFolderError, SizeSettings, Status
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import Shard
from tests.zero.runs import new_run, publish
from training import cli
from training.core.checkpoint import RunError
from training.core.run_lock import lock_run
from training.zero import publishing, rating, zero_run
from training.zero.learner import Standing
from training.zero.zero_options import Rate, SelfPlayPhase, ZeroOptions, parsed, phases

TINY = ["--size", "5", "--net", "b2c16", "--visits", "4", "--play", "considered=4", "komi=3"]
SMALL = [*TINY, "--batch", "16", "--window", "300", "--games", "8", "--rate-games", "4", "--rate-visits", "4"]


@pytest.fixture(autouse=True)
def few_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def options(run: Path, **more) -> ZeroOptions:
    return ZeroOptions(**({"run": run, "size": "5", "net": "b2c16", "steps": 2, "visits": "4"} | more))


def snapshot(folder: Path) -> dict:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


# -- options --


def test_phases_of_a_run(tmp_path):
    assert phases("16") == (SelfPlayPhase(0.0, 16),)
    assert phases("8,16@0.2,64/16@0.66") == (SelfPlayPhase(0.0, 8), SelfPlayPhase(0.2, 16), SelfPlayPhase(0.66, 64, 16))
    config = options(tmp_path, visits="8,16@0.2,64/16@0.66", play=("komi=3", "rules=chinese+tromp-taylor", "resign=-0.9"))
    early, middle, late = (config.boards(done)[0].settings for done in (0.0, 0.2, 1.0))
    assert (early.visits, early.cheap_visits, early.full_share) == (8, 0, 1.0) and middle.visits == 16
    assert (late.visits, late.cheap_visits, late.full_share) == (64, 16, 0.25)
    assert early == SelfPlayParams(size=5, visits=8, komi=3.0, rules=("chinese", "tromp-taylor"), resign=-0.9)
    assert config.boards(0.0, komi={5: 9.5}) == (SizeSettings(replace(early, komi=9.5)),)
    assert parsed(("method=puct", "resign=None", "fork_share=0")) == {"method": "puct", "resign": None, "fork_share": 0}


def test_defaults_that_depend_on_the_machine_and_the_budget(tmp_path):
    short, long = (ZeroOptions(run=tmp_path, budget=Seconds(seconds)).resolve_defaults() for seconds in (300, 8 * 3600))
    assert (short.save_every, long.save_every) == (10, 300) and (short.validate_every, long.validate_every) == (60, 600)
    assert (short.rate_nth, long.rate_nth) == (2, 8)
    assert short.workers >= 1 and short.first_rows == short.window // 5 and short.threads == 1
    given = ZeroOptions(run=tmp_path, steps=5, workers=0, first_rows=7, rate_nth=9, keep_norms=False)
    given = replace(given, save_every=Seconds(3), validate_every=Seconds(4), device="cpu", games=9, sample_threads=2)
    given = replace(given, export=False, int8=False, rate_games=3, self_test=True)
    assert given.resolve_defaults() == given


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, False),
        ({"size": "9,13"}, False),  # a fresh net has no statistics to keep
        ({"net": "trained.safetensors"}, False),
        ({"net": "trained.safetensors", "size": "9,13"}, True),
        ({"net": "trained.safetensors", "data": (Path("games.npz"),), "data_share": 0.3}, True),
        ({"net": "trained.safetensors", "size": "9,13", "keep_norms": False}, False),
    ],
)
def test_a_trained_net_keeps_its_statistics_where_batches_are_of_several_sorts(tmp_path, more, kept):
    assert ZeroOptions(run=tmp_path, steps=5, **more).resolve_defaults().keep_norms is kept


@pytest.mark.parametrize(
    "more, said",
    [
        (["--visits", "16,8"], "at shares below 1"),
        (["--visits", "16@0.1"], "begins with the run"),
        (["--visits", "16,8@1"], "at shares below 1"),
        (["--visits", "many"], "FULL[/CHEAP][@SHARE]"),
        (["--visits", "1"], "at least 2"),
        (["--validate-every", "0s"], "--validate-every must be a time above 0"),
        (["--log-every", "0"], "--log-every: must be at least 1"),
        (["--visits", "8,1@0.5"], "at least 2"),
        (["--play", "komi"], "NAME=VALUE"),
        (["--play", "tempo=3"], "tempo"),
        (["--play", "size=9"], "an option of its own"),
        (["--play", "komi=many"], "komi: 'many' is of the wrong kind"),
        (["--play", "rules=japanese"], "japanese"),
        (["--size", "1"], "size 1"),
        (["--uses", "0"], "--uses"),
        (["--workers", "-1"], "--workers"),
        (["--optimizer", "magic"], "magic"),
    ],
)
def test_wrong_options(tmp_path, capsys, more, said):
    with pytest.raises(SystemExit) as stop:
        cli.main(["zero", "--run", str(tmp_path / "run"), "--steps", "2", *more])
    assert stop.value.code == 2 and said in capsys.readouterr().err and not (tmp_path / "run").exists()


# -- the folder --


def test_a_run_begins_with_a_net_and_goes_on_with_the_newest(tmp_path):
    config = options(tmp_path / "run", play=("komi=3",))
    first = publishing.begin(config)
    assert first.number == 0 and first.boards == config.boards(0.0)
    found = weights_file.load(first.folder / "net.safetensors")
    assert found.spec == architecture.parse("b2c16", "zero", found.spec.planes, found.spec.globals)
    assert run_folder.read_config(tmp_path / "run")["options"]["net"] == "b2c16"
    newer = publish(tmp_path / "run")
    assert publishing.begin(config) == newer
    assert publishing.begin(replace(config, net="gone.safetensors")) == newer  # the file was needed once
    assert publishing.begin(replace(config, net="b4c32")) == newer  # a larger one learns first: see test_succession


def test_a_run_that_was_killed_before_its_first_net(tmp_path):
    run_folder.create(tmp_path / "run", [5], "zero", {})
    assert publishing.begin(options(tmp_path / "run")).number == 0


def test_a_run_may_begin_with_a_trained_net(tmp_path):
    chosen = features.get("zero")
    wanted = architecture.parse("b2c16", "zero", chosen.planes, chosen.globals)
    weights_file.save(tmp_path / "old.safetensors", build.build(wanted, 7), wanted)
    net = publishing.begin(options(tmp_path / "run", net=str(tmp_path / "old.safetensors")))
    ours, theirs = (weights_file.load(path) for path in (net.folder / "net.safetensors", tmp_path / "old.safetensors"))
    assert all((ours.arrays[name] == array).all() for name, array in theirs.arrays.items())


def test_a_net_with_other_features_is_refused(tmp_path, capsys):
    chosen = features.get("agz17")
    wanted = architecture.parse("b2c16", "agz17", chosen.planes, chosen.globals)
    weights_file.save(tmp_path / "other.safetensors", build.build(wanted, 7), wanted)
    command = [
        "zero",
        "--run",
        str(tmp_path / "run"),
        "--size",
        "5",
        "--steps",
        "2",
        "--net",
        str(tmp_path / "other.safetensors"),
    ]
    assert cli.main(command) == 1
    assert "sees the features agz17, the run's games are for zero; give --features agz17" in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.json").exists()
    run = new_run(tmp_path / "run2")
    with pytest.raises(RunError, match="are for the features zero, this net sees agz17"):
        publishing.publish_net(run, build.build(wanted, 7), wanted, [SizeSettings(SelfPlayParams(size=5))], publishing.Story())
    assert len(run_folder.nets(run)) == 1


@pytest.mark.parametrize(
    "change, said",
    [
        ({"format": "goengine zero run 1"}, "a run folder of form 'goengine zero run 1'"),
        ({"sizes": [9]}, "a run with size 9, not 5"),
        ({"features": "agz17"}, "a run with features agz17, not zero"),
    ],
)
def test_other_runs_are_refused_and_left_alone(tmp_path, capsys, change, said):
    run = new_run(tmp_path / "run")
    config = json.loads((run / "config.json").read_text()) | change
    (run / "config.json").write_text(json.dumps(config))
    before = snapshot(run)
    assert cli.main(["zero", "--run", str(run), *SMALL, "--steps", "2"]) == 1
    assert said in capsys.readouterr().err and snapshot(run) == before


def test_a_folder_with_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert cli.main(["zero", "--run", str(tmp_path), *SMALL, "--steps", "2"]) == 1
    assert "holds something, but no run" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_learners_are_refused(tmp_path):
    run = new_run(tmp_path / "run")
    lock = lock_run(run)
    before = snapshot(run)
    with pytest.raises(RunError, match=rf"another trainer \(process {os.getpid()}\) is at work there"):
        zero_run.run(options(run))
    assert snapshot(run) == before
    lock.release()


# -- beside the learner --


class Watched:
    """A group without processes."""

    looks = 0

    def watch(self) -> None:
        self.looks += 1


def test_a_tick_keeps_the_nets_that_are_rated(tmp_path, monkeypatch):
    run = new_run(tmp_path / "run")
    for _ in range(11):
        publish(run)
    monkeypatch.setattr(rating, "rated", lambda run: {"000000", "000005"})
    now, processes = [100.0], Watched()
    tick = zero_run.Tick(options(run, rate_nth=4).resolve_defaults(), processes, clock=lambda: now[0])
    tick(STANDING)
    tick(STANDING)
    assert processes.looks == 1  # once a second
    assert [net.number for net in run_folder.nets(run)] == [0, 4, 5, 8, 9, 10, 11]
    now[0] += 1.5
    tick(STANDING)
    assert processes.looks == 2


STANDING = Standing(progress=0.25, samples=40_000, shards=3, games=90, made=12_000, window=9_000, waiting=False, komi={5: 3.5})


def test_the_line_of_a_run(tmp_path):
    run = new_run(tmp_path / "run")
    config = options(run)
    assert zero_run.line(config, STANDING) == "25.0 %  0 games  window 9,000 of 12,000, drawn 40,000"
    now = time.time()
    run_folder.write_status(run, "w1", Status(games=1000, evaluations_per_second=2000.4, busy=0.8, time=now))
    run_folder.write_status(run, "w2", Status(games=500, evaluations_per_second=1000.0, busy=0.9, time=now))
    run_folder.write_status(run, "gone", Status(games=7, evaluations_per_second=9999.0, busy=0.1, time=now - 1000))
    log = ['{"step": 1, "loss": 3.0, "policy": 2.5, "mse": 0.5}', '{"step": 1, "validation": {"policy": 3}}', '{"step": 2, "lo']
    (run / "learner" / "log.jsonl").write_text("x" * 5000 + "\n" + "\n".join(log))
    (run / "elo.json").write_text('{"nets": [{"elo": -20.0}, {"elo": 312.4}]}')
    assert zero_run.line(config, STANDING) == (
        "25.0 %  1,507 games  3,000 evaluations/s  net busy 85 %  window 9,000 of 12,000, drawn 40,000  "
        "policy 2.500  mse 0.500  Elo +312"
    )


def test_the_processes_of_a_run(tmp_path):
    found = zero_run.members(options(tmp_path, workers=2, games=64).resolve_defaults())
    assert [member.name for member in found] == ["w1", "w2", "rating"] and [member.required for member in found] == [1, 1, 0]
    assert {"--attached", "--games", "64"} <= set(found[1].command) and found[2].command[2:4] == ("training", "rate")
    assert [member.name for member in zero_run.members(options(tmp_path, workers=0, rate_games=0).resolve_defaults())] == []
    found = zero_run.members(options(tmp_path, workers=None, cluster="auto", rate_games=0).resolve_defaults())
    assert [member.name for member in found] == ["cluster"] and found[0].required  # nobody else plays
    assert found[0].command[2:4] == ("selfplay", "cluster") and {"--address", "auto", "--attached"} <= set(found[0].command)


def test_a_worker_that_cannot_play_ends_the_run(tmp_path, capsys, monkeypatch):
    """Nobody waits for games that will never come."""
    monkeypatch.setattr(restarts, "FAILURES", 2)
    run = tmp_path / "run"
    publishing.begin(options(run))
    play = json.loads((run / "nets/000000/play.json").read_text())
    play["boards"][0]["settings"]["size"] = 7
    (run / "nets/000000/play.json").write_text(json.dumps(play))
    began = time.monotonic()
    assert cli.main(["zero", "--run", str(run), *SMALL, "--steps", "2", "--workers", "1", "--rate-games", "0"]) == 1
    said = capsys.readouterr().err
    assert "w1 failed 2 times in a row" in said and "a net for the features zero and size 7" in said
    assert time.monotonic() - began < 120


# -- whole runs --


def test_a_small_run_from_nothing_to_its_end(tmp_path, capsys):
    run = tmp_path / "run"
    command = ["zero", "--run", str(run), *SMALL, "--steps", "6", "--workers", "1"]
    assert cli.main(command) == 0
    said = capsys.readouterr().err
    nets = run_folder.nets(run)
    assert [net.number for net in nets] == [0, 1] and nets[1].step == 6 and nets[1].samples == 96
    assert f"net {nets[1].name}: " in said and "Elo above a random player" in said and "complete; its net is" in said
    assert weights_file.load(run / "learner/net.safetensors").meta.step == 6
    assert sum(len(Shard.load(path)) for path in run_folder.shard_paths(run)) == run_folder.read_status(run, "w1").games > 0
    assert rating.rated(run) >= {"000001"} and (run / "elo.png").exists()
    before = snapshot(run / "nets"), (run / "learner/state.safetensors").read_bytes()
    assert cli.main(command) == 0  # done is done
    assert (snapshot(run / "nets"), (run / "learner/state.safetensors").read_bytes()) == before
    moved = run.rename(tmp_path / "elsewhere")
    assert cli.main(["zero", "--run", str(moved), *SMALL, "--steps", "9", "--workers", "1", "--rate-games", "0"]) == 0
    assert run_folder.newest(moved).step == 9


def test_a_complete_run_whose_ratings_were_lost_makes_them_anew(tmp_path, capsys):
    run = tmp_path / "run"
    command = ["zero", "--run", str(run), *SMALL, "--steps", "2", "--workers", "1"]
    assert cli.main(command) == 0
    (run / "elo.json").unlink()
    capsys.readouterr()
    assert cli.main(command) == 0
    assert f"net {run_folder.newest(run).name}: " in capsys.readouterr().err and (run / "elo.json").exists()


def test_the_command_rate(tmp_path, capsys):
    run = new_run(tmp_path / "run")
    assert cli.main(["rate", "--run", str(run), "--games", "4", "--visits", "4"]) == 0
    assert "net 000000: " in capsys.readouterr().err and rating.rated(run) == {"000000"}
    assert cli.main(["rate", "--run", str(tmp_path / "none")]) == 1
    assert "is this the folder of a run?" in capsys.readouterr().err
    with pytest.raises(ValueError, match="--nth"):
        Rate(run=run, nth=0)
    with pytest.raises(RunFolderError):
        zero_run.run(options(run, size="9"))


def children(pid: int) -> list[int]:
    """Processes that this one started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def start(run: Path, *more: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "training",
        "zero",
        "--run",
        str(run),
        *SMALL,
        "--workers",
        "1",
        "--save-every",
        "1s",
        *more,
    ]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=open(run.parent / "said", "ab"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_killed_ten_times_the_run_goes_on(tmp_path):
    """SIGKILL at random moments, in turn for the learner and for a process beside it."""
    run, rng = tmp_path / "run", random.Random(5)
    leader, steps = start(run, "--steps", "1000000"), [0]
    for number in range(10):
        time.sleep(rng.uniform(1.0, 14.0))
        assert leader.poll() is None, (tmp_path / "said").read_text()
        if number % 2:
            leader.kill()
            leader.wait()
            leader = start(run, "--steps", "1000000")
        elif beside := children(leader.pid):
            os.kill(rng.choice(beside), signal.SIGKILL)
        newest = run_folder.newest(run) if (run / "config.json").exists() else None
        steps.append(newest.step if newest else 0)
    time.sleep(15)
    leader.terminate()
    assert leader.wait(60) == 130 and steps == sorted(steps)
    done = run_folder.newest(run).step
    assert done > 0, (tmp_path / "said").read_text()
    last = start(run, "--steps", str(done + 5))
    assert last.wait(120) == 0, (tmp_path / "said").read_text()
    assert run_folder.newest(run).step == done + 5
    assert all(len(Shard.load(path)) > 0 for path in run_folder.shard_paths(run))  # whole, all of them
    found = [weights_file.load(net.folder / "net.safetensors").meta.step for net in run_folder.nets(run)]
    assert found == sorted(set(found)) and found == [net.step for net in run_folder.nets(run)]
    assert "ended by signal 9; starts again" in (tmp_path / "said").read_text()
