"""Pictures of boards with their truth: `render(seed, number)`.

A picture is a photo, a screenshot or a diagram; it shows one board mostly, sometimes several, sometimes none. Colours are in
the order red, green, blue.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from goengine.vision.board_picture import BoardReading
from training.pictures import content as contents
from training.pictures import lens, looks, scenery
from training.pictures.camera import Camera, corners_of, flat_camera, photo_camera, project
from training.pictures.content import Content
from training.pictures.shader import Surface, draw_board

Kind = Literal["photo", "screenshot", "diagram"]
KINDS: Final = get_args(Kind)
SHARES: Final = (0.5, 0.3, 0.2)  # of the kinds
WITHOUT: Final = 0.04  # share of pictures without a board


@dataclass(frozen=True, eq=False)
class DrawnBoard:
    """A board of a picture: the truth, and how its plane lies."""

    reading: BoardReading
    plane: np.ndarray  # float64[3, 3]  homography from (column, row, 1) to pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn picture with its truth."""

    pixels: np.ndarray  # uint8[height, width, 3]
    boards: tuple[DrawnBoard, ...]
    kind: Kind


def render(seed: int, number: int, width: int = 384, height: int = 384, kind: Kind | None = None) -> Picture:
    """Picture `number` of a seed; the same arguments give the same picture. kind: any by SHARES if None."""
    rng = np.random.default_rng((seed, number))
    chosen = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    if rng.random() < WITHOUT:
        return _without(width, height, kind or chosen, rng)
    draw = {"photo": _photo, "screenshot": _screenshot, "diagram": _diagram}[kind or chosen]
    return draw(width, height, rng)


def _drawn(camera: Camera, content: Content) -> DrawnBoard:
    corners = project(camera.plane, corners_of(content.rows, content.columns)).astype(np.float32)
    sure = np.ones(content.stones.shape, np.float32)
    reading = BoardReading(corners, content.stones, sure, content.edges, content.last_move)
    return DrawnBoard(reading, camera.plane)


def _box(camera: Camera, surface: Surface, width: int, height: int) -> scenery.Box:
    """The part of the picture that a board's surface takes."""
    left, top, right, bottom = surface.extent
    seen = project(camera.plane, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
    low, high = np.clip(np.floor(seen.min(0)), 0, (width, height)), np.clip(np.ceil(seen.max(0)) + 1, 0, (width, height))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _draw(picture: np.ndarray, surface: Surface, box: scenery.Box, beyond: int) -> None:
    """Draw a board, with what it throws and shows beyond its surface."""
    height, width = picture.shape[:2]
    bounds = np.array([box[0] - beyond, box[1] - beyond, box[2] + beyond, box[3] + beyond])
    bounds = np.clip(bounds, 0, [width, height, width, height]).astype(np.int64)
    draw_board(picture, surface, bounds, np.zeros((4, 6)))


def _without(width: int, height: int, kind: Kind, rng: np.random.Generator) -> Picture:
    """A picture of anything else; a board of another game may be there."""
    picture = np.empty((height, width, 3), np.uint8)
    box = (int(width * 0.2), int(height * 0.2), int(width * rng.uniform(0.3, 0.9)), int(height * rng.uniform(0.3, 0.9)))
    if kind == "photo":
        scenery.table(picture, rng)
        scenery.bowls(picture, box, width / 40, rng)
    elif kind == "screenshot":
        scenery.window(picture, box, rng)
    else:
        scenery.page(picture, box, 240.0, rng)
    if rng.random() < 0.5:
        scenery.chequered(picture, box, rng)
    finish = {"photo": lens.photograph, "screenshot": lens.screenshot, "diagram": lens.scan}[kind]
    return Picture(finish(picture, rng), (), kind)


def _photo(width: int, height: int, rng: np.random.Generator) -> Picture:
    """One board on a table."""
    content = contents.draw_content(rng, parts=0.0)
    camera = photo_camera(content.rows, content.columns, width, height, rng)
    margin = np.full(4, rng.uniform(0.4, 1.2)) + rng.uniform(0, 0.4, 4)
    surface = looks.surface(looks.photo_look(rng), camera, content, margin, rng)
    picture = np.empty((height, width, 3), np.uint8)
    scenery.table(picture, rng)
    box = _box(camera, surface, width, height)
    stone = 0.45 * max(box[2] - box[0], box[3] - box[1]) / (max(content.rows, content.columns) + 1)
    if rng.random() < 0.6:
        scenery.bowls(picture, box, stone, rng)
    _draw(picture, surface, box, int(8 * stone))
    if rng.random() < 0.16:
        scenery.hand(picture, box, stone, rng)
    return Picture(lens.photograph(picture, rng), (_drawn(camera, content),), "photo")


def _places(width: int, height: int, rng: np.random.Generator) -> list[scenery.Box]:
    """Where boards go in a flat picture: one nearly everywhere, or one with room around it, or several beside each other."""
    kind = rng.random()
    if kind < 0.55:
        return [(0, 0, width, height)]
    if kind < 0.92:
        w, h = (rng.uniform(0.5, 1.0, 2) * (width, height)).astype(int)
        left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        return [(left, top, left + int(w), top + int(h))]
    across, down = ((2, 1), (1, 2), (2, 2))[int(rng.integers(3))]
    w, h = width // across, height // down
    boxes = [(i * w, j * h, (i + 1) * w, (j + 1) * h) for j in range(down) for i in range(across)]
    return [boxes[int(place)] for place in rng.permutation(len(boxes))[: max(2, int(rng.integers(1, len(boxes) + 1)))]]


def _fit(content: Content, margins: np.ndarray, place: scenery.Box, ratio: float, turn: float) -> Camera:
    """A flat camera that shows a board with its margins as large as a place allows; ratio: of the steps down and across."""
    across, down = content.columns - 1 + margins[0] + margins[2], content.rows - 1 + margins[1] + margins[3]
    step = min((place[2] - place[0]) / across, (place[3] - place[1]) / (down * ratio))
    spare_x = place[2] - place[0] - step * across
    spare_y = place[3] - place[1] - step * ratio * down
    left = place[0] + spare_x / 2 + step * margins[0] - 0.5
    top = place[1] + spare_y / 2 + step * ratio * margins[1] - 0.5
    return flat_camera(left, top, step, step * ratio, turn)


def _margins(content: Content, labelled: bool, rng: np.random.Generator) -> np.ndarray:
    """Around the outer crossings: little room, or that of coordinates; beyond an open side half a step."""
    plain = rng.uniform(0.35, 1.0) if rng.random() < 0.7 else rng.uniform(0.1, 2.0)
    margin = np.full(4, rng.uniform(1.4, 2.0) if labelled else plain)
    if rng.random() < 0.3:
        margin *= rng.uniform(0.7, 1.3, 4)
    sides = np.array(content.edges)[[3, 0, 1, 2]]
    open_side = rng.uniform(0.35, 0.6)
    return np.where(sides | labelled, margin, open_side)


def _flat_boards(width: int, height: int, rng: np.random.Generator, parts: float) -> list[tuple[Content, scenery.Box]]:
    places = _places(width, height, rng)
    return [(contents.draw_content(rng, parts), place) for place in places]


def _screenshot(width: int, height: int, rng: np.random.Generator) -> Picture:
    """Boards of a program, with its window around or without."""
    look = looks.screen_look(rng)
    labelled, ratio = bool(rng.random() < 0.45), float(rng.choice([1.0, 1.0, rng.uniform(0.93, 1.1)]))
    dark = tuple(look.values["line"]) if rng.random() < 0.7 else (0.0, 0.0, 0.0)
    picture, drawn = np.empty((height, width, 3), np.uint8), []
    for number, (content, place) in enumerate(_flat_boards(width, height, rng, parts=0.12)):
        _decorate_screen(content, dark, labelled, rng)
        margins = _margins(content, labelled, rng)
        camera = _fit(content, margins, place, ratio, 0.0)
        surface = looks.surface(look, camera, content, margins, rng)
        box = _box(camera, surface, width, height)
        if number == 0:
            scenery.window(picture, box, rng)
        _draw(picture, surface, box, 2)
        drawn.append(_drawn(camera, content))
    return Picture(lens.screenshot(picture, rng), tuple(drawn), "screenshot")


def _decorate_screen(content: Content, dark: tuple[float, ...], labelled: bool, rng: np.random.Generator) -> None:
    if labelled:
        contents.add_coordinates(content, dark, rng)
    kind = rng.random()
    if kind < 0.1:
        contents.add_numbers(content, rng)
    elif kind < 0.2:
        contents.add_marks(content, dark, rng)
    elif kind < 0.3:
        contents.add_territory(content, rng)
    if rng.random() < 0.6:
        contents.mark_last_move(content, rng)


def _diagram(width: int, height: int, rng: np.random.Generator) -> Picture:
    """Boards of a book, a magazine or a web page, printed and perhaps scanned."""
    look = looks.print_look(rng)
    labelled, turn = bool(rng.random() < 0.15), float(rng.normal(0, 0.01)) if rng.random() < 0.4 else 0.0
    ink, ratio = tuple(look.values["line"]), float(rng.choice([1.0, rng.uniform(0.95, 1.12)]))
    paper = float(look.values["board"][0]) if rng.random() < 0.8 else 255.0
    picture, drawn = np.empty((height, width, 3), np.uint8), []
    for number, (content, place) in enumerate(_flat_boards(width, height, rng, parts=0.4)):
        if labelled:
            contents.add_coordinates(content, ink, rng)
        if rng.random() < 0.6:
            contents.add_numbers(content, rng)
        if rng.random() < 0.4:
            contents.add_marks(content, ink, rng)
        margins = _margins(content, labelled, rng) + abs(turn) * 10
        camera = _fit(content, margins, place, ratio, turn)
        surface = looks.surface(look, camera, content, margins, rng)
        box = _box(camera, surface, width, height)
        if number == 0:
            scenery.page(picture, box, paper, rng)
        _draw(picture, surface, box, 2)
        drawn.append(_drawn(camera, content))
    return Picture(lens.scan(picture, rng), tuple(drawn), "diagram")
