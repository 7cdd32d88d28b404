"""A review as one HTML page that needs nothing else: board, graph, comments, the better lines, and keys to step through.

Names and comments come from anywhere. They are escaped in the page and in its data, the script only ever sets them as text, and
the page forbids every script and style but its own by their digests. Knows reviews and HTML; writes no files.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from goengine.board import coords, picture
from goengine.board.state import BLACK, WHITE
from goengine.review import words
from goengine.review.judgement import MoveReview
from goengine.review.report import NAMES, player
from goengine.review.reviewer import GameReview
from goengine.review.statistics import PHASES, of_game, turning_points, worst

LEFT, WIDTH, TOTAL, HEIGHT = 44, 548, 600, 96  # of a graph


def page(review: GameReview, title: str, comments: Mapping[int, str] | None = None) -> str:
    """The whole page. ``comments`` of the record, by number of moves."""
    style, script = _asset("page.css"), _asset("page.js")
    values = {
        "title": escape(title),
        "extent": escape("; ".join(["Reviewed " + words.extent(review), *review.notes])),
        "style": style,
        "script": script,
        "style_hash": _digest(style),
        "script_hash": _digest(script),
        "side": str(picture.side_of(review.size)),
        "frame": "\n".join(picture.frame(review.size)),
        "last": str(len(review.moves)),
        "graph": _graph(review),
        "figures": _figures(review),
        "worst": "".join(_worst(review, color) for color in (BLACK, WHITE)),
        "data": _embedded(_data(review, comments or {})),
    }
    return Template(_asset("page.html")).substitute(values)


def _asset(name: str) -> str:
    return (resources.files("goengine.review") / "assets" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def _embedded(data: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


# -- the data that the script steps through --


def _data(review: GameReview, comments: Mapping[int, str]) -> dict[str, Any]:
    boards = review.line.boards()
    start = next(boards)
    known = review.reviewed
    return {
        "size": review.size,
        "cell": picture.CELL,
        "start": list(start),
        "steps": [_first(review, comments), *_steps(review, comments, start, boards)],
        "begin": known[0].number - 1 if known and len(known) < len(review.moves) else 0,
        "graph": {"left": LEFT, "width": WIDTH, "total": TOTAL},
    }


def _first(review: GameReview, comments: Mapping[int, str]) -> dict[str, Any]:
    black = review.black(0)
    return {
        "title": "Before the first move",
        "text": "",
        "rank": "",
        "seen": None,
        "standing": words.standing(black) if black else "",
        "comment": comments.get(0, ""),
        "color": 0,
        "point": None,
        "mistake": False,
        "better": None,
        "changes": [],
    }


def _steps(
    review: GameReview, comments: Mapping[int, str], before: tuple[int, ...], boards: Iterator[tuple[int, ...]]
) -> Iterator[dict[str, Any]]:
    for move, after in zip(review.moves, boards, strict=False):
        black = review.black(move.number)
        yield {
            "title": f"Move {move.number}: {NAMES[move.color]} {coords.to_gtp(move.point, review.size)}",
            "text": words.judgement(move, review.size),
            "rank": words.by_rank(move),
            "seen": _seen(move, review.size),
            "standing": words.standing(black) if black else "",
            "comment": comments.get(move.number, ""),
            "color": move.color,
            "point": coords.to_index(move.point, review.size),
            "mistake": move.mistake,
            "better": _better(move, review.size),
            "changes": [[i, new] for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new],
        }
        before = after


def _better(move: MoveReview, size: int) -> dict[str, Any] | None:
    if not move.mistake or move.best is None:
        return None
    line = move.best.line
    return {"points": [coords.to_index(point, size) for point in line], "text": words.line_text(move.best, size, len(line))}


def _seen(move: MoveReview, size: int) -> dict[str, Any] | None:
    """What a stronger player would have seen in place of a mistake."""
    if not move.mistake or move.ranked is None or not move.ranked.line:
        return None
    return {"points": [coords.to_index(point, size) for point in move.ranked.line], "text": words.seen_text(move, size)}


# -- graph and tables --


def _graph(review: GameReview) -> str:
    """Win rate above lead, as one SVG that a click steps into."""
    last = max(1, len(review.moves))
    found = [(i, black) for i in range(len(review.moves) + 1) if (black := review.black(i)) is not None]
    most = max([5.0, *(abs(black.lead) for _, black in found)])
    curves = (
        ([(i, 1 - black.winrate) for i, black in found], "Black wins", "100 %", "0 %"),
        ([(i, 0.5 - black.lead / most / 2) for i, black in found], "Black's lead", f"+{most:.0f}", f"-{most:.0f}"),
    )
    turns = {move.number for move in turning_points(review.reviewed)}
    described = "Graph of Black's win rate and lead over the game"
    parts = [f'<svg id="graph" role="img" aria-label="{described}" viewBox="0 0 {TOTAL} {2 * HEIGHT + 40}">']
    for number, (values, name, high, low) in enumerate(curves):
        top = 14 + number * (HEIGHT + 18)
        places = [(i, LEFT + WIDTH * i / last, top + HEIGHT * share) for i, share in values]
        parts.append(f'<path class="axis" d="M{LEFT} {top}V{top + HEIGHT}M{LEFT} {top + HEIGHT / 2}H{LEFT + WIDTH}"/>')
        parts.append(f'<text x="{LEFT + 4}" y="{top - 3}">{name}</text>')
        parts += [
            f'<text x="{LEFT - 4}" y="{y}" text-anchor="end">{text}</text>'
            for y, text in ((top + 8, high), (top + HEIGHT, low))
        ]
        parts.append(f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for _, x, y in places)}"/>')
        parts += [f'<circle class="turn" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for i, x, y in places if i in turns]
    parts.append(f'<line id="cursor" class="cursor" x1="{LEFT}" x2="{LEFT}" y1="10" y2="{2 * HEIGHT + 34}"/></svg>')
    return "\n".join(parts)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table; header and cells are HTML already."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _figures(review: GameReview) -> str:
    rows = []
    for color, side in of_game(review).items():
        for name, found in (("all", side.total), *((name, side.phases[name]) for name in PHASES)):
            if found.accuracy is not None and found.mean_loss is not None and found.agreement is not None:
                cells = (f"{found.accuracy:.0f} %", f"{found.mean_loss:.2f}", words.percent(found.agreement))
                rows.append((NAMES[color] if name == "all" else "", name, str(found.moves), *cells))
    header = ("", "", "moves", "accuracy", "mean loss", "as the engine")
    return f"<h2>Figures</h2>{_table(header, rows)}" if rows else ""


def _worst(review: GameReview, color: int) -> str:
    rows = []
    for move in worst([move for move in review.reviewed if move.color == color]):
        assert move.best is not None and move.before is not None and move.after is not None
        link = f'<a href="#move-{move.number}">{words.move_name(move, review.size)}</a>'
        chances = f"{words.percent(move.before.winrate)} &rarr; {words.percent(1 - move.after.winrate)}"
        lost = f"{move.points_lost:.1f} &plusmn; {move.points_noise:.1f}"
        rows.append((link, lost, chances, words.GRADES[move.grade], words.line_text(move.best, review.size)))
    heading = escape(player(review, color))
    return (
        f"<section><h2>{heading}: worst moves</h2>{_table(('move', 'points lost', 'win rate', '', 'better'), rows)}</section>"
        if rows
        else ""
    )
