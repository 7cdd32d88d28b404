"""Measuring readers: against readers whose faults are known, and from files."""

import json

import numpy as np
import pytest
from PIL import Image

from goengine.vision.board_picture import BoardReading
from training import cli
from training.core.checkpoint import RunError
from training.measure import read_pictures
from training.pictures.truth_files import known_pictures, read_truth


class Told:
    """A reader that answers with what it was given, changed."""

    def __init__(self, truth, change=lambda stones, corners: (stones, corners)):
        stones, corners = change(truth.stones.copy(), truth.corners.astype(np.float32).copy())
        self.readings = [BoardReading(corners, stones, np.ones(stones.shape, np.float32))]

    def boards(self, picture):
        return self.readings


def known():
    return next(iter(read_pictures.drawn_pictures(3, 1)))


def test_a_perfect_reader_makes_no_error():
    truth, pixels = known()
    outcome = read_pictures.judged(truth, pixels, Told(truth))
    assert outcome.wrong == 0 and outcome.corner_error < 1e-3 and outcome.iou == pytest.approx(1, abs=1e-3)


def test_errors_are_counted():
    truth, pixels = known()

    def spoilt(stones, corners):
        stones[0, :3] = (stones[0, :3] + 1) % 3
        corners[0] += 0.7 * np.linalg.norm(corners[1] - corners[0]) / (stones.shape[1] - 1)
        return stones, corners

    outcome = read_pictures.judged(truth, pixels, Told(truth, spoilt))
    figures = read_pictures.figures("all", [outcome, read_pictures.judged(truth, pixels, Told(truth))])
    assert outcome.wrong == 3 and outcome.corner_error > 0.5
    assert figures.without_error == 1 and figures.corners_right == 1 and figures.wrong_points == 1.5
    assert figures.accuracy == pytest.approx(1 - 3 / (2 * truth.stones.size))
    assert read_pictures.as_json([outcome])["failed"][0]["wrong"] == 3
    tile = read_pictures.failure_picture(outcome, pixels)
    assert tile.shape == (read_pictures.TILE, read_pictures.TILE, 3)


def test_another_size_and_no_board_count_as_all_wrong():
    truth, pixels = known()
    smaller = read_pictures.judged(truth, pixels, Told(truth, lambda stones, corners: (stones[1:], corners)))
    nobody = Told(truth)
    nobody.readings = []
    none = read_pictures.judged(truth, pixels, nobody)
    figures = read_pictures.figures("all", [smaller, none])
    assert (figures.without_error, figures.size_right, figures.accuracy) == (0, 0, 0)


@pytest.fixture
def folder(tmp_path):
    """Two drawn pictures as a folder of known pictures."""
    (tmp_path / "truth").mkdir()
    lines = ["name\tfile\tkind"]
    for truth, pixels in read_pictures.drawn_pictures(4, 2):
        Image.fromarray(pixels).save(tmp_path / f"{truth.name}.png")
        rows, columns = truth.stones.shape
        corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in truth.corners)
        drawn = "\n".join("".join(".XO"[stone] for stone in row) for row in truth.stones)
        text = f"image {truth.name}.png 384 384\nboard {columns} {rows}\ncorners {corners}\n\n{drawn}\n"
        (tmp_path / "truth" / f"{truth.name}.txt").write_text(text)
        lines.append(f"{truth.name}\t{truth.name}.png\t{truth.kind}")
    (tmp_path / "index.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_folder_is_read_as_it_was_written(folder):
    told = list(known_pictures(folder))
    for known_one, (truth, pixels) in zip(told, read_pictures.drawn_pictures(4, 2), strict=True):
        assert np.array_equal(known_one.stones, truth.stones)
        assert np.allclose(known_one.corners, truth.corners, atol=0.01)
        assert np.array_equal(read_pictures.pixels_of(known_one), pixels)


def test_the_command_prints_a_table_and_json(folder, capsys):
    assert cli.main(["read-pictures", "--folder", str(folder), "--failures", str(folder / "failures.png")]) == 0
    assert "no error" in capsys.readouterr().out
    assert cli.main(["read-pictures", "--folder", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(row["pictures"] for row in told["kinds"] if row["kind"] != "all") == 2


@pytest.mark.parametrize("text", ["", "board 9 9\n", "board 2 2\ncorners 1,1 2,2 3,3 4,4\n\n..\n", "board x y\ncorners 1\n"])
def test_broken_truth_is_refused(tmp_path, text):
    (tmp_path / "truth.txt").write_text(text)
    with pytest.raises(RunError, match=r"truth\.txt"):
        read_truth(tmp_path / "truth.txt")


def test_a_folder_without_an_index_is_refused(tmp_path, capsys):
    assert cli.main(["read-pictures", "--folder", str(tmp_path)]) == 1
    assert "index.tsv" in capsys.readouterr().err
