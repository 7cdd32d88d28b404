"""The shipped nets, shown and loaded from a folder with one net in it."""

import json
import shutil

from goengine.commands import nets
from goengine.evaluators import shipped_nets
from goengine.evaluators.load import load
from goengine.nets import card as cards
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


def test_the_list_says_on_which_boards_a_net_plays_by_itself(net_folders, tmp_path, monkeypatch, capsys):
    """A head with places plays none that it has not learned, though no other net is there."""
    for name, sizes in {"lee-policy-8": [9], "lee-value-8": [19], NAME: [9]}.items():
        shutil.copytree(net_folders["b2c16" if name == NAME else name], tmp_path / name)
        told = json.loads((tmp_path / name / cards.FILE).read_text())
        (tmp_path / name / cards.FILE).write_text(json.dumps(told | {"results": told["results"] | {"sizes": sizes}}))
    monkeypatch.setattr(shipped_nets, "FOLDER", tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    assert nets.main([]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "random weights" in line]
    assert {row[0]: row[2 : row.index("M") - 1] for row in rows} == {
        "lee-policy-8": ["lee", "9"],
        "lee-value-8": ["lee", "19"],
        NAME: ["9", "13", "19"],
    }
