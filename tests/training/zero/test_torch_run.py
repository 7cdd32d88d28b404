"""A run whose workers play by torch: on a machine without the optional packages, its self-test, and what fails on the way."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from goengine.zero import run_folder
from goengine.zero.run_folder import RunFolderError
from goengine.zero.shards import Shard
from tests.zero.runs import new_run
from training import cli
from training.core.checkpoint import RunError
from training.zero import publishing, rating, self_test, zero_run
from training.zero.rating import RatingGames
from training.zero.zero_options import Rate, ZeroOptions

ROOT = Path(__file__).parents[3]
TINY = ["--size", "5", "--net", "b2c16", "--visits", "4", "--play", "considered=4", "komi=3"]
TINY += ["--batch", "16", "--window", "300"]
PARTS = ("packages and device", "kernels", "10 games on 5x5", "a step of learning", "a published net, loaded and played")
OPTIONAL = ("openvino", "sgfmill", "rich", "platformdirs", "tensorboard", "matplotlib", "ray")
BLOCKS = f"""
import sys

class Blocks:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocks())
"""


@pytest.fixture(autouse=True)
def few_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def options(run: Path, **more) -> ZeroOptions:
    chosen = {"run": run, "size": "5", "net": "b2c16", "steps": 2, "visits": "4", "device": "torch-cpu"}
    return ZeroOptions(**(chosen | more)).resolve_defaults()


def without_graph(run: Path) -> Path:
    """A run folder whose net has no form for OpenVINO."""
    publishing.begin(options(run))
    assert {path.name for path in (run / "nets/000000").iterdir()} == {"net.safetensors", "play.json"}
    return run


def test_a_run_where_only_torch_numpy_and_numba_are(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(BLOCKS)  # every process of the run imports it at its start
    run = tmp_path / "run"
    command = [sys.executable, "-m", "training", "zero", "--run", str(run), *TINY, "--steps", "3", "--games", "16"]
    command += ["--device", "torch-cpu"]
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    blocked = subprocess.run([sys.executable, "-c", "import rich"], env=env, capture_output=True, text=True, check=False)
    assert "No module named 'rich'" in blocked.stderr
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for part in PARTS:
        assert f"self-test: {part}: " in done.stderr
    assert "of 16 games on torch-cpu" in done.stderr and "nets for torch alone; ratings off" in done.stderr
    newest = run_folder.newest(run)
    assert newest.step == 3 and not (newest.folder / "net.xml").exists()
    status = run_folder.read_status(run, "w1")
    assert sum(len(Shard.load(path)) for path in run_folder.shard_paths(run)) == status.games > 0
    assert status.device.startswith("cpu ") and run_folder.read_config(run)["options"]["device"] == "torch-cpu"


def test_processes_of_torch_have_one_thread_each(tmp_path):
    found = zero_run.members(options(tmp_path, workers=2, rate_games=4))
    assert [member.name for member in found] == ["w1", "w2", "rating"]
    for member in found:
        assert member.environment["OMP_NUM_THREADS"] == "1"
        assert member.command[member.command.index("--device") + 1] == "torch-cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_here_leaves_no_folder(tmp_path, capsys):
    assert cli.main(["zero", "--run", str(tmp_path / "run"), *TINY, "--steps", "2", "--device", "cuda"]) == 1
    said = capsys.readouterr().err
    assert "--device cuda: " in said and "--device torch-cpu" in said and not (tmp_path / "run").exists()


def test_ratings_need_sgfmill(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(zero_run, "importable", lambda package: package != "sgfmill")
    command = ["zero", "--run", str(tmp_path / "run"), *TINY, "--steps", "2", "--device", "torch-cpu", "--rate-games", "4"]
    assert cli.main(command) == 1
    assert "pip install it, or give --rate-games 0" in capsys.readouterr().err and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "program, said",
    [
        ("sys.exit('cuda failed (CUDA error: unspecified launch failure)')", "kernels: failed after .*status 1: cuda failed"),
        ("time.sleep(60)", "kernels: failed after .*not done after 1 s; its process last said: nothing"),
    ],
)
def test_a_part_that_fails_is_named(tmp_path, monkeypatch, program, said):
    def process(name, folder, *command):
        words = (sys.executable, "-c", f"import sys, time; {program}")
        return self_test.WatchedProcess(name, words, folder / f"{name}.log")

    monkeypatch.setattr(self_test, "_process", process)
    monkeypatch.setattr(self_test, "KERNELS_SECONDS", 1.0 if "sleep" in program else 60.0)
    told = []
    with pytest.raises(RunError, match=f"self-test: {said}"):
        self_test.run(options(tmp_path / "run"), told.append)
    assert any(line.startswith("self-test: packages and device: ") for line in told) and not (tmp_path / "run").exists()


def test_a_wrong_net_fails_the_self_test(tmp_path, monkeypatch):
    monkeypatch.setattr(self_test._Test, "_compile", lambda self: self.folder.parent.mkdir(exist_ok=True))
    (tmp_path / "net.safetensors").write_bytes(b"no net")
    with pytest.raises(RunError, match=r"self-test: 10 games on 5x5: failed after .*net\.safetensors"):
        self_test.run(options(tmp_path / "run", net=str(tmp_path / "net.safetensors")), print)


def test_nets_are_rated_where_the_run_plays(tmp_path, capsys):
    run = without_graph(tmp_path / "run")
    zero_run.rate(Rate(run=run, games=4, visits=2), threading.Event())
    assert rating.rated(run) == {"000000"} and "net 000000: " in capsys.readouterr().err


def test_a_rating_elsewhere_says_what_is_missing(tmp_path, capsys):
    run = without_graph(tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"has no net\.xml.*--device torch-cpu or cuda"):
        rating.rate_net(run, run_folder.newest(run), RatingGames(4, 2, "cpu"))
    zero_run.rate(Rate(run=run, games=4, visits=2, device="cpu"), threading.Event())
    assert "net 000000 is not rated" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_ratings_of_a_run_whose_gpu_is_elsewhere(tmp_path, capsys):
    run = without_graph(tmp_path / "run")
    config = run_folder.read_config(run)
    run_folder.write_json(run / "config.json", config | {"options": config["options"] | {"device": "cuda"}})
    assert zero_run._rating_device(Rate(run=run)) == "torch-cpu"
    assert "ratings on torch-cpu" in capsys.readouterr().err
    assert zero_run._rating_device(Rate(run=run, device="cuda")) == "cuda"
    assert zero_run._rating_device(Rate(run=new_run(tmp_path / "other"))) == "cpu"  # of an earlier version
