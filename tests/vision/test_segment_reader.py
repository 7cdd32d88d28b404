"""The shipped reader on drawn boards: plain ones without an error, and what it does where there is no board."""

import hashlib
import json

import numpy as np
import pytest

from goengine.vision.segment_reader import WEIGHTS, SegmentReader
from training.pictures.render import render


@pytest.fixture(scope="module")
def reader():
    return SegmentReader(threads=1)


def whole_boards(kind, wanted):
    """Drawn pictures of one whole board of a usual size each."""
    number, found = 0, []
    while len(found) < wanted:
        picture = render(77, number, kind=kind)
        number += 1
        if len(picture.boards) == 1 and picture.boards[0].reading.whole and picture.boards[0].reading.rows in (9, 13, 19):
            corners = picture.boards[0].reading.corners
            if corners.min() >= 0 and corners.max() < 384:
                found.append(picture)
    return found


@pytest.mark.parametrize("kind", ["screenshot", "diagram", "photo"])
def test_most_drawn_boards_are_read(reader, kind):
    right = 0
    for picture in whole_boards(kind, 7):
        truth = picture.boards[0].reading
        readings = reader.boards(picture.pixels)
        for reading in readings[:1]:
            assert reading.corners.shape == (4, 2)
            assert reading.confidence.shape == reading.stones.shape
            assert (reading.confidence > 0.3).all() and (reading.confidence <= 1.0001).all()
            if reading.stones.shape == truth.stones.shape:
                step = np.linalg.norm(truth.corners[1] - truth.corners[0]) / (truth.columns - 1)
                if (reading.stones != truth.stones).mean() < 0.01:
                    right += 1
                    assert np.linalg.norm(reading.corners - truth.corners, axis=1).max() < 0.5 * step
    assert right >= 4


def test_a_larger_copy_is_read_alike_with_corners_at_the_same_places(reader):
    picture = whole_boards("screenshot", 3)[2]
    larger = picture.pixels.repeat(3, 0).repeat(3, 1)
    small, large = reader.boards(picture.pixels)[0], reader.boards(larger)[0]
    assert np.array_equal(small.stones, large.stones)
    assert np.abs((large.corners - 1) / 3 - small.corners).max() < 2


def test_two_boards_are_both_found(reader):
    first, second = (picture.pixels for picture in whole_boards("diagram", 2))
    both = np.concatenate([first, np.full_like(first[:, :30], 255), second], 1)
    readings = reader.boards(both)
    assert sum(reading.whole for reading in readings) == 2
    middles = sorted(float(reading.corners[:, 0].mean()) for reading in readings)
    assert middles[0] < 384 < middles[1]


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (300, 300), (64, 2)])
def test_a_plain_picture_has_no_board(reader, shape):
    assert reader.boards(np.full((*shape, 3), 128, np.uint8)) == []


@pytest.mark.parametrize("kind", ["segment", "crossings"])
def test_the_cards_belong_to_the_weights(kind):
    card = json.loads((WEIGHTS / f"{kind}.json").read_text())
    assert card["spec"]["kind"] == kind
    assert card["bin_sha256"] == hashlib.sha256((WEIGHTS / f"{kind}.bin").read_bytes()).hexdigest()


def test_the_weights_are_small():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir() if path.stem in ("segment", "crossings")) < 5e6
