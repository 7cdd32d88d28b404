"""Shipping: what a card tells of a run, and what is refused before any work."""

import pytest

from training import cli
from training.shipping import without_folders


def test_a_card_names_files_but_no_folders():
    config = {"data": ["/home/me/a.npz", "../secret/b.npz", "c.npz"], "run": "C:\\runs\\first", "rate": 0.1, "net": "b4c64"}
    assert without_folders(config) == {
        "data": ["a.npz", "b.npz", "c.npz"], "run": "first", "rate": 0.1, "net": "b4c64",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more, said",
    [(["--proven", "luck"], "luck"), (["--sizes", "99"], "--sizes"), (["--games", "held-out.sgf"], "the command pack")],
)
def test_wrong_options(more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["ship", "--weights", "net.safetensors", "--name", "mine", "--games", "held-out.npz", *more])
    assert stop.value.code == 2 and said in capsys.readouterr().err
