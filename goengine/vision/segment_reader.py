"""The reader that segments: a U-Net marks boards and crossings, a grid is fitted to them, a second net names the stones.

1. The whole picture, made small, gives a region for each board, and the region's corners.
2. Each region, straightened, is looked at again: its crossings are now far enough apart to be found one by one, and the grid
   that fits most of them says how many lines there are.
3. The board, straightened by that grid, is looked at a second time for lines that were missed and for the board's edges.
4. On the board straightened by the final grid the second net says what stands on each crossing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from goengine.vision import geometry, lattice
from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.grid_window import LEAST, MOST, USUAL, likeliest
from goengine.vision.lattice import Lattice, find_lattice
from goengine.vision.light import VIEWS
from goengine.vision.picture_net import PictureNet

WEIGHTS: Final = Path(__file__).resolve().parent / "weights"
SMALL: Final = 256  # pixels of the longer side at the first look
CLOSE: Final = 320  # pixels of a straightened region's side
LARGEST: Final = 26.0  # pixels between lines at the second look, at most
STRIDE: Final = 2  # pixels for one of a map
ROUNDED: Final = 64  # the net's pictures are whole multiples of this
CELL: Final = 16  # pixels of a crossing for the net of crossings
SQUARE: Final = 1.5  # width through height of a region, or the reverse, up to which it is taken for a square
LEAST_PICTURE: Final = 16  # pixels: nothing can be read on a smaller one
LEAST_REGION: Final = 0.004  # of the picture: smaller regions are no boards
MOST_BOARDS: Final = 12
PEAK: Final = 0.3  # least probability of a crossing's middle
AROUND: Final = 2  # lines around a grid that are looked at; 1 for a small board, of which they would be a large part
SMALL_BOARD: Final = 11  # lines
BEYOND: Final = 0.6  # how much more is shown, in distances between lines
SURE_OF_STONES: Final = 0.998  # mean probability of the stones below which a board is looked at in other ways
POOR: Final = 0.985  # below which its grid is looked for anew, too
BESIDE: Final = tuple((right, down) for right in (-0.2, 0.0, 0.2) for down in (-0.2, 0.0, 0.2) if right or down)
SURE: Final = 0.45  # mean probability of crossings below which there is no board
SURE_OF_OTHERS: Final = 0.6  # the same where neither side has a usual number of lines: any table of cells is like that
BOARD, CROSSING, LINE = range(3)  # maps of the U-Net


@dataclass(frozen=True)
class _Grid:
    """A grid on the picture, before its stones are known."""

    plane: np.ndarray  # float64[3, 3]  from (column, row) to the picture
    rows: int
    columns: int
    edges: Edges
    sure: float  # mean probability of its crossings


class SegmentReader:
    """Reads by the nets segment.xml and crossings.xml of a folder. threads: of the nets, 0: their own choice."""

    def __init__(self, folder: Path = WEIGHTS, threads: int = 0) -> None:
        self._segment = PictureNet(folder / "segment.xml", threads)
        self._crossings = PictureNet(folder / "crossings.xml", threads)

    def boards(self, picture: np.ndarray) -> list[BoardReading]:
        """All boards on a picture uint8[H, W, 3], the largest first."""
        found: list[BoardReading] = []
        for number, corners in enumerate(self.regions(picture)):
            reading = self._read_region(picture, corners, number == 0)
            if reading is not None and not any(_same(reading, other) for other in found):
                found.append(reading)
        return found

    def _read_region(self, picture: np.ndarray, corners: np.ndarray, largest: bool) -> BoardReading | None:
        """The board in a region; where it is hard to read, under other light, too, and the surest reading of all.

        Where there is no grid, other light is tried for the largest region only: smaller ones are mostly no boards.
        """
        best = self._read_once(picture, corners)
        if (best is None and largest) or (best is not None and best.confidence.mean() < POOR):
            readings = [self._read_once(other(picture), corners) for other in VIEWS]
            there = [reading for reading in (best, *readings) if reading is not None]
            best = max(there, key=lambda reading: float(reading.confidence.mean()), default=None)
        return best

    def _read_once(self, picture: np.ndarray, corners: np.ndarray) -> BoardReading | None:
        grid = self._grid(picture, corners)
        return None if grid is None else self._read(picture, grid)

    def regions(self, picture: np.ndarray) -> Iterator[np.ndarray]:
        """Corners float32[4, 2] of where boards seem to be, the largest first; of the whole picture, if there are none."""
        height, width = picture.shape[:2]
        if min(height, width) < LEAST_PICTURE:
            return
        small = geometry.shrunk(picture, SMALL / max(height, width))
        maps = self._segment(_padded(small))[:, : -(-small.shape[0] // STRIDE), : -(-small.shape[1] // STRIDE)]
        scale = np.array([width / small.shape[1], height / small.shape[0]])
        count, labels, stats, _ = cv2.connectedComponentsWithStats((maps[BOARD] > 0.5).astype(np.uint8))
        by_area = sorted(range(1, count), key=lambda label: -stats[label, cv2.CC_STAT_AREA])
        some = False
        for label in by_area[:MOST_BOARDS]:
            if stats[label, cv2.CC_STAT_AREA] < LEAST_REGION * labels.size:
                break
            corners = geometry.quadrilateral((labels == label).astype(np.uint8))
            if corners is not None:
                some = True
                yield ((corners * STRIDE + 0.5 + 0.5) * scale - 0.5).astype(np.float32)
        if not some:
            yield np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)

    def _grid(self, picture: np.ndarray, corners: np.ndarray) -> _Grid | None:
        """The grid in a region, looked for with more and with less around it."""
        best: _Grid | None = None
        for margin in (0.07, 0.16):
            matrix, (width, height) = _region_view(corners, margin * CLOSE)
            maps = self._segment(_padded(geometry.straightened(picture, matrix, width, height)))
            found = _lattice(maps[CROSSING])
            if found is None:
                continue
            grid = self._looked_at_again(picture, np.linalg.inv(matrix) @ found.to_picture, found)
            if grid is not None and (best is None or grid.sure > best.sure):
                best = grid
            if best is not None and best.sure > 0.75:
                break
        return best

    def _looked_at_again(self, picture: np.ndarray, plane: np.ndarray, found: Lattice) -> _Grid | None:
        """The grid after lines were added or taken away and its corners fitted anew; None if there is none."""
        rows, columns = found.rows, found.columns
        for turn in range(5):
            if not LEAST <= min(rows, columns) <= max(rows, columns) <= MOST:
                return None
            around = AROUND if max(rows, columns) > SMALL_BOARD else 1
            to_view, (width, height) = _close_view(rows, columns, around + BEYOND)
            maps = self._segment(_padded(geometry.straightened(picture, to_view @ np.linalg.inv(plane), width, height)))
            plane = plane @ _correction(maps[CROSSING], to_view, rows, columns)
            there, edge = (_at_crossings(maps[kind], to_view, rows, columns, around) for kind in (CROSSING, LINE))
            window = likeliest(there, edge, around)
            if not window.moved or turn == 4:
                sure = float(there[around:-around, around:-around].mean())
                usual = rows in USUAL or columns in USUAL
                return _Grid(plane, rows, columns, window.edges, sure) if sure > (SURE if usual else SURE_OF_OTHERS) else None
            plane = plane @ np.array([(1.0, 0, -window.left), (0, 1.0, -window.top), (0, 0, 1)])
            rows, columns = rows + window.top + window.bottom, columns + window.left + window.right
        return None

    def _read(self, picture: np.ndarray, grid: _Grid) -> BoardReading:
        """The stones of a grid."""
        answers = self._stones(picture, grid)
        stones = answers[:3].argmax(0).astype(np.int8)
        corners = geometry.moved(grid.plane, geometry.grid_corners(grid.rows, grid.columns)).astype(np.float32)
        marked = np.where(stones > 0, answers[3], 0)
        place = np.unravel_index(int(marked.argmax()), marked.shape)
        last = (int(place[0]), int(place[1])) if marked[place] > 0.5 else None
        return BoardReading(corners, stones, answers[:3].max(0), grid.edges, last, grid.sure)

    def _stones(self, picture: np.ndarray, grid: _Grid) -> np.ndarray:
        """The answers float32[4, rows, columns] of the net of crossings.

        Where it is not sure, it looks again under other light, and a little beside the crossings: seen at an angle, all stones
        stand beside them. Of all answers the surest ones count.
        """
        best = self._answers(picture, grid, None, 0, 0)
        if _sureness(best) >= SURE_OF_STONES:
            return best
        light = None
        for other in VIEWS:
            answers = self._answers(picture, grid, other, 0, 0)
            if _sureness(answers) > _sureness(best):
                best, light = answers, other
        for right, down in BESIDE:
            answers = self._answers(picture, grid, light, right, down)
            best = max(best, answers, key=_sureness)
        return best

    def _answers(
        self, picture: np.ndarray, grid: _Grid, light: Callable[[np.ndarray], np.ndarray] | None, right: float, down: float
    ) -> np.ndarray:
        """The answers under some light, so far (in distances between lines) from the crossings."""
        plane = grid.plane @ np.array([(1, 0, right), (0, 1, down), (0, 0, 1.0)])
        view = geometry.board_view(picture, plane, grid.rows, grid.columns, CELL)
        return self._crossings(view if light is None else light(view))[:, 1:-1, 1:-1]


def _sureness(answers: np.ndarray) -> float:
    """Mean probability of what is most probable."""
    return float(answers[:3].max(0).mean())


def _padded(pixels: np.ndarray) -> np.ndarray:
    """A picture filled up with black on the right and below, to sides that the net takes."""
    height, width = (-(-side // ROUNDED) * ROUNDED for side in pixels.shape[:2])
    return np.pad(pixels, ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)))


def _lattice(crossing: np.ndarray) -> Lattice | None:
    """The grid through a map of crossings.

    Where few of the peaks lie on it, broader peaks are tried, too: lines may be far apart, and patterns on stones make several
    peaks out of one.
    """
    best: Lattice | None = None
    for blur in (0.6, 2.0, 4.0):
        points, steps, scores = peaks(crossing, blur)
        found = find_lattice(points, steps, scores)
        if found is not None and (best is None or found.found > best.found):
            best = found
        if best is not None and best.found > 0.8 * len(points):
            break
    return best


def peaks(crossing: np.ndarray, blur: float = 0.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The maxima of a map of crossings, blurred by so many of its pixels.

    Returns (points [N, 2] in pixels of the net's picture, about how far they are from each other [N], probabilities [N]).
    """
    smooth = cv2.GaussianBlur(crossing, (0, 0), blur)
    top = (smooth >= cv2.dilate(smooth, np.ones((3, 3), np.uint8))) & (smooth > PEAK * (1 if blur < 1 else 0.6))
    top[[0, -1], :] = top[:, [0, -1]] = False
    rows, columns = np.nonzero(top)
    around = np.stack([smooth[rows + i, columns + j] for i in (-1, 0, 1) for j in (-1, 0, 1)], 1).reshape(-1, 3, 3)
    weights = around.sum((1, 2)) + 1e-9
    x = columns + (around[:, :, 2].sum(1) - around[:, :, 0].sum(1)) / weights
    y = rows + (around[:, 2].sum(1) - around[:, 0].sum(1)) / weights
    points = np.stack([x, y], 1) * STRIDE + 0.5
    if len(points) < 2:
        return points, np.zeros(len(points)), crossing[rows, columns]
    far = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    np.fill_diagonal(far, np.inf)
    steps = np.full(len(points), float(np.median(far.min(1))))
    return points, steps, crossing[rows, columns]


def _region_view(corners: np.ndarray, margin: float) -> tuple[np.ndarray, tuple[int, int]]:
    """(from the picture to a straightened region with a margin around it, the view's width and height), in pixels.

    A region that is about as wide as high becomes a square, as most boards are; others keep their proportions.
    """
    sides = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    across, down = float(sides[0] + sides[2]), float(sides[1] + sides[3])
    shape = np.ones(2) if max(across, down) <= SQUARE * min(across, down) else np.array([across, down]) / max(across, down)
    width, height = (round(side) for side in np.maximum(shape * (CLOSE - 2 * margin), 4) + 2 * margin)
    frame = [(margin, margin), (width - margin, margin), (width - margin, height - margin), (margin, height - margin)]
    return geometry.homography(corners, np.array(frame)), (width, height)


def _close_view(rows: int, columns: int, margin: float) -> tuple[np.ndarray, tuple[int, int]]:
    """(from (column, row) to a view of a board with so much around it, the view's width and height)."""
    cell = min((CLOSE - 1) / (max(rows, columns) - 1 + 2 * margin), LARGEST)
    matrix = np.array([(cell, 0, cell * margin), (0, cell, cell * margin), (0, 0, 1)])
    width, height = (round(cell * (side - 1 + 2 * margin)) + 1 for side in (columns, rows))
    return matrix, (width, height)


def _at_crossings(values: np.ndarray, to_view: np.ndarray, rows: int, columns: int, around: int) -> np.ndarray:
    """float32[rows + 2 * around, columns + 2 * around]: the largest value of a map near each crossing."""
    wide = cv2.dilate(values, np.ones((3, 3), np.uint8))
    x, y = np.meshgrid(np.arange(-around, columns + around), np.arange(-around, rows + around))
    seen = (geometry.moved(to_view, np.stack([x, y], -1)) - 0.5) / STRIDE
    return cv2.remap(wide, seen.astype(np.float32), None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)


def _correction(crossing: np.ndarray, to_view: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The homography [3, 3] from (column, row) of the true grid to those of the one that was assumed, by the peaks of a map."""
    points = peaks(crossing)[0]
    seen = geometry.moved(np.linalg.inv(to_view), points)
    places = np.round(seen)
    near = (np.abs(seen - places).max(1) < 0.3) & (places >= 0).all(1) & (places < (columns, rows)).all(1)
    if near.sum() < max(12, 0.4 * rows * columns):
        return np.eye(3)
    matrix, _ = cv2.findHomography(places[near], seen[near], cv2.RANSAC, 0.15)
    if (
        matrix is None
        or np.abs(geometry.moved(matrix, lattice.crossings(rows, columns)) - lattice.crossings(rows, columns)).max() > 1
    ):
        return np.eye(3)
    return np.asarray(matrix, np.float64)


def _same(reading: BoardReading, other: BoardReading) -> bool:
    """Whether two readings are of one board: the middle of one lies in the other."""
    middle = tuple(float(value) for value in reading.corners.mean(0))
    return cv2.pointPolygonTest(other.corners, middle, False) >= 0
