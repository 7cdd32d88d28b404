"""What a search found as an answer of KataGo's JSON protocol: one object, seen from the player that the settings name.

Every number is finite and rounded. Knows results and names; no queries under way.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from goengine.analysis.jobs import Progress
from goengine.analysis.query import Query
from goengine.board import coords, symmetry
from goengine.board.kernels import ko_point
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE
from goengine.search.report import MoveInfo, SearchResult, finite, winrate

_DIGITS: Final = 6  # after the point
_ILLEGAL: Final = -1.0  # in the policy


def line(data: dict[str, Any]) -> str:
    """An object as the protocol writes it: one line, keys in order."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def no_results(query: Query, turn: int, error: str = "") -> dict[str, Any]:
    """The last answer for a turn of which nothing is known, with the ``error`` that is the reason, if it is one."""
    data: dict[str, Any] = {"id": query.id, "turnNumber": turn, "isDuringSearch": False, "noResults": True}
    return data | ({"error": error} if error else {})


def answer(query: Query, news: Progress, owned: np.ndarray | None, proven: bool) -> dict[str, Any]:
    """The answer for a turn with its result.

    owned: float32[N * N] for the player to move, where the query wants it. proven: whether the search's own map may be shown.
    """
    assert news.result is not None and news.position is not None and news.policy is not None
    result, position, wanted = news.result, news.position, query.includes
    view = _View(query, result, position.size, proven)
    data = {
        "id": query.id,
        "turnNumber": news.job.turn,
        "isDuringSearch": not news.final,
        "rootInfo": _root(view, position),
        "moveInfos": [view.move(move) for move in result.moves if move.visits > 0],
    }
    if "includeOwnership" in wanted and owned is not None:
        data["ownership"] = view.owners(owned)
    if "includeOwnershipStdev" in wanted and proven and result.ownership_stdev is not None:
        data["ownershipStdev"] = _floats(result.ownership_stdev)
    if "includePolicy" in wanted:
        data["policy"] = _floats(np.nan_to_num(news.policy, nan=_ILLEGAL))
    return data


class _View:
    """A result from the player whose win rates are reported."""

    def __init__(self, query: Query, result: SearchResult, size: int, proven: bool):
        self.query, self.result, self.size, self.proven = query, result, size, proven
        side = {"BLACK": BLACK, "WHITE": WHITE}.get(query.settings.perspective, result.to_play)
        self.sign = 1 if side == result.to_play else -1
        searched = [move for move in result.moves if move.symmetry_of is None]
        self.most = max((move.visits for move in searched), default=0)

    def chance(self, value: float) -> float:
        """Chance of winning in [0, 1] from a value in [-1, 1] of the player to move."""
        return _float(winrate(self.sign * value))

    def points(self, value: float) -> float:
        """Points or utility."""
        return _float(self.sign * value)

    def owners(self, owned: np.ndarray) -> list[float]:
        """A map of owners."""
        return _floats(self.sign * owned)

    def values(self, found: MoveInfo | SearchResult) -> dict[str, Any]:
        """What the root and its moves share."""
        score = self.points(found.score)
        return {
            "visits": found.visits,
            "weight": float(found.visits),
            "winrate": self.chance(found.value),
            "utility": self.points(found.utility),
            "scoreLead": score,
            "scoreSelfplay": score,
            "scoreStdev": _float(found.score_stdev),
        }

    def move(self, move: MoveInfo) -> dict[str, Any]:
        """A move of `moveInfos`."""
        length, wanted = self.query.settings.pv_length + 1, self.query.includes
        data = self.values(move) | {
            "move": self.name(move.point),
            "order": move.order,
            "edgeVisits": move.visits,
            "edgeWeight": float(move.visits),
            "playSelectionValue": float(self.most if move.order == 0 else move.visits),
            "scoreMean": self.points(move.score),
            "prior": _float(move.prior),
            "lcb": self.chance(move.lcb),
            "utilityLcb": self.points(move.utility_lcb),
            "pv": [self.name(point) for point in move.pv[:length]],
        }
        if move.symmetry_of is not None:
            data["isSymmetryOf"] = self.name(move.symmetry_of)
        if "includePVVisits" in wanted:
            data["pvVisits"] = data["pvEdgeVisits"] = [int(count) for count in move.pv_visits[:length]]
        if "includeMovesOwnership" in wanted and self.proven and move.ownership is not None:
            data["ownership"] = self.owners(move.ownership)
        if "includeMovesOwnershipStdev" in wanted and self.proven and move.ownership_stdev is not None:
            data["ownershipStdev"] = _floats(move.ownership_stdev)
        return data

    def name(self, point: int) -> str:
        """A vertex."""
        return coords.to_gtp(point, self.size)


def _root(view: _View, position: Position) -> dict[str, Any]:
    result = view.result
    this, alike = position_hashes(position)
    return view.values(result) | {
        "currentPlayer": "B" if result.to_play == BLACK else "W",
        "thisHash": this,
        "symHash": alike,
        "rawWinrate": view.chance(result.net_value),
        "rawLead": view.points(result.net_score),
        "rawScoreSelfplay": view.points(result.net_score),
        "rawScoreSelfplayStdev": _float(result.net_score_stdev),
    }


def position_hashes(position: Position) -> tuple[str, str]:
    """(of stones, player and simple ko; the same for all positions that are equal by symmetry): 32 hexadecimal digits each."""
    points = coords.points(position.size)
    picture = position.game.board.color[points].astype(np.uint8)
    ko = ko_point(position.game.board, position.to_play)
    picture = picture + np.uint8(4) * (points == ko).astype(np.uint8)
    salt = bytes((position.size, position.to_play))

    def digest(view: int) -> str:
        seen = np.ascontiguousarray(symmetry.flat(picture, view), np.uint8)
        return hashlib.blake2b(salt + seen.tobytes(), digest_size=16).hexdigest().upper()

    views = [digest(view) for view in range(symmetry.COUNT)]
    return views[0], min(views)


def _float(value: float) -> float:
    return round(finite(value), _DIGITS) + 0.0  # no -0.0


def _floats(values: Iterable[float] | np.ndarray) -> list[float]:
    return [round(value, _DIGITS) + 0.0 for value in np.asarray(values, np.float64).tolist()]
