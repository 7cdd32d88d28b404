"""An SGF game as a text that is changed in places: where the nodes of its main line stand, and edits by offset.

Whatever no edit touches stays byte for byte: variations, unknown properties, white space, the order of everything. Works on
UTF-8, walks without recursion. Knows the grammar (as `goengine.dataio.sgf_tree`), and no property's meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from goengine.dataio.sgf_tree import DELIMITER, LOWER, MAX_BRACKETS, NAME, PIECES, START, TOKEN, VALUE, what_is_there
from goengine.dataio.sgf_values import SgfError


class Property(NamedTuple):
    """Where a property stands: from its name to behind its last value."""

    name: str
    start: int
    end: int
    values: tuple[tuple[int, int], ...]  # (begin, end) inside the brackets


class Variation(NamedTuple):
    """A game tree below a node: from its opening bracket to behind its closing one."""

    start: int
    end: int


@dataclass
class NodeSpan:
    """A node of the main line. ``end`` is behind its last property."""

    start: int
    end: int
    level: int  # how many trees it is inside of, less one
    properties: list[Property] = field(default_factory=list)
    variations: list[Variation] = field(default_factory=list)  # where it ends its sequence; the first has the main line

    def get(self, name: str) -> Property | None:
        """The first property of that name."""
        return next((found for found in self.properties if found.name == name), None)


class Edit(NamedTuple):
    """Bytes to take out at a place, and those to put there instead; edits at one place go in the order of their making."""

    start: int
    end: int
    text: bytes


@dataclass
class GameSpan:
    """The first game of a text. ``closes``: behind the closing bracket of each tree of the main line, the whole game first."""

    start: int
    end: int
    nodes: list[NodeSpan]
    closes: list[int]

    def ends_sequence(self, index: int) -> bool:
        """Whether a node is the last one before its tree branches or ends."""
        return index + 1 == len(self.nodes) or self.nodes[index + 1].level != self.nodes[index].level


def scan(text: bytes) -> GameSpan:
    """Where everything is. Raises SgfError, as `main_line`, if it breaks the grammar or ends early."""
    start = START.search(text)
    if start is None:
        raise SgfError("no SGF data found")
    opens, nodes = [start.start()], [NodeSpan(start.end() - 1, start.end(), 0)]
    place = start.end()
    while True:
        token = TOKEN.match(text, place)
        if token is None or token.lastindex == VALUE:
            raise SgfError(what_is_there(text, place) if token is None else "a value stands without the name of a property")
        place = token.end()
        if token.lastindex == NAME:
            place = _read_property(text, token.start(NAME), place, token[NAME], nodes[-1])
        elif token[DELIMITER] == b";":
            nodes.append(NodeSpan(place - 1, place, len(opens) - 1))
        elif token[DELIMITER] == b"(":
            opens.append(place - 1)
        else:
            break
    game = GameSpan(opens[0], 0, nodes, [0] * len(opens))
    game.end = _close(text, place, opens, game)
    return game


def _read_property(text: bytes, start: int, place: int, name: bytes, node: NodeSpan) -> int:
    """Add a property to a node. Returns the place behind it."""
    values = []
    while (token := TOKEN.match(text, place)) and token.lastindex == VALUE:
        values.append(token.span(VALUE))
        place = token.end()
    node.properties.append(Property(name.translate(None, LOWER).decode(), start, place, tuple(values)))
    node.end = place
    return place


def _close(text: bytes, place: int, opens: list[int], game: GameSpan) -> int:
    """Find the closing brackets of the main line's trees, from the innermost, and the variations between them."""
    last: dict[int, NodeSpan] = {}
    for node in game.nodes:
        last[node.level] = node
    for level in range(1, len(opens)):
        last.setdefault(level, last[level - 1])
    for level in range(len(opens) - 1, 0, -1):
        game.closes[level] = place
        parent = last[level - 1]
        parent.variations.append(Variation(opens[level], place))
        while True:
            at, bracket = _bracket(text, place)
            place = at + 1
            if bracket == b")":
                break
            place = _tree_end(text, place)
            parent.variations.append(Variation(at, place))
    game.closes[0] = place
    return place


def _bracket(text: bytes, place: int) -> tuple[int, bytes]:
    """The next round bracket outside of values. Raises SgfError if there is none."""
    piece = PIECES.match(text, place)
    if piece is None or piece[1] not in (b"(", b")"):
        raise SgfError("unexpected end of SGF data")
    return piece.end() - 1, piece[1]


def _tree_end(text: bytes, place: int) -> int:
    """Behind the bracket that closes the tree that begins before ``place``."""
    depth = 1
    for _ in range(MAX_BRACKETS):
        at, bracket = _bracket(text, place)
        place = at + 1
        depth += 1 if bracket == b"(" else -1
        if depth == 0:
            return place
    raise SgfError(f"more than {MAX_BRACKETS} brackets of variations")


def first_node(text: bytes, variation: Variation) -> NodeSpan:
    """The first node of a variation; one without properties where the grammar is broken."""
    node = NodeSpan(variation.start, variation.start + 1, 0)
    place, seen = variation.start + 1, False
    while token := TOKEN.match(text, place):
        place = token.end()
        if token.lastindex == NAME:
            place = _read_property(text, token.start(NAME), place, token[NAME], node)
        elif token.lastindex == DELIMITER and token[DELIMITER] == b";" and not seen:
            seen = True
        else:
            break
    return node


def apply(text: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with the edits made. What an edit takes out must not overlap with others."""
    return b"".join(_parts(text, sorted(edits, key=lambda edit: edit.start)))


def _parts(text: bytes, edits: list[Edit]) -> Iterator[bytes]:
    place = 0
    for edit in edits:
        yield text[place : edit.start]
        yield edit.text
        place = max(place, edit.end)
    yield text[place:]
