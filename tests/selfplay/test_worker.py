"""A worker: its shards hold whole games, it takes up new nets, and it ends when it should."""

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from goengine.dataio import sgf
from goengine.dataio.records import SCORE
from goengine.evaluators.base import EvaluatorError
from goengine.zero import run_folder
from goengine.zero.run_folder import RunFolderError
from goengine.zero.shards import FULL, Shard
from selfplay import cli, worker
from selfplay.worker import Worker
from selfplay.worker_options import WorkerOptions
from tests.zero.runs import SETTINGS, new_run, publish


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SOONER", 1e9)  # one shard for what a test plays, however slow the machine
    return new_run(tmp_path / "run")


def play(run, *, once=6, stop=None, **options) -> Worker:
    """A worker that has played."""
    settings = {"name": "w1", "games": 8, "seed": 7} | options
    with Worker(WorkerOptions(run=run, once=once, **settings)) as at_work:
        at_work.play(stop or threading.Event())
    return at_work


def shards(run) -> list[Shard]:
    return [Shard.load(path) for path in run_folder.shard_paths(run)]


def start(run, *options, **how) -> subprocess.Popen:
    command = [sys.executable, "-m", "selfplay", "worker", "--run", str(run), "--games", "8", *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **how)


def wait_for(happens, seconds=90.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_games_are_written_whole(run):
    at_work = play(run)
    (found,) = shards(run)
    assert len(found) == at_work.games >= 6 and found.net == "000000" and found.size == 5
    assert dict(found.settings) == json.loads((run / "nets/000000/play.json").read_text())["boards"][0]["settings"]
    assert found.rows() > 0 and (found.visits[found.kind == FULL] == SETTINGS.visits).all()
    assert (found.games.ending == SCORE).any() and len(set(found.seed.tolist())) == len(found)
    status = run_folder.read_status(run, "w1")
    assert status.games == len(found) and status.positions == len(found.kind) and status.evaluations > 0
    assert status.net == "000000" and status.device.startswith("cpu") and 0 < status.busy < 1
    assert not list((run / "shards").glob(".*"))


def test_a_shard_that_could_not_be_written_does_not_write_another_one_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SOONER", 1e9)
    run, save, tries = new_run(tmp_path / "run", SETTINGS, replace(SETTINGS, size=6)), Shard.save, []

    def full_once(self, path):
        tries.append(path)
        if len(tries) == 2:
            raise OSError(28, "No space left on device")
        save(self, path)

    monkeypatch.setattr(Shard, "save", full_once)
    with Worker(WorkerOptions(run=run, once=40, name="w1", games=8, seed=7)) as at_work:
        with pytest.raises(OSError, match="No space"):
            at_work.play(threading.Event())
        at_work._write()  # as after the next game
        assert len(tries) == 3
    found = shards(run)
    assert {shard.size for shard in found} == {5, 6} and sum(map(len, found)) == at_work.games


def test_what_a_killed_worker_was_writing_is_removed(run):
    for name in ("w1", "w1-2"):
        (run / "shards" / f".{name}-000001.npz.77.part").write_bytes(b"half")
    play(run)
    assert [path.name for path in (run / "shards").glob(".*")] == [".w1-2-000001.npz.77.part"]


def test_a_worker_that_starts_again_goes_on_counting_and_plays_other_games(run):
    play(run)
    before = run_folder.read_status(run, "w1")
    play(run)
    assert [path.name for path in run_folder.shard_paths(run)] == ["w1-000001.npz", "w1-000002.npz"]
    first, second = shards(run)
    assert not set(first.seed.tolist()) & set(second.seed.tolist())
    assert run_folder.read_status(run, "w1").games == before.games + len(second)


def test_the_same_seed_and_name_give_the_same_games(run, tmp_path):
    other = new_run(tmp_path / "other")
    play(run)
    play(other, threads=1)
    (one,), (two,) = shards(run), shards(other)
    assert np.array_equal(one.games.moves, two.games.moves) and np.array_equal(one.policy_weight, two.policy_weight)
    third = new_run(tmp_path / "third")
    play(third, name="w2")
    assert not set(shards(third)[0].seed.tolist()) & set(one.seed.tolist())


def test_a_newer_net_is_taken_up_and_games_keep_the_name_they_began_with(run, monkeypatch):
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    with Worker(WorkerOptions(run=run, name="w1", games=8, once=30, seed=1)) as at_work:
        looks = []

        def look(bar, look=at_work._look):
            looks.append(at_work.games)
            if len(looks) == 40:  # games are under way
                publish(run, replace(SETTINGS, komi=5.0))
            look(bar)

        at_work._look = look
        at_work.play(threading.Event())
    found = shards(run)
    assert {shard.net for shard in found} == {"000000", "000001"}
    assert {shard.net: shard.settings["komi"] for shard in found} == {"000000": 3.0, "000001": 5.0}
    assert sum(map(len, found)) == at_work.games == run_folder.read_status(run, "w1").games


def test_other_visits_need_another_table(run, monkeypatch):
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    with Worker(WorkerOptions(run=run, name="w1", games=8, once=12, seed=1)) as at_work:
        at_work._look(_Bar())
        first = at_work.boards.tables[5]
        while not at_work.games:
            for game in first.step():
                at_work._take(game)
        publish(run, replace(SETTINGS, visits=6))
        at_work.play(threading.Event())
        assert at_work.boards.tables[5] is not first
    found = shards(run)
    assert {(shard.net, *set(shard.visits[shard.kind == FULL].tolist())) for shard in found} == {("000000", 4), ("000001", 6)}
    status = run_folder.read_status(run, "w1")
    assert status.games == sum(map(len, found)) == at_work.games
    assert status.positions == sum(len(shard.kind) for shard in found)


class _Bar:
    def message(self, text: str) -> None:
        """Nobody reads it."""


def test_it_waits_for_the_first_net(tmp_path):
    run = tmp_path / "run"
    run_folder.create(run, [5], "zero", {})
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    at_work = play(run, once=None, stop=stop)
    assert at_work.games == 0 and at_work.summary() == "waits for a net" and shards(run) == []


def test_a_damaged_newer_net_is_told_and_passed_over(run, monkeypatch, capsys):
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    with Worker(WorkerOptions(run=run, name="w1", games=8, once=5, seed=1)) as at_work:
        at_work._look(_Bar())
        damaged = publish(run)
        (damaged.folder / "net.xml").write_text("<net>")
        at_work.play(threading.Event())
    assert {shard.net for shard in shards(run)} == {"000000"}
    said = capsys.readouterr().err
    assert said.count("not well-formed") == 1 and "goes on with net 000000" in said and "net 000000 busy" in said
    assert run_folder.read_status(run, "w1").net == "000000"


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda run: publish(run, features="agz17"), "a net for the features agz17 and size 5; the run is for zero and size 5"),
        (lambda run: publish(run, replace(SETTINGS, size=7)), "a net for the features zero and size 7"),
        (lambda run: publish(run, SETTINGS, replace(SETTINGS, size=7)), "and size 5 and 7; the run is for zero and size 5"),
        (lambda run: (run / "nets/000000/net.xml").write_text("<net>"), "damaged"),
        (lambda run: (run / "nets/000000/net.bin").unlink(), r"net\.bin: cannot be read"),
        (lambda run: (run / "nets/000000/play.json").write_text("{}"), r"play\.json: damaged"),
        (lambda run: (run / "config.json").write_text('{"format": "goengine zero run 9"}'), "form 'goengine zero run 9'"),
        (shutil.rmtree, "is this the folder of a run"),
    ],
)
def test_what_cannot_be_played_is_named(run, capsys, spoil, said):
    spoil(run)
    assert cli.main(["worker", "--run", str(run), "--name", "w1", "--once", "1"]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("python -m selfplay worker: ")
    assert re.search(said, message)


def test_one_worker_of_a_name(run):
    with (
        Worker(WorkerOptions(run=run, name="w1")),
        pytest.raises(RunFolderError, match=r"'w1' is at work there.*another --name"),
    ):
        Worker(WorkerOptions(run=run, name="w1"))
    Worker(WorkerOptions(run=run, name="w1")).__exit__(None, None, None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_games_written(run, number):
    with start(run, "--name", "w1", stdin=subprocess.DEVNULL) as process:
        wait_for(lambda: run_folder.shard_paths(run))
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert "w1: plays with net 000000 on cpu auto, 4 visits, komi 3" in said
    assert sum(map(len, shards(run))) == run_folder.read_status(run, "w1").games
    assert f"w1: {run_folder.read_status(run, 'w1').games:,} games, " in said.splitlines()[-1]


def test_it_ends_when_who_started_it_is_gone(run):
    with start(run, "--name", "w1", "--attached", stdin=subprocess.PIPE) as process:
        wait_for(lambda: run_folder.shard_paths(run))
        process.stdin.close()
        assert process.wait(60) == 0


def test_games_as_sgf(run, tmp_path, capsys):
    play(run)
    (path,) = run_folder.shard_paths(run)
    assert cli.main(["sgf", str(path), "--out", str(tmp_path / "sgf")]) == 0
    assert f"{len(Shard.load(path))} games of net 000000" in capsys.readouterr().err
    records = [sgf.read_file(file) for file in sorted((tmp_path / "sgf").iterdir())]
    assert len(records) == len(Shard.load(path)) and all(record.size == 5 and record.moves for record in records)
    path.write_bytes(path.read_bytes()[:100])
    assert cli.main(["sgf", str(path), "--out", str(tmp_path / "sgf")]) == 1
    assert "w1-000001.npz" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, said", [(["--games", "0"], "--games"), (["--seed", "-1"], "--seed"), (["--speed", "9"], "--speed"), ([], "--run")]
)
def test_wrong_options(tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as stop:
        cli.main(["worker", *([] if not options else ["--run", str(tmp_path)]), *options])
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_a_worker_on_a_cpu_needs_no_torch(run):
    code = (
        "import sys; from selfplay import cli; "
        f"cli.main(['worker', '--run', {str(run)!r}, '--games', '4', '--once', '1']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert done.stdout.strip() == "False" and run_folder.shard_paths(run)


# -- torch --


def without_graph(run):
    """The run's nets as a run on torch publishes them."""
    for net in run_folder.nets(run):
        for name in run_folder.GRAPH:
            (net.folder / name).unlink()
    return run


def test_torch_plays_the_weights(run):
    at_work = play(without_graph(run), device="torch-cpu")
    (found,) = shards(run)
    assert len(found) == at_work.games >= 6
    assert run_folder.read_status(run, "w1").device in ("cpu f32", "cpu bf16")


def test_openvino_has_nothing_to_play_in_a_run_of_torch(run):
    with pytest.raises(RunFolderError, match=r"000000: has no net\.xml.*--device torch-cpu or cuda, .*--export"):
        play(without_graph(run))


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB"), RuntimeError("CUDA error: device lost\nmore")]
)
def test_a_device_that_fails_loses_only_games_in_the_air(run, error):
    def forward(*_):
        raise error

    with Worker(WorkerOptions(run=run, name="w1", games=8, seed=7, device="torch-cpu")) as at_work:
        take = at_work._take

        def fail_later(game):
            take(game)
            if at_work.games == 3:
                at_work._evaluator._net = forward

        at_work._take = fail_later
        with pytest.raises(EvaluatorError, match=r"000000, \d positions at once: cpu (has no memory left|failed)"):
            at_work.play(threading.Event())
    assert sum(map(len, shards(run))) == at_work.games == at_work.boards.stats.games >= 3, (
        "those of the failed step are written, too"
    )


def test_a_net_that_no_longer_fits_is_passed_over(run, monkeypatch, capsys):
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB")

    with Worker(WorkerOptions(run=run, name="w1", games=8, once=5, seed=1, device="torch-cpu")) as at_work:
        at_work._look(_Bar())
        publish(run)
        monkeypatch.setattr("goengine.evaluators.network.fold", full)
        at_work.play(threading.Event())
    said = capsys.readouterr().err
    assert "no memory left" in said and "goes on with net 000000" in said
    assert {shard.net for shard in shards(run)} == {"000000"}
