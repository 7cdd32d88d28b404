"""The shipped nets, shown and loaded from a folder with one net in it."""

from goengine.commands import nets
from goengine.evaluators import shipped_nets
from goengine.evaluators.load import load
from tests.evaluators.conftest import NAME


def test_the_list_and_the_card(net_folder, monkeypatch, capsys):
    monkeypatch.setattr(shipped_nets, "FOLDER", net_folder.parent)
    assert nets.main([]) == 0
    assert "random weights" in capsys.readouterr().out
    assert nets.main([NAME, "--verify"]) == 0
    out = capsys.readouterr().out
    assert "proven heads" in out
    assert "top1" in out


def test_the_default_net_is_loaded_by_no_name(net_folder, monkeypatch):
    monkeypatch.setattr(shipped_nets, "FOLDER", net_folder.parent)
    for name in ("", NAME):
        with load(name, device="cpu", size=9) as evaluator:
            assert evaluator.name == NAME
