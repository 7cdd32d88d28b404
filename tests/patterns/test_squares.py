"""Indices of 3x3 squares: one index never stands for two squares, and few indices stand for the eight forms of one."""

import numpy as np
import pytest

from goengine.core.jit import kernel
from goengine.patterns.keys import SQUARE, forms, square_key
from goengine.patterns.squares import CLASSES, INDICES, square_index
from goengine.patterns.surroundings import is_sensible


@kernel
def indices_of(codes, found):
    for i in range(codes.size):
        found[i] = square_index(codes[i])


def numbers(codes):
    found = np.zeros(len(codes), np.int64)
    indices_of(np.ascontiguousarray(codes, np.uint32), found)
    return found


def test_an_index_stands_for_one_square():
    codes = np.random.default_rng(1).integers(0, 1 << 24, 3000)
    every, _ = forms(codes.astype(np.uint64), SQUARE)
    found = numbers(every)
    assert found.max() < INDICES and CLASSES == 666
    names: dict[int, int] = {}
    for index, code in zip(found.tolist(), every.tolist(), strict=True):
        assert names.setdefault(index, int(square_key(np.uint32(code)))) == square_key(np.uint32(code))


@pytest.mark.parametrize(
    ("code", "indices"),
    [
        (0, 1),
        (0o00000001, 1),  # one stone beside the centre: its four forms fold into one
        (0o00010000, 4),  # nothing beside the centre: nothing tells which way to turn the stone in the corner
        (0o00430012, 1),
    ],
)
def test_forms_fold(code, indices):
    every, places = forms(np.array([code], np.uint64), SQUARE)
    assert len(np.unique(numbers(every))) == indices
    assert (places == 0).all() and code in every.tolist() and 1 <= len(every) <= 8
    assert len({bool(is_sensible(np.uint32(form))) for form in every.tolist()}) == 1
