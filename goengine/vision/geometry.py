"""Planes in pictures: homographies, straightened boards, the corners of a region.

Pixels count as in `board_picture`. Homographies are float64[3, 3] and take (x, y, 1) of the first plane to the second one.
"""

import cv2
import numpy as np


def grid_corners(rows: int, columns: int) -> np.ndarray:
    """float32[4, 2]: the outer crossings in their own plane, (column, row): top left, top right, bottom right, bottom left."""
    right, bottom = columns - 1, rows - 1
    return np.array([(0, 0), (right, 0), (right, bottom), (0, bottom)], np.float32)


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """From four points [4, 2] to four others, no three of them on a line."""
    return cv2.getPerspectiveTransform(np.asarray(source, np.float32), np.asarray(target, np.float32))


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """float64[..., 2]: points [..., 2] through a homography."""
    lifted = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return lifted[..., :2] / lifted[..., 2:]


def shrunk(pixels: np.ndarray, scale: float) -> np.ndarray:
    """A picture made smaller by this factor, each pixel the mean of those that it stands for; as it is for 1 or more."""
    if scale >= 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def straightened(pixels: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8[height, width, 3]: what a homography from the picture to (width, height) shows; black beyond the picture.

    Where that makes the picture smaller, it is shrunk first, so that thin lines stay.
    """
    inverse = np.linalg.inv(matrix)
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    area = abs(cv2.contourArea(moved(inverse, frame).astype(np.float32)))
    scale = min(1.0, 1.4 * float(np.sqrt(width * height / max(area, 1.0))))
    if scale < 0.8:
        before = pixels.shape
        pixels = shrunk(pixels, scale)
        real = np.array([before[1] / pixels.shape[1], before[0] / pixels.shape[0]])
        matrix = matrix @ np.array([(real[0], 0, (real[0] - 1) / 2), (0, real[1], (real[1] - 1) / 2), (0, 0, 1)])
    return cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def board_view(pixels: np.ndarray, plane: np.ndarray, rows: int, columns: int, cell: int) -> np.ndarray:
    """uint8[(rows + 2) * cell, (columns + 2) * cell, 3]: a board with each crossing in the middle of a square of `cell` pixels,
    and as much around it as one crossing more on each side would take.

    plane: homography from (column, row) to the picture.
    """
    middle = cell + (cell - 1) / 2
    to_view = np.array([(cell, 0, middle), (0, cell, middle), (0, 0, 1)], np.float64)
    return straightened(pixels, to_view @ np.linalg.inv(plane), (columns + 2) * cell, (rows + 2) * cell)


def in_order(corners: np.ndarray) -> np.ndarray:
    """float32[4, 2]: four corners clockwise as the picture lies, that one first which is nearest to the top left."""
    middle = corners.mean(0)
    angles = np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0])
    ring = corners[np.argsort(angles)]
    return np.roll(ring, -int(np.argmin(ring.sum(1))), 0).astype(np.float32)


def quadrilateral(mask: np.ndarray) -> np.ndarray | None:
    """float32[4, 2]: the four-sided figure that a region (uint8[H, W], not 0 inside) fills best; None if it has no area.

    The hull's outline is simplified to four corners; then a line is fitted to the hull along each side, so that a rounded or
    bitten corner does not count.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(contour)
    if cv2.contourArea(hull) < 16:
        return None
    rough = _four_corners(hull)
    if rough is None:
        return None
    return _refined(in_order(rough), _dense(hull[:, 0].astype(np.float64)))


def _four_corners(hull: np.ndarray) -> np.ndarray | None:
    """The four corners to which a hull simplifies; those of its smallest box if it does not."""
    length = cv2.arcLength(hull, True)
    for share in np.linspace(0.01, 0.15, 29):
        found = cv2.approxPolyDP(hull, share * length, True)
        if len(found) == 4:
            return found[:, 0].astype(np.float32)
        if len(found) < 4:
            break
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(hull)), np.float32)


def _dense(ring: np.ndarray) -> np.ndarray:
    """Points about a pixel apart along a closed outline."""
    parts = []
    for start, end in zip(ring, np.roll(ring, -1, 0), strict=True):
        count = max(1, int(np.hypot(*(end - start))))
        parts.append(start + (end - start) * (np.arange(count) / count)[:, None])
    return np.concatenate(parts)


def _refined(corners: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Corners where lines through the outline's points meet, each side's points without those near its ends."""
    lines = []
    for start, end in zip(corners.astype(np.float64), np.roll(corners, -1, 0).astype(np.float64), strict=True):
        along = end - start
        length = max(float(np.hypot(*along)), 1e-6)
        along = along / length
        off = outline - start
        position, distance = off @ along / length, off @ np.array([-along[1], along[0]])
        near = outline[(position > 0.12) & (position < 0.88) & (np.abs(distance) < 0.06 * length + 1.5)]
        if len(near) < 4:
            return corners
        vx, vy, x, y = cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append((-vy, vx, vy * x - vx * y))
    found = []
    for number in range(4):
        meet = np.cross(lines[number - 1], lines[number])
        if abs(meet[2]) < 1e-9:
            return corners
        found.append(meet[:2] / meet[2])
    refined = np.array(found, np.float32)
    side = np.sqrt(cv2.contourArea(corners))
    return refined if np.abs(refined - corners).max() < 0.25 * side else corners
