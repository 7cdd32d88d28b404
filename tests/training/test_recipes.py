"""The recipes: each is read by the command that its first line names, and says what the documents tell of the run."""

import shlex
import tomllib
from pathlib import Path

import pytest

from goengine.arena.match_command import MatchOptions
from goengine.core.options import Seconds, parse, parse_command
from training.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


def read(path: Path):
    """The options that the command in the first line of a recipe comes to."""
    words = shlex.split(path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#"))
    words = [word.replace("...", "") for word in words]
    assert words[words.index("--config") + 1] == f"recipes/{path.name}"
    if words[:2] == ["goengine", "match"]:
        return parse(MatchOptions, words[2:])
    assert words[:3] == ["python", "-m", "training"]
    return parse_command({name: kind for name, (kind, _) in COMMANDS.items()}, words[3:])[1]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_its_command_reads_it(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    options, told = read(path), tomllib.loads(path.read_text(encoding="utf-8"))
    assert len(told) > 4
    for key, value in told.items():
        found = getattr(options, key.replace("-", "_"))
        if isinstance(found, Seconds) or isinstance(value, list):
            assert found, key
        else:
            assert found == (Path(value) if isinstance(found, Path) else value), key


def test_there_are_the_runs_of_the_documents():
    names = {path.stem for path in RECIPES}
    assert names >= {"zero-9x9-1", "zero-9x9-2", "zero-9x9-3", "codistill-gpu", "lee-policy", "lee-reinforced", "lee-value"}
    listed = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.toml`" in listed for name in names)


def test_the_starts_of_a_run_are_of_one_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    first, second, third = (read(path) for path in RECIPES if path.stem.startswith("zero-9x9"))
    assert first.run == second.run == third.run and first.budget == second.budget < third.budget
    assert (first.net, second.net, third.net) == ("b4c32", "b5c48", "b5c48")
