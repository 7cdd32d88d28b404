"""The door for files of others: kind and size before content, and what killed processes leave behind."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from goengine.core import array_file, files
from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.core.files import open_outside, read_outside, remove_parts, replacing
from goengine.core.lock import FileLock

posix = pytest.mark.skipif(os.name != "posix", reason="there are no such files here")
META = {"format": "test", "version": 1}


def sparse(path: Path, length: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(length)
    return path


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    code = "import os; print(os.getpid())"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def test_a_plain_file_is_read_to_its_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_outside(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="is too long: 5 bytes, at most 4"):
        read_outside(tmp_path / "a", 4)


@posix
def test_what_is_no_file_is_neither_opened_nor_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name, kind in (("pipe", "pipe"), ("link", "pipe"), (".", "folder"), ("/dev/zero", "device"), ("/dev/null", "device")):
        with pytest.raises(OSError, match=f"is a {kind}, not a file"):
            open_outside(tmp_path / name, 1 << 40)
    with pytest.raises(FileNotFoundError):
        open_outside(tmp_path / "none", 5)


@posix
def test_a_file_that_grows_is_read_to_the_limit(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"12345")
    monkeypatch.setattr(files, "_check_outside", lambda *_: None)
    with pytest.raises(OSError, match="longer than 4 bytes"):
        read_outside(tmp_path / "a", 4)


def test_a_sparse_file_is_refused_by_its_size(tmp_path):
    with pytest.raises(OSError, match="is too long"):
        open_outside(sparse(tmp_path / "sparse", 4 << 30), 1 << 30)


def test_parts_of_processes_that_ended_are_removed(tmp_path, ended):
    gone = [tmp_path / f".{name}.{ended}.part" for name in ("a.npz", "a.b.json", ".hidden")] + [
        tmp_path / f".mine.{os.getpid()}.part"
    ]
    kept = [tmp_path / f".a.npz.{os.getppid()}.part", tmp_path / "a.part", tmp_path / ".a.part", tmp_path / "a.npz"]
    for path in gone + kept:
        path.write_bytes(b"x")
    remove_parts(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    remove_parts(tmp_path / "none")


def test_parts_of_one_file(tmp_path, ended):
    for name in ("a", "b"):
        (tmp_path / f".{name}.{ended}.part").write_bytes(b"x")
    remove_parts(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == [f".b.{ended}.part"]


KILLED = """
import os, signal, sys
from goengine.core.files import replacing
with replacing(sys.argv[1]) as beside:
    beside.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_what_a_killed_save_leaves_can_be_removed(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "file"], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    lock = FileLock(tmp_path / "lock")
    remove_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    lock.release()
    with replacing(tmp_path / "file") as beside:
        beside.write_bytes(b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


# -- arrays --


@pytest.fixture
def arrays(tmp_path) -> Path:
    write_arrays(tmp_path / "a.npz", {"x": np.arange(5)}, META)
    assert read_arrays(tmp_path / "a.npz", "test", 1)[0]["x"].tolist() == [0, 1, 2, 3, 4]
    return tmp_path / "a.npz"


def add_zeros(path: Path, name: str, length: int) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as target, target.open(name, "w", force_zip64=True) as member:
        for _ in range(length >> 20):
            member.write(bytes(1 << 20))


def test_a_member_of_zeros_is_refused_by_the_listed_size(arrays, monkeypatch):
    add_zeros(arrays, "extra.npy", 300 << 20)
    assert arrays.stat().st_size < 1 << 20
    monkeypatch.setattr(array_file, "_read_member", lambda *_: pytest.fail("a member was read"))
    with pytest.raises(RecordError, match=r"a\.npz: its members are too long: 3\d{8} bytes"):
        read_arrays(arrays, "test", 1)


def test_a_well_packed_file_is_read(tmp_path):
    write_arrays(tmp_path / "zeros.npz", {"x": np.zeros(20 << 20, np.uint8)}, META)
    assert read_arrays(tmp_path / "zeros.npz", "test", 1)[0]["x"].size == 20 << 20


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice(arrays):
    with zipfile.ZipFile(arrays, "a") as target:
        target.writestr("x.npy", b"")
    with pytest.raises(RecordError, match="twice"):
        read_arrays(arrays, "test", 1)


def test_too_many_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as target:
        for number in range(15_000):
            target.writestr(f"a-name-as-long-as-it-may-be-here-{number:06d}", b"")
    with pytest.raises(RecordError, match="list of members is too long"):
        read_arrays(tmp_path / "many.npz", "test", 1)


def test_no_array_file_at_all(tmp_path):
    with pytest.raises(RecordError, match="is too long"):
        read_arrays(sparse(tmp_path / "sparse.npz", 4 << 30), "test", 1)
    with pytest.raises(RecordError, match="is a folder"):
        read_arrays(tmp_path, "test", 1)
