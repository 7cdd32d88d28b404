"""The planes that reach an evaluator are those of its feature set, whichever set it is."""

import pytest

from goengine import features
from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators.uniform import Scripted, flat_evaluation
from goengine.features.encoders import batch_encoder
from goengine.search.params import PLAY, Limits
from goengine.search.search import Search
from selfplay import kernels


@pytest.mark.parametrize("name", features.names())
def test_a_search_shows_the_position_in_its_feature_set(name):
    seen = []

    def script(planes, values):
        seen.append((planes.copy(), values.copy()))
        return flat_evaluation(len(planes), planes.shape[-1])

    position = Position(5)
    for move in ("B2", "C3", "pass", "D2"):
        position.play(coords.from_gtp(move, 5))
    search = Search(Scripted(script, name), PLAY, seed=1)
    search.set_position(position)
    search.run(Limits(visits=8))
    planes, values = features.get(name).encode_one(position.game, position.code, 5)
    assert (seen[0][0][0] == planes).all() and (seen[0][1][0] == values).all()


@pytest.mark.parametrize("name", features.names())
def test_every_set_has_kernels_for_whole_batches(name):
    assert hasattr(batch_encoder(features.get(name)), "overloads") and name in kernels.ENCODERS
