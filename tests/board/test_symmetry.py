"""The eight symmetries: a group, consistent between planes, policies, flat arrays and points."""

import numpy as np
import pytest

from goengine.board import coords, symmetry

SIZES = (2, 5, 9, 19, 25)


@pytest.mark.parametrize("s", range(8))
def test_inverse(s):
    assert symmetry.compose(s, symmetry.inverse(s)) == symmetry.compose(symmetry.inverse(s), s) == 0
    assert symmetry.INVERSE[s] == symmetry.inverse(s)


@pytest.mark.parametrize("size", SIZES)
def test_compose_is_one_map_after_the_other(size):
    board = np.arange(size * size).reshape(size, size)
    for first in range(8):
        for second in range(8):
            both = symmetry.planes(symmetry.planes(board, first), second)
            assert np.array_equal(both, symmetry.planes(board, symmetry.compose(first, second)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("s", range(8))
def test_all_forms_agree(size, s):
    policy = np.arange(size * size + 1, dtype=np.float32)
    board = symmetry.planes(policy[:-1].reshape(size, size), s)
    assert np.array_equal(symmetry.policy(policy, s)[:-1], board.ravel())
    assert symmetry.policy(policy, s)[-1] == policy[-1]
    assert np.array_equal(symmetry.flat(policy[:-1], s), board.ravel())
    for i in (0, 1, size * size // 2, size * size - 1, size * size):
        there = symmetry.index(i, s, size)
        assert symmetry.policy(policy, s)[there] == policy[i]
        p = coords.from_index(i, size)
        assert coords.to_index(symmetry.point(p, s, size), size) == there


def test_the_eight_maps_differ_and_the_names_hold():
    board = np.arange(9).reshape(3, 3)
    assert len({symmetry.planes(board, s).tobytes() for s in range(8)}) == 8
    assert symmetry.planes(board, 1)[0].tolist() == [6, 7, 8]
    assert symmetry.planes(board, 2)[0].tolist() == [2, 1, 0]
    assert symmetry.planes(board, 4)[0].tolist() == [0, 3, 6]


def test_by_row():
    rng = np.random.default_rng(1)
    symmetries = rng.permutation(8)
    planes, policy = rng.random((8, 3, 7, 7)), rng.random((8, 50))
    moved, policies = symmetry.planes_by_row(planes, symmetries), symmetry.policy_by_row(policy, symmetries)
    flat = symmetry.flat_by_row(policy[:, :-1], symmetries)
    for row, s in enumerate(symmetries):
        assert np.array_equal(moved[row], symmetry.planes(planes[row], s))
        assert np.array_equal(policies[row], symmetry.policy(policy[row], s))
        assert np.array_equal(flat[row], policies[row, :-1])


def test_a_wrong_number_of_points_is_named():
    with pytest.raises(ValueError, match="80"):
        symmetry.policy(np.zeros(81), 3)
