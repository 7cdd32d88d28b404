"""SGF files as positions in play, and back. Knows how a record becomes a `Position`; the format is `goengine.dataio.sgf`'s."""

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules, from_sgf_text
from goengine.board.state import WHITE
from goengine.dataio.records import GameRecord
from goengine.dataio.sgf import read_game, write_game
from goengine.dataio.sgf_values import parse_result


def position_from_sgf(data: bytes, rules: Rules, move: int | None = None) -> Position:
    """The main line before move number `move` (from 1), or to its end; a number beyond the end means the end.

    The file's rules and komi count where it has them, else those given. Raises ValueError if it is no game that can be played.
    """
    record = read_game(data)
    if record.rules:
        rules = from_sgf_text(record.rules).with_komi(rules.komi)
    if b"KM[" in data:
        rules = rules.with_komi(record.komi)
    size = record.size
    position = Position(size, rules)
    position.set_up(_points(record.black_setup, size), _points(record.white_setup, size), record.to_play)
    position.handicap = _handicap(record)
    moves = record.moves if move is None else record.moves[: move - 1]
    if record.fault and (move is None or move > len(record.moves)):
        raise ValueError(record.fault)
    for color, index in moves:
        position.play(coords.from_index(index, size), color, tolerant=True)
    return position


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


def _handicap(record: GameRecord) -> int:
    """What the record calls a handicap, where Black has so many stones before White's first: set up, or played."""
    if record.white_setup:
        return 0
    first_white = next((i for i, (color, _) in enumerate(record.moves) if color == WHITE), len(record.moves))
    return record.handicap if len(record.black_setup) + first_white >= max(2, record.handicap) else 0


def _points(indices: tuple[int, ...], size: int) -> list[int]:
    return [coords.from_index(i, size) for i in indices]
