"""SGF files as positions in play, and back. Knows how a record becomes a `Position`; the format is `goengine.dataio.sgf`'s."""

import logging
from collections.abc import Iterator

from goengine.board import coords
from goengine.board.position import IllegalMove, Position
from goengine.board.rules import Rules, known_sgf_text
from goengine.dataio.records import Edit, GameRecord
from goengine.dataio.sgf import read_game, write_game
from goengine.dataio.sgf_values import parse_result

log = logging.getLogger(__name__)  # warnings go to stderr where nobody has set up logging


def position_from_sgf(data: bytes, rules: Rules, move: int | None = None) -> Position:
    """The main line before move number `move` (from 1), or to its end; a number beyond the end means the end.

    The file's rules and komi count where it has them, else those given; of rules that nobody knows the log is told. Raises
    ValueError if it is no game that can be played.
    """
    record = read_game(data)
    if record.rules:
        known = known_sgf_text(record.rules)
        if known is None:
            log.warning("the rules '%s' of the game record are unknown; those in force stay: %s", record.rules, rules.name())
        else:
            rules = known.with_komi(rules.komi)
    if record.names_komi:
        rules = rules.with_komi(record.komi)
    if record.fault and (move is None or move > len(record.moves) + 1):
        raise ValueError(record.fault)
    end = len(record.moves) if move is None else min(move - 1, len(record.moves))
    replayed = replay(record, Position(record.size, rules))
    for _ in range(end):
        next(replayed)
    return next(replayed)[0]


def replay(record: GameRecord, position: Position) -> Iterator[tuple[Position, tuple[int, int] | None]]:
    """Each position of a record with the (colour, point) that was played there, None at the end.

    ``position`` has the record's size, and the rules and komi to play by; it is the same object each time, which goes on. As
    SGF wants it, moves are made whether they are legal or not, and stones may be set up between them. Raises ValueError if a
    move is on a point that is taken, or stones cannot stand where they are set up.
    """
    size = record.size
    position.set_up(_points(record.black_setup, size), _points(record.white_setup, size), record.to_play)
    position.handicap = record.handicap_stones()
    edits = list(record.edits)
    for number, (color, index) in enumerate(record.moves):
        _edit(position, edits, number, color)
        point = coords.from_index(index, size)
        yield position, (color, point)
        try:
            position.execute(point, color)
        except IllegalMove as error:
            raise ValueError(f"move {number + 1}, {'BW'[color - 1]} {error}") from None
    _edit(position, edits, len(record.moves))
    yield position, None


def _edit(position: Position, edits: list[Edit], ply: int, mover: int = 0) -> None:
    """Make the set-up that stands behind so many moves, and take it off the list; ``mover`` makes the next move, if any."""
    while edits and edits[0].ply <= ply:
        edit = edits.pop(0)
        black, white, empty = (_points(indices, position.size) for indices in edit[1:4])
        try:
            position.edit(black, white, empty, edit.to_play or (mover if edit.changes_board else 0))
        except ValueError as error:
            raise ValueError(f"set-up after move {ply}: {error}") from None


def position_to_sgf(position: Position, result: str = "") -> str:
    """The game as an SGF text; ``result`` as SGF writes it, such as B+3.5 or W+R."""
    size = position.size
    outcome, margin, ending = parse_result(result)
    record = GameRecord(
        size=size,
        moves=tuple((color, coords.to_index(p, size)) for color, p in position.moves),
        komi=position.rules.komi,
        rules=position.rules.to_sgf_text(),
        black_setup=tuple(coords.to_index(p, size) for p in position.black_setup),
        white_setup=tuple(coords.to_index(p, size) for p in position.white_setup),
        to_play=position.moves[0][0] if position.moves else position.to_play,
        handicap=position.handicap,
        outcome=outcome,
        margin=margin,
        ending=ending,
    )
    turn = position.to_play if position.moves and position.to_play == position.moves[-1][0] else None
    return write_game(record, turn=turn).decode("utf-8")


def _points(indices: tuple[int, ...], size: int) -> list[int]:
    return [coords.from_index(i, size) for i in indices]
