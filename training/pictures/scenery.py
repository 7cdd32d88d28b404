"""What is around boards: tables, cloths, floors, bowls and hands; windows, panels and text; pages of books.

Draws into pictures uint8[height, width, 3] in place. Knows where a board lies only as a box that it should not cover.
"""

import cv2
import numpy as np

from training.pictures import textures
from training.pictures.looks import wood_colour

Box = tuple[int, int, int, int]  # left, top, right, bottom


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """Any colour; greys and dark ones more often."""
    value = rng.uniform(5, 250)
    grey = rng.random() < 0.5
    red, green, blue = np.clip(value + rng.normal(0, 8 if grey else 60, 3), 0, 255)
    return float(red), float(green), float(blue)


def _fill(picture: np.ndarray, tile: np.ndarray, zoom: float, colour: np.ndarray, rng: np.random.Generator) -> None:
    """A surface of this colour over the whole picture; zoom: pixels of the picture for one of the tile."""
    height, width = picture.shape[:2]
    need = (int(width / zoom) + 2, int(height / zoom) + 2)
    if rng.random() < 0.5:
        tile = tile.T
    rolled = np.roll(tile, rng.integers(0, textures.TILE, 2), (0, 1))
    across, down = -(-need[0] // textures.TILE), -(-need[1] // textures.TILE)
    part = np.tile(rolled, (down, across))[: need[1], : need[0]]
    grey = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
    for channel in range(3):
        picture[..., channel] = np.clip(grey * np.float32(colour[channel]), 0, 255)


def table(picture: np.ndarray, rng: np.random.Generator) -> None:
    """Something that a board lies on, with a few other things."""
    tiles = textures.tiles()
    kind = rng.random()
    if kind < 0.35:
        which, colour = rng.choice(list(textures.WOODS)), wood_colour(rng) * rng.uniform(0.25, 1)
    elif kind < 0.6:
        which, colour = rng.choice(list(textures.CLOTHS)), np.array(_colour(rng))
    else:
        which, colour = rng.choice(list(textures.ROUGH)), np.array(_colour(rng))
    _fill(picture, tiles[int(which)], float(rng.uniform(0.6, 3)), colour, rng)
    for _ in range(int(rng.integers(0, 4))):
        _thing(picture, rng)


def _thing(picture: np.ndarray, rng: np.random.Generator) -> None:
    """A plain shape: a strip of another surface, a box, a plate, a cable."""
    height, width = picture.shape[:2]
    at = rng.uniform((0, 0), (width, height))
    kind, colour = rng.random(), _colour(rng)
    if kind < 0.35:  # half a plane, as the edge of a table
        turn = rng.uniform(0, 2 * np.pi)
        along, away = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        far = 2.0 * (width + height)
        points = np.array([at - far * along, at + far * along, at + far * (along + away), at + far * (away - along)])
        cv2.fillPoly(picture, [points.astype(np.int32)], colour, cv2.LINE_AA)
    elif kind < 0.65:
        size = rng.uniform(0.05, 0.4, 2) * width
        points = cv2.boxPoints((tuple(at), tuple(size), float(rng.uniform(0, 90))))
        cv2.fillPoly(picture, [points.astype(np.int32)], colour, cv2.LINE_AA)
    elif kind < 0.85:
        centre = (int(at[0]), int(at[1]))
        radius = int(rng.uniform(0.03, 0.15) * width)
        cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)
        cv2.circle(picture, centre, int(radius * 0.8), _colour(rng), -1, cv2.LINE_AA)
    else:
        points = at + np.cumsum(rng.normal(0, width / 12, (8, 2)), 0)
        cv2.polylines(picture, [points.astype(np.int32)], False, colour, int(rng.integers(1, 5)), cv2.LINE_AA)


def bowls(picture: np.ndarray, box: Box, stone: float, rng: np.random.Generator) -> None:
    """Bowls and lids with stones, and loose stones, outside of a box; stone: a stone's radius in pixels."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        radius = stone * rng.uniform(4, 7)
        side = rng.integers(4)
        along = rng.uniform(0, 1)
        reach = radius * rng.uniform(0.9, 1.4)
        x = (box[0] - reach, box[2] + reach, box[0] + along * (box[2] - box[0]))[min(int(side), 2)]
        y = box[1] + along * (box[3] - box[1]) if side < 2 else (box[1] - reach if side == 2 else box[3] + reach)
        colour = wood_colour(rng) * rng.uniform(0.3, 0.9)
        centre = (int(x), int(y))
        if -radius < x < width + radius and -radius < y < height + radius:
            cv2.circle(picture, centre, int(radius), tuple(map(float, colour)), -1, cv2.LINE_AA)
            cv2.circle(picture, centre, int(radius * 0.82), tuple(map(float, colour * 0.4)), -1, cv2.LINE_AA)
            grey = float(rng.uniform(10, 50) if rng.random() < 0.5 else rng.uniform(190, 250))
            _heap(picture, centre, radius * 0.62, stone, grey, int(rng.integers(0, 30)), rng)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform((0, 0), (width, height))
        if not (box[0] - stone < x < box[2] + stone and box[1] - stone < y < box[3] + stone):
            _heap(picture, (int(x), int(y)), 0.0, stone, float(rng.choice([25, 235])), 1, rng)


def _heap(
    picture: np.ndarray, centre: tuple[int, int], reach: float, stone: float, grey: float, count: int, rng: np.random.Generator
) -> None:
    """Stones around a place."""
    for off in np.clip(rng.normal(0, 0.5, (count, 2)), -1, 1) * reach:
        value = grey * rng.uniform(0.8, 1)
        at = (int(centre[0] + off[0]), int(centre[1] + off[1]))
        cv2.circle(picture, at, max(1, int(stone)), (value, value, value), -1, cv2.LINE_AA)
        shine = min(255.0, value + 60)
        glint = (at[0] - int(stone * 0.3), at[1] - int(stone * 0.3))
        cv2.circle(picture, glint, max(1, int(stone * 0.25)), (shine, shine, shine), -1, cv2.LINE_AA)


def hand(picture: np.ndarray, box: Box, stone: float, rng: np.random.Generator) -> None:
    """An arm that comes in from the picture's border and ends near an edge of the board."""
    height, width = picture.shape[:2]
    side = int(rng.integers(4))
    along = rng.uniform(0.1, 0.9)
    start = np.array(
        [(along * width, -20.0), (along * width, height + 20.0), (-20.0, along * height), (width + 20.0, along * height)][side]
    )
    target = np.array([box[0] + along * (box[2] - box[0]), box[1] + along * (box[3] - box[1])])
    border = np.array([box[2] if side == 3 else box[0], box[3] if side == 1 else box[1]], np.float64)
    axis = 1 if side < 2 else 0
    target[axis] = border[axis] + (-1 if side in (1, 3) else 1) * stone * rng.uniform(-1, 3)
    skin = np.array([rng.uniform(120, 240), 0, 0])
    skin[1], skin[2] = skin[0] * rng.uniform(0.65, 0.8), skin[0] * rng.uniform(0.5, 0.7)
    thick = max(2, int(stone * rng.uniform(2.5, 4.5)))
    wrist = target + (start - target) / max(float(np.linalg.norm(start - target)), 1.0) * stone * 5
    sleeve = _colour(rng)
    cv2.line(picture, _point(start), _point(wrist), sleeve if rng.random() < 0.6 else tuple(skin), thick * 2, cv2.LINE_AA)
    cv2.line(picture, _point(wrist), _point((wrist + target) / 2), tuple(skin), thick * 2, cv2.LINE_AA)
    for _ in range(3):
        tip = target + rng.normal(0, stone * 0.7, 2)
        cv2.line(picture, _point((wrist + target) / 2), _point(tip), tuple(skin * rng.uniform(0.9, 1)), thick, cv2.LINE_AA)


def _point(values: np.ndarray) -> tuple[int, int]:
    return int(values[0]), int(values[1])


def _text(
    picture: np.ndarray, left: int, base: int, letters: int, size: float, colour: tuple, rng: np.random.Generator
) -> None:
    """A line of letters that mean nothing."""
    words = "".join(chr(97 + int(code)) if code < 26 else " " for code in rng.integers(0, 31, letters))
    cv2.putText(picture, words, (left, base), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def window(picture: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """A program's window around a box: a bar above, panels with text and buttons beside it and below."""
    height, width = picture.shape[:2]
    picture[:] = np.array(_colour(rng), np.uint8)
    ink = 0.0 if picture[0, 0].mean() > 120 else 230.0
    for left, top, right, bottom in (
        (0, 0, width, box[1]),
        (box[2], box[1], width, box[3]),
        (0, box[1], box[0], box[3]),
        (0, box[3], width, height),
    ):
        if right - left < 24 or bottom - top < 12:
            continue
        if rng.random() < 0.5:
            cv2.rectangle(picture, (left + 2, top + 2), (right - 3, bottom - 3), _colour(rng), -1)
        size = float(rng.uniform(0.25, 0.5))
        for base in range(top + 12, bottom - 2, int(rng.integers(12, 30))):
            kind = rng.random()
            if kind < 0.5:
                _text(picture, left + 4, base, max(1, int((right - left) / (20 * size)) - 1), size, (ink,) * 3, rng)
            elif kind < 0.7:
                across = int(rng.uniform(0.2, 0.8) * (right - left))
                cv2.rectangle(picture, (left + 4, base - 8), (left + across, base + 4), _colour(rng), -1)


def page(picture: np.ndarray, box: Box, paper: float, rng: np.random.Generator) -> None:
    """A page of a book around a box, or nothing but paper."""
    height, width = picture.shape[:2]
    _fill(picture, textures.tiles()[int(rng.choice(list(textures.PAPERS)))], 1.0, np.full(3, paper), rng)
    if rng.random() < 0.4:
        return
    size = float(rng.uniform(0.25, 0.45))
    step, letters = int(30 * size) + 3, int(width / (18 * size))
    ink = (float(rng.uniform(0, 90)),) * 3
    for base in (*range(step, box[1] - 4, step), *range(box[3] + step + 2, height - 2, step)):
        if rng.random() < 0.9:
            _text(picture, int(rng.integers(2, 12)), base, letters, size, ink, rng)
    if box[2] < width * 0.7:
        for base in range(box[1] + step, box[3], step):
            _text(picture, box[2] + 6, base, int((width - box[2]) / (18 * size)), size, ink, rng)


def chequered(picture: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """A board of chess, draughts or the like, or a table of numbers, in a box."""
    count = int(rng.integers(4, 13))
    plain = rng.random() < 0.3
    dark, bright = _colour(rng), _colour(rng)
    across, down = (box[2] - box[0]) / count, (box[3] - box[1]) / count
    for row in range(count):
        for column in range(count):
            left, top = int(box[0] + column * across), int(box[1] + row * down)
            right, bottom = int(box[0] + (column + 1) * across), int(box[1] + (row + 1) * down)
            fill = bright if plain or (row + column) % 2 else dark
            cv2.rectangle(picture, (left, top), (right, bottom), fill, -1)
            if plain:
                cv2.rectangle(picture, (left, top), (right, bottom), dark, 1)
            if rng.random() < 0.4:
                piece = (float(rng.choice([30, 220])),) * 3
                cv2.circle(
                    picture, ((left + right) // 2, (top + bottom) // 2), max(1, int(across * 0.3)), piece, -1, cv2.LINE_AA
                )
