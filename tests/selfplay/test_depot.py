"""A depot and its players, in one process: nets arrive, games arrive once, and nothing is left behind."""

import dataclasses
import re
import tempfile
import threading
import time

import numpy as np
import pytest

from goengine import __version__
from goengine.zero import run_folder
from goengine.zero.run_folder import RunFolderError, Status
from goengine.zero.shards import Shard
from selfplay import depot as depots
from selfplay.depot import Depot, DepotWorker
from selfplay.worker_options import ClusterOptions
from tests.zero.runs import SETTINGS, new_run, publish


@pytest.fixture
def run(tmp_path, monkeypatch):
    made = new_run(tmp_path / "run")
    (tmp_path / "node").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "node"))  # where players have their own folders
    monkeypatch.setattr(depots, "LOOK_SECONDS", 0.1)
    return made


@pytest.fixture
def depot(run):
    found = Depot(run, "c")
    yield found
    found.close()


def player(run, client, name="c-1") -> DepotWorker:
    return DepotWorker(name, ClusterOptions(run=run, games=8), client)


def play_until(run, client, enough, name="c-1", seconds=60.0) -> None:
    """Play until enough() holds, looked at now and then."""
    stop = threading.Event()

    def watch() -> None:
        end = time.monotonic() + seconds
        while not enough() and time.monotonic() < end and not stop.wait(0.05):
            pass
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        player(run, client, name).play(stop)
    finally:
        stop.set()
        watcher.join()


def names(run) -> list[str]:
    return sorted(path.name for path in run_folder.shard_paths(run))


def test_games_arrive_as_a_worker_would_have_written_them(run, depot):
    play_until(run, depot, lambda: depot.shards >= 2)
    assert names(run)[:2] == ["c-1-000001.npz", "c-1-000002.npz"] and len(names(run)) == depot.shards
    shards = [Shard.load(path) for path in run_folder.shard_paths(run)]
    assert {shard.net for shard in shards} == {"000000"}
    status = run_folder.read_status(run, "c-1")
    assert status.games == sum(map(len, shards)) == depot.report().games and depot.report().net == "000000"
    assert depot.report().pace.workers == 1
    assert depot.received == sum(path.stat().st_size for path in run_folder.shard_paths(run))
    assert not list((run.parent / "node").iterdir())


def test_the_next_player_of_a_name_goes_on_counting(run, depot):
    play_until(run, depot, lambda: depot.shards >= 1)
    before, games = depot.shards, depot.report().games
    depot.close()
    again = Depot(run, "c")  # as after a restart
    play_until(run, again, lambda: again.shards >= 1)
    assert names(run) == [f"c-1-{number:06d}.npz" for number in range(1, before + again.shards + 1)]
    shards = [Shard.load(path) for path in run_folder.shard_paths(run)]
    assert again.report().games == sum(map(len, shards)) > games
    seeds = np.concatenate([shard.seed for shard in shards])
    assert len(set(seeds.tolist())) == len(seeds)
    again.close()


def test_a_call_that_is_made_again_writes_nothing_twice(run, depot):
    for _ in range(2):
        depot.deliver("c-1", b"first", Status(games=3))
    depot.deliver("c-2", b"first", Status(games=1))
    depot.close()
    again = Depot(run, "c")
    assert again.report().games == 4
    again.deliver("c-1", b"first", Status(games=3))
    again.deliver("c-1", b"second", Status(games=5))
    again.deliver("c-1", None, Status(games=6))
    again.close()
    assert names(run) == ["c-1-000001.npz", "c-1-000002.npz", "c-2-000001.npz"]
    assert (run / "shards" / "c-1-000002.npz").read_bytes() == b"second" and again.report().games == 7


def test_newer_nets_arrive(run, depot):
    def enough() -> bool:
        if depot.shards == 1 and len(run_folder.nets(run)) == 1:
            publish(run, dataclasses.replace(SETTINGS, komi=5.0))
        return run_folder.read_status(run, "c-1").net == "000001"

    play_until(run, depot, enough)
    assert "000001" in {Shard.load(path).net for path in run_folder.shard_paths(run)}


def test_each_kind_gets_the_files_that_it_needs(run):
    put = []
    depot = Depot(run, "c", put=lambda files: put.append(files) or len(put))
    assert depot.newest("", "cpu") == ("000000", 1) and depot.newest("", "cpu") == ("000000", 1)
    assert depot.newest("", "cuda") == ("000000", 2) and depot.newest("000000", "cpu") is None
    assert [sorted(files) for files in put] == [["net.bin", "net.xml", "play.json"], ["net.safetensors", "play.json"]]
    assert put[0]["net.bin"] == (run / "nets/000000/net.bin").read_bytes()
    for name in run_folder.GRAPH:
        (run / "nets/000000" / name).unlink()
    depot._bundles.clear()
    assert depot.newest("", "torch-cpu") == ("000000", 3) and sorted(put[2]) == ["net.safetensors", "play.json"]
    with pytest.raises(RunFolderError, match=r"has no net\.xml"):
        depot.newest("", "cpu")
    depot.close()


def test_it_waits_for_the_first_net(tmp_path, run):
    empty = tmp_path / "empty"
    run_folder.create(empty, [5], "zero", {})
    depot = Depot(empty, "c")
    started = time.monotonic()
    play_until(empty, depot, lambda: time.monotonic() - started > 0.5)
    assert depot.report().games == 0 and depot.report().net == "" and names(empty) == []
    depot.close()


def test_what_was_left_by_a_killed_player_goes(run, depot):
    left = run.parent / "node" / depot.welcome("c-1", __version__).folder
    (left / "shards").mkdir(parents=True)
    (left / "shards" / "c-1-000001.npz").write_bytes(b"of another time")
    play_until(run, depot, lambda: depot.shards >= 1)
    assert not left.exists() and all(len(Shard.load(path)) for path in run_folder.shard_paths(run))


def test_what_a_depot_cannot_do_ends_its_player(run, depot, monkeypatch):
    def full(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(depot, "deliver", full)
    with pytest.raises(OSError, match="the disk is full"):
        play_until(run, depot, lambda: False)
    assert not list((run.parent / "node").iterdir())


def test_what_is_not_possible_is_named(run, depot, monkeypatch, tmp_path):
    with pytest.raises(RunFolderError, match=rf"c-1: its node has version 0\.0\.0, the head {re.escape(__version__)}"):
        depot.welcome("c-1", "0.0.0")
    monkeypatch.setattr(depots, "NAME_SECONDS", 0.0)
    with pytest.raises(RunFolderError, match="'c' is at work there"):
        Depot(run, "c")
    Depot(run, "d").close()
    with pytest.raises(RunFolderError, match="is this the folder of a run"):
        Depot(tmp_path / "nothing", "c")
    (run / "nets/000000/net.xml").write_text("<net>")
    with pytest.raises(Exception, match="net"):
        play_until(run, depot, lambda: False)
