"""Dead stones and leads, as `goengine.player.opinion` judges them, asked for only where they may matter.

A judgement takes random playouts and up to 29 evaluations: as much as a third of a search of 100 visits. Most positions of a
game need none: the net's own map of owners shows that much is open, or that its score fits. Knows positions and nets; no
searches.
"""

import numpy as np

from goengine.board.position import Position
from goengine.board.rules import SCORING_AREA
from goengine.board.state import BLACK
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import NetSource
from goengine.player.opinion import Opinion
from goengine.search.report import LEAST_SHIFT, RELATIVE_SHIFT

OPEN, SURE = 0.15, 0.5  # the board is open where so large a share of the points is owned less surely than that


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
        if position.code.scoring == SCORING_AREA:
            bonus = position.white_bonus() * (1 if position.to_play == BLACK else -1)
            if abs(float(owners.sum()) - bonus - said) <= max(LEAST_SHIFT, RELATIVE_SHIFT * abs(said)):
                return said
        return self._opinion.open_lead(position, said)

    def owned(self, position: Position) -> np.ndarray:
        """The engine's own map of owners, float32[N * N] for the side to play: for nets whose map is not to be believed."""
        owned: np.ndarray = self._opinion.territory(position).owned
        return owned * np.float32(1 if position.to_play == BLACK else -1)

    def proven(self, size: int) -> bool:
        """Whether the map of owners of the net for a board size is believed. Raises EvaluatorError if it cannot be loaded."""
        return self._nets.get(size).traits.ownership_proven

    def _is_open(self, position: Position, owners: np.ndarray | None) -> bool:
        """Whether a net that is believed in this says that the owners of many points are not known."""
        if owners is None or not self.proven(position.size):
            return False
        return float(np.mean(np.abs(owners) < SURE)) > OPEN
