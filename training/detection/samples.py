"""What a detector learns from: three views of each drawn picture, as a reader looks at one: the whole, a board's box, a board
straightened. Sample `number` of a seed is always the same.

Knows the renderer; no nets.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from goengine.vision.default_boxes import SIDE
from goengine.vision.geometry import grid_corners, homography, moved
from goengine.vision.views import View, framed, straightened
from training.detection.truths import Truths, truths_of
from training.pictures.render import DrawnBoard, Picture, render

VIEWS: Final = 3  # of a picture
DRAWN: Final = (384, 448, 512)  # pixels, sides of pictures


@dataclass(frozen=True)
class Sample:
    """A view uint8 [SIDE,SIDE,3] and what is to be found on it."""

    pixels: np.ndarray
    truths: Truths


@lru_cache(maxsize=2)
def _picture(seed: int, number: int) -> Picture:
    rng = np.random.default_rng((seed, number, 3))
    width, height = (int(side) for side in rng.choice(DRAWN, 2))
    return render(seed, number, width, height)


def sample(seed: int, number: int) -> Sample:
    """One of the views of a picture."""
    picture = _picture(seed, number // VIEWS)
    rng = np.random.default_rng((seed, number, 4))
    view = _view(picture, number % VIEWS, rng)
    back = np.linalg.inv(view.to_picture)
    readings = tuple(board.reading for board in picture.boards)
    truths = truths_of(readings, tuple(back @ board.plane for board in picture.boards))
    pixels = view.pixels
    if rng.random() < 0.2:  # a picture that was small, or is not sharp
        pixels = _coarser(pixels, float(rng.uniform(1.0, 1.8)))
    return Sample(pixels, truths)


def _view(picture: Picture, kind: int, rng: np.random.Generator) -> View:
    size = np.array(picture.pixels.shape[1::-1], np.float64)
    if kind == 0 or not picture.boards:
        around = size * rng.uniform(-0.1, 0.15, 2) * (rng.random() < 0.3)
        return framed(picture.pixels, -np.abs(around), size + np.abs(around) * (around > 0))
    board = picture.boards[int(rng.integers(len(picture.boards)))]
    return _box_view(picture, board, size, rng) if kind == 1 else _straight_view(picture, board, rng)


def _box_view(picture: Picture, board: DrawnBoard, size: np.ndarray, rng: np.random.Generator) -> View:
    """About the box around a board."""
    low, high = board.reading.corners.min(axis=0), board.reading.corners.max(axis=0)
    side = float((high - low).max())
    low = np.maximum(low - side * rng.uniform(0.02, 0.16, 2), 0)
    high = np.minimum(high + side * rng.uniform(0.02, 0.16, 2), size)
    return framed(picture.pixels, low, high)


def _straight_view(picture: Picture, board: DrawnBoard, rng: np.random.Generator) -> View:
    """A board straightened by corners that are a little wrong, sometimes with a line too many or too few."""
    reading = board.reading
    rows, columns = reading.rows, reading.columns
    corners = grid_corners(rows, columns).astype(np.float64)
    if rng.random() < 0.15:
        corners[[0, 1], 1] += rng.choice((-1.0, 1.0))
    if rng.random() < 0.15:
        corners[[1, 2], 0] += rng.choice((-1.0, 1.0))
    corners += np.clip(rng.normal(0, 0.07, (4, 2)), -0.2, 0.2)
    plane = homography(grid_corners(rows, columns), moved(board.plane, corners))
    return straightened(picture.pixels, plane, rows, columns, float(rng.uniform(0.7, 1.5)))


def _coarser(pixels: np.ndarray, factor: float) -> np.ndarray:
    import cv2

    side = round(SIDE / factor)
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)
