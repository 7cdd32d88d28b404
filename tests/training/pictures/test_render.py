"""Drawn pictures: the same for the same numbers, and their truth is what is drawn."""

import numpy as np
import pytest

from goengine.board.state import BLACK, EMPTY, WHITE
from goengine.vision import geometry
from training.pictures import glyphs, looks, render, samples
from training.pictures.camera import corners_of, flat_camera, photo_camera, project
from training.pictures.content import Content, draw_content
from training.pictures.shader import draw_board


def crossings(board):
    """Pixels float[rows, columns, 2] of a drawn board's crossings."""
    x, y = np.meshgrid(np.arange(board.reading.columns), np.arange(board.reading.rows))
    return geometry.moved(board.plane, np.stack([x, y], -1))


@pytest.mark.parametrize("kind", render.KINDS)
def test_the_same_numbers_give_the_same_picture(kind):
    first, again = render.render(5, 3, 200, 160, kind), render.render(5, 3, 200, 160, kind)
    other = render.render(5, 4, 200, 160, kind)
    assert first.pixels.shape == (160, 200, 3) and first.pixels.dtype == np.uint8
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    for board, twin in zip(first.boards, again.boards, strict=True):
        assert np.array_equal(board.reading.stones, twin.reading.stones)
        assert np.array_equal(board.reading.corners, twin.reading.corners)


def test_all_kinds_sizes_parts_and_counts_of_boards_come():
    pictures = [render.render(8, number, 96, 96) for number in range(250)]
    boards = [board.reading for picture in pictures for board in picture.boards]
    assert {picture.kind for picture in pictures} == set(render.KINDS)
    assert {0, 1, 2} <= {len(picture.boards) for picture in pictures}
    assert {9, 13, 19} <= {board.rows for board in boards}
    assert any(not board.whole for board in boards) and any(board.last_move for board in boards)
    shares = [(board.stones != EMPTY).mean() for board in boards]
    assert min(shares) == 0 and max(shares) > 0.95


def plain_board(stones, camera, side=320):
    """A diagram without anything around or on it."""
    rng = np.random.default_rng(1)
    look = looks.print_look(rng)
    look.set(board=np.full(3, 250, np.float32), line=np.zeros(3, np.float32), line_width=0.06, edge_width=0.06)
    look.set(colours=np.array([(0, 0, 0), (0, 0, 0), (250, 250, 250)], np.float32), radius=np.array([0, 0.46, 0.46]))
    content = Content(stones, size=len(stones))
    picture = np.full((side, side, 3), 250, np.uint8)
    surface = looks.surface(look, camera, content, np.full(4, 0.6), rng)
    draw_board(picture, surface, np.array([0, 0, side, side]), np.zeros((4, 6)))
    return picture


@pytest.mark.parametrize("turn", [0.0, 0.05])
def test_lines_are_where_the_truth_says(turn):
    """The darkness around a crossing has its middle on it, to a tenth of a pixel."""
    camera = flat_camera(40.3, 38.7, 30.1, 29.6, turn)
    picture = 255.0 - plain_board(np.zeros((9, 9), np.int8), camera)[..., 0]
    for row, column in ((1, 1), (3, 5), (7, 6)):
        x, y = project(camera.plane, np.array([[column, row]]))[0]
        left, top = round(x) - 9, round(y) - 9
        patch = picture[top : top + 19, left : left + 19]
        patch = np.where(patch > 60, patch, 0)
        middle = np.array([(patch.sum(0) @ np.arange(19)), (patch.sum(1) @ np.arange(19))]) / patch.sum()
        assert np.abs(middle + (left, top) - (x, y)).max() < 0.35


def test_stones_are_what_the_truth_says():
    stones = np.random.default_rng(3).integers(0, 3, (9, 9)).astype(np.int8)
    camera = flat_camera(30, 30, 32, 32)
    picture = plain_board(stones, camera)
    for row, column in np.ndindex(9, 9):
        x, y = (round(value) for value in project(camera.plane, np.array([[column, row]]))[0])
        middle, beside = picture[y, x, 0], picture[y - 6, x + 6, 0]
        expected = {EMPTY: (False, True), BLACK: (False, False), WHITE: (True, True)}[int(stones[row, column])]
        assert (middle > 128, beside > 128) == expected


def test_a_photo_shows_the_stones_of_its_truth():
    """Black stones are darker than white ones in any photo that is not cut off, at the places that the truth gives."""
    compared = right = 0
    for number in range(40):
        picture = render.render(21, number, kind="photo")
        for board in picture.boards:
            at = np.round(crossings(board)).astype(int)
            if at.min() < 0 or at.max() > 383:
                continue
            grey = picture.pixels[at[..., 1], at[..., 0]].mean(-1)
            black, white = grey[board.reading.stones == BLACK], grey[board.reading.stones == WHITE]
            if len(black) > 5 and len(white) > 5:
                compared += 1
                right += bool(np.median(black) < np.median(white))
    assert compared > 15 and right >= compared - 2  # in the dark, noise is all that is left


@pytest.mark.parametrize("number", range(6))
def test_photo_cameras_show_the_board_upright(number):
    rng = np.random.default_rng(number)
    camera = photo_camera(19, 13, 384, 288, rng)
    seen = project(camera.plane, corners_of(19, 13))
    (left, top), (right, _), (_, bottom), (_, low) = seen
    assert left < right and top < bottom and top < low
    assert np.linalg.det(np.stack([seen[1] - seen[0], seen[3] - seen[0]])) > 0  # not mirrored
    assert np.allclose(seen, geometry.moved(camera.plane, corners_of(19, 13)))


def test_parts_keep_the_star_points_of_the_whole_board():
    rng = np.random.default_rng(4)
    parts = [content for content in (draw_content(rng, 1.0) for _ in range(60)) if not all(content.edges)]
    assert parts
    for content in parts:
        top, left = content.offset
        if content.size == 19 and top <= 3 < top + content.rows and left <= 15 < left + content.columns:
            assert content.hoshi()[3 - top + 1, 15 - left + 1]


def test_marks_are_different_and_there():
    fine = glyphs.atlas()[0]
    used = [glyphs.number(7, 0), glyphs.number(107, 0), glyphs.letter("A", 1), glyphs.letter("z", 3), *glyphs.SHAPES]
    assert len({fine[tile].tobytes() for tile in used}) == len(used)
    assert all(fine[tile].max() > 200 for tile in used)


def test_the_maps_of_a_sample_are_those_of_its_board():
    for number in range(12):
        picture = render.render(31, number, samples.SIDE, samples.SIDE)
        sample = samples.labelled(picture.pixels, tuple((board, board.plane) for board in picture.boards))
        for board in picture.boards:
            at = crossings(board)
            inside = (at >= 1).all(-1) & (at < samples.SIDE - 1).all(-1)
            x, y = (np.round((at[inside][:, axis] - 0.5) / samples.STRIDE).astype(int).clip(0, 127) for axis in (0, 1))
            assert (sample.maps[0][y, x] == 255).mean() > 0.97
            assert (sample.stones[y, x] == board.reading.stones[inside]).mean() > 0.95
            assert sample.maps[1][y, x].mean() > 100


def test_crossings_beyond_the_picture_are_not_learned():
    for number in range(300):
        board = render.render(9, number).boards
        if board and board[0].reading.corners.min() < -20 and len(board) == 1:
            sample = samples.crossings_sample(9, number, 16)
            assert (sample.stones == samples.IGNORED).any() and (sample.stones != samples.IGNORED).any()
            return
    pytest.fail("no picture cuts its board off")
