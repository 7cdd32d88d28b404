"""Commands that set up a board: size, komi, given positions, game records."""

from pathlib import Path

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import BLIND, Session

_SIZES = (2, 25)


@command("boardsize", "setup")
def boardsize(session: Session, words: list[str]) -> None:
    """N: set the board size, 2 to 25, and clear the board."""
    if words and ":" in words[0]:
        words = words[0].split(":")
    size = arguments.integer(words, 0, "the size")
    height = int(words[1]) if len(words) > 1 and arguments.is_integer(words[1]) else size
    if size != height:
        raise GtpError(f"unacceptable size: {size}x{height} is not square")
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise GtpError(f"unacceptable size: {size} is not from {_SIZES[0]} to {_SIZES[1]}")
    session.engine.new_game(size=size)
    if problem := session.engine.take_book_problem():
        session.journal.error(problem)
    if session.engine.is_blind:
        session.journal.error(BLIND.format(size=size))


@command("clear_board", "setup")
def clear_board(session: Session, words: list[str]) -> None:
    """Begin a new game."""
    session.engine.new_game()


@command("komi", "setup")
def komi(session: Session, words: list[str]) -> None:
    """POINTS: set the komi."""
    value = arguments.number(words, 0, "the komi")
    try:
        session.engine.set_komi(value)
    except ValueError as error:
        raise GtpError(f"unacceptable komi: {error}") from None


@command("get_komi", "setup")
def get_komi(session: Session, words: list[str]) -> str:
    """The komi."""
    return f"{session.engine.rules.komi:g}"


@command("set_position", "setup")
def set_position(session: Session, words: list[str]) -> None:
    """`set_position b D4 w E5`: these stones on an empty board, Black to play."""
    engine = session.engine
    engine.replace(_with_stones(session, arguments.moves(words, engine.position.size), ()))


@command("gogui-setup", "gogui")
def gogui_setup(session: Session, words: list[str]) -> None:
    """`gogui-setup b A1 w B2`: add stones where no move has been played."""
    engine = session.engine
    if engine.position.moves:
        raise GtpError("board not empty: moves have been played")
    engine.replace(_with_stones(session, arguments.moves(words, engine.position.size), engine.stones()))


@command("gogui-setup_player", "gogui")
def gogui_setup_player(session: Session, words: list[str]) -> None:
    """COLOR: set who is to play."""
    session.engine.set_to_play(arguments.color(words))


def _with_stones(session: Session, stones, already):
    """A position with these stones. Raises GtpError if two share a point, one is a pass, or a chain has no liberty."""
    placed = {point: color for color, point in already}
    for color, point in stones:
        if point == 0 or point in placed:
            raise GtpError("syntax error: a stone is placed twice or nowhere")
        placed[point] = color
    try:
        return session.engine.with_stones([(color, point) for point, color in placed.items()])
    except ValueError as error:
        raise GtpError(f"illegal position: {error}") from None


@command("loadsgf", "setup", raw=True)
def loadsgf(session: Session, text: str) -> None:
    """`loadsgf FILE [MOVE]`: the main line up to the position before that move."""
    path, move = _file_and_move(text)
    try:
        session.engine.load_sgf(path, move)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise GtpError(f"cannot load file: {path.name}: {reason}") from None


def _file_and_move(text: str) -> tuple[Path, int | None]:
    """The file may have blanks in its name, and a number after one: the whole text is tried as a file first."""
    if not text:
        raise GtpError("cannot load file: the file name is missing")
    head, _, last = text.rpartition(" ")
    if head and arguments.is_integer(last) and not _is_there(text):
        number = int(last)
        if number < 1:
            raise GtpError(f"syntax error: move {number} does not exist; moves count from 1")
        return Path(head.strip()), number
    return Path(text), None


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long, or no name at all
        return False


@command("printsgf", "setup", raw=True)
def printsgf(session: Session, text: str) -> str | None:
    """[FILE]: the game as SGF, printed if no file or `-` is given, else written to the file."""
    content = session.engine.to_sgf()
    if text in ("", "-"):
        return content.replace("\n", "")  # breaks stand between properties only
    try:
        Path(text).write_text(content, encoding="utf-8")
    except OSError as error:
        raise GtpError(f"cannot write file: {error.strerror}") from None
    return None


@command("showboard", "tools")
def showboard(session: Session, words: list[str]) -> str:
    """Draw the board."""
    from goengine.board.diagram import text

    return "\n" + text(session.engine.position)
