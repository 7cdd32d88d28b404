"""The wheel alone, installed outside the clone: it plays, trains, ships a net and plays that by its name."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.training.conftest import random_record
from tests.vision.boards import draw, encoded, position
from training.data.packs import GamePack

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("goengine", "training", "selfplay")

pytestmark = pytest.mark.slow


class Installed:
    """A virtual environment with the wheel, and the dependencies of the running interpreter."""

    def __init__(self, folder: Path):
        self.cwd = folder / "elsewhere"
        self.cwd.mkdir()
        self.env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        self.env["GOENGINE_NETS"] = str(folder / "nets")
        venv.create(folder / "venv", with_pip=False)
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / ("python.exe" if os.name == "nt" else "python")
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, str(_wheel(folder))], check=True)
        own = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, *arguments: object, text: str | None = None) -> subprocess.CompletedProcess:
        """The environment's Python, in a folder that is no clone."""
        return self._run([self.python, *arguments], text)

    def goengine(self, *arguments: object, text: str | None = None) -> subprocess.CompletedProcess:
        """The command that the wheel installs."""
        return self._run([self.bin / "goengine", *arguments], text)

    def _run(self, command: list[object], text: str | None) -> subprocess.CompletedProcess:
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=self.cwd, env=self.env, input=text or "", capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done


def _wheel(folder: Path) -> Path:
    """Built from a copy, so that nothing of an earlier build gets in and nothing is left in the clone."""
    copy = folder / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*build, str(copy)], check=True)
    (wheel,) = folder.glob("goengine-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Installed:
    """The wheel, installed once."""
    return Installed(tmp_path_factory.mktemp("wheel"))


def _plays(installed: Installed, *options: str) -> None:
    script = "boardsize 5\nclear_board\nplay b c3\ngenmove w\ngenmove b\ngenmove w\nquit\n"
    answers = installed.goengine("gtp", *options, "--visits", "8", text=script).stdout.split("\n\n")
    moves = [answer.removeprefix("=").strip() for answer in answers[3:6]]
    assert all(answer.startswith("=") for answer in answers[:7]), answers
    assert all(move in ("PASS", "pass", "resign") or (move[0] in "ABCDE" and move[1] in "12345") for move in moves), moves


def test_the_packages_are_those_of_the_wheel(installed):
    code = f"import {', '.join(PACKAGES)}; print(*(p.__file__ for p in ({', '.join(PACKAGES)})), sep='\\n')"
    places = installed.run("-c", code).stdout.splitlines()
    assert len(places) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed.bin.parent) for place in places), places


def test_it_plays(installed):
    _plays(installed)


def test_its_books_are_there(installed):
    places = installed.run("-c", "from goengine.book.shelf import shipped; print(shipped(7), shipped(9))").stdout.split()
    assert [Path(place).name for place in places] == ["book-7x7.npz", "book-9x9.npz"]


def test_it_reads_pictures(installed, tmp_path):
    rows = position(9, 1, 0.3)
    picture = tmp_path / "board.png"
    picture.write_bytes(encoded(draw(rows, 24)))
    for reader in ("segment", "detect"):
        told = json.loads(installed.goengine("read", picture, "--json", "--reader", reader).stdout)
        assert told["boards"][0]["stones"] == rows


def test_the_page_is_in_it_and_its_source_is_not(installed):
    code = "import goengine.web as web, pathlib; print(*(p.name for p in pathlib.Path(web.__file__).parent.rglob('*')))"
    names = installed.run("-c", code).stdout.split()
    assert {"index.html", "app.js", "app.css", "LICENSES.txt"} <= set(names)
    assert "node_modules" not in names and "main.jsx" not in names


def test_it_trains_ships_and_plays_by_name(installed):
    pack = installed.cwd / "pack.npz"
    GamePack.build(random_record(5, seed) for seed in range(30) if seed % 5).save(pack)  # on 5x5 two handicap stones meet
    options = ["--net", "b4c64", "--steps", "4", "--batch", "16", "--threads", "1", "--workers", "1"]
    installed.run("-m", "training", "supervised", "--data", pack, "--validation", pack, "--run", "runs/first", *options)
    options = ["--name", "mine", "--games", pack, "--positions", "20", "--sizes", "5", "--threads", "1"]
    said = installed.run("-m", "training", "ship", "--weights", "runs/first/net.safetensors", *options).stdout
    assert "goengine gtp --net mine" in said and str(Path(installed.env["GOENGINE_NETS"]) / "mine") in said
    assert "mine" in installed.goengine("nets").stdout
    _plays(installed, "--net", "mine")


def test_it_learns_from_nothing(installed):
    options = ["--net", "b2c16", "--budget", "40s", "--workers", "1", "--games", "8", "--visits", "4", "--window", "200"]
    learned = [*options, "--first-rows", "20", "--batch", "16", "--rate-games", "0"]
    installed.run("-m", "training", "zero", "--size", "5", "--run", "runs/five", *learned)
    assert (installed.cwd / "runs/five/learner/net.safetensors").is_file()
