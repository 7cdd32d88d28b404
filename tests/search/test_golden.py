"""The presets still make the trees that `make_golden` has written down."""

import json

import pytest

from tests.search.make_golden import FILE, trees

GOLDEN = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def made():
    return trees()


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(made, name):
    expected, found = GOLDEN[name], made[name]
    assert {move: row[0] for move, row in found["moves"].items()} == {move: row[0] for move, row in expected["moves"].items()}
    assert (found["chosen"], found["pv"]) == (expected["chosen"], expected["pv"])
    assert found["value"] == pytest.approx(expected["value"], abs=1e-3)


def test_every_tree_is_written_down(made):
    assert set(made) == set(GOLDEN)
