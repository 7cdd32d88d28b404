"""What a detector should find on a picture: boxes of boards, stones and empty crossings, out of the boards' true positions.

Knows arrays and perspective; no nets, no files.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.board.state import BLACK, WHITE
from goengine.vision.board_picture import BoardReading
from goengine.vision.default_boxes import BLACK_STONE, BOARD, CROSSING, IGNORED, SIDE, WHITE_STONE
from goengine.vision.geometry import grid_corners, moved
from goengine.vision.lattice import crossings

LEAST_STEP: Final = 6.5  # pixels between crossings: smaller ones cannot be told apart on the finest map
SMALLEST_BOARD: Final = 48.0  # pixels: smaller ones are not asked for


@dataclass(frozen=True)
class Truths:
    """Boxes float32 [N,4] (centre x, centre y, width, height), classes int64 [N], sides bool [N,4]: whether the board ends to
    the left, above, to the right, below, as one looks at the picture."""

    boxes: np.ndarray
    classes: np.ndarray
    sides: np.ndarray


def truths_of(boards: tuple[BoardReading, ...], planes: tuple[np.ndarray, ...]) -> Truths:
    """All that is to be found of boards on a picture; planes [3,3]: from (column, row) of each to the picture's pixels."""
    parts = [_of_board(board, plane) for board, plane in zip(boards, planes, strict=True)]
    parts.append(Truths(np.empty((0, 4), np.float32), np.empty(0, np.int64), np.empty((0, 4), bool)))
    return Truths(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.sides for part in parts]),
    )


def _of_board(board: BoardReading, homography: np.ndarray) -> Truths:
    rows, columns = board.rows, board.columns
    places = crossings(rows, columns)
    centres = moved(homography, places)
    along = moved(homography, places + (0.5, 0.0)) - moved(homography, places - (0.5, 0.0))
    across = moved(homography, places + (0.0, 0.5)) - moved(homography, places - (0.0, 0.5))
    spans = np.hypot(along, across)  # the box around the ellipse that a circle as wide as a cell becomes
    classes = np.select([board.stones.ravel() == BLACK, board.stones.ravel() == WHITE], [BLACK_STONE, WHITE_STONE], CROSSING)
    inside = np.all((centres > 0) & (centres < SIDE), axis=1)
    frame = grid_corners(rows, columns) + np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    outline = moved(homography, frame)
    low, high = np.clip(outline.min(axis=0), 0, SIDE), np.clip(outline.max(axis=0), 0, SIDE)
    whole = np.concatenate(((low + high) / 2, high - low))
    tiny = spans.min() < LEAST_STEP
    if tiny:  # one box that asks nothing of what is inside it
        boxes, kinds, sides = whole[None], np.array([IGNORED]), np.zeros((1, 4), bool)
    else:
        boxes = np.concatenate((centres, spans), axis=1)[inside]
        kinds = classes[inside]
        sides = _sides(board, places, along, across)[inside]
    if (high - low).min() >= SMALLEST_BOARD:
        boxes = np.concatenate((boxes, whole[None]))
        kinds = np.concatenate((kinds, [BOARD]))
        sides = np.concatenate((sides, np.zeros((1, 4), bool)))
    return Truths(boxes.astype(np.float32), kinds.astype(np.int64), sides)


def _sides(board: BoardReading, places: np.ndarray, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """bool [N,4]: left, top, right, bottom of the picture, whichever edges of the board these are."""
    column, row = places.T
    ends = (
        (column == 0, board.edges.left, -along),
        (row == 0, board.edges.top, -across),
        (column == board.columns - 1, board.edges.right, along),
        (row == board.rows - 1, board.edges.bottom, across),
    )
    found = np.zeros((len(places), 4), bool)
    for last, is_edge, outward in ends:
        if is_edge:
            level = np.abs(outward[:, 0]) >= np.abs(outward[:, 1])
            side = np.where(level, np.where(outward[:, 0] < 0, 0, 2), np.where(outward[:, 1] < 0, 1, 3))
            found[np.flatnonzero(last), side[last]] = True
    return found
