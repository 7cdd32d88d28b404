"""What the engine says of one position, as boards to look at: candidates, the net's policy, who owns what.

For SVG (`to_svg`), a terminal (`to_text`) and JSON. Knows results and boards; no files.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.jobs import PositionJob
from goengine.board import coords, drawing, picture
from goengine.board.position import Position
from goengine.board.state import BLACK, EMPTY
from goengine.core.tables import table
from goengine.review import words
from goengine.review.judgement import Evaluation
from goengine.review.reviewer import candidate_of, evaluation_of, turned
from goengine.search.report import SearchResult

CANDIDATES, POLICY, OWNERSHIP = VIEWS = ("candidates", "policy", "ownership")
MOST: Final = 8  # candidates
GAP, CAPTION = 16, 34
_SURE = 0.7  # of an owner in a terminal's capital letters
_LEGENDS = {
    POLICY: "digits: tenths of the likeliest move's probability",
    OWNERSHIP: "X, O: surely Black's, White's at the end; x, o: probably; whatever stands there now",
}


@dataclass(frozen=True)
class PositionReview:
    """A position with its search. ``policy`` float32[N * N + 1], nan where illegal; ``owners`` float32[N * N], 1 = Black's."""

    position: Position
    result: SearchResult
    policy: np.ndarray
    owners: np.ndarray
    net: str

    @property
    def black(self) -> Evaluation:
        """The evaluation for Black."""
        found = evaluation_of(self.result)
        return found if self.result.to_play == BLACK else turned(found)


def evaluate(analysis: BatchAnalysis, position: Position, visits: int, seconds: float | None = None) -> PositionReview:
    """Search a position. Raises ValueError if a net's answers are no numbers, EvaluatorError if it cannot be loaded."""
    proven = analysis.verdict.proven(position.size)
    analysis.add(PositionJob(position=position, visits=visits, seconds=seconds, ownership=proven))
    while True:
        for news in analysis.step():
            if news.error or (news.final and news.result is None):
                raise ValueError(news.error or "nothing was found")
            if news.final and news.result is not None and news.policy is not None and news.position is not None:
                owned = news.result.ownership if proven else analysis.verdict.owned(news.position)
                sign = np.float32(1 if news.result.to_play == BLACK else -1)
                owners = np.zeros(position.size**2, np.float32) if owned is None else owned * sign
                return PositionReview(position, news.result, news.policy, owners, analysis.nets.get(position.size).name)


def _overlay(found: PositionReview, view: str) -> picture.Overlay:
    points = coords.points(found.position.size).tolist()
    if view == POLICY:
        return picture.Overlay(heat=dict(zip(points, np.nan_to_num(found.policy[:-1]).tolist(), strict=True)))
    if view == OWNERSHIP:
        return picture.Overlay(owners=dict(zip(points, found.owners.tolist(), strict=True)))
    moves = [move for move in found.result.moves if move.visits > 0][:MOST]
    most = max((move.visits for move in moves), default=1)
    shown = [candidate_of(move) for move in moves]
    return picture.Overlay(
        candidates=tuple(
            picture.Candidate(move.point, (f"{100 * move.winrate:.0f}%", f"{move.lead:+.1f}"), move.visits / most)
            for move in shown
        )
    )


def _caption(found: PositionReview, view: str) -> str:
    size = found.position.size
    if view == POLICY:
        best = int(np.nanargmax(found.policy))
        name = coords.to_gtp(coords.from_index(best, size), size)
        return f"policy of {found.net}: {name} {words.percent(float(found.policy[best]))}"
    if view == OWNERSHIP:
        return f"who owns what: {words.lead(found.black.lead)}"
    side = "Black" if found.result.to_play == BLACK else "White"
    return f"{side} to play, {found.result.visits} visits: {words.standing(found.black)}"


def to_svg(found: PositionReview, views: tuple[str, ...]) -> str:
    """The boards side by side as one SVG picture."""
    side = picture.side_of(found.position.size)
    width = side * len(views) + GAP * (len(views) - 1)
    shape = f'viewBox="0 0 {width} {side + CAPTION}" width="{width}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {shape} font-family="sans-serif">']
    for number, view in enumerate(views):
        board = picture.svg(found.position, caption=_caption(found, view), overlay=_overlay(found, view))
        parts.append(f'<g transform="translate({number * (side + GAP)} 0)">')
        parts += [*board.strip().split("\n")[1:-1], "</g>"]
    return "\n".join([*parts, "</svg>\n"])


# -- in a terminal --


def to_text(found: PositionReview, views: tuple[str, ...], palette: drawing.Palette) -> str:
    """The boards below each other, each with a line that says what it shows, and a table of the candidates."""
    parts = []
    for view in views:
        board = _owner_map(found) if view == OWNERSHIP else drawing.terminal(found.position, palette, _marks(found, view))
        parts += [_caption(found, view), board, *([_LEGENDS[view]] if view in _LEGENDS else []), ""]
    if CANDIDATES in views:
        parts.append(_candidate_table(found))
    return "\n".join(parts)


def _marks(found: PositionReview, view: str) -> dict[int, str]:
    if view == CANDIDATES:
        moves = [move for move in found.result.moves if move.visits > 0][:MOST]
        return {move.point: chr(ord("a") + order) for order, move in enumerate(moves)}
    shares = np.nan_to_num(found.policy[:-1])
    most = float(shares.max()) or 1.0
    tenths = zip(coords.points(found.position.size).tolist(), (10 * shares / most).tolist(), strict=True)
    return {point: str(min(9, int(share))) for point, share in tenths if share >= 1}


def _owner(share: float) -> str:
    if abs(share) < 0.3:
        return "."
    letter = "x" if share > 0 else "o"
    return letter.upper() if abs(share) >= _SURE else letter


def _owner_map(found: PositionReview) -> str:
    """Owners of all points, those with stones, too."""
    size = found.position.size
    rows = np.array([_owner(share) for share in found.owners]).reshape(size, size)
    letters = "    " + " ".join(coords.to_gtp(coords.point(0, column, size), size)[0] for column in range(size))
    return "\n".join([letters, *(f"{size - row:2}  {' '.join(rows[row])}" for row in range(size)), letters])


def _candidate_table(found: PositionReview) -> str:
    size = found.position.size
    rows = []
    for order, move in enumerate([move for move in found.result.moves if move.visits > 0][:MOST]):
        shown = candidate_of(move)
        numbers = (str(shown.visits), words.percent(shown.winrate), f"{shown.lead:+.1f}", words.percent(shown.prior))
        rows.append((chr(ord("a") + order), coords.to_gtp(move.point, size), words.line_text(shown, size), *numbers))
    return table(rows, header=("", "move", "line", "visits", "win rate", "lead", "policy"), left=3)


def to_json(found: PositionReview) -> dict[str, Any]:
    """Plain values. Arrays run over the points from the top left; nothing is said (null) where a move is illegal."""
    size = found.position.size
    moves = [candidate_of(move) for move in found.result.moves if move.visits > 0]
    return {
        "size": size,
        "net": found.net,
        "to_play": "B" if found.result.to_play == BLACK else "W",
        "visits": found.result.visits,
        "black": {"winrate": round(found.black.winrate, 4), "lead": round(found.black.lead, 3)},
        "candidates": [
            {"move": coords.to_gtp(m.point, size), "visits": m.visits, "winrate": round(m.winrate, 4), "lead": round(m.lead, 3)}
            for m in moves
        ],
        "policy": [None if np.isnan(share) else round(float(share), 6) for share in found.policy],
        "ownership": [round(float(owner), 3) for owner in found.owners],
        "stones": sum(found.position.color(p) != EMPTY for p in coords.points(size).tolist()),
    }
