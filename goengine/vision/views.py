"""Parts of a picture as a detector sees them: squares of its size, and the way back to the picture's own pixels.

Knows arrays of pixels and homographies; needs OpenCV.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.vision.default_boxes import SIDE
from goengine.vision.geometry import moved

GREY: Final = 114  # where a view reaches beyond the picture


@dataclass(frozen=True)
class View:
    """uint8 [SIDE,SIDE,3], and the homography [3,3] from its pixels to those of the picture."""

    pixels: np.ndarray
    to_picture: np.ndarray


def framed(picture: np.ndarray, low: np.ndarray, high: np.ndarray) -> View:
    """The part of a picture [H,W,3] between two corners (x, y), as large as a view can show it, in its middle."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    scale = float((high - low).max()) / SIDE
    shift = (low + high) / 2 - scale * SIDE / 2
    to_picture = np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]])
    return View(_warped(picture, to_picture, scale), to_picture)


def straight_grid(rows: int, columns: int, margin: float) -> tuple[float, float, float]:
    """(pixels between lines, x of the first column, y of the first row) of a straightened board in its view."""
    cell = SIDE / (max(rows, columns) - 1 + 2 * margin)
    return cell, (SIDE - cell * (columns - 1)) / 2, (SIDE - cell * (rows - 1)) / 2


def straightened(picture: np.ndarray, to_crossings: np.ndarray, rows: int, columns: int, margin: float) -> View:
    """A board upright, its lines evenly apart, with a margin of so many crossings.

    to_crossings [3,3]: from (column, row) to the picture's pixels.
    """
    cell, left, top = straight_grid(rows, columns, margin)
    to_picture = to_crossings @ np.array([[1 / cell, 0, -left / cell], [0, 1 / cell, -top / cell], [0, 0, 1]])
    middle = SIDE / 2
    steps = moved(to_picture, np.array([[middle, middle], [middle + 1, middle], [middle, middle + 1]]))
    return View(_warped(picture, to_picture, float(np.linalg.norm(steps[1:] - steps[0], axis=1).max())), to_picture)


def _warped(picture: np.ndarray, to_picture: np.ndarray, scale: float) -> np.ndarray:
    """What a view shows; ``scale``: pixels of the picture in one of the view's."""
    import cv2

    if scale > 1.3:  # first smaller, with every pixel counted, or lines get lost between pixels
        width, height = (max(1, round(side / scale)) for side in picture.shape[1::-1])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        fx, fy = small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]
        # The middle of a pixel is at a whole number, so that a picture's corner is at -0.5.
        shrink = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
        picture, to_picture = small, shrink @ to_picture
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpPerspective(
        picture, to_picture, (SIDE, SIDE), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=(GREY, GREY, GREY)
    )
    return np.asarray(found, np.uint8)
