"""How well boards on pictures are read: without any error, wrong crossings, corners, the region; by kind of picture.

Knows readers by one method, `boards(picture)`, which answers with `BoardReading`s.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from PIL import Image, ImageOps

from goengine.vision import geometry
from goengine.vision.board_picture import BoardReading
from goengine.vision.reader import WEIGHTS, PictureReader, load
from training.pictures.reader_options import ReadPicturesOptions
from training.pictures.render import render
from training.pictures.truth_files import KnownPicture, known_pictures

TILE = 400  # pixels of a picture of what went wrong
HEADER = ("kind", "pictures", "no error", "%", "size right", "wrong points", "per point %", "corners", "IoU", "ms")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one picture."""

    known: KnownPicture
    reading: BoardReading | None  # that of the true board, as far as there is one
    wrong: int | None  # crossings; None where the size is not the true one
    corner_error: float  # the worst corner's distance from the true one, in distances between lines; infinite without a board
    iou: float  # of the true figure between the corners and the one that was found
    seconds: float


@dataclass(frozen=True)
class Figures:
    """Of many pictures of one kind."""

    kind: str
    pictures: int
    without_error: int
    size_right: int
    wrong_points: float  # of boards whose size is right, the mean
    accuracy: float  # share of crossings of all boards; a board whose size is wrong counts as all wrong
    corners_right: int  # pictures whose corners are all within half a distance between lines
    iou: float
    seconds: float


def pixels_of(known: KnownPicture) -> np.ndarray:
    """uint8[H, W, 3] of a picture's file."""
    with Image.open(known.file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def drawn_pictures(seed: int, count: int) -> Iterator[tuple[KnownPicture, np.ndarray]]:
    """Drawn pictures of one board each, with their pixels."""
    number = done = 0
    while done < count:
        picture = render(seed, number)
        number += 1
        height, width = picture.pixels.shape[:2]
        if len(picture.boards) == 1 and (_inside(picture.boards[0].reading.corners, width, height)):
            truth = picture.boards[0].reading
            name = f"{picture.kind}-{number - 1}"
            known = KnownPicture(name, None, picture.kind, truth.corners.astype(np.float64), truth.stones)  # type: ignore[arg-type]
            yield known, picture.pixels
            done += 1


def _inside(corners: np.ndarray, width: int, height: int) -> bool:
    return bool((corners >= 0).all() and (corners < (width, height)).all())


def judged(known: KnownPicture, pixels: np.ndarray, reader: PictureReader) -> Outcome:
    """Read a picture and compare."""
    began = time.perf_counter()
    readings = reader.boards(pixels)
    seconds = time.perf_counter() - began
    if not readings:
        return Outcome(known, None, None, float("inf"), 0.0, seconds)
    ious = [_iou(reading.corners, known.corners) for reading in readings]
    best = int(np.argmax(ious))
    reading = readings[best]
    step = np.sqrt(cv2.contourArea(known.corners.astype(np.float32)) / np.prod(np.array(known.stones.shape) - 1))
    off = float(np.linalg.norm(reading.corners - known.corners, axis=1).max() / step)
    wrong = int((reading.stones != known.stones).sum()) if reading.stones.shape == known.stones.shape else None
    return Outcome(known, reading, wrong, off, ious[best], seconds)


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    """Of two convex figures of four corners."""
    one, two = first.astype(np.float32), second.astype(np.float32)
    common, _ = cv2.intersectConvexConvex(one, two)
    return float(common / max(cv2.contourArea(one) + cv2.contourArea(two) - common, 1e-9))


def figures(kind: str, outcomes: Sequence[Outcome]) -> Figures:
    """What came of pictures of one kind."""
    sized = [outcome.wrong for outcome in outcomes if outcome.wrong is not None]
    points = sum(outcome.known.stones.size for outcome in outcomes)
    right = sum(outcome.known.stones.size - outcome.wrong for outcome in outcomes if outcome.wrong is not None)
    return Figures(
        kind,
        len(outcomes),
        sum(wrong == 0 for wrong in sized),
        len(sized),
        float(np.mean(sized)) if sized else float("nan"),
        right / points,
        sum(outcome.corner_error <= 0.5 for outcome in outcomes),
        float(np.mean([outcome.iou for outcome in outcomes])),
        float(np.mean([outcome.seconds for outcome in outcomes])),
    )


def by_kind(outcomes: Sequence[Outcome]) -> list[Figures]:
    """Figures of each kind, then of all."""
    kinds = sorted({outcome.known.kind for outcome in outcomes})
    rows = [figures(kind, [outcome for outcome in outcomes if outcome.known.kind == kind]) for kind in kinds]
    return [*rows, figures("all", outcomes)] if len(kinds) > 1 else rows


def rows(found: Iterable[Figures]) -> list[tuple[str | int, ...]]:
    """Lines of a table under HEADER."""
    return [
        (
            row.kind,
            row.pictures,
            row.without_error,
            f"{100 * row.without_error / row.pictures:.0f}",
            row.size_right,
            f"{row.wrong_points:.2f}",
            f"{100 * row.accuracy:.2f}",
            row.corners_right,
            f"{row.iou:.3f}",
            f"{1000 * row.seconds:.0f}",
        )
        for row in found
    ]


def as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """All figures, and what was wrong with each picture that was not read without an error."""
    failed = [
        {
            "name": o.known.name,
            "kind": o.known.kind,
            "wrong": o.wrong,
            "corner_error": round(o.corner_error, 3),
            "iou": round(o.iou, 3),
        }
        for o in outcomes
        if o.wrong != 0
    ]
    return {"kinds": [asdict(row) for row in by_kind(outcomes)], "failed": failed}


def run(config: ReadPicturesOptions, say: Callable[[int], None]) -> list[Outcome]:
    """Read all pictures of a folder, or drawn ones. Raises RunError if the folder is no such one."""
    reader = load(config.reader, config.threads, config.weights or WEIGHTS)
    outcomes: list[Outcome] = []
    drawn: list[np.ndarray] = []
    if str(config.folder) == "drawn":
        pairs = drawn_pictures(config.seed, config.limit or 100)
    else:
        pairs = ((known, pixels_of(known)) for known in known_pictures(config.folder))
    for known, pixels in pairs:
        if config.limit is not None and len(outcomes) >= config.limit:
            break
        outcomes.append(judged(known, pixels, reader))
        say(len(outcomes))
        if config.failures is not None and outcomes[-1].wrong != 0:
            drawn.append(failure_picture(outcomes[-1], pixels))
    if config.failures is not None and drawn:
        cv2.imwrite(str(config.failures), _sheet(drawn)[..., ::-1])
    return outcomes


def failure_picture(outcome: Outcome, pixels: np.ndarray) -> np.ndarray:
    """uint8[TILE, TILE, 3]: a picture with the grid that was read, and a ring around each crossing that is wrong.

    Rings are red where the truth is black, blue where it is white, green where it is empty.
    """
    scale = TILE / max(pixels.shape[:2])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small[:TILE, :TILE]
    if outcome.reading is not None:
        _draw_reading(tile, outcome.reading, outcome.known, scale)
    wrong = "size" if outcome.wrong is None else f"{outcome.wrong} wrong"
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 0), 1)):
        cv2.putText(tile, f"{outcome.known.name}: {wrong}", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA)
    return tile


def _draw_reading(tile: np.ndarray, reading: BoardReading, known: KnownPicture, scale: float) -> None:
    plane = geometry.homography(geometry.grid_corners(reading.rows, reading.columns), reading.corners)
    ring = np.round((reading.corners + 0.5) * scale).astype(np.int32)
    cv2.polylines(tile, [ring], True, (0, 255, 0), 1, cv2.LINE_AA)
    if reading.stones.shape != known.stones.shape:
        return
    radius = max(2, int(0.4 * np.sqrt(cv2.contourArea(ring) / reading.stones.size)))
    for row, column in np.argwhere(reading.stones != known.stones):
        x, y = (geometry.moved(plane, np.array([[column, row]]))[0] + 0.5) * scale
        colour = ((0, 220, 0), (255, 0, 0), (60, 100, 255))[int(known.stones[row, column])]
        cv2.circle(tile, (int(x), int(y)), radius, colour, 2, cv2.LINE_AA)


def _sheet(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Tiles side by side, in rows of up to six."""
    across = min(6, len(tiles))
    down = -(-len(tiles) // across)
    filled = [*tiles, *[np.zeros_like(tiles[0])] * (across * down - len(tiles))]
    return np.concatenate([np.concatenate(filled[i : i + across], 1) for i in range(0, len(filled), across)])
