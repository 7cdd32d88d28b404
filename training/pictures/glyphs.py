"""Marks, numbers and letters as they stand on stones, on crossings and around boards: tiles of coverage."""

import functools
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

NONE: Final = 0
TRIANGLE, SQUARE, CIRCLE, CROSS, DOT, SMALL_SQUARE, FULL_TRIANGLE, RING = range(1, 9)
SHAPES: Final = range(1, 9)
MOST_NUMBER: Final = 199
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FACES: Final = 4  # of letters and numbers
SIDES: Final = (48, 24, 12)  # pixels of a tile, finest first
_PER_FACE: Final = MOST_NUMBER + len(LETTERS)
_FIRST_TEXT: Final = len(SHAPES) + 1


def number(value: int, face: int) -> int:
    """The tile of a number, 1 to MOST_NUMBER."""
    return _FIRST_TEXT + face * _PER_FACE + value - 1


def letter(text: str, face: int) -> int:
    """The tile of one of LETTERS."""
    return _FIRST_TEXT + face * _PER_FACE + MOST_NUMBER + LETTERS.index(text)


def _shape(kind: int) -> np.ndarray:
    """One of SHAPES, drawn four times as large and made small."""
    side = 4 * SIDES[0]
    big = np.zeros((side, side), np.uint8)
    middle, reach, line = side // 2, int(side * 0.29), side // 14
    around = np.array([(0, -reach), (reach * 0.9, reach * 0.55), (-reach * 0.9, reach * 0.55)]) + middle
    corner = int(reach * 0.75)
    if kind == TRIANGLE:
        cv2.polylines(big, [around.astype(np.int32)], True, 255, line, cv2.LINE_AA)
    elif kind == FULL_TRIANGLE:
        cv2.fillPoly(big, [around.astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == SQUARE:
        cv2.rectangle(big, (middle - corner, middle - corner), (middle + corner, middle + corner), 255, line)
    elif kind == SMALL_SQUARE:
        half = corner // 2 + line
        cv2.rectangle(big, (middle - half, middle - half), (middle + half, middle + half), 255, -1)
    elif kind == CIRCLE:
        cv2.circle(big, (middle, middle), int(reach * 0.8), 255, line, cv2.LINE_AA)
    elif kind == RING:
        cv2.circle(big, (middle, middle), int(reach * 0.7), 255, 2 * line, cv2.LINE_AA)
    elif kind == DOT:
        cv2.circle(big, (middle, middle), int(reach * 0.6), 255, -1, cv2.LINE_AA)
    elif kind == CROSS:
        for sign in (1, -1):
            cv2.line(big, (middle - corner, middle - sign * corner), (middle + corner, middle + sign * corner), 255, line)
    return cv2.resize(big, (SIDES[0], SIDES[0]), interpolation=cv2.INTER_AREA)


_HERSHEY = {1: cv2.FONT_HERSHEY_SIMPLEX, 2: cv2.FONT_HERSHEY_DUPLEX, 3: cv2.FONT_HERSHEY_TRIPLEX}


def _drawn(text: str, face: int) -> np.ndarray:
    """A text in white on black, cut to its own extent: by Pillow's own font (face 0) or one of OpenCV's."""
    if face == 0:
        picture = Image.new("L", (400, 200))
        ImageDraw.Draw(picture).text((20, 20), text, fill=255, font=ImageFont.load_default(120))
        canvas = np.asarray(picture)
    else:
        canvas = np.zeros((200, 500), np.uint8)
        cv2.putText(canvas, text, (20, 140), _HERSHEY[face], 4, 255, 6 + 6 * (face == 1), cv2.LINE_AA)
    rows, columns = np.flatnonzero(canvas.any(1)), np.flatnonzero(canvas.any(0))
    return canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _text(text: str, face: int) -> np.ndarray:
    """A text in the middle of a tile: the longer, the narrower."""
    side = 2 * SIDES[0]
    cut = _drawn(text, face)
    height = side * (0.5 if len(text) < 3 else 0.4)
    scale = min(height / cut.shape[0], side * (0.3 + 0.14 * len(text)) / cut.shape[1])
    size = (max(2, round(cut.shape[1] * scale)), max(2, round(cut.shape[0] * scale)))
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    tile = np.zeros((side, side), np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    tile[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cv2.resize(tile, (SIDES[0], SIDES[0]), interpolation=cv2.INTER_AREA)


@functools.cache
def atlas() -> tuple[np.ndarray, ...]:
    """uint8[tiles, side, side] for each of SIDES: 255 where a mark covers."""
    tiles = [np.zeros((SIDES[0], SIDES[0]), np.uint8), *(_shape(kind) for kind in SHAPES)]
    for face in range(FACES):
        tiles += [_text(str(value), face) for value in range(1, MOST_NUMBER + 1)]
        tiles += [_text(text, face) for text in LETTERS]
    fine = np.stack(tiles)
    column = fine.reshape(-1, SIDES[0])
    coarser = [cv2.resize(column, (side, side * len(tiles)), interpolation=cv2.INTER_AREA) for side in SIDES[1:]]
    return (
        fine,
        *(np.ascontiguousarray(part.reshape(len(tiles), side, side)) for part, side in zip(coarser, SIDES[1:], strict=True)),
    )
