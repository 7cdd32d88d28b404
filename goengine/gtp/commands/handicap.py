"""Handicap: stones placed before the first move, all at once or not at all."""

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session


def _place(session: Session, points: list[int]) -> str:
    from goengine.board.coords import to_gtp

    engine = session.engine
    engine.place_handicap(points)
    return " ".join(to_gtp(point, engine.position.size) for point in points)


def _empty_board(session: Session) -> int:
    """The size of the board, which must be empty."""
    engine = session.engine
    if engine.position.moves or engine.stones():
        raise GtpError("board not empty")
    return engine.position.size


def _counted(session: Session, words: list[str], fixed: bool) -> str:
    from goengine.board.handicap import HandicapError, fixed_points, free_points

    count = arguments.integer(words, 0, "the number of stones")
    size = _empty_board(session)
    try:
        return _place(session, (fixed_points if fixed else free_points)(size, count))
    except HandicapError as error:
        raise GtpError(f"invalid number of stones: {error}") from None


@command("fixed_handicap", "handicap")
def fixed_handicap(session: Session, words: list[str]) -> str:
    """N: place N handicap stones on the fixed points."""
    return _counted(session, words, fixed=True)


@command("place_free_handicap", "handicap")
def place_free_handicap(session: Session, words: list[str]) -> str:
    """N: choose and place exactly N handicap stones, because servers resign a game where some are missing."""
    return _counted(session, words, fixed=False)


@command("set_free_handicap", "handicap")
def set_free_handicap(session: Session, words: list[str]) -> None:
    """POINT ...: place handicap stones on these points."""
    size = session.engine.position.size
    try:
        points = [arguments.vertex(text, size) for text in words]
    except GtpError as error:
        raise GtpError(f"bad vertex list: {str(error).removeprefix('syntax error: ')}") from None
    if 0 in points:
        raise GtpError("bad vertex list: a stone cannot pass")
    if len(set(points)) != len(points):
        raise GtpError("bad vertex list: a vertex is repeated")
    if not 2 <= len(points) < size * size:
        raise GtpError(f"bad vertex list: {len(points)} stones; from 2 to {size * size - 1} are possible")
    _empty_board(session)
    _place(session, points)
