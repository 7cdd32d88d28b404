"""Where a camera stands over a board, and how the board's plane comes into the picture.

A board's plane is measured in distances between lines: u to the right from the first column, v down from the first row, z up
from the surface. Knows no colours.
"""

from typing import Final, NamedTuple

import numpy as np

CUT_OFF: Final = 0.06  # share of photos in which the board reaches beyond the picture


class Camera(NamedTuple):
    """How a board is seen."""

    plane: np.ndarray  # float64[3, 3]  homography from (u, v, 1) to pixels (x, y, 1)
    eye: np.ndarray  # float64[3]  where the camera stands, (u, v, z); for a flat picture far above
    flat: bool  # whether all rays are upright, as in a screenshot


def project(plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pixels float64[..., 2] of points of the plane [..., 2]."""
    lifted = points @ plane[:, :2].T + plane[:, 2]
    return lifted[..., :2] / lifted[..., 2:]


def corners_of(rows: int, columns: int, margin: float = 0.0) -> np.ndarray:
    """float64[4, 2]: the plane's points at the outer crossings, top left first, clockwise; with a margin around them."""
    right, bottom = columns - 1 + margin, rows - 1 + margin
    return np.array([(-margin, -margin), (right, -margin), (right, bottom), (-margin, bottom)], np.float64)


def flat_camera(left: float, top: float, step_x: float, step_y: float, turn: float = 0.0) -> Camera:
    """A board that lies in the picture's plane: its first crossing at (left, top), so many pixels from line to line, turned by
    so many radians around that crossing."""
    cos, sin = np.cos(turn), np.sin(turn)
    plane = np.array([(cos * step_x, -sin * step_y, left), (sin * step_x, cos * step_y, top), (0, 0, 1)], np.float64)
    return Camera(plane, np.array([0.0, 0.0, 1e6]), True)


def _views(rows: int, columns: int, tilt: float, azimuth: float, roll: float, distance: float) -> Camera:
    """A camera of focal length 1 that looks at the middle of the board; angles in radians, the distance in boards' lengths."""
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2, 0.0])
    away = distance * max(rows, columns)
    offset = away * np.array([np.sin(tilt) * np.sin(azimuth), np.sin(tilt) * np.cos(azimuth), np.cos(tilt)])
    forward = -offset / away
    towards = np.array([np.sin(roll), np.cos(roll), 0.0])
    down = towards - (towards @ forward) * forward
    down /= np.linalg.norm(down)
    right = np.cross(down, forward)
    right *= np.sign(right @ np.array([np.cos(roll), -np.sin(roll), 0.0]))
    axes = np.stack([right, down, forward])
    plane = np.concatenate([axes[:, :2], (-axes @ (offset + middle))[:, None]], axis=1)
    return Camera(plane, offset + middle, False)


def photo_camera(rows: int, columns: int, width: int, height: int, rng: np.random.Generator) -> Camera:
    """A camera held over a board or at an angle, with the whole board in a picture of this size (pixels).

    In CUT_OFF of the pictures the board reaches beyond them.
    """
    straight = rng.random() < 0.45
    tilt = abs(rng.normal(0, 0.12)) if straight else rng.uniform(0.1, 1.05)
    azimuth = rng.uniform(-np.pi, np.pi) if straight else rng.normal(0, 0.35)
    roll = rng.normal(0, 0.06) if rng.random() < 0.7 else rng.uniform(-0.5, 0.5)
    seen = _views(rows, columns, tilt, azimuth, roll, rng.uniform(1.1, 3.0))
    plane = seen.plane
    if rng.random() < 0.3:  # pixels that are not square, as of pictures that somebody stretched
        plane = np.diag([rng.uniform(0.9, 1.1), 1.0, 1.0]) @ plane
    outer = project(plane, corners_of(rows, columns, float(rng.uniform(0.3, 1.0))))
    low, high = outer.min(0), outer.max(0)
    share = rng.uniform(0.42, 1.0) if rng.random() < 0.75 else rng.uniform(0.85, 1.0)
    if rng.random() < CUT_OFF:
        share = rng.uniform(1.0, 1.35)
    zoom = share * min(width / (high - low)[0], height / (high - low)[1])
    room = np.array([width, height]) - zoom * (high - low)
    shift = room * np.clip(rng.normal(0.5, 0.25, 2), 0, 1) - zoom * low - 0.5
    return Camera(np.array([(zoom, 0, shift[0]), (0, zoom, shift[1]), (0, 0, 1)]) @ plane, seen.eye, False)
