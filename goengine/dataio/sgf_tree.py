"""The main line of an SGF game: bytes in UTF-8 -> the properties of each node.

Knows the grammar of SGF FF[4], and what older programs write: lower-case letters in names of properties are left out
(`KoMi` is KM). Variations are walked over, not kept, and every count has a limit, so that a file of the largest size that
is read takes about a second and a few tens of megabytes at most. Does not know what properties mean, nor encodings.
"""

from __future__ import annotations

import re
from typing import Final

from goengine.dataio.sgf_values import SgfError

MAX_NODES: Final = 100_000  # of the main line
MAX_VALUES: Final = 100_000  # of one property
MAX_BRACKETS: Final = 1_000_000  # round ones, after the main line

Properties = dict[str, list[bytes]]

START = re.compile(rb"\(\s*;")
# One group each: a value, the name of a property, a delimiter.
TOKEN = re.compile(rb"\s*+(?:\[([^\\\]]*+(?:\\.[^\\\]]*+)*+)\]|([A-Za-z]{1,64}+)|([;()]))", re.DOTALL)
# Up to a round bracket outside of values, to a value that does not end, or to the end of the text.
PIECES = re.compile(rb"(?:[^\[()]++|\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\])*+([()\[]|\Z)", re.DOTALL)
VALUE, NAME, DELIMITER = 1, 2, 3
LOWER = b"abcdefghijklmnopqrstuvwxyz"


def main_line(text: bytes) -> list[Properties]:
    """The nodes of the first game's main line, the root first; what stands before the game is left out.

    Raises SgfError if there is no game, if it breaks the grammar or ends early, or if it has more than the limits.
    """
    start = START.search(text)
    if start is None:
        raise SgfError("no SGF data found")
    nodes: list[Properties] = [{}]
    depth, place = 1, start.end()
    while True:
        token = TOKEN.match(text, place)
        if token is None:
            raise SgfError(what_is_there(text, place))
        place = token.end()
        if token.lastindex == VALUE:
            raise SgfError("a value stands without the name of a property")
        if token.lastindex == NAME:
            place = _read_values(text, place, token[NAME].translate(None, LOWER).decode(), nodes[-1])
        elif token[DELIMITER] == b";":
            nodes.append({})
            if len(nodes) > MAX_NODES:
                raise SgfError(f"more than {MAX_NODES} nodes")
        elif token[DELIMITER] == b"(":
            depth += 1
            if depth > MAX_NODES:
                raise SgfError(f"more than {MAX_NODES} variations inside each other")
        else:
            break
    _walk_over(text, place, depth - 1)
    return nodes


def _read_values(text: bytes, place: int, name: str, node: Properties) -> int:
    """Add the values that follow a property's name to a node. Returns the place behind them."""
    values = node.setdefault(name, [])
    before = len(values)
    while (token := TOKEN.match(text, place)) and token.lastindex == VALUE:
        values.append(token[VALUE])
        place = token.end()
        if len(values) > MAX_VALUES:
            raise SgfError(f"property {name} has more than {MAX_VALUES} values")
    if len(values) == before:
        raise SgfError(f"property {name[:20]} has no values" if token else what_is_there(text, place))
    return place


def _walk_over(text: bytes, place: int, depth: int) -> None:
    """Find the end of the game behind its main line. Raises SgfError if the text ends before so many brackets are closed."""
    brackets = 0
    while depth > 0:
        piece = PIECES.match(text, place)
        if piece is None or piece[1] not in (b"(", b")"):
            raise SgfError("unexpected end of SGF data")
        brackets += 1
        if brackets > MAX_BRACKETS:
            raise SgfError(f"more than {MAX_BRACKETS} brackets of variations")
        depth += 1 if piece[1] == b"(" else -1
        place = piece.end()


def what_is_there(text: bytes, place: int) -> str:
    """What is wrong at a place where no token is."""
    rest = text[place : place + 1000].lstrip()[:20]
    if not rest or rest[:1] == b"[":
        return "unexpected end of SGF data"
    return f"'{rest.decode('utf-8', 'replace')}' is neither a node nor a property"
