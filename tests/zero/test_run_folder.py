"""The folder of a run: nets and shards appear whole and in order, and other versions and runs are refused untouched."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from goengine.zero import run_folder
from goengine.zero.run_folder import NET_FILES, RunFolderError, SizeSettings, Status
from goengine.zero.selfplay_params import SelfPlayParams, SelfPlayParamsError

SETTINGS = SelfPlayParams(size=5, visits=8)
BOARDS = (SizeSettings(SETTINGS),)


def write_net(folder) -> None:
    for name in NET_FILES:
        (folder / name).write_bytes(b"net")


@pytest.fixture
def run(tmp_path):
    run_folder.create(tmp_path / "run", [5], "zero", {"visits": "8"})
    return tmp_path / "run"


def snapshot(folder) -> dict:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_a_run_is_made_once_and_gone_on_with(run):
    assert run_folder.check(run, [5], "zero")
    run_folder.create(run, [5], "zero", {"visits": "16"})
    config = run_folder.read_config(run)
    assert config == {"format": run_folder.FORM, "sizes": [5], "features": "zero", "options": {"visits": "16"}}
    assert not run_folder.check(run.parent / "new", [5], "zero") and not (run.parent / "new").exists()


@pytest.mark.parametrize(
    "change, said",
    [
        ({"format": "goengine zero run 1", "size": 5}, "form 'goengine zero run 1', this program reads 'goengine zero run 2'"),
        ({"format": None}, "form 'None'"),
        ({"sizes": [9]}, "a run with size 9, not 5"),
        ({"sizes": [9, 5]}, "a run with size 5 and 9, not 5"),
        ({"features": "agz17"}, "a run with features agz17, not zero"),
        ({"sizes": "9"}, "damaged"),
        ({"sizes": []}, "damaged"),
        ({"sizes": ["9"]}, "damaged"),
    ],
)
def test_other_runs_are_refused_and_left_alone(run, change, said):
    config = json.loads((run / "config.json").read_text()) | change
    (run / "config.json").write_text(json.dumps(config))
    before = snapshot(run)
    with pytest.raises(RunFolderError, match=said):
        run_folder.create(run, [5], "zero", {})
    assert snapshot(run) == before


@pytest.mark.parametrize("text, said", [("{", "damaged"), ("[]", "not a JSON object"), ("", "damaged")])
def test_damaged_configurations(run, text, said):
    (run / "config.json").write_text(text)
    with pytest.raises(RunFolderError, match=rf"config\.json: .*{said}"):
        run_folder.create(run, [5], "zero", {})
    assert (run / "config.json").read_text() == text


def test_somebody_elses_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunFolderError, match="holds something, but no run"):
        run_folder.create(tmp_path, [5], "zero", {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(RunFolderError, match=r"cannot be read: .*; is this the folder of a run"):
        run_folder.read_config(tmp_path)


def test_nets_are_numbered_and_the_newest_is_found(run):
    assert run_folder.newest(run) is None and run_folder.nets(run) == []
    first = run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    second = run_folder.publish(run, write_net, [SizeSettings(replace(SETTINGS, komi=3.5))], samples=640, step=10)
    assert (first.number, first.name, second.number, second.name) == (0, "000000", 1, "000001")
    assert run_folder.newest(run) == second and second.settings.komi == 3.5 and (second.samples, second.step) == (640, 10)
    assert run_folder.nets(run) == [first, second] and second.made.endswith("+00:00")
    assert {path.name for path in second.folder.iterdir()} == {*NET_FILES, "play.json"}


def test_a_net_without_a_graph(run):
    def write(folder, *names) -> None:
        for name in ("net.safetensors", *names):
            (folder / name).write_bytes(b"1")

    net = run_folder.publish(run, write, BOARDS, samples=0, step=0)
    assert run_folder.newest(run) == net
    assert net.file_for("cuda:1") == net.file_for("torch-cpu") == net.folder / "net.safetensors"
    with pytest.raises(RunFolderError, match=r"has no net\.xml.*torch-cpu or cuda"):
        net.file_for("cpu")
    with pytest.raises(RunFolderError, match=r"net\.bin was not written"):
        run_folder.publish(run, lambda folder: write(folder, "net.xml"), BOARDS, samples=0, step=0)
    whole = run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    assert whole.file_for("cpu") == whole.folder / "net.xml"


def test_a_net_for_several_sizes(tmp_path):
    run = tmp_path / "run"
    run_folder.create(run, [7, 5], "zero", {})
    assert run_folder.check(run, [5, 7], "zero") and run_folder.read_config(run)["sizes"] == [7, 5]
    with pytest.raises(RunFolderError, match="a run with size 5 and 7, not 7"):
        run_folder.check(run, [7], "zero")
    boards = (SizeSettings(replace(SETTINGS, size=7, komi=9.0), 0.75), SizeSettings(SETTINGS, 0.25))
    net = run_folder.publish(run, write_net, boards, samples=0, step=0)
    assert run_folder.newest(run) == net and net.boards == boards
    assert net.settings.komi == 9.0 and net.sizes == (7, 5)  # the first size is what ratings are about


def test_nobody_sees_a_net_before_it_is_whole(run):
    def write(folder) -> None:
        assert run_folder.newest(run) is None and not (run / "nets" / "000000").exists()
        (folder / "net.xml").write_bytes(b"")

    with pytest.raises(RunFolderError, match=r"net\.bin, net\.safetensors was not written"):
        run_folder.publish(run, write, BOARDS, samples=0, step=0)
    assert list((run / "nets").iterdir()) == []
    left = run / "nets" / ".000000.part"  # of a process that was killed
    left.mkdir()
    (left / "net.old").write_bytes(b"")
    assert run_folder.newest(run) is None
    net = run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    assert not left.exists() and not (net.folder / "net.old").exists()


def played(*boards) -> str:
    """A play.json."""
    return json.dumps({"boards": boards, "samples": 1, "step": 1, "made": ""})


@pytest.mark.parametrize(
    "play, said",
    [
        ("{", "damaged"),
        ("{}", "damaged"),
        (played(3), "damaged"),
        (played(), "damaged"),
        (played({"settings": {}}), "damaged"),
        (played({"settings": {}, "share": 0}), "share above 0"),
        (played({"settings": {}, "share": 0.5}, {"settings": {}, "share": 0.5}), "one of each size"),
        (played({"settings": {"tempo": 3}, "share": 1}), "no setting 'tempo'; it was written by another version"),
        (played({"settings": {"visits": 1}, "share": 1}), "visits"),
    ],
)
def test_nets_with_settings_that_make_no_sense(run, play, said):
    net = run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    (net.folder / "play.json").write_text(play)
    with pytest.raises(RunFolderError, match=said) as caught:
        run_folder.newest(run)
    assert "000000" in str(caught.value)


def test_pruning_keeps_the_first_the_last_and_what_is_asked_for(run):
    for _ in range(12):
        run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    run_folder.prune(run, keep={3, 6, 99})
    assert [net.number for net in run_folder.nets(run)] == [0, 3, 6, 8, 9, 10, 11]
    assert {path.name for path in (run / "nets").iterdir()} == {f"{n:06d}" for n in (0, 3, 6, 8, 9, 10, 11)}
    assert run_folder.publish(run, write_net, BOARDS, samples=0, step=0).number == 12


@pytest.mark.parametrize("komi", [float("nan"), float("inf")])
def test_komi_that_is_no_number(komi):
    with pytest.raises(SelfPlayParamsError, match="komi must be a number"):
        replace(SETTINGS, komi=komi)


def test_what_was_half_removed_goes_with_the_next_pruning(run):
    (run / "nets" / ".000012.old").mkdir()
    run_folder.prune(run, keep=())
    assert not list((run / "nets").glob(".*"))


def test_a_net_that_is_removed_while_we_look_is_none(run, monkeypatch):
    gone = run / "nets" / "000007"
    monkeypatch.setattr(run_folder, "_net_folders", lambda run: [(7, gone)])
    assert run_folder.nets(run) == []
    gone.mkdir()
    with pytest.raises(RunFolderError, match="000007"):
        run_folder.nets(run)


def test_shards_by_time_and_counters_that_go_on(run):
    names = ["b-000001.npz", "a-000001.npz", "a-000002.npz"]
    for age, name in enumerate(names):
        (run / "shards" / name).write_bytes(b"")
        os.utime(run / "shards" / name, (100 + age, 100 + age))
    (run / "shards" / ".a-000003.npz.77.part").write_bytes(b"")
    (run / "shards" / "notes.txt").write_bytes(b"")
    assert [path.name for path in run_folder.shard_paths(run)] == names
    assert run_folder.next_shard_path(run, "a").name == "a-000003.npz"
    assert run_folder.next_shard_path(run, "a.b").name == "a.b-000001.npz"  # the point stands for itself
    assert run_folder.next_shard_path(run, "new").name == "new-000001.npz"


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a b", "-a", "x" * 101])
def test_names_that_no_worker_can_have(run, name):
    with pytest.raises(RunFolderError, match="cannot name a worker"):
        run_folder.next_shard_path(run, name)


def test_status(run):
    assert run_folder.statuses(run) == {} and run_folder.read_status(run, "w1") == Status()
    run_folder.write_status(run, "w1", Status(games=3, net="000001"))
    (run / "status" / "w2.json").write_text('{"games": 3, "mood": "good"}')  # another version's
    assert run_folder.statuses(run) == {"w1": Status(games=3, net="000001"), "w2": Status()}


def test_what_a_killed_run_left_is_removed(run):
    published = run_folder.publish(run, write_net, BOARDS, samples=0, step=0)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (run / run_folder.MATCHES).mkdir(exist_ok=True)
    (run / run_folder.STATUS).mkdir(exist_ok=True)
    left = [run / f".config.json.{ended.pid}.part", run / run_folder.MATCHES / f".elo.json.{ended.pid}.part"]
    of_worker = [run / run_folder.STATUS / f".w{n}.json.{ended.pid}.part" for n in (1, 2)]
    for path in left + of_worker:
        path.write_bytes(b"half")
    (run / run_folder.NETS / ".000007.part").mkdir()
    (run / run_folder.NETS / ".000007.part" / "net.xml").write_bytes(b"half")
    run_folder.remove_leftovers(run)
    assert not any(path.exists() for path in left) and all(path.exists() for path in of_worker)
    assert [path.name for path in (run / run_folder.NETS).iterdir()] == [published.name]
    run_folder.remove_halves(run, "w1")
    assert [path.exists() for path in of_worker] == [False, True]
