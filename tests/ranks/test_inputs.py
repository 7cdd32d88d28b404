"""What a net is told of ranks: neighbours look alike, sides are kept apart, nothing known says nothing."""

import numpy as np

from goengine.features import get, zero_ranked
from goengine.ranks.inputs import INPUTS, SIDE, UNKNOWN, rank_inputs, side_inputs
from goengine.ranks.scale import Server


def test_neighbouring_ranks_look_alike():
    ranks = np.arange(-29.0, 10.0)
    told = side_inputs(ranks)
    apart = np.linalg.norm(told[:, None] - told[None], axis=2)
    assert (np.diff(apart[0])[:6] > 0).all() and apart[0, 1:].min() > 0.2
    assert (apart[np.arange(38), np.arange(1, 39)] < 0.6).all()


def test_unknown_ranks_have_a_flag_and_nothing_else():
    told = side_inputs(np.array([np.nan, 0.0, 9.9]))
    assert told[0].tolist() == [1] + [0] * (SIDE - 1)
    assert told[1, UNKNOWN] == told[2, UNKNOWN] == 0 and told[2, 1] == 1 and told[1, 1] == 0


def test_sides_and_servers_have_their_own_places():
    one, other = rank_inputs(np.array([-9.0]), np.array([3.0]), np.array([Server.FOX]))[0], side_inputs(np.array([-9.0, 3.0]))
    assert len(one) == INPUTS and (one[:SIDE] == other[0]).all() and (one[SIDE : 2 * SIDE] == other[1]).all()
    assert one[2 * SIDE :].tolist() == [0, 0, 1, 0, 0]


def test_a_set_writes_that_nothing_is_known():
    chosen = get(zero_ranked.NAME)
    from goengine.board.position import Position

    position = Position(9)
    _, values = chosen.encode_one(position.game, position.code, 9)
    written = values[None].copy()
    zero_ranked.write_ranks(written, np.array([np.nan]), np.array([np.nan]), np.array([Server.UNKNOWN]))
    assert (written[0] == values).all() and values[14:].sum() == 3
