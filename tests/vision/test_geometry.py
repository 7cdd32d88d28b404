"""Homographies, straightened boards and the corners of regions, against figures that are known."""

import numpy as np
import pytest

from goengine.vision import geometry

QUADRILATERALS = [
    np.array([(20, 30), (300, 40), (280, 310), (35, 290)], np.float32),
    np.array([(100, 20), (260, 60), (330, 330), (15, 250)], np.float32),
    np.array([(150, 10), (320, 170), (160, 330), (12, 160)], np.float32),
]


def filled(corners, height=360, width=360):
    import cv2

    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, corners.astype(np.int32), 1)
    return mask


@pytest.mark.parametrize("corners", QUADRILATERALS)
def test_a_homography_takes_corners_to_corners_and_back(corners):
    grid = geometry.grid_corners(19, 13)
    plane = geometry.homography(grid, corners)
    assert np.allclose(geometry.moved(plane, grid), corners, atol=1e-3)
    assert np.allclose(geometry.moved(np.linalg.inv(plane), corners), grid, atol=1e-3)


@pytest.mark.parametrize("corners", QUADRILATERALS)
def test_the_corners_of_a_region_are_found(corners):
    found = geometry.quadrilateral(filled(corners))
    off = np.linalg.norm(found[:, None] - corners[None], axis=2).min(1)
    assert off.max() < 2


def test_a_bite_out_of_a_corner_does_not_move_it():
    corners = QUADRILATERALS[0]
    mask = filled(corners)
    mask[30:55, 20:48] = 0
    off = np.linalg.norm(geometry.quadrilateral(mask) - corners, axis=1)
    assert off.max() < 4


def test_nothing_has_no_corners():
    assert geometry.quadrilateral(np.zeros((40, 40), np.uint8)) is None


def test_corners_come_clockwise_from_the_top_left():
    corners = QUADRILATERALS[1]
    for turn in range(4):
        assert np.array_equal(geometry.in_order(np.roll(corners, turn, 0)), corners)
        assert np.array_equal(geometry.in_order(np.roll(corners, turn, 0)[::-1]), corners)


@pytest.mark.parametrize("scale", [0.5, 1, 4])
def test_a_straightened_board_has_each_crossing_in_the_middle_of_its_square(scale):
    """Dots on the crossings of a board seen at an angle, in small and large pictures."""
    import cv2

    corners, rows, columns, cell = QUADRILATERALS[0] * scale, 9, 13, 16
    side = int(360 * scale)
    picture = np.zeros((side, side, 3), np.uint8)
    plane = geometry.homography(geometry.grid_corners(rows, columns), corners)
    for row in range(rows):
        for column in range(columns):
            x, y = geometry.moved(plane, np.array([(column, row)]))[0]
            at = (round(float(x) * 16), round(float(y) * 16))
            cv2.circle(picture, at, round(3 * scale * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
    view = geometry.board_view(picture, plane, rows, columns, cell)[..., 0].astype(float)
    assert view.shape == ((rows + 2) * cell, (columns + 2) * cell)
    middle = np.arange(cell) - (cell - 1) / 2
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            square = view[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
            assert square.sum() > 0
            assert abs((square.sum(0) @ middle) / square.sum()) < 0.6
            assert abs((square.sum(1) @ middle) / square.sum()) < 0.6
    assert view[:cell].max() == 0
