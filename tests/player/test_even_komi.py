"""Which komi a net calls even: where its scores cross 0 nearest to the real komi."""

import numpy as np
import pytest

from goengine.player.opinion import _crossing


@pytest.mark.parametrize(
    ("scores", "start", "place"),
    [
        ([9, 5, 2, -1, -4], 2, 3),
        ([9, 5, -2, -3, -4], 3, 2),
        ([17, -1, 18, 9, -1, -38], 5, 4),  # a net that is lost far from a usual komi
        ([9, 5, 2, 1, -4, 3, -1], 3, 4),
        ([9, 8, 7], 1, 0),
        ([-9, -8, -7], 1, 0),
        ([3, -1], 0, 1),
    ],
)
def test_the_crossing_next_to_the_start_counts(scores, start, place):
    assert _crossing(np.array(scores, float), start) == place
