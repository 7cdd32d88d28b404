"""The picture of the nets: every net is in it with its figures, or says that there are none."""

import math
from xml.etree import ElementTree

import pytest

from goengine.commands import nets, nets_picture


def test_figures_that_are_not_known_are_said(tmp_path):
    pytest.importorskip("matplotlib")
    found = [
        nets_picture.NetFigures("one", 19, 51.26, 0.72, 1234.4),
        nets_picture.NetFigures("two", 9, math.nan, math.nan, 5.0),
    ]
    nets_picture.draw(found, tmp_path / "nets.svg", "one")
    written = {"".join(e.itertext()) for e in ElementTree.parse(tmp_path / "nets.svg").iter() if e.tag.endswith("text")}
    assert {"one (19x19)", "two (9x9)", "51.3", "0.72", "1,234", "not known"} <= written


def test_a_net_that_does_not_exist(tmp_path, capsys):
    assert nets.main(["nobody", "--picture", "--out", str(tmp_path / "a.svg")]) == 1
    assert "no net 'nobody'" in capsys.readouterr().err
