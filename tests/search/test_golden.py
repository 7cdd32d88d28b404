"""The presets still make the trees that `make_golden` has written down.

Visits and moves are compared as they are; values were written down with four digits.
"""

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
    for column, within in ((0, 0), (1, 2e-4)):  # visits; value
        there, here = ({move: row[column] for move, row in tree["moves"].items()} for tree in (expected, found))
        assert here == pytest.approx(there, rel=0, abs=within)
    assert (found["chosen"], found["pv"]) == (expected["chosen"], expected["pv"])
    assert found["value"] == pytest.approx(expected["value"], rel=0, abs=2e-4)


def test_every_tree_is_written_down(made):
    assert set(made) == set(GOLDEN)
