"""What the commands say of a machine that lacks a package, and of a run that came to nothing."""

import sys

import pytest

from goengine.core.options import Seconds
from goengine.nets import weights_file
from goengine.zero import run_folder
from training import cli, learning_commands
from training.zero import publishing, zero_run
from training.zero.zero_options import ZeroOptions


@pytest.mark.parametrize(("package", "extra"), [("torch", "train"), ("torch.nn", "train"), ("matplotlib", "pictures")])
def test_a_missing_package_names_its_extra(monkeypatch, capsys, tmp_path, package, extra):
    def missing(*_):
        monkeypatch.setitem(sys.modules, package, None)
        __import__(package)

    monkeypatch.setattr(weights_file, "load", missing)
    options = ["--weights", str(tmp_path / "net.safetensors"), "--net", "b4c32", "--out", str(tmp_path / "out")]
    assert cli.main(["grow", *options]) == 1
    assert f"pip install 'goengine[{extra}]'" in capsys.readouterr().err


def test_a_module_of_our_own_that_is_missing_is_a_fault(monkeypatch, tmp_path):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'goengine.lost'", name="goengine.lost")

    monkeypatch.setattr(weights_file, "load", missing)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["grow", "--weights", str(tmp_path), "--net", "b4c32", "--out", str(tmp_path / "out")])


def test_a_run_that_learned_nothing_fails(monkeypatch, capsys, tmp_path):
    config = ZeroOptions(run=tmp_path / "run", size="5", net="b2c16", budget=Seconds(60))
    first = publishing.begin(config.resolve_defaults())
    assert first.step == 0 and run_folder.newest(config.run).step == 0
    monkeypatch.setattr(zero_run, "run", lambda *_: True)
    assert learning_commands.run_zero(config) == 1
    assert "nothing was learned" in capsys.readouterr().err
    monkeypatch.setattr(zero_run, "run", lambda *_: False)
    assert learning_commands.run_zero(config) == 130
