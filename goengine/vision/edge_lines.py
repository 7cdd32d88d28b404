"""Whether a board ends at a side of what is shown: the lines across the side end there, or go on beyond it.

Looks at the picture, from the empty crossings of the outermost line to half a crossing beyond. Where too few lines are to
be seen, what the reader said stays. Knows pixels and readings; no nets.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from goengine.board.state import EMPTY
from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.geometry import grid_corners, homography, moved

LEAST_LINES: Final = 2  # that must be seen
VISIBLE: Final = 9.0  # grey levels by which a line is darker than what is beside it
GOES_ON: Final = 0.45  # of its contrast inside: what a line that goes on still has outside
_ALONG: Final = np.linspace(0.24, 0.44, 6)  # crossings beyond the outer line
_INSIDE: Final = np.linspace(-0.64, -0.36, 6)  # between the outer line and the next
_ON: Final = np.array([-0.1, -0.05, 0.0, 0.05, 0.1])  # crossings across: where the line may be
_BESIDE: Final = np.array([-0.36, -0.3, -0.24, 0.24, 0.3, 0.36])


def with_edges_seen(reading: BoardReading, picture: np.ndarray) -> BoardReading:
    """The reading with the edges that the picture shows. picture: uint8 [H,W,3]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    plane = homography(grid_corners(reading.rows, reading.columns), reading.corners)
    inside = np.concatenate([_contrast(grey, plane, reading, side, _open(reading, side, 2), _INSIDE) for side in range(4)])
    inside = inside[np.isfinite(inside)]
    if len(inside) < LEAST_LINES or (contrast := float(np.median(inside))) < VISIBLE:
        return reading
    seen = []
    for side, told in enumerate(reading.edges):
        outside = _contrast(grey, plane, reading, side, _open(reading, side, 1), _ALONG)
        outside = outside[np.isfinite(outside)]
        seen.append(told if len(outside) < LEAST_LINES else bool(np.median(outside) < GOES_ON * contrast))
    return replace(reading, edges=Edges(*seen))


def _open(reading: BoardReading, side: int, depth: int) -> np.ndarray:
    """The lines across a side (in the order of `Edges`), as `np.rot90` turns it to the top, whose first crossings are empty."""
    stones = np.rot90(reading.stones, side)[:depth, 1:-1]
    found: np.ndarray = np.flatnonzero((stones == EMPTY).all(axis=0)) + 1
    return found


def _contrast(
    grey: np.ndarray, plane: np.ndarray, reading: BoardReading, side: int, lines: np.ndarray, away: np.ndarray
) -> np.ndarray:
    """By how much each line is darker than what is beside it, so far beyond a side's outer line; not a number off the
    picture."""
    if not len(lines):
        return np.empty(0)
    values = {}
    for name, across in (("on", _ON), ("beside", _BESIDE)):
        line, beyond, offset = np.meshgrid(lines.astype(float), away, across, indexing="ij")
        places = _places(line + offset, beyond, reading, side)
        pixels = moved(plane, places.reshape(-1, 2)).astype(np.float32)
        found = cv2.remap(grey, pixels[:, None, 0], pixels[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        off = (pixels < 0).any(axis=1) | (pixels > np.array(grey.shape[::-1]) - 1).any(axis=1)
        values[name] = np.where(off, np.nan, np.asarray(found, float)[:, 0]).reshape(line.shape)
    darkest = values["on"].min(axis=2)
    contrast: np.ndarray = (np.median(values["beside"], axis=2) - darkest).mean(axis=1)
    return contrast


def _places(along: np.ndarray, beyond: np.ndarray, reading: BoardReading, side: int) -> np.ndarray:
    """(column, row) [...,2] of places along a side, counted as `np.rot90` turns it to the top, so far beyond its outer line."""
    right, bottom = reading.columns - 1, reading.rows - 1
    by_side = (
        (along, -beyond),  # top
        (right + beyond, along),
        (right - along, bottom + beyond),
        (-beyond, bottom - along),
    )
    return np.stack(by_side[side], axis=-1)
