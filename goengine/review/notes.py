"""What a review writes into a game: for each node its properties and comment, and the better lines. Knows no text of SGF.

`annotate` puts it into a file, the page of `goengine web` into its tree: both have it from here. Properties: SBKV and SBKS
(Black's win rate in per cent and lead in points, as Sabaki reads them), C, BM, DO, TE, IT, HO, LB. All values are plain ASCII
that needs no escapes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from goengine.board import coords
from goengine.board.state import BLACK
from goengine.review import words
from goengine.review.by_rank import typical_and_slips
from goengine.review.judgement import Grade, MoveReview, Reviewed
from goengine.review.statistics import figures, turning_points

MARK: Final = "XGOENGINE"  # names what was added to a node, so that it can be taken out
PREFIX: Final = "goengine: "  # of lines of ours in a comment
OURS: Final = ("SBKV", "SBKS", "BM", "DO", "TE", "IT", "HO", "LB", "C")
REPLACED: Final = ("SBKV", "SBKS")  # of other programs: there can be one only
JUDGED: Final = ("BM", "DO", "TE", "IT")
_BAD = {Grade.DOUBTFUL: {"DO": ""}, Grade.BAD: {"BM": "1"}, Grade.BLUNDER: {"BM": "2"}}

Properties = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is written into a node. Where a person has judged the move, marked the turn or put labels, there is none of ours."""

    values: Properties = field(default_factory=dict)  # in place of those that are there
    judgement: Properties = field(default_factory=dict)
    hotspot: Properties = field(default_factory=dict)
    labels: Properties = field(default_factory=dict)
    comment: str = ""  # behind what is there


def notes(review: Reviewed) -> Iterator[tuple[int, Note]]:
    """(number of the move, note) for each reviewed move; 0 is the beginning."""
    yield 0, Note(values=_values(review, 0), comment=_lines(_summary(review)))
    turns = {move.number for move in turning_points(review.reviewed)}
    for move in review.reviewed:
        yield move.number, _note(review, move, move.number in turns)


def better_line(move: MoveReview, size: int) -> list[Properties]:
    """The nodes of the line that was better than a mistake."""
    best = move.best
    assert best is not None
    color, nodes = move.color, []
    black = best.winrate if color == BLACK else 1 - best.winrate
    lead = words.to_black(best.lead, color)
    for point in best.line:
        nodes.append({words.LETTERS[color]: coords.to_sgf(point, size)})
        color = 3 - color
    comment = _lines([f"better: B wins {words.percent(black)}, {words.lead(lead)}"])
    nodes[0] |= {"SBKV": f"{100 * black:.2f}", "SBKS": f"{lead:.2f}", "C": comment}
    return nodes


def seen_line(move: MoveReview, size: int) -> list[Properties]:
    """The nodes of what a stronger player would have seen in place of a mistake; none where that was not looked at."""
    if not move.mistake or move.ranked is None or not move.ranked.line:
        return []
    color, nodes = move.color, []
    for point in move.ranked.line:
        nodes.append({words.LETTERS[color]: coords.to_sgf(point, size)})
        color = 3 - color
    nodes[0]["C"] = _lines([f"what a {move.ranked.stronger} would have seen"])
    return nodes


def _note(review: Reviewed, move: MoveReview, turn: bool) -> Note:
    black = review.black(move.number)
    assert black is not None
    return Note(
        values=_values(review, move.number),
        judgement=_judgement(move),
        hotspot={"HO": "2" if move.grade == Grade.BLUNDER else "1"} if turn else {},
        labels=_labels(move, review.size),
        comment=_lines([words.judgement(move, review.size), words.standing(black), words.by_rank(move)]),
    )


def _values(review: Reviewed, index: int) -> Properties:
    """Win rate and lead."""
    black = review.black(index)
    return {} if black is None else {"SBKV": f"{100 * black.winrate:.2f}", "SBKS": f"{black.lead:.2f}"}


def _judgement(move: MoveReview) -> Properties:
    """The move's grade."""
    if move.grade:
        return _BAD[move.grade]
    return {"TE": "1"} if move.tesuji else {"IT": ""} if move.interesting else {}


def _labels(move: MoveReview, size: int) -> Properties:
    """The better move, where the board still has that point free."""
    if not move.mistake or move.best is None or move.best.point in (coords.PASS, move.point):
        return {}
    return {"LB": f"{coords.to_sgf(move.best.point, size)}:A"}


def _lines(lines: list[str]) -> str:
    return "\n".join(PREFIX + _harmless(line) for line in lines if line)


def _summary(review: Reviewed) -> list[str]:
    lines = [f"reviewed {words.extent(review)}"]
    for color, name in ((1, "Black"), (2, "White")):
        found = figures([move for move in review.reviewed if move.color == color])
        if found.accuracy is not None and found.mean_loss is not None and found.agreement is not None:
            lines.append(
                f"{name}: accuracy {found.accuracy:.0f} %, mean loss {found.mean_loss:.2f} points, "
                f"as the engine {words.percent(found.agreement)}, {found.bad} bad moves, {found.blunders} blunders"
            )
        typical, slips = typical_and_slips([move for move in review.reviewed if move.color == color])
        if typical + slips:
            lines.append(f"{name}: mistakes typical of the rank: {typical}; slips: {slips}")
    return lines + list(review.notes)


def _harmless(text: str) -> str:
    """A text without what ends a value, in ASCII."""
    plain = text.encode("ascii", "replace").decode()
    for letter, other in (("\\", "/"), ("[", "("), ("]", ")"), ("\n", " "), ("\r", " ")):
        plain = plain.replace(letter, other)
    return plain
