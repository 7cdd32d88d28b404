"""What the engine found, as the page reads it: Black's chances and lead, vertices, whole numbers. Knows no requests."""

from typing import Any

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK
from goengine.player.decision import Decision
from goengine.search.report import MoveInfo, SearchResult, finite, winrate

MOST_MOVES = 12
LINE = 16  # moves of a line of play


def move_answer(decision: Decision, seconds: float) -> dict[str, Any]:
    """A move that was chosen."""
    size = decision.position.size
    return {
        "move": "resign" if decision.resign else coords.to_gtp(decision.point, size),
        "seconds": round(seconds, 3),
        **chances(decision.search),
    }


def chances(result: SearchResult) -> dict[str, Any]:
    """Black's win rate in [0, 1] and lead in points."""
    black = result.to_play == BLACK
    won, lead = winrate(result.value), finite(result.score)
    return {
        "visits": result.visits,
        "winrate": round(won if black else 1 - won, 4),
        "lead": round(lead if black else -lead, 2),
    }


def analysis_answer(
    position: Position, result: SearchResult, policy: np.ndarray | None, owned: np.ndarray | None
) -> dict[str, Any]:
    """A report of an analysis. ``owned``: float32[N * N] for the side to play; ``policy``: float32[N * N + 1]."""
    black = result.to_play == BLACK
    moves = [move for move in result.moves if move.visits][:MOST_MOVES]
    answer = {**chances(result), "moves": [_move(move, position.size, black) for move in moves]}
    if owned is not None:
        side = 100 if black else -100
        answer["ownership"] = np.rint(np.nan_to_num(owned) * side).astype(int).tolist()
    if policy is not None:
        answer["policy"] = np.rint(np.nan_to_num(policy) * 1000).astype(int).tolist()
    return answer


def _move(move: MoveInfo, size: int, black: bool) -> dict[str, Any]:
    won, lead = winrate(move.value), finite(move.score)
    return {
        "move": coords.to_gtp(move.point, size),
        "visits": move.visits,
        "winrate": round(won if black else 1 - won, 4),
        "lead": round(lead if black else -lead, 2),
        "prior": round(finite(move.prior), 4),
        "pv": [coords.to_gtp(point, size) for point in move.pv[:LINE]],
    }


def review_answer(position: Position, result: SearchResult, turn: int, total: int) -> dict[str, Any]:
    """One position of a review: how it stands, and what to play there."""
    best = result.moves[0] if result.moves else None
    line = [] if best is None else [coords.to_gtp(point, position.size) for point in best.pv[:LINE]]
    return {"turn": turn, "total": total, "pv": line, **chances(result)}


def count_answer(position: Position, dead: frozenset[int]) -> dict[str, Any]:
    """The score with these stones dead. Raises ValueError if there is none on a point."""
    count = position.count(dead)
    return {
        "dead": sorted(coords.to_gtp(point, position.size) for point in dead),
        "black": float(count.black),
        "white": float(count.white),
        "bonus": float(position.white_bonus()),
        "result": position.result(dead),
    }
