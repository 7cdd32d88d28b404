"""Points that were found on a picture, as the crossings of a board: a grid seen in perspective.

A grid is grown from one point with clear neighbours to the next, so that neither its size nor where it lies need be known; then
a homography is fitted to it by RANSAC (Fischler and Bolles 1981), and what does not lie on it is left out. Knows points in
pixels; no pictures and no stones.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from goengine.vision.geometry import grid_corners, moved

SEEDS: Final = 8  # points from which a grid is tried to grow
NEAR: Final = 0.32  # of a step: how far from where it is expected a neighbour may lie
FITS: Final = 0.25  # of a step: how far from its crossing a point may lie
LEAST_POINTS: Final = 12
MOST_POINTS: Final = 800
LEAST_SIDE: Final = 3  # crossings
SUPPORT: Final = 0.5  # share of the crossings of an outer line that must have been found


@dataclass(frozen=True)
class Lattice:
    """A grid on a picture: ``to_picture`` [3,3] takes (column, row), from 0 at the top left crossing, to pixels."""

    to_picture: np.ndarray
    rows: int
    columns: int
    found: int  # points that lie on it

    @property
    def corners(self) -> np.ndarray:
        """float64 [4,2]: the outer crossings top left, top right, bottom right, bottom left."""
        return moved(self.to_picture, grid_corners(self.rows, self.columns))


def crossings(rows: int, columns: int) -> np.ndarray:
    """(column, row) of all crossings, row by row: float64 [rows * columns,2]."""
    return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2).astype(np.float64)


def find_lattice(points: np.ndarray, steps: np.ndarray, scores: np.ndarray) -> Lattice | None:
    """The grid that most of the points lie on, or None where there is none.

    points [N,2]: centres; steps [N]: about how far each is from its neighbours; scores [N]: how sure each is.
    """
    if len(points) < LEAST_POINTS:
        return None
    if len(points) > MOST_POINTS:  # no board has so many: noise
        surest = np.argsort(-scores, kind="stable")[:MOST_POINTS]
        points, steps, scores = points[surest], steps[surest], scores[surest]
    best: dict[int, tuple[int, int]] = {}
    for seed in _seeds(points, steps):
        grown = _grow(points, *seed)
        if len(grown) > len(best):
            best = grown
        if len(best) > 0.8 * len(points):
            break
    if len(best) < LEAST_POINTS:
        return None
    return _fitted(points, scores, best)


def _seeds(points: np.ndarray, steps: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """(point, step along one line, step along the other) of those with the clearest neighbours on all four sides."""
    found = []
    for i, point in enumerate(points):
        moves = points - point
        lengths = np.hypot(moves[:, 0], moves[:, 1])
        around = moves[(lengths > 0.5 * steps[i]) & (lengths < 1.7 * steps[i])]
        if len(around) < 4:
            continue
        misses = np.hypot(*(around[:, None] + around[None]).transpose(2, 0, 1)).min(axis=1)  # is there one opposite?
        by_length = np.argsort(np.hypot(around[:, 0], around[:, 1]) + 2 * misses)
        u = around[by_length[0]]
        for k in by_length[1:]:
            v = around[k]
            across = abs(u[0] * v[1] - u[1] * v[0]) / (np.hypot(*u) * np.hypot(*v))
            if across > 0.6:
                v = v - round(float(u @ v) / float(u @ u)) * u  # the step across a line, not along a diagonal
                found.append((float(misses[by_length[0]] + misses[k]) / steps[i], i, u, v))
                break
    found.sort(key=lambda seed: seed[0])
    return [seed[1:] for seed in found[:SEEDS]]


def _grow(points: np.ndarray, seed: int, u: np.ndarray, v: np.ndarray) -> dict[int, tuple[int, int]]:
    """Places (along u, along v) of all points that can be reached from the seed, step by step, by index."""
    place = {seed: (0, 0)}
    taken = {(0, 0)}
    todo = deque([(seed, u, v)])
    while todo:
        i, u, v = todo.popleft()
        for along, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
            step = sign * (u, v)[along]
            away = points - (points[i] + step)
            distances = np.hypot(away[:, 0], away[:, 1])
            j = int(distances.argmin())
            to = (place[i][0] + sign, place[i][1]) if along == 0 else (place[i][0], place[i][1] + sign)
            if distances[j] > NEAR * np.hypot(*step) or j in place or to in taken:
                continue
            place[j] = to
            taken.add(to)
            seen = sign * (points[j] - points[i])
            todo.append((j, 0.5 * (u + seen), v) if along == 0 else (j, u, 0.5 * (v + seen)))
    return place


def _fitted(points: np.ndarray, scores: np.ndarray, grown: dict[int, tuple[int, int]]) -> Lattice | None:
    """The lattice of a grown grid: fitted, fitted again to all points that lie on it, cut to what was found, turned upright."""
    index = np.array(list(grown))
    places = np.array(list(grown.values()), np.float64)
    homography: np.ndarray | None = None
    for _ in range(3):
        if len(index) < LEAST_POINTS or np.ptp(places, axis=0).min() < LEAST_SIDE - 1:
            return None
        step = _step(points[index], places)
        homography, _ = cv2.findHomography(places, points[index], cv2.RANSAC, FITS * step)
        if homography is None or abs(np.linalg.det(homography)) < 1e-12:
            return None
        index, places = _on_lattice(points, scores, homography)
    assert homography is not None
    bounds = _bounds(places.astype(int))
    if bounds is None:
        return None
    low, high = bounds
    inside = np.all((places >= low) & (places <= high), axis=1)
    return _upright(homography, low, high, int(inside.sum()))


def _step(points: np.ndarray, places: np.ndarray) -> float:
    """About the distance of two neighbours, in pixels."""
    spread = np.linalg.norm(points - points.mean(axis=0), axis=1).mean()
    return float(spread / max(np.linalg.norm(places - places.mean(axis=0), axis=1).mean(), 1e-9))


def _on_lattice(points: np.ndarray, scores: np.ndarray, homography: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(indices, places) of the points that lie on a lattice, one for each crossing."""
    with np.errstate(all="ignore"):
        seen = moved(np.linalg.inv(homography), points)
    places = np.round(seen)
    near = np.isfinite(seen).all(axis=1) & (np.abs(seen - places).max(axis=1) < FITS) & (np.abs(places) < 64).all(axis=1)
    index = np.flatnonzero(near)[np.argsort(-scores[near], kind="stable")]
    _, first = np.unique(places[index], axis=0, return_index=True)
    index = index[np.sort(first)]
    return index, places[index]


def _bounds(places: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(least, greatest) place of the grid: outer lines of which too little was found are cut off, the emptiest first."""
    low, high = places.min(axis=0), places.max(axis=0)
    there = np.zeros(high - low + 1, bool)
    there[tuple((places - low).T)] = True
    while min(there.shape) >= LEAST_SIDE:
        lines = [(there[0].mean(), 0, 0), (there[-1].mean(), 0, -1), (there[:, 0].mean(), 1, 0), (there[:, -1].mean(), 1, -1)]
        share, axis, end = min(lines)
        if share >= SUPPORT:
            return low, high
        there = np.delete(there, end, axis)
        if end == 0:
            low[axis] += 1
        else:
            high[axis] -= 1
    return None


def _upright(homography: np.ndarray, low: np.ndarray, high: np.ndarray, found: int) -> Lattice:
    """The lattice whose columns run to the right and whose rows run down, from its top left crossing."""
    middle = (low + high) / 2
    here, along, across = moved(homography, np.array([middle, middle + (0.5, 0), middle + (0, 0.5)]))
    u, v = along - here, across - here
    turns = [(u, v), (-v, u), (-u, -v), (v, -u)] if u[0] * v[1] - u[1] * v[0] > 0 else [(v, u), (-u, v), (-v, -u), (u, -v)]
    best = max(turns, key=lambda turn: turn[0][0] / np.hypot(*turn[0]) + turn[1][1] / np.hypot(*turn[1]))
    # What one column and one row are in the old places: which of u, v and their opposites the turn has taken.
    column, row = (
        next(
            np.array(old)
            for move, old in ((u, (1, 0)), (-u, (-1, 0)), (v, (0, 1)), (-v, (0, -1)))
            if np.array_equal(move, side)
        )
        for side in best
    )
    corner = np.where(column + row > 0, low, high).astype(float)
    turned = np.eye(3)
    turned[:2, 0], turned[:2, 1], turned[:2, 2] = column, row, corner
    extent = high - low + 1
    columns, rows = (int(extent[np.flatnonzero(side)[0]]) for side in (column, row))
    full = homography @ turned
    return Lattice(full / full[2, 2], rows, columns, found)
