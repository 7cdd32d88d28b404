"""SGF files: the main line of a game <-> our `GameRecord`, for one file, and for collections.

Knows what servers and programs write differently from the standard: no size, komi in hundredths, texts that are not in
the encoding they claim, results in other words. Anything else that is wrong ends in an SgfError that names the file and
the reason; no input makes it hang or crash (bytes: `goengine.dataio.sgf_text`, nodes: `sgf_tree`, values: `sgf_values`). Only
the main line is read. Does not know nets; rules are a text here (`goengine.board.rules`).
"""

from __future__ import annotations

import lzma
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from goengine import __version__
from goengine.board import coords
from goengine.board.replay import INDEX_POINTS, play_all, put_stones
from goengine.board.state import BLACK, WHITE, new_board
from goengine.core.files import read_outside
from goengine.dataio.records import Edit, GameRecord
from goengine.dataio.sgf_text import MAX_GAME_BYTES, as_utf8, games_of_file
from goengine.dataio.sgf_tree import Properties, main_line
from goengine.dataio.sgf_values import SgfError, format_result, fox_even_komi, is_from_fox, parse_komi, parse_result, parse_size

# sgfmill writes, and unescapes texts; it does not parse, as its parser has no limits. It is imported where it is used: machines
# that only learn by self-play may lack it.
if TYPE_CHECKING:
    from sgfmill import sgf

MAX_MOVES = 10_000
MAX_SETUP = 100_000  # points named by all set-up properties of a game

# Properties of which the standard says only that they stand once on the way to a node: mostly, but not always, in the root.
_GAME_INFO = frozenset({"KM", "RU", "HA", "RE", "PB", "PW", "BR", "WR", "DT", "GN", "BT", "WT", "SO", "PC"})
_PROGRAM = ("bot", "program", "computer")  # a team of this name is no person


def read_file(path: str | os.PathLike) -> GameRecord:
    """The first game of a file. Raises SgfError if there is none that can be read."""
    name = str(path)
    try:
        return read_game(read_bytes(path), name)
    except OSError as error:
        raise SgfError(f"{name}: {error.strerror}") from None


def read_bytes(path: str | os.PathLike) -> bytes:
    """What is in a file of one game. Raises OSError if it is no file, or too long for a game."""
    return read_outside(path, MAX_GAME_BYTES)


def read_game(data: bytes, name: str = "SGF") -> GameRecord:
    """The first game in ``data``; ``name`` is for messages.

    Where the main line holds something that cannot be a move (off the board) the record ends before it and says so in
    `fault`. Raises SgfError if the data is not a game of Go on a square board of size 2 to 25.
    """
    if len(data) > MAX_GAME_BYTES:
        raise SgfError(f"{name}: longer than {MAX_GAME_BYTES} bytes")
    return _read_text(as_utf8(data), name)


def _read_text(text: bytes, name: str) -> GameRecord:
    """As `read_game`, for what is UTF-8 already."""
    try:
        return _record(main_line(text))
    except SgfError as error:
        raise SgfError(f"{name}: {error}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SgfError(f"{name}: not a readable SGF game: {error}") from None


def check_moves(record: GameRecord) -> str:
    """Why the record is no legal game on a board (superko aside), or an empty text."""
    if record.fault:
        return record.fault
    for edit in record.edits:
        if edit.changes_board:
            return f"stones are set up after move {edit.ply}"
    table = INDEX_POINTS[record.size]
    board = new_board(record.size)
    stones = np.array(record.black_setup + record.white_setup, np.int64)
    colors = np.repeat(np.array([BLACK, WHITE], np.uint8), (len(record.black_setup), len(record.white_setup)))
    bad = put_stones(board, table[stones], colors)
    if bad >= 0:
        return f"setup stone {coords.to_gtp(int(table[stones[bad]]), record.size)} cannot stand there"
    if not record.moves:
        return ""
    moves = np.array(record.moves, np.int32)
    played = play_all(board, table[moves[:, 1]], moves[:, 0].astype(np.uint8), True)
    if played < len(moves):
        color, index = record.moves[played]
        vertex = coords.to_gtp(int(table[index]), record.size)
        return f"move {played + 1}, {'BW'[color - 1]} {vertex}, is illegal"
    return ""


def iterate_games(paths: Iterable[str | os.PathLike], check: bool = True) -> Iterator[GameRecord | SgfError]:
    """Every game of the files, in order; where one cannot be read or (``check``) is no legal game, an SgfError in its
    place.

    Files end in `.sgf` or `.sgfs`, and may be compressed as `.xz`.
    """
    for path in paths:
        for number, game in enumerate(_read_collection(Path(path)), 1):
            if check and isinstance(game, GameRecord) and (reason := check_moves(game)):
                yield SgfError(f"{path}: game {number}{f' ({game.source})' if game.source else ''}: {reason}")
            else:
                yield game


def _read_collection(path: Path) -> Iterator[GameRecord | SgfError]:
    number = 0
    try:
        for number, text in enumerate(games_of_file(path), 1):
            try:
                if isinstance(text, SgfError):
                    yield SgfError(f"{path}: game {number}: {text}")
                else:
                    yield _fast_game(text) or _read_text(text, f"{path}: game {number}")
            except SgfError as error:
                yield error
        if number == 0:
            yield SgfError(f"{path}: no SGF data found")
    except (OSError, EOFError, lzma.LZMAError, SgfError) as error:
        yield SgfError(f"{path}: {getattr(error, 'strerror', None) or error}")


# -- the main line of a tree --


def _record(nodes: list[Properties]) -> GameRecord:
    """The record of a main line."""
    root = nodes[0]
    if _text(root, "GM") not in ("", "1"):
        raise SgfError(f"the game is GM[{_text(root, 'GM')[:20]}], not Go")
    size = parse_size(_text(root, "SZ"))
    info = dict(root)
    for node in nodes[1:]:
        for key in _GAME_INFO.intersection(node):
            info.setdefault(key, node[key])
    record = replace(_headers(info, size), size=size)
    moves, setup, edits, fault = _moves(nodes, size)
    black, white = setup.black, setup.white
    if moves:
        to_play = moves[0][0]
    elif setup.to_play:
        to_play = setup.to_play
    else:
        to_play = WHITE if black and not white else BLACK
    handicap = record.handicap if record.handicap >= 2 else (len(black) if len(black) >= 2 and not white else 0)
    return replace(
        record, moves=moves, black_setup=black, white_setup=white, to_play=to_play, handicap=handicap, fault=fault, edits=edits
    )


def _moves(nodes: list[Properties], size: int) -> tuple[tuple[tuple[int, int], ...], Edit, tuple[Edit, ...], str]:
    """(moves, set-up before the first, set-up between moves, why the moves end early, if they do)."""
    moves: list[tuple[int, int]] = []
    setup, fault = _Setup(size), ""
    for node in nodes:
        if not node.keys().isdisjoint(_SETUP_KEYS):
            setup.read(node, len(moves))
        for key in node:
            if key not in ("B", "W") or fault:
                continue
            try:
                index = _index(node[key][0].decode("ascii", "replace").strip(), size)
            except ValueError as error:
                fault = f"move {len(moves) + 1}: {error}"
                break
            moves.append((BLACK if key == "B" else WHITE, index))
        if fault:
            break
        if len(moves) > MAX_MOVES:
            raise SgfError(f"more than {MAX_MOVES} moves")
    first, *edits = setup.edits()
    return tuple(moves), first, tuple(edits), fault


_SETUP_KEYS = ("AB", "AW", "AE", "PL")


class _Setup:
    """What the nodes of a main line set up: one edit for all nodes between two moves."""

    def __init__(self, size: int) -> None:
        self._size, self._named = size, 0
        self._stones: dict[int, dict[int, int]] = {0: {}}  # by ply: colours by index, 0 where a stone is taken off
        self._turn: dict[int, int] = {}

    def read(self, node: Properties, ply: int) -> None:
        """Take a node. Raises SgfError if a point is off the board, or if there are too many."""
        stones = self._stones.setdefault(ply, {})
        for key, color in (("AB", BLACK), ("AW", WHITE), ("AE", 0)):
            for value in dict.fromkeys(node.get(key, ())):
                found = _rectangle(value, self._size, key)
                self._named += len(found)
                if self._named > MAX_SETUP:
                    raise SgfError(f"more than {MAX_SETUP} points are set up")
                stones.update(dict.fromkeys(found, color))
        side = {"B": BLACK, "W": WHITE, "1": BLACK, "2": WHITE}.get(_text(node, "PL")[:1].upper())
        if side:
            self._turn[ply] = side

    def edits(self) -> list[Edit]:
        """In order; the first is that before the first move, where nothing can be taken off."""
        found = []
        for ply, stones in self._stones.items():
            black, white, empty = (
                tuple(sorted(index for index, other in stones.items() if other == color)) for color in (BLACK, WHITE, 0)
            )
            found.append(Edit(ply, black, white, empty if ply else (), self._turn.get(ply, 0)))
        return found


def _index(text: str, size: int) -> int:
    return coords.to_index(coords.from_sgf(text, size), size)


def _rectangle(value: bytes, size: int, key: str) -> list[int]:
    """Indices of a setup value: a point, or two corners of a rectangle. Raises SgfError if it is off the board."""
    text = value.decode("ascii", "replace").strip()
    first, _, last = text.partition(":")
    try:
        a, b = _index(first, size), _index(last or first, size)
    except ValueError as error:
        raise SgfError(f"{key}: {error}") from None
    if size * size in (a, b):
        return []  # an empty value
    (top, left), (bottom, right) = divmod(a, size), divmod(b, size)
    rows, columns = sorted((top, bottom)), sorted((left, right))
    return [row * size + column for row in range(rows[0], rows[1] + 1) for column in range(columns[0], columns[1] + 1)]


# -- properties of the root --


def _headers(root: Properties, size: int) -> GameRecord:
    """A record without moves: everything that the root says about the game."""
    programs = (value.decode("utf-8", "replace") for value in root.get("AP", ()))
    fox = is_from_fox(programs, root)
    komi = parse_komi(_text(root, "KM"), fox)
    if fox and komi == 0 and _text(root, "HA") in ("", "0"):
        komi = fox_even_komi(_text(root, "RU"))
    outcome, margin, ending = parse_result(_text(root, "RE"))
    if margin is not None and abs(margin) > size * size + 400:
        margin = None
    handicap = _text(root, "HA")
    return GameRecord(
        size=size,
        moves=(),
        komi=0.0 if komi is None else komi,
        names_komi=komi is not None,
        rules=_text(root, "RU")[:100],
        handicap=min(int(handicap), size * size) if handicap.isascii() and handicap.isdigit() else 0,
        outcome=outcome,
        margin=margin,
        ending=ending,
        black=_text(root, "PB"),
        white=_text(root, "PW"),
        black_rank=_text(root, "BR"),
        white_rank=_text(root, "WR"),
        date=_text(root, "DT"),
        black_bot=_text(root, "BT").lower() in _PROGRAM,
        white_bot=_text(root, "WT").lower() in _PROGRAM,
        place=_text(root, "SO") or _text(root, "PC") or ("Fox" if fox else ""),
        source=_text(root, "GN"),
    )


def _text(properties: Properties, key: str) -> str:
    """A short text without line breaks and escapes; the file's text is UTF-8 by now."""
    values = properties.get(key)
    if not values:
        return ""
    from sgfmill import sgf_grammar

    return sgf_grammar.simpletext_value(values[0][:2000]).decode("utf-8", "replace").strip()


# -- the fast path --


@cache
def _move_table(size: int) -> dict[bytes, tuple[int, int]]:
    """Text of a move node without its semicolon -> (colour, index)."""
    table = {}
    for key, color in ((b"B", BLACK), (b"W", WHITE)):
        table[key + b"[]"] = (color, size * size)
        for index in range(size * size):
            row, column = divmod(index, size)
            table[key + b"[" + bytes((97 + column, 97 + row)) + b"]"] = (color, index)
    return table


def _fast_game(text: bytes) -> GameRecord | None:
    """The record of a game in two lines, the root and nothing but moves; None for every other form.

    Equal to `read_game` and several times as fast: the moves are looked up, only the root goes through the parser.
    """
    root, newline, line = text.partition(b"\n;")
    line = line.rstrip()
    if not newline or not line.endswith(b")") or not root.isascii() or root.count(b";") != 1:
        return None
    try:
        (properties,) = main_line(root + b")")
        if not properties.keys().isdisjoint(("B", "W", "AE")):
            return None
        table = _move_table(parse_size(_text(properties, "SZ")))
        moves = tuple([table[move] for move in line[:-1].split(b";")])
        record = _record([properties])
    except (KeyError, ValueError):
        return None  # the parser will say what is wrong
    return replace(record, moves=moves, to_play=moves[0][0]) if len(moves) <= MAX_MOVES else None


# -- writing --


def write_game(record: GameRecord, more: Mapping[str, str] | None = None, turn: int | None = None) -> bytes:
    """The record as an SGF file (FF[4], UTF-8), signed by this program. Records keep no variations and comments.

    ``more`` are further texts of the root, such as a comment `C`, or others in place of the record's. ``turn``: whose turn it
    is after the last move, where that is not the other colour's.
    """
    from sgfmill import sgf

    game = sgf.Sgf_game(record.size, encoding="UTF-8")
    root = game.get_root()
    root.set("KM", record.komi)
    texts = {
        "RU": record.rules, "PB": record.black, "PW": record.white, "BR": record.black_rank,
        "WR": record.white_rank, "DT": record.date, "GN": record.source, "SO": record.place,
        "BT": "bot" if record.black_bot else "", "WT": "bot" if record.white_bot else "", "RE": format_result(record),
        **(more or {}),
    }  # fmt: skip
    for key, text in texts.items():
        if text:
            root.set(key, text)
    root.set("AP", ("goengine", __version__))
    if record.handicap >= 2:
        root.set("HA", record.handicap)
    for key, stones in (("AB", record.black_setup), ("AW", record.white_setup)):
        if stones:
            root.set(key, [_sgfmill_point(index, record.size) for index in stones])
    if record.black_setup or record.white_setup or record.to_play != BLACK:
        root.set("PL", "b" if record.to_play == BLACK else "w")
    edits = list(record.edits)
    for ply, (color, index) in enumerate(record.moves):
        while edits and edits[0].ply <= ply:
            _write_edit(game, edits.pop(0), record.size)
        node = game.extend_main_sequence()
        node.set_move("b" if color == BLACK else "w", _sgfmill_point(index, record.size))
    for edit in edits:
        _write_edit(game, edit, record.size)
    if turn is not None:
        game.extend_main_sequence().set("PL", "b" if turn == BLACK else "w")
    return game.serialise()


def _write_edit(game: sgf.Sgf_game, edit: Edit, size: int) -> None:
    """A node that sets up stones between moves."""
    node = game.extend_main_sequence()
    for key, stones in (("AB", edit.black), ("AW", edit.white), ("AE", edit.empty)):
        if stones:
            node.set(key, [_sgfmill_point(index, size) for index in stones])
    if edit.to_play:
        node.set("PL", "b" if edit.to_play == BLACK else "w")


def _sgfmill_point(index: int, size: int) -> tuple[int, int] | None:
    """sgfmill counts rows from below; None is a pass."""
    if index == size * size:
        return None
    row, column = divmod(index, size)
    return size - 1 - row, column
