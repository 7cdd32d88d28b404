"""The set ``agz17``: the input of AlphaGo Zero (Nature 550, 2017): stones of the last eight positions and the colour.

Plane 0 marks the points on the board, as in every set. Planes 1 to 8 hold the own stones now and at the seven plies before;
9 to 16 the opponent's; 17 is one everywhere if Black is to play. The one global value is komi for the player to move / 20,
which the paper did not need because its komi never changed.
"""

import numpy as np

from goengine.board.state import BLACK, RECENT, SIZE, TO_PLAY
from goengine.core.jit import kernel

PLANES = 1 + 2 * RECENT + 1
GLOBALS = 1


def new_scratch(size: int) -> np.ndarray:
    """This set needs no working memory; an empty array stands for it."""
    return np.zeros(0, np.uint8)


@kernel
def encode(game, rules, scratch, planes, values):
    """See `goengine.features.FeatureSet`."""
    size = game.board.info[SIZE]
    own = game.status[TO_PLAY]
    for c in range(planes.shape[0]):
        for row in range(planes.shape[1]):
            for column in range(planes.shape[2]):
                planes[c, row, column] = 0
    for row in range(size):
        p = (row + 1) * (size + 1)
        for column in range(size):
            p += 1
            planes[0, row, column] = 1
            planes[PLANES - 1, row, column] = own == BLACK
            for ply in range(RECENT):
                stone = game.board.color[p] if ply == 0 else game.past[ply - 1, p]
                if stone == own:
                    planes[1 + ply, row, column] = 1
                elif stone == 3 - own:
                    planes[1 + RECENT + ply, row, column] = 1
    values[0] = (-rules.komi if own == BLACK else rules.komi) / 20.0
