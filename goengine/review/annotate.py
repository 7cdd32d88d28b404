"""A review written into the game's own SGF, and taken out again. Everything else in the text stays byte for byte.

Each node that is written to gets the property XGOENGINE, which names the properties that were added, so that `without_review`
finds them, whichever program has saved the file meanwhile; lines of ours in a comment begin with "goengine: ". Variations of
ours have the mark in their first node. Properties: SBKV and SBKS (Black's win rate in per cent and lead in points, as Sabaki
reads them), C, BM, DO, TE, IT, HO, LB. Where a person has judged a move, or put labels on a node, there is none of ours.
"""

import re
from collections.abc import Iterator

from goengine.board import coords
from goengine.board.state import BLACK
from goengine.dataio.sgf_edit import Edit, GameSpan, NodeSpan, apply, first_node, scan
from goengine.review import words
from goengine.review.judgement import Grade, MoveReview
from goengine.review.reviewer import GameReview
from goengine.review.statistics import figures, turning_points

MARK = "XGOENGINE"
PREFIX = "goengine: "
_OURS = frozenset({"SBKV", "SBKS", "BM", "DO", "TE", "IT", "HO", "LB", "C"})
_REPLACED = ("SBKV", "SBKS")  # of other programs: there can be one only
_JUDGED = frozenset({"BM", "DO", "TE", "IT"})
_LINES = re.compile(rb"(?:\r?\n){0,2}(?<![^\r\n])goengine: [^\r\n]*")
_BAD = {Grade.DOUBTFUL: "DO[]", Grade.BAD: "BM[1]", Grade.BLUNDER: "BM[2]"}


# -- out --


def without_review(text: bytes) -> bytes:
    """The game without what an earlier review has written. UTF-8 in and out; raises SgfError as `scan`."""
    if MARK.encode() not in text:
        return text
    game = scan(text)
    edits: list[Edit] = []
    for node in game.nodes:
        edits += _clean_node(text, node)
        edits += _clean_variations(text, node)
    return apply(text, edits)


def _marks(text: bytes, node: NodeSpan) -> list[str] | None:
    """The words of a node's mark, None without one."""
    mark = node.get(MARK)
    if mark is None:
        return None
    return text[mark.values[0][0] : mark.values[0][1]].decode("ascii", "replace").split() if mark.values else []


def _clean_node(text: bytes, node: NodeSpan) -> Iterator[Edit]:
    marks = _marks(text, node)
    if marks is None:
        return
    for found in node.properties:
        if found.name == "C" and found.values:
            begin, end = found.values[0]
            kept = _LINES.sub(b"", text[begin:end])
            if "C" in marks and not kept.strip():
                yield Edit(found.start, found.end, b"")
            elif kept != text[begin:end]:
                yield Edit(begin, end, kept)
        elif found.name == MARK or (found.name in marks and found.name in _OURS):
            yield Edit(found.start, found.end, b"")


def _clean_variations(text: bytes, node: NodeSpan) -> Iterator[Edit]:
    """Take out variations of ours, and the brackets around the main line that were put there for them."""
    kept, wrapped = [], False
    for number, variation in enumerate(node.variations):
        marks = _marks(text, first_node(text, variation)) if number else None
        if marks is not None and "variation" in marks:
            yield Edit(variation.start, variation.end, b"")
            wrapped = wrapped or "wrapped" in marks
        else:
            kept.append(variation)
    if wrapped and len(kept) == 1:
        yield Edit(kept[0].start, kept[0].start + 1, b"")
        yield Edit(kept[0].end - 1, kept[0].end, b"")


# -- in --


def annotated(text: bytes, review: GameReview, *, variations: bool = True) -> bytes:
    """The game with the review, in place of an earlier one. UTF-8 in and out; raises SgfError as `scan`."""
    text = without_review(text)
    game = scan(text)
    places = _nodes_of_moves(game)
    turns = {move.number for move in turning_points(review)}
    edits: list[Edit] = list(_annotate(text, game.nodes[0], _Note(review, None)))
    better: list[tuple[int, MoveReview]] = []  # (node before the move, the move)
    for move, place in zip(review.moves, places, strict=False):
        if not move.known:
            continue
        if place > 0 and places[move.number : move.number + 1] != [place]:  # of two moves in a node the second has it
            edits += _annotate(text, game.nodes[place], _Note(review, move, move.number in turns))
        if variations and move.mistake and place > 0 and not _shares(places, move.number - 1):
            better.append((place - 1, move))
    edits += _insert(game, review, better)
    return apply(text, edits)


def _shares(places: list[int], ply: int) -> bool:
    """Whether a move has its node together with another."""
    return places[ply] in (places[ply - 1] if ply else -1, places[ply + 1] if ply + 1 < len(places) else -1)


def _nodes_of_moves(game: GameSpan) -> list[int]:
    """The node of each move of the main line, as `goengine.dataio.sgf` counts moves."""
    places = []
    for index, node in enumerate(game.nodes):
        names = dict.fromkeys(found.name for found in node.properties)
        places += [index for name in names if name in ("B", "W")]
    return places


class _Note:
    """What is written into a node: that of a move, or of the root."""

    def __init__(self, review: GameReview, move: MoveReview | None, turn: bool = False):
        self.review, self.move, self.turn = review, move, turn

    def comment(self) -> list[str]:
        """Lines of the comment."""
        if self.move is None:
            return _summary(self.review)
        black = self.review.black(self.move.number)
        assert black is not None
        return [words.judgement(self.move, self.review.size), words.standing(black)]

    def values(self) -> list[str]:
        """Win rate and lead."""
        black = self.review.black(0 if self.move is None else self.move.number)
        return [] if black is None else [f"SBKV[{100 * black.winrate:.2f}]", f"SBKS[{black.lead:.2f}]"]

    def judgements(self) -> list[str]:
        """The move's grade."""
        move = self.move
        if move is None:
            return []
        if move.grade:
            return [_BAD[move.grade]]
        return ["TE[1]"] if move.tesuji else ["IT[]"] if move.interesting else []

    def hotspot(self) -> list[str]:
        """Whether the game turned here."""
        return [f"HO[{2 if self.move is not None and self.move.grade == Grade.BLUNDER else 1}]"] if self.turn else []

    def labels(self) -> list[str]:
        """The better move, where the board still has that point free."""
        move = self.move
        if move is None or not move.mistake or move.best is None or move.best.point in (coords.PASS, move.point):
            return []
        return [f"LB[{coords.to_sgf(move.best.point, self.review.size)}:A]"]


def _annotate(text: bytes, node: NodeSpan, note: _Note) -> Iterator[Edit]:
    names = {found.name for found in node.properties}
    added = note.values()
    for found in node.properties:
        if found.name in _REPLACED:
            yield Edit(found.start, found.end, b"")
    added += [] if names & _JUDGED else note.judgements()
    added += [] if "HO" in names else note.hotspot()
    added += [] if "LB" in names else note.labels()
    comment = "\n".join(PREFIX + line for line in note.comment() if line)
    own = node.get("C")
    if comment and own is not None and own.values:
        begin, end = own.values[0]
        yield Edit(end, end, (("\n\n" if end > begin else "") + comment).encode("ascii"))
    elif comment:
        added.append(f"C[{comment}]")
    marks = " ".join(value[: value.index("[")] for value in added)
    yield Edit(node.end, node.end, ("".join(added) + f"{MARK}[{marks}]").encode("ascii"))


def _summary(review: GameReview) -> list[str]:
    lines = [f"reviewed {words.extent(review)}"]
    for color, name in ((1, "Black"), (2, "White")):
        found = figures([move for move in review.reviewed if move.color == color])
        if found.accuracy is not None and found.mean_loss is not None and found.agreement is not None:
            lines.append(
                f"{name}: accuracy {found.accuracy:.0f} %, mean loss {found.mean_loss:.2f} points, "
                f"as the engine {words.percent(found.agreement)}, {found.bad} bad moves, {found.blunders} blunders"
            )
    return lines + [_harmless(note) for note in review.notes]


def _harmless(text: str) -> str:
    """A text without what ends a value, in ASCII."""
    plain = text.encode("ascii", "replace").decode()
    for letter, other in (("\\", "/"), ("[", "("), ("]", ")"), ("\n", " "), ("\r", " ")):
        plain = plain.replace(letter, other)
    return plain


def _variation(review: GameReview, move: MoveReview, mark: str) -> str:
    """The better line as a game tree."""
    best = move.best
    assert best is not None
    color, nodes = move.color, []
    black = best.winrate if color == BLACK else 1 - best.winrate
    lead = words.to_black(best.lead, color)
    for point in best.line:
        nodes.append(f";{'BW'[color - 1]}[{coords.to_sgf(point, review.size)}]")
        color = 3 - color
    comment = f"C[{PREFIX}better: B wins {words.percent(black)}, {words.lead(lead)}]"
    nodes[0] += f"SBKV[{100 * black:.2f}]SBKS[{lead:.2f}]{comment}{MARK}[{mark}]"
    return f"({''.join(nodes)})"


def _insert(game: GameSpan, review: GameReview, better: list[tuple[int, MoveReview]]) -> Iterator[Edit]:
    """Put better lines below nodes of the main line: behind those that are there, or with brackets around what follows."""
    for index, move in sorted(better, key=lambda pair: -pair[0]):
        node = game.nodes[index]
        close = game.closes[node.level] - 1
        if game.ends_sequence(index):
            yield Edit(close, close, _variation(review, move, "variation").encode("ascii"))
        else:
            yield Edit(node.end, node.end, b"(")
            yield Edit(close, close, b")" + _variation(review, move, "variation wrapped").encode("ascii"))
