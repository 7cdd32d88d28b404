"""What the reader's nets learn from: drawn pictures with the maps of a U-Net, straightened boards with what stands on them.

Sample `number` of a seed is always the same.
"""

from typing import Final, NamedTuple

import numpy as np

from goengine.core.jit import kernel
from goengine.vision import geometry
from training.pictures import render as drawing
from training.pictures.render import DrawnBoard, Picture

SIDE: Final = 256  # pixels of a picture that the U-Net learns from
STRIDE: Final = 2  # pixels of the picture for one of its maps
STRAIGHT: Final = 0.5  # share of straightened boards among the U-Net's samples
IGNORED: Final = -1


class SegmentSample(NamedTuple):
    """A picture and its maps."""

    pixels: np.ndarray  # uint8[SIDE, SIDE, 3]
    maps: np.ndarray  # uint8[3, SIDE / 2, SIDE / 2]  board, crossing, edge: 255 for 1
    stones: np.ndarray  # int8[SIDE / 2, SIDE / 2]  what stands there, IGNORED between crossings


class CrossingsSample(NamedTuple):
    """A straightened board and its stones."""

    pixels: np.ndarray  # uint8[(rows + 2) * cell, (columns + 2) * cell, 3]  as `geometry.board_view`
    stones: np.ndarray  # int8[rows, columns]  IGNORED beyond the picture
    last: np.ndarray  # uint8[rows, columns]  1 where a stone is marked as the last one


@kernel
def _enter_maps(inverse, stones, edges, maps, labels):
    """Add a board to maps and labels; inverse: from the picture's pixels to the board's plane."""
    rows, columns = stones.shape
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            px, py = x * 2 + 0.5, y * 2 + 0.5
            w = inverse[2, 0] * px + inverse[2, 1] * py + inverse[2, 2]
            if w <= 1e-9:
                continue
            u = (inverse[0, 0] * px + inverse[0, 1] * py + inverse[0, 2]) / w
            v = (inverse[1, 0] * px + inverse[1, 1] * py + inverse[1, 2]) / w
            if u < -0.6 or v < -0.6 or u > columns - 0.4 or v > rows - 0.4:
                continue
            fu = 2 * max(abs(inverse[0, 0] - u * inverse[2, 0]), abs(inverse[0, 1] - u * inverse[2, 1])) / w
            fv = 2 * max(abs(inverse[1, 0] - v * inverse[2, 0]), abs(inverse[1, 1] - v * inverse[2, 1])) / w
            if -0.5 <= u < columns - 0.5 and -0.5 <= v < rows - 0.5:
                maps[0, y, x] = 255
            i = min(max(np.int64(np.floor(v + 0.5)), 0), rows - 1)
            j = min(max(np.int64(np.floor(u + 0.5)), 0), columns - 1)
            du, dv = (u - j) / max(0.15, 0.55 * fu), (v - i) / max(0.15, 0.55 * fv)
            peak = 255.0 * np.exp(-0.5 * (du * du + dv * dv))
            maps[1, y, x] = max(maps[1, y, x], np.uint8(peak))
            if (u - j) ** 2 + (v - i) ** 2 < 0.16:
                labels[y, x] = stones[i, j]
            wide_u, wide_v = max(0.12, 0.6 * fu), max(0.12, 0.6 * fv)
            if (edges[0] and abs(v) < wide_v) or (edges[2] and abs(v - rows + 1) < wide_v):
                maps[2, y, x] = 255
            if (edges[3] and abs(u) < wide_u) or (edges[1] and abs(u - columns + 1) < wide_u):
                maps[2, y, x] = 255


def labelled(pixels: np.ndarray, boards: tuple[tuple[DrawnBoard, np.ndarray], ...]) -> SegmentSample:
    """A picture with the maps of its boards, each with the homography from its plane to the picture."""
    side = pixels.shape[0] // STRIDE
    maps, labels = np.zeros((3, side, side), np.uint8), np.full((side, side), IGNORED, np.int8)
    for board, plane in boards:
        inverse = np.linalg.inv(plane)
        reading = board.reading
        middle = plane @ np.array([(reading.columns - 1) / 2, (reading.rows - 1) / 2, 1])
        if (inverse @ middle)[2] < 0:
            inverse = -inverse
        _enter_maps(inverse, reading.stones, np.array(reading.edges), maps, labels)
    return SegmentSample(pixels, maps, labels)


def segment_sample(seed: int, number: int) -> SegmentSample:
    """A whole picture, or a board cut out as a first look at a picture finds it."""
    rng = np.random.default_rng((seed, number, 1))
    if rng.random() < STRAIGHT:
        picture = drawing.render(seed, number)
        if picture.boards:
            return _roughly_straight(picture, rng)
    short = SIDE if rng.random() < 0.4 else int(rng.integers(SIDE // 2, SIDE + 1))
    width, height = (SIDE, short) if rng.random() < 0.5 else (short, SIDE)
    picture = drawing.render(seed, number, width, height)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[:height, :width] = picture.pixels
    return labelled(pixels, tuple((board, board.plane) for board in picture.boards))


def _roughly_straight(picture: Picture, rng: np.random.Generator) -> SegmentSample:
    """One of a picture's boards, straightened by corners that are not quite right, with something around it."""
    board = picture.boards[int(rng.integers(len(picture.boards)))]
    margins = SIDE * np.clip(rng.normal(0.09, 0.03, 4), 0.02, 0.25)
    left, top, right, bottom = margins[0], margins[1], SIDE - 1 - margins[2], SIDE - 1 - margins[3]
    target = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    target += np.clip(rng.normal(0, 0.012, (4, 2)), -0.04, 0.04) * SIDE
    matrix = geometry.homography(board.reading.corners, target)
    pixels = geometry.straightened(picture.pixels, matrix, SIDE, SIDE)
    return labelled(pixels, tuple((other, matrix @ other.plane) for other in picture.boards))


def crossings_sample(seed: int, number: int, cell: int) -> CrossingsSample:
    """A straightened board, its corners a little wrong."""
    rng = np.random.default_rng((seed, number, 2))
    tries = 0
    while not (picture := drawing.render(seed + (tries << 40), number)).boards:
        tries += 1
    board = picture.boards[int(rng.integers(len(picture.boards)))]
    reading = board.reading
    wrong = np.clip(rng.normal(0, 0.07, (4, 2)), -0.2, 0.2) + np.clip(rng.normal(0, 0.08, 2), -0.25, 0.25)
    target = geometry.grid_corners(reading.rows, reading.columns)
    plane = geometry.homography(target, geometry.moved(board.plane, target + wrong))
    pixels = geometry.board_view(picture.pixels, plane, reading.rows, reading.columns, cell)
    last = np.zeros(reading.stones.shape, np.uint8)
    if reading.last_move is not None:
        last[reading.last_move] = 1
    return CrossingsSample(pixels, _within(reading.stones, board.plane, picture.pixels), last)


def _within(stones: np.ndarray, plane: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The stones, IGNORED beyond the picture."""
    rows, columns = stones.shape
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    seen = geometry.moved(plane, np.stack([x, y], -1))
    inside = (seen >= 0).all(-1) & (seen < (pixels.shape[1], pixels.shape[0])).all(-1)
    return np.where(inside, stones, IGNORED).astype(np.int8)
