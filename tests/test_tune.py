"""benchmarks/tune.py: what it tries, that it goes on where it was, and that matches against other defaults are not mixed."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parent.parent / "benchmarks" / "tune.py"


@pytest.fixture(scope="module")
def tune():
    spec = importlib.util.spec_from_file_location("tune", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tune"] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["tune"]


def test_every_variant_changes_something(tune):
    tuning = tune.Tuning(net="uniform")
    everything = [text for texts in tune.GRID.values() for text in texts]
    assert tuning.wanted() == everything and len(set(everything)) == len(everything)
    assert tune.Tuning(net="uniform", variants=("cpuct=1.0", "cpuct=1.1")).wanted() == ["cpuct=1.1"]
    assert tune.Tuning(net="uniform", only=("cpuct",)).wanted() == list(tune.GRID["cpuct"])
    assert tune.Tuning(net="uniform", base="cpuct=2.0").player("leaves=3").params.cpuct == 2.0


@pytest.mark.parametrize("bad", [{"only": ("luck",)}, {"games": 3}, {"games": 0}])
def test_what_makes_no_sense(tune, bad):
    with pytest.raises(ValueError):
        tune.Tuning(**bad)
    with pytest.raises(ValueError):
        tune.Tuning(net="uniform", variants=("luck=1",)).wanted()


def test_a_small_run(tune, tmp_path, monkeypatch, capsys):
    words = "tune --size 5 --visits 4 --net uniform --openings random --komi 0.5 --variants cpuct=3 leaves=1 --games"
    for games in ("2", "4"):
        monkeypatch.setattr(sys, "argv", [*words.split(), games, "--folder", str(tmp_path)])
        assert tune.main() == 0
    table = json.loads((tmp_path / "5x5-4-visits-uniform.json").read_text())
    assert list(table["results"]) == ["leaves=1", "cpuct=3"] and table["defaults"]["cpuct"] == 1.0
    assert all(row["games"] == 4 for row in table["results"].values())
    assert "| cpuct=3 | 4 |" in (tmp_path / "5x5-4-visits-uniform.md").read_text()
    place = tmp_path / "5x5-4-visits-uniform" / "defaults.json"
    place.write_text(place.read_text().replace('"cpuct": 1.0', '"cpuct": 0.9'))
    assert tune.main() == 1 and "cpuct=0.9" in capsys.readouterr().err
