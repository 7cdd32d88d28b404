"""The value's error by phase, against sums done by hand."""

import numpy as np

from goengine import features
from goengine.dataio.records import RESIGNATION, GamePack, GameRecord
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.measure.evaluate import Predictions
from training.measure.phases import RecordingEvaluator, phases


def record(length, outcome, margin=None):
    """Passes by turns: nothing here looks at the board."""
    moves = tuple((1 + ply % 2, 25) for ply in range(length))
    return GameRecord(size=5, moves=moves, komi=0.5, outcome=outcome, margin=margin, ending=RESIGNATION)


def test_phases_of_three_games():
    pack = GamePack.build([record(60, 1), record(30, -1, margin=-3.5), record(40, 2)])
    sampler = Sampler(packs.to_games(pack), features.get("zero"), Draw(0, 0, 0, 0.0))
    game, ply = sampler.places(0, 130)
    assert game.tolist() == [0] * 60 + [1] * 30 + [2] * 40 and ply.tolist() == [*range(60), *range(30), *range(40)]
    values = np.where(ply % 2 == 0, 0.5, -0.5)  # always half for Black
    values[55:60] *= -1
    rows = {phase.name: (phase.positions, phase.value_mse, phase.value_right) for phase in phases(sampler, values)}
    assert rows == {
        "moves 0-49": (80, (50 * 0.25 + 30 * 2.25) / 80, 50 / 80),
        "moves 50-99": (10, (5 * 0.25 + 5 * 2.25) / 10, 0.5),
        "not counted, 10 moves before the end": (10, (5 * 0.25 + 5 * 2.25) / 10, 0.5),
        "not counted, 10 moves earlier": (10, 0.25, 1.0),
        "counted, 10 moves before the end": (10, 2.25, 0.0),
    }


def test_values_are_remembered_in_order():
    predict = RecordingEvaluator(lambda planes, values: Predictions(planes, planes[:, 0], values))
    assert predict.values().size == 0
    for first in (0, 3):
        predict(np.arange(first, first + 3, dtype=np.float32)[:, None], np.zeros(3))
    assert predict.values().tolist() == [0, 1, 2, 3, 4, 5]
