"""Dead stones and leads, as `goengine.player.opinion` judges them, asked for only where they may matter.

Whether a board is closed takes random playouts, reading and 8 evaluations to find out, which is much beside a search of 100
visits. In most positions of a game the net's own map of owners shows that much is open. Knows positions and nets; no searches.
"""

import numpy as np

from goengine.board.position import Position
from goengine.board.state import BLACK
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import NetSource
from goengine.player.opinion import Opinion

SURE = 0.5  # a point whose owner is less sure is open
# A board is open where more than this share of its points is. On 31 closed boards of 9x9 the net, whose map is not proven
# there, called 38 % of the points open at most. The share for proven nets (19x19) was not compared with closed boards.
OPEN_PROVEN, OPEN = 0.3, 0.45


class Verdict:
    """The judgement of a batch analysis."""

    def __init__(self, nets: NetSource):
        self._nets = nets
        self._opinion = Opinion(nets, EngineOptions().playouts)

    def agreed_dead(self, position: Position, owners: np.ndarray | None) -> frozenset[int]:
        """The stones that both sides would take off if the game ended here. ``owners``: the net's, as in `lead`."""
        if self._is_open(position, owners):
            return frozenset()
        return self._opinion.agreed_dead(position)

    def lead(self, position: Position, said: float, owners: np.ndarray | None) -> float:
        """Points by which the side to play leads.

        ``said`` by the net's score; ``owners`` float32[N * N] by its map, for the side to play.
        """
        if owners is None or not self._is_open(position, owners):
            return self._opinion.lead(position, said)
        return self._opinion.open_lead(position, said)

    def owned(self, position: Position) -> np.ndarray:
        """The engine's own map of owners, float32[N * N] for the side to play: for nets whose map is not to be believed."""
        owned: np.ndarray = self._opinion.territory(position).owned
        return owned * np.float32(1 if position.to_play == BLACK else -1)

    def proven(self, size: int) -> bool:
        """Whether the map of owners of the net for a board size is believed. Raises EvaluatorError if it cannot be loaded."""
        return self._nets.get(size).traits.ownership_proven

    def _is_open(self, position: Position, owners: np.ndarray | None) -> bool:
        """Whether the net says that the owners of many points are not known, and says something at all."""
        if owners is None or float(np.max(np.abs(owners))) < SURE:
            return False
        most = OPEN_PROVEN if self.proven(position.size) else OPEN
        return float(np.mean(np.abs(owners) < SURE)) > most
