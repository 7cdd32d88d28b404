"""A review written into the game's own SGF, and taken out again. Everything else in the text stays byte for byte.

Each node that is written to gets the property XGOENGINE, which names the properties that were added, so that `without_review`
finds them, whichever program has saved the file meanwhile; lines of ours in a comment begin with "goengine: ". Variations of
ours have the mark in their first node. What is written is made in `notes`.
"""

import re
from collections.abc import Iterator

from goengine.dataio.sgf_edit import Edit, GameSpan, NodeSpan, apply, first_node, scan
from goengine.review.judgement import MoveReview
from goengine.review.notes import JUDGED, MARK, OURS, REPLACED, Note, Properties, better_line, notes, seen_line
from goengine.review.reviewer import GameReview

_LINES = re.compile(rb"(?:\r?\n){0,2}(?<![^\r\n])goengine: [^\r\n]*")


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
        elif found.name == MARK or (found.name in marks and found.name in OURS):
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
    written = dict(notes(review))
    edits: list[Edit] = list(_annotate(text, game.nodes[0], written[0]))
    better: list[tuple[int, MoveReview]] = []  # (node before the move, the move)
    for move, place in zip(review.moves, places, strict=False):
        if not move.known:
            continue
        if place > 0 and places[move.number : move.number + 1] != [place]:  # of two moves in a node the second has it
            edits += _annotate(text, game.nodes[place], written[move.number])
        if variations and move.mistake and place > 0 and not _shares(places, move.number - 1):
            better.append((place - 1, move))
    edits += _insert(game, review.size, better)
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


def _annotate(text: bytes, node: NodeSpan, note: Note) -> Iterator[Edit]:
    names = {found.name for found in node.properties}
    for found in node.properties:
        if found.name in REPLACED:
            yield Edit(found.start, found.end, b"")
    added = dict(note.values)
    added |= {} if names & set(JUDGED) else note.judgement
    added |= {} if "HO" in names else note.hotspot
    added |= {} if "LB" in names else note.labels
    own = node.get("C")
    if note.comment and own is not None and own.values:
        begin, end = own.values[0]
        yield Edit(end, end, (("\n\n" if end > begin else "") + note.comment).encode("ascii"))
    elif note.comment:
        added["C"] = note.comment
    yield Edit(node.end, node.end, _text({**added, MARK: " ".join(added)}))


def _text(properties: Properties) -> bytes:
    return "".join(f"{name}[{value}]" for name, value in properties.items()).encode("ascii")


def _variations(size: int, move: MoveReview, mark: str) -> bytes:
    """The better line, and what a stronger player would have seen, as game trees."""
    best = better_line(move, size)
    seen = seen_line(move, size)
    return b"".join(_variation(nodes, mark) for nodes in (best, seen) if nodes)


def _variation(nodes: list[Properties], mark: str) -> bytes:
    first, *following = nodes
    return b"(" + b"".join(b";" + _text(node) for node in [first | {MARK: mark}, *following]) + b")"


def _insert(game: GameSpan, size: int, better: list[tuple[int, MoveReview]]) -> Iterator[Edit]:
    """Put better lines below nodes of the main line: behind those that are there, or with brackets around what follows."""
    for index, move in sorted(better, key=lambda pair: -pair[0]):
        node = game.nodes[index]
        close = game.closes[node.level] - 1
        if game.ends_sequence(index):
            yield Edit(close, close, _variations(size, move, "variation"))
        else:
            yield Edit(node.end, node.end, b"(")
            yield Edit(close, close, b")" + _variations(size, move, "variation wrapped"))
