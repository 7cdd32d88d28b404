"""Grids through points that were seen in perspective, some of them missing, some of them wrong."""

import numpy as np
import pytest

from goengine.vision.geometry import grid_corners, homography, moved
from goengine.vision.lattice import crossings, find_lattice

SHAPES = [(19, 19), (13, 13), (9, 9), (10, 12), (19, 8), (6, 13), (5, 5)]


def seen(rows, columns, turn, seed, missing=0.08, wrong=10, noise=0.05):
    """(corners [4,2], points [N,2], steps [N], scores [N])."""
    rng = np.random.default_rng(seed)
    corners = grid_corners(rows, columns) * 280 / max(rows, columns)
    corners = corners - corners.mean(axis=0) + rng.normal(0, 0.04 * 280, (4, 2))
    cos, sin = np.cos(turn), np.sin(turn)
    corners = corners @ np.array([[cos, sin], [-sin, cos]]) + 190
    plane = homography(grid_corners(rows, columns), corners)
    places = crossings(rows, columns)
    points = moved(plane, places)
    steps = np.linalg.norm(moved(plane, places + (1, 0)) - points, axis=1)
    points = points + rng.normal(0, noise, points.shape) * steps[:, None]
    kept = rng.random(len(points)) >= missing
    points = np.concatenate((points[kept], rng.uniform(0, 384, (wrong, 2))))
    steps = np.concatenate((steps[kept], rng.uniform(8, 20, wrong)))
    order = rng.permutation(len(points))
    return corners, points[order], steps[order], rng.random(len(points))


@pytest.mark.parametrize("rows, columns", SHAPES)
@pytest.mark.parametrize("turn", [0.0, 0.45, -0.3])
def test_grids_are_found_upright(rows, columns, turn):
    corners, points, steps, scores = seen(rows, columns, turn, seed=rows * 100 + columns)
    found = find_lattice(points, steps, scores)
    assert found is not None and (found.rows, found.columns) == (rows, columns)
    assert np.abs(found.corners - corners).max() < 0.4 * steps.mean()


def test_where_there_is_no_grid_none_is_found():
    rng = np.random.default_rng(3)
    few = rng.uniform(0, 384, (8, 2))
    assert find_lattice(few, np.full(8, 15.0), np.ones(8)) is None
    many = rng.uniform(0, 384, (120, 2))
    found = find_lattice(many, np.full(120, 20.0), np.ones(120))
    assert found is None or found.found < 40
    line = np.stack((np.arange(30) * 12.0, np.full(30, 100.0)), axis=1)
    assert find_lattice(line, np.full(30, 12.0), np.ones(30)) is None
