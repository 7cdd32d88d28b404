"""What a detector learns: which default box holds what, against a slow reference; average precision; the sides of a board."""

import numpy as np
import pytest

from goengine.board.state import BLACK, WHITE
from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.default_boxes import BLACK_STONE, BOARD, CROSSING, IGNORED, NOTHING, WHITE_STONE, default_boxes, iou
from goengine.vision.geometry import grid_corners, homography
from training.detection.average_precision import AveragePrecision
from training.detection.matching import LEAST, SURE, match
from training.detection.truths import truths_of


def reference(truth, classes, defaults):
    """As `match`, by whole tables."""
    asked = classes != IGNORED
    shared = np.stack([iou(box, defaults) * sees for box, sees in zip(truth, asked, strict=True)])
    best, value = shared.argmax(axis=0), shared.max(axis=0)
    target = np.where(value >= SURE, classes[best], np.where(value >= LEAST, IGNORED, NOTHING))
    for box in truth[~asked]:
        inside = (np.abs(defaults[:, :2] - box[:2]) * 2 < box[2:]).all(axis=1) & (defaults[:, 2] < box[2] / 2)
        target[inside & (value < LEAST)] = IGNORED
    for n in np.flatnonzero(asked):
        d = shared[n].argmax()
        if value[d] < SURE:
            best[d], value[d], target[d] = n, SURE, classes[n]
    return best, target


@pytest.mark.parametrize("seed", range(4))
def test_default_boxes_get_what_a_slow_reference_gives(seed):
    rng = np.random.default_rng(seed)
    defaults = default_boxes()
    spans = np.exp(rng.uniform(np.log(8), np.log(300), (40, 1))) * rng.uniform(0.7, 1.4, (40, 2))
    truth = np.concatenate((rng.uniform(10, 374, (40, 2)), spans), axis=1).astype(np.float32)
    classes = rng.choice([BOARD, BLACK_STONE, WHITE_STONE, CROSSING, IGNORED], 40, p=(0.2, 0.3, 0.2, 0.25, 0.05))
    index, target = match(truth, classes.astype(np.int64), defaults)
    other_index, other_target = reference(truth, classes, defaults)
    assert (target == other_target).mean() > 0.9999  # ties of float32
    held = (target >= 0) & (other_target >= 0)
    assert (index[held] == other_index[held]).mean() > 0.999
    assert (target >= 0).sum() >= 30


def board(rows, columns, edges, turn=0.0):
    stones = np.zeros((rows, columns), np.int8)
    stones[0, 0], stones[rows - 1, 1] = BLACK, WHITE
    corners = grid_corners(rows, columns) * 25.0
    corners = corners - corners.mean(axis=0)
    cos, sin = np.cos(turn), np.sin(turn)
    corners = corners @ np.array([[cos, sin], [-sin, cos]]) + 192
    reading = BoardReading(corners.astype(np.float32), stones, np.ones((rows, columns), np.float32), edges)
    return reading, homography(grid_corners(rows, columns), corners)


def test_truths_of_a_board():
    reading, plane = board(9, 11, Edges(top=True, right=False, bottom=False, left=True))
    found = truths_of((reading,), (plane,))
    kinds = [int((found.classes == kind).sum()) for kind in (BOARD, BLACK_STONE, WHITE_STONE, CROSSING)]
    assert kinds == [1, 1, 1, 97]
    assert np.allclose(found.boxes[found.classes == BOARD], (192, 192, 11 * 25, 9 * 25))
    assert np.allclose(found.boxes[found.classes != BOARD, 2:], 25)
    assert found.sides.sum(axis=0).tolist() == [9, 11, 0, 0]  # left, top, right, bottom
    assert found.sides[found.classes == BLACK_STONE].tolist() == [[True, True, False, False]]


def test_sides_are_those_of_the_picture():
    reading, plane = board(9, 9, Edges(top=True, right=False, bottom=False, left=False), turn=np.pi / 2)
    sides = truths_of((reading,), (plane,)).sides.sum(axis=0)
    assert sorted(sides.tolist()) == [0, 0, 0, 9] and sides[2] == 9  # its top lies to the right


def test_boards_that_are_too_small_ask_nothing():
    reading, plane = board(19, 19, Edges())
    small = np.diag([0.2, 0.2, 1.0])
    found = truths_of((reading,), (small @ plane,))
    assert found.classes.tolist() == [IGNORED, BOARD]


def test_average_precision():
    truth = np.array([[10, 10, 10, 10], [50, 50, 10, 10]], float)
    perfect, none, half, twice = (AveragePrecision() for _ in range(4))
    perfect.add(truth, truth, np.array([0.9, 0.8]))
    none.add(truth, truth + 100, np.array([0.9, 0.8]))
    half.add(truth, np.concatenate((truth + 100, truth)), np.array([0.9, 0.95, 0.3, 0.2]))
    twice.add(truth, np.concatenate((truth[:1], truth[:1], truth[1:])), np.array([0.9, 0.8, 0.7]))
    assert (perfect.value(), none.value(), half.value()) == (1.0, 0.0, 0.5)
    assert twice.value() == pytest.approx((1 + 2 / 3) / 2)  # a box that is found again is wrong
    assert np.isnan(AveragePrecision().value())
