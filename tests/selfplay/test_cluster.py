"""Players as Ray's actors: a killed one or a lost node is replaced, and a signal ends all with their games written."""

import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from goengine.core import ray_cluster, restarts
from goengine.core.ray_cluster import ClusterError, WorkerSlot
from goengine.zero import run_folder
from goengine.zero.run_folder import Pace
from goengine.zero.shards import Shard
from selfplay import cli, cluster
from selfplay.cluster import words
from selfplay.depot import Report
from selfplay.worker_options import ClusterOptions
from tests.zero.runs import new_run

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture
def run(tmp_path):
    return new_run(tmp_path / "run")


def command(run, *options) -> list[str]:
    return [sys.executable, "-m", "selfplay", "cluster", "--run", str(run), "--actors", "2", "--games", "8", *options]


def wait_for(happens, seconds=120.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def shards(run) -> list[Shard]:
    return [Shard.load(path) for path in run_folder.shard_paths(run)]


def by(run, player) -> int:
    """Shards of a player."""
    return len(list((run / "shards").glob(f"{player}-*.npz")))


def check_all_games_are_others(run) -> None:
    seeds = np.concatenate([shard.seed for shard in shards(run)])
    assert len(set(seeds.tolist())) == len(seeds)


def children(process) -> dict[int, str]:
    """What the process and its children started: command by process number."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found, more = {}, {process.pid}
    while more:
        fresh = {int(pid): words for pid, parent, words in rows if int(parent) in more}
        found |= fresh
        more = fresh.keys()
    return found


# -- without ray --


def test_without_ray_it_says_what_to_install(run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "0")  # to be put back afterwards
    assert cli.main(["cluster", "--run", str(run)]) == 1
    assert "pip install 'ray[default]==2.60.*'" in capsys.readouterr().err


def test_a_seat_remembers_failures(monkeypatch):
    now = SimpleNamespace(at=100.0)
    monkeypatch.setattr(ray_cluster.time, "monotonic", lambda: now.at)
    seat = WorkerSlot("c-1", lambda name: (name, "playing"))
    for failures, pause in ((1, 1), (2, 2), (3, 4), (4, 8)):
        seat.fill()
        seat.clear(failed=True)
        assert (seat.restarts.failures, seat.restarts.again - now.at) == (failures, pause) and seat.actor is None
    seat.fill()
    now.at += restarts.HEALTHY + 1
    seat.clear(failed=False)  # killed after a healthy life
    assert (seat.restarts.failures, seat.restarts.again - now.at) == (0, 0)


def test_words():
    report = Report(10, Pace(2, 60.0, 1234.5, 0.876), "000003", 4, 1_500_000)
    assert words(report) == "2 actors, 60 games/min, 1,234 evaluations/s, net 000003 busy 88 %, 4 shards, 1.5 MB"
    assert words(Report(0, Pace(0, 0.0, 0.0, 0.0), "", 0, 0)) == "waits for a net"


@pytest.mark.parametrize(
    "options, said",
    [
        (["--actors", "0"], "--actors: must be at least 1"),
        (["--gpu-share", "2"], "--gpu-share: must be from 0 to 1"),
        (["--device", "tpu"], "device"),
    ],
)
def test_wrong_options(tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as stop:
        cli.main(["cluster", "--run", str(tmp_path), *options])
    assert stop.value.code == 2 and said in capsys.readouterr().err


# -- with it --


@needs_ray
@pytest.mark.slow
def test_a_killed_actor_is_replaced_and_a_signal_ends_all(run):
    """Ctrl-C, as a terminal sends it: to every process of the group."""
    with subprocess.Popen(command(run), stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        wait_for(lambda: by(run, "cluster-1") and by(run, "cluster-2"))
        started = children(process)
        actors = [pid for pid, words in started.items() if "PlayerActor" in words]
        assert len(actors) == 2
        os.kill(actors[0], signal.SIGKILL)
        wait_for(lambda: len([1 for words in children(process).values() if "PlayerActor" in words]) == 2)
        before = {player: by(run, player) for player in ("cluster-1", "cluster-2")}
        wait_for(lambda: all(by(run, player) > count for player, count in before.items()))
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert said.count("died: ") == 1 and "another one starts" in said and "Traceback" not in said
    check_all_games_are_others(run)
    games = sum(status.games for status in run_folder.statuses(run).values())
    assert games == sum(map(len, shards(run))) and f"cluster: {games:,} games" in said.splitlines()[-1]
    wait_for(lambda: not any(alive(pid) for pid in started))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@needs_ray
@pytest.mark.slow
def test_a_lost_node_costs_its_games_in_the_air_only(run):
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    lost = nodes.add_node(num_cpus=1)
    said, stop = [], threading.Event()
    try:
        with cluster.connected(ClusterOptions(run=run, actors=2, games=8, address=nodes.address)) as ray:
            options = ClusterOptions(run=run, actors=2, games=8, address=nodes.address)
            with cluster.Cluster(options, ray, said.append) as at_work:
                drive(at_work, lambda: by(run, "cluster-1") and by(run, "cluster-2"))
                nodes.remove_node(lost, allow_graceful=False)
                drive(at_work, lambda: any("died" in text for text in said))
                count = len(shards(run))
                drive(at_work, lambda: len(shards(run)) > count)  # the other one plays on
                nodes.add_node(num_cpus=1)
                before = {player: by(run, player) for player in ("cluster-1", "cluster-2")}
                drive(at_work, lambda: all(by(run, player) > count for player, count in before.items()))
            assert at_work.report().games == sum(map(len, shards(run)))
    finally:
        stop.set()
        nodes.shutdown()
    check_all_games_are_others(run)


def drive(at_work, until, seconds=120.0) -> None:
    """Let a cluster work until something has happened."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen"
        at_work.watch(0.2)


@needs_ray
@pytest.mark.slow
def test_so_many_games_and_no_more(run):
    done = subprocess.run(command(run, "--once", "20"), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sum(map(len, shards(run))) >= 20 and {shard.net for shard in shards(run)} == {"000000"}


@needs_ray
@pytest.mark.slow
def test_what_cannot_be_played_is_named(run, tmp_path, monkeypatch):
    options = ClusterOptions(run=run, actors=1, games=4)
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "0")  # to be put back afterwards
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.1)
    (run / "nets/000000/net.xml").write_text("<net>")
    with cluster.connected(options) as ray:
        with pytest.raises(ClusterError, match=r"cluster-1 failed 5 times in a row; it failed: .*net\.xml"):
            cluster.play(options, ray, threading.Event())
        with pytest.raises(ClusterError, match=r"is this the folder of a run"):
            cluster.Cluster(dataclasses.replace(options, run=tmp_path / "other"), ray, print)


def test_a_folder_that_is_no_run_is_named_at_once(tmp_path, capsys):
    assert cli.main(["cluster", "--run", str(tmp_path)]) == 1
    assert "is this the folder of a run" in capsys.readouterr().err


@needs_ray
def test_no_cluster_there(run):
    options = ClusterOptions(run=run, address="127.0.0.1:1")
    with pytest.raises(ClusterError, match=r"--address 127\.0\.0\.1:1: Ray does not answer"), cluster.connected(options):
        pass
