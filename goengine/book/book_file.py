"""A book as a file: arrays and a JSON object in one `.npz`; what is wrong with a file is found before it is used.

Knows shapes, ranges and legality. Does not know where files lie or what is played.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.book.book import UNLINKED, Book, Node, Origin, Reply, position_after
from goengine.book.canonical import NO_KO, Place, from_place, is_first_view, views
from goengine.core.array_file import RecordError, read_arrays, write_arrays

FORMAT = "goengine book"
VERSION = 1
RULES = "area"  # what a book is for

# name: (type, length); N nodes, E replies. Those in _BY_KOMI have a column for each komi, `stones` one for each point.
_ARRAYS = {
    "stones": (np.uint8, "N"),
    "to_play": (np.uint8, "N"),
    "passes": (np.uint8, "N"),
    "ko": (np.int16, "N"),
    "visits": (np.int32, "N"),
    "searched": (np.float32, "N"),
    "score": (np.float32, "N"),
    "value": (np.float32, "N"),
    "below": (np.int32, "N"),
    "first": (np.int32, "N+1"),
    "move": (np.uint16, "E"),
    "child": (np.int32, "E"),
    "reply_visits": (np.int32, "E"),
    "reply_winrate": (np.float32, "E"),
}
_BY_KOMI = ("searched", "score", "value", "reply_visits", "reply_winrate")
_TOLERANCE = 1e-5  # of win rates that are found again


class BookError(ValueError):
    """A book that cannot be used; the message names the file and what is wrong with it."""


def write_book(path: str | os.PathLike[str], book: Book) -> None:
    """Write the file beside its place and rename it."""
    nodes, origin = book.nodes, book.origin
    replies = [reply for node in nodes for reply in node.replies]
    columns: dict[str, list[Any]] = {
        "stones": [np.frombuffer(node.place.stones, np.uint8) for node in nodes],
        **{name: [getattr(node.place, name) for node in nodes] for name in ("to_play", "passes", "ko")},
        **{name: [getattr(node, name) for node in nodes] for name in ("visits", "searched", "score", "value", "below")},
        "first": np.cumsum([0, *(len(node.replies) for node in nodes)]).tolist(),
        **{name: [getattr(reply, name) for reply in replies] for name in ("move", "child")},
        "reply_visits": [reply.visits for reply in replies],
        "reply_winrate": [reply.winrate for reply in replies],
    }
    arrays = {
        name: np.array(columns[name], dtype).reshape(-1, *_width(name, origin.size, len(origin.komis)))
        for name, (dtype, _) in _ARRAYS.items()
    }
    meta = {"format": FORMAT, "version": VERSION, "size": origin.size, "rules": RULES, "komis": list(origin.komis)}
    write_arrays(path, arrays, {**meta, "visits": origin.visits, "net": origin.net, "digest": origin.digest})


def read_book(path: str | os.PathLike[str]) -> Book:
    """Read and check a book. Raises BookError."""
    try:
        arrays, meta = read_arrays(path, FORMAT, VERSION)
        origin = _origin(meta)
        _check_shapes(arrays, origin)
        _check_ranges(arrays, origin)
        _check_places(arrays, origin.size)
        book = _assembled(arrays, origin)
        _check_moves(book, arrays)
        return book
    except RecordError as error:
        raise BookError(str(error)) from None
    except ValueError as error:
        raise BookError(f"{path}: {error}") from None


def problems(book: Book) -> list[str]:
    """What is wrong with a book that could be read, node by node: this takes seconds, as all moves are played."""
    found = []
    numbers: dict[int, tuple[int, ...]] = {0: ()} if book.nodes else {}  # with the moves that lead there
    for number in book.breadth_first():
        node, line = book.nodes[number], numbers[number]
        position = position_after(book.origin, line)
        if views(position).place != node.place:
            found.append(f"node {number} is not the position that its moves lead to")
            continue
        s = views(position).symmetries[0]
        for reply in node.replies:
            after, point = position.copy(), from_place(reply.move, s, book.size)
            after.play(point)
            if reply.child != UNLINKED and views(after).place != book.nodes[reply.child].place:
                found.append(
                    f"{coords.to_gtp(point, book.size)} in node {number} leads to node {reply.child}, another position"
                )
            elif reply.child != UNLINKED:
                numbers.setdefault(reply.child, (*line, reply.move))
    if len(numbers) < len(book.nodes):
        found.append(f"{len(book.nodes) - len(numbers)} nodes cannot be reached")
    return found or _wrong_values(book)


def _wrong_values(book: Book) -> list[str]:
    """Nodes whose values do not follow from the searches."""
    before = [(node.value, node.below) for node in book.nodes]
    book.settle()
    return [
        f"node {number}: its value does not follow from the positions below"
        for number, (node, (value, below)) in enumerate(zip(book.nodes, before, strict=True))
        if below != node.below or not np.allclose(value, node.value, atol=_TOLERANCE)
    ]


def _width(name: str, size: int, komis: int) -> tuple[int, ...]:
    return (size * size,) if name == "stones" else (komis,) if name in _BY_KOMI else ()


def _origin(meta: Mapping[str, Any]) -> Origin:
    """Raises ValueError if something is missing or out of range."""
    size, komis, visits = meta.get("size"), meta.get("komis"), meta.get("visits")
    if type(size) is not int or not coords.MIN_SIZE <= size <= coords.MAX_SIZE:
        raise ValueError(f"board size {str(size)[:20]} is not in {coords.MIN_SIZE} .. {coords.MAX_SIZE}")
    if meta.get("rules") != RULES:
        raise ValueError(f"rules '{str(meta.get('rules'))[:20]}' are unknown; a book is for '{RULES}' scoring")
    if not isinstance(komis, list) or not 1 <= len(komis) <= 16 or not all(type(k) in (int, float) for k in komis):
        raise ValueError("its komis are no list of 1 to 16 numbers")
    if not all(abs(komi) <= 1000 for komi in komis) or sorted(set(komis)) != komis:
        raise ValueError("its komis do not ascend, or are beyond reason")
    if type(visits) is not int or not 1 <= visits <= 10**9:
        raise ValueError(f"visits {str(visits)[:20]} are not a number from 1")
    if not all(isinstance(meta.get(name), str) for name in ("net", "digest")):
        raise ValueError("the name or the digest of its net is missing")
    return Origin(size, tuple(map(float, komis)), visits, meta["net"][:200], meta["digest"][:64])


def _check_shapes(arrays: Mapping[str, np.ndarray], origin: Origin) -> None:
    if set(arrays) != set(_ARRAYS):
        raise ValueError(f"its arrays are not {', '.join(_ARRAYS)}")
    nodes, replies = len(np.atleast_1d(arrays["to_play"])), len(np.atleast_1d(arrays["move"]))
    lengths = {"N": nodes, "N+1": nodes + 1, "E": replies}
    for name, (dtype, length) in _ARRAYS.items():
        shape = lengths[length], *_width(name, origin.size, len(origin.komis))
        if arrays[name].dtype != dtype or arrays[name].shape != shape:
            wanted = f"{np.dtype(dtype).name}{list(shape)}"
            raise ValueError(f"array '{name}' is {arrays[name].dtype.name}{list(arrays[name].shape)}, not {wanted}")
    if not nodes:
        raise ValueError("it has no positions")


def _check_ranges(arrays: Mapping[str, np.ndarray], origin: Origin) -> None:
    nodes, points = len(arrays["to_play"]), origin.size**2
    ranges = (
        ("stones", 0, WHITE),
        ("to_play", BLACK, WHITE),
        ("passes", 0, 1),
        ("ko", NO_KO, points - 1),
        ("visits", 1, 10**9),
        ("searched", 0, 1),
        ("score", -2 * points - 1000, 2 * points + 1000),
        ("value", 0, 1),
        ("below", 1, nodes),
        ("move", 0, points - 1),
        ("child", UNLINKED, nodes - 1),
        ("reply_visits", 0, 10**9),
        ("reply_winrate", 0, 1),
    )
    for name, low, high in ranges:
        values = arrays[name]
        if not ((values >= low) & (values <= high)).all():  # so written, nan is refused
            raise ValueError(f"array '{name}' has a value that is not from {low} to {high}")
    first = arrays["first"]
    if first[0] != 0 or first[-1] != len(arrays["move"]) or (np.diff(first) < 0).any():
        raise ValueError(f"'first' does not ascend from 0 to {len(arrays['move'])}")


def _check_places(arrays: Mapping[str, np.ndarray], size: int) -> None:
    """Raises ValueError unless the first node is the empty board, and no position is there twice, or in another view."""
    if arrays["stones"][0].any() or arrays["to_play"][0] != BLACK or arrays["ko"][0] != NO_KO:
        raise ValueError("its first position is not the empty board with Black to play")
    for number, stones in enumerate(arrays["stones"]):
        if not is_first_view(stones, size):
            raise ValueError(f"position {number} is not in the view of the eight that comes first")


def _assembled(arrays: Mapping[str, np.ndarray], origin: Origin) -> Book:
    """Raises ValueError if a position is there twice."""
    lists = {name: values.tolist() for name, values in arrays.items() if name != "stones"}
    winrates, visits = map(tuple, lists["reply_winrate"]), map(tuple, lists["reply_visits"])
    replies = [
        Reply(move, counts, rates, child)
        for move, counts, rates, child in zip(lists["move"], visits, winrates, lists["child"], strict=True)
    ]
    nodes = [
        Node(
            Place(stones.tobytes(), lists["to_play"][i], lists["passes"][i], lists["ko"][i]),
            lists["visits"][i],
            tuple(lists["searched"][i]),
            tuple(lists["score"][i]),
            replies[lists["first"][i] : lists["first"][i + 1]],
            tuple(lists["value"][i]),
            lists["below"][i],
        )
        for i, stones in enumerate(arrays["stones"])
    ]
    book = Book(origin, nodes)
    if len(book.index) < len(nodes):
        raise ValueError("a position is there twice")
    return book


def _check_moves(book: Book, arrays: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError if a move is illegal or there twice."""
    owners = np.repeat(np.arange(len(book.nodes)), np.diff(arrays["first"]))
    moves = arrays["move"].astype(np.int64)
    boards = arrays["stones"].reshape(-1, book.size, book.size)
    padded = np.pad(boards, ((0, 0), (1, 1), (1, 1)), constant_values=WHITE + 1)
    free = np.zeros(boards.shape, bool)  # points beside an empty one: no move there is suicide
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        free |= padded[:, rows : rows + book.size, columns : columns + book.size] == 0
    pairs = np.unique(np.stack([owners, moves]), axis=1)
    if pairs.shape[1] < len(moves):
        raise ValueError("a move is there twice in a position")
    taken = (arrays["stones"][owners, moves] != 0) | (moves == arrays["ko"][owners])
    for at in np.flatnonzero(taken | ~free.reshape(len(boards), -1)[owners, moves]).tolist():
        point = coords.from_index(int(moves[at]), book.size)
        if taken[at] or _is_suicide(boards[owners[at]].ravel(), int(arrays["to_play"][owners[at]]), point, book.size):
            raise ValueError(f"{coords.to_gtp(point, book.size)} is illegal in position {owners[at]}")


def _is_suicide(stones: np.ndarray, color: int, point: int, size: int) -> bool:
    """Whether the chain that a stone makes has no liberty, and nothing is captured. Raises ValueError for impossible boards."""
    position, points = Position(size, Rules(suicide=False)), coords.points(size)
    position.set_up(points[stones == BLACK].tolist(), points[stones == WHITE].tolist(), color)
    return bool(position.why_illegal(point))
