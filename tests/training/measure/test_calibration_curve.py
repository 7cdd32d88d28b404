"""Predicted against actual win rates."""

import math

import numpy as np
import pytest

from goengine import features
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.measure.calibration_curve import BINS, bins, calibration_error, for_card, merged, picture, tables
from training.measure.phases import outcomes


def test_bins_hold_their_positions():
    table = bins(np.array([-1.0, -0.9, 0.0, 0.5, 1.0]), np.array([-1, 1, 0, 1, 1]))
    assert [entry.positions for entry in table] == [2, 0, 0, 0, 0, 1, 0, 1, 0, 1]
    assert (table[0].predicted, table[0].actual) == (pytest.approx(0.025), 0.5)
    assert (table[5].predicted, table[5].actual) == (0.5, 0.5) and math.isnan(table[1].predicted)
    assert calibration_error(table) == pytest.approx((2 * 0.475 + 0.25) / 5)


def test_a_calibrated_value_has_no_error():
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 200_000)
    results = np.where(rng.uniform(-1, 1, len(values)) < values, 1, -1)
    assert calibration_error(bins(values, results)) < 0.01
    assert calibration_error(bins(np.clip(2 * values, -1, 1), results)) > 0.1


def test_parts_make_the_whole():
    rng = np.random.default_rng(1)
    values, results = rng.uniform(-1, 1, 500), rng.choice([-1, 1], 500)
    whole = bins(values, results)
    for ours, theirs in zip(merged([{"all": bins(values[:99], results[:99])}, {"all": bins(values[99:], results[99:])}])["all"],
                            whole, strict=True):  # fmt: skip
        assert ours.positions == theirs.positions and ours.predicted == pytest.approx(theirs.predicted)
    assert math.isnan(calibration_error(bins(np.zeros(0), np.zeros(0))))


def test_tables_of_games(small_pack, tmp_path):
    sampler = Sampler(packs.to_games(small_pack), features.get("zero"), Draw(0, 0, 0, 0.0))
    count = sampler.games.moves.size
    told = outcomes(sampler, count)
    found = tables(sampler, told.result.astype(np.float32))
    assert list(found) == ["all", "last 10, game not counted", "all others"]
    sizes = {name: sum(entry.positions for entry in table) for name, table in found.items()}
    assert sizes["all"] == told.known.sum() == sizes["last 10, game not counted"] + sizes["all others"]
    assert all(calibration_error(table) == pytest.approx(0) for table in found.values())
    card = for_card(found)
    assert card["all"]["error"] == 0 and len(card["all"]["tenths"]) == BINS
    for name in ("a.svg", "b.svg", "c.png"):
        picture(found, tmp_path / name, "a net")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "predicted win rate" in (tmp_path / "a.svg").read_text() and (tmp_path / "c.png").stat().st_size > 1000
