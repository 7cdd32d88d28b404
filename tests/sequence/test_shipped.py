"""The models that come along: they play sensible openings, and differ by rank."""

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators import shipped_nets
from goengine.evaluators.ranked import RankedPolicy
from goengine.features import zero_ranked
from goengine.sequence.decoder import Decoder

CORNERS = {"D4", "Q16", "D16", "Q4", "C4", "D3", "R16", "Q17", "C16", "D17", "R4", "Q3"}


def opening() -> Position:
    found = Position(19)
    for vertex in ("Q16", "D4"):
        found.play(coords.from_gtp(vertex, 19))
    return found


def test_the_decoder_goes_on_in_the_corners():
    found = Decoder().continuation(opening(), 3.0, 3.0, 2)
    assert len(found) == 2 and {coords.to_gtp(step.point, 19) for step in found} <= CORNERS


def test_the_ranked_net_hears_ranks_and_is_no_default():
    policy, position = RankedPolicy("b8c96-ranked", threads=1), opening()
    likely = policy.over_ranks(position, [-20.0, 9.0])[0]
    assert np.allclose(likely.sum(1), 1, atol=1e-4) and np.abs(likely[0] - likely[1]).sum() > 0.02
    assert coords.to_gtp(coords.from_index(int(likely[1].argmax()), 19), 19) in CORNERS
    assert shipped_nets.read("b8c96-ranked").spec.features == zero_ranked.NAME
    assert all(shipped_nets.default(size) != "b8c96-ranked" for size in (None, 9, 13, 19, 25))
