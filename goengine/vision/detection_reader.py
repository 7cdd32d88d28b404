"""The reader that finds boxes: boards on the whole picture, crossings and stones on each board, a grid through them, and then
what stands on its crossings on the straightened board.

Knows the order of these steps; the net is in `detection`, the grid in `lattice`.
"""

from pathlib import Path
from typing import Final

import numpy as np

from goengine.board.state import BLACK, EMPTY, WHITE
from goengine.vision import light
from goengine.vision.board_picture import BoardReading, Edges
from goengine.vision.crossing_scores import KINDS, CrossingScores, crossing_scores, lines_to_add
from goengine.vision.default_boxes import BOARD, iou
from goengine.vision.detection import Answer, Detector
from goengine.vision.geometry import moved
from goengine.vision.lattice import Lattice, find_lattice
from goengine.vision.views import View, framed, straightened

BOARD_SEEN: Final = 0.35  # how sure the net must be of a board, and of a point
POINT_SEEN: Final = 0.3
AROUND: Final = 0.06  # of a board's box: what is shown around it
MARGIN: Final = 1.2  # crossings around a straightened board
EDGE: Final = 0.5  # mean probability of an outer line's points that the board ends there
SURE: Final = 0.6  # mean sureness of all crossings: below, there is no board (a chessboard has up to 0.58, by CPU)
MOST_BOARDS: Final = 12
SIDES: Final = (3, 25)  # lines that a board, or what is shown of it, can have
SURE_ENOUGH: Final = 0.7  # of the crossings of a board: below, it is looked at under other light
SAME: Final = 0.4  # IoU: two readings that share more are of one board
COLOURS: Final = np.array([BLACK, WHITE, EMPTY], np.int8)  # that KINDS stand for


class DetectionReader:
    """Reads by a detector. path: of its graph, NAME.xml. threads: of the net, 0: its own choice."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._detector = Detector(path, threads)

    def boards(self, picture: np.ndarray) -> list[BoardReading]:
        """All boards on a picture uint8 [H,W,3], the surest first; where it is not sure, it looks under other light, too."""
        best = self._boards(picture)
        if _sureness(best) < SURE_ENOUGH:
            best = max((best, *(self._boards(view(picture)) for view in light.VIEWS)), key=_sureness)
        return best

    def _boards(self, picture: np.ndarray) -> list[BoardReading]:
        size = np.array(picture.shape[1::-1], np.float64)
        whole = framed(picture, np.zeros(2), size)
        answer = self._detector(whole.pixels)
        views = [framed(picture, *_frame(box, whole, size)) for box in answer.found((BOARD,), BOARD_SEEN).boxes[:MOST_BOARDS]]
        found = [self._board(picture, view, self._detector(view.pixels)) for view in views]
        if all(board is None for board in found):
            found = [self._board(picture, whole, answer)]
        return _distinct([board for board in found if board is not None])

    def _board(self, picture: np.ndarray, view: View, answer: Answer) -> BoardReading | None:
        """The board on a view, if there is one."""
        points = answer.found(KINDS, POINT_SEEN)
        lattice = find_lattice(points.boxes[:, :2].astype(np.float64), points.boxes[:, 2:].mean(axis=1), points.scores)
        if lattice is None:
            return None
        return self._straight_board(picture, view.to_picture @ lattice.to_picture, lattice)

    def _straight_board(self, picture: np.ndarray, to_crossings: np.ndarray, lattice: Lattice) -> BoardReading | None:
        """The board of a grid; lines that it lacks on the straightened board, or has too many, are corrected."""
        rows, columns = lattice.rows, lattice.columns
        for _ in range(3):
            view = straightened(picture, to_crossings, rows, columns, MARGIN)
            scores = crossing_scores(self._detector(view.pixels), rows, columns, MARGIN, 1)
            left, top, right, bottom = lines_to_add(scores)
            if not (left or top or right or bottom):
                break
            rows, columns = rows + top + bottom, columns + left + right
            if not SIDES[0] <= min(rows, columns) <= max(rows, columns) <= SIDES[1]:
                return None
            to_crossings = to_crossings @ np.array([[1.0, 0, -left], [0, 1.0, -top], [0, 0, 1.0]])
        else:
            return None
        inner = CrossingScores(scores.kinds[1:-1, 1:-1], scores.sides[1:-1, 1:-1])
        return _reading(inner, Lattice(to_crossings, rows, columns, lattice.found))


def _sureness(boards: list[BoardReading]) -> float:
    """The mean sureness of the crossings of the surest board, 0 without one."""
    return max((float(board.confidence.mean()) * board.found for board in boards), default=0.0)


def _frame(box: np.ndarray, view: View, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(top left, bottom right) of what is looked at of the picture for a board's box on its view."""
    half = box[2:] * (0.5 + AROUND)
    low, high = moved(view.to_picture, np.array([box[:2] - half, box[:2] + half], np.float64))
    return np.clip(low, 0, size - 1), np.clip(high, 1, size)


def _reading(scores: CrossingScores, lattice: Lattice) -> BoardReading | None:
    found = float(scores.there.mean())
    if found < SURE:
        return None
    odds = scores.kinds + 1e-3
    odds = odds / odds.sum(axis=2, keepdims=True)
    sides = scores.sides
    left, top, right, bottom = sides[:, 0, 0], sides[0, :, 1], sides[:, -1, 2], sides[-1, :, 3]
    ends = [bool(line.mean() >= EDGE) for line in (top, right, bottom, left)]
    return BoardReading(
        corners=lattice.corners.astype(np.float32),
        stones=COLOURS[odds.argmax(axis=2)],
        confidence=odds.max(axis=2).astype(np.float32),
        edges=Edges(*ends),
        found=found,
    )


def _box(board: BoardReading) -> np.ndarray:
    low, high = board.corners.min(axis=0), board.corners.max(axis=0)
    return np.concatenate(((low + high) / 2, high - low))


def _distinct(boards: list[BoardReading]) -> list[BoardReading]:
    """Each board once, by the surest reading of it, the surest first."""
    kept: list[BoardReading] = []
    for board in sorted(boards, key=lambda board: -board.found * board.stones.size):
        if not kept or iou(_box(board), np.stack([_box(other) for other in kept])).max() <= SAME:
            kept.append(board)
    return kept
