"""A board as an SVG picture: stones, labels, the last move, who owns what, and how likely moves are.

One drawing for pictures in documents, for `goengine evaluate` and for the page of a review, whose script puts stones into the
same frame: the point at (row, column) is at (CELL * (column + 1), CELL * (row + 1)). Knows colours and lines; asks a `Position`
only for its stones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from goengine.board import coords
from goengine.board.drawing import star_points
from goengine.board.position import Position
from goengine.board.state import BLACK, EMPTY

CELL = 30
WOOD, LINES = "#dcb069", "#4a3310"
OWNER = {True: "#111111", False: "#ffffff"}  # Black's points, White's
HEAT = "#c8201d"
_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
_LEAST = 0.05  # of an owner or a probability that can be seen


@dataclass(frozen=True)
class Candidate:
    """A move that is shown on the board: a disc, the darker the better, with one or two lines of text."""

    point: int
    lines: tuple[str, ...]
    strength: float = 1.0  # in [0, 1]


@dataclass(frozen=True)
class Overlay:
    """What is shown on top of a position. ``owners``: 1 = Black's, -1 = White's; ``heat``: probabilities; by point."""

    labels: Mapping[int, str] = field(default_factory=dict)
    owners: Mapping[int, float] = field(default_factory=dict)
    heat: Mapping[int, float] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()


def side_of(size: int) -> int:
    """Width and height of a board's picture."""
    return CELL * (size + 1)


def frame(size: int) -> list[str]:
    """The empty board: wood, lines, names of lines, star points."""
    side, low, high = side_of(size), CELL, CELL * size
    parts = [f'<rect width="{side}" height="{side}" fill="{WOOD}"/>']
    for i in range(1, size + 1):
        at = i * CELL
        parts.append(f'<path d="M{low} {at}H{high}M{at} {low}V{high}" stroke="{LINES}" stroke-width="1"/>')
        parts.append(f'<text x="{at}" y="12" font-size="10" text-anchor="middle">{_COLUMNS[i - 1]}</text>')
        parts.append(f'<text x="9" y="{at + 4}" font-size="10" text-anchor="middle">{size + 1 - i}</text>')
    for row, column in sorted(star_points(size)):
        parts.append(f'<circle cx="{CELL * (column + 1)}" cy="{CELL * (row + 1)}" r="3.5" fill="{LINES}"/>')
    return parts


def svg(position: Position, labels: Mapping[int, str] | None = None, caption: str = "", overlay: Overlay | None = None) -> str:
    """The board as an SVG picture. ``labels`` writes a short text on points, on stones or beside them, in place of the mark of
    the last move."""
    size = position.size
    side = side_of(size)
    height = side + (34 if caption else 0)
    overlay = overlay or Overlay(labels=labels or {})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {height}" width="{side}" font-family="sans-serif">',
        *([f'<rect y="{side}" width="{side}" height="34" fill="{WOOD}"/>'] if caption else []),
        *frame(size),
        *_shades(overlay, size),
    ]
    for point in coords.points(size).tolist():
        parts += _stone(position.color(point), *_place(point, size), overlay.labels.get(point, ""))
    if labels is None and position.last_move > 0:
        x, y = _place(position.last_move, size)
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="none" stroke="#d33" stroke-width="2.5"/>')
    for candidate in overlay.candidates:
        parts += _candidate(candidate, size)
    parts += _owners(overlay.owners.items(), size)
    if caption:
        font = min(15.0, round(1.7 * side / len(caption), 1))  # so that it fits
        parts.append(f'<text x="{side / 2}" y="{side + 14}" font-size="{font:g}" text-anchor="middle">{escape(caption)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _place(point: int, size: int) -> tuple[int, int]:
    row, column = coords.row_column(point, size)
    return CELL * (column + 1), CELL * (row + 1)


def _stone(color: int, x: int, y: int, label: str) -> list[str]:
    parts = []
    if color != EMPTY:
        fill, stroke = ("#111", "#000") if color == BLACK else ("#fafafa", "#555")
        parts.append(f'<circle cx="{x}" cy="{y}" r="{CELL * 0.47:.1f}" fill="{fill}" stroke="{stroke}"/>')
    if label:
        ink = "#fff" if color == BLACK else "#111"
        parts.append(f'<text x="{x}" y="{y + 4}" font-size="11" text-anchor="middle" fill="{ink}">{escape(label)}</text>')
    return parts


def _shades(overlay: Overlay, size: int) -> list[str]:
    """How likely moves are, below the stones: red squares."""
    most = max(overlay.heat.values(), default=0.0)
    parts = []
    for point, share in overlay.heat.items():
        if share > 0 and share >= _LEAST * most:
            x, y = _place(point, size)
            parts.append(_square(x, y, CELL, HEAT, 0.75 * (share / most) ** 0.5))
    return parts


def _owners(owners: Iterable[tuple[int, float]], size: int) -> list[str]:
    """Who owns what: small squares on the points and stones, the larger the surer."""
    parts = []
    for point, owner in owners:
        if abs(owner) >= _LEAST:
            x, y = _place(point, size)
            parts.append(_square(x, y, CELL * 0.45 * min(1.0, abs(owner)), OWNER[owner > 0], 0.9))
    return parts


def _square(x: int, y: int, side: float, fill: str, opacity: float) -> str:
    stroke = ' stroke="#777" stroke-width="0.5"' if fill in OWNER.values() else ""
    corner = f'x="{x - side / 2:.1f}" y="{y - side / 2:.1f}"'
    return f'<rect {corner} width="{side:.1f}" height="{side:.1f}" fill="{fill}" fill-opacity="{opacity:.2f}"{stroke}/>'


def _candidate(candidate: Candidate, size: int) -> list[str]:
    if candidate.point == coords.PASS:
        return []
    x, y = _place(candidate.point, size)
    opacity = 0.35 + 0.6 * max(0.0, min(1.0, candidate.strength))
    parts = [f'<circle cx="{x}" cy="{y}" r="{CELL * 0.47:.1f}" fill="#3aa6a0" fill-opacity="{opacity:.2f}"/>']
    top = y + 3 - 4.5 * (len(candidate.lines) - 1)
    for number, line in enumerate(candidate.lines):
        at = f'x="{x}" y="{top + 9 * number:.1f}"'
        parts.append(f'<text {at} font-size="9" text-anchor="middle" fill="#111">{escape(line)}</text>')
    return parts
