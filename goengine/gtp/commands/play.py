"""Moves: played, taken back, and chosen by the engine."""

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session


@command("play", "play")
def play(session: Session, words: list[str]) -> None:
    """COLOR POINT: play a move."""
    engine = session.engine
    color = arguments.color(words)
    point = arguments.vertex(arguments.word(words, 1, "the vertex"), engine.position.size)
    try:
        engine.play(color, point)
    except ValueError as error:
        raise GtpError(f"illegal move: {error}") from None


@command("gogui-play_sequence", "gogui")
def play_sequence(session: Session, words: list[str]) -> None:
    """COLOR POINT ...: play several moves, all or none."""
    engine = session.engine
    try:
        engine.play_all(arguments.moves(words, engine.position.size))
    except ValueError as error:
        raise GtpError(f"illegal move: {error}") from None


@command("undo", "play")
def undo(session: Session, words: list[str]) -> None:
    """Take back the last move."""
    _undo(session, 1)


@command("gg-undo", "gogui")
def gg_undo(session: Session, words: list[str]) -> None:
    """[N]: take back N moves, one without N."""
    count = arguments.integer(words, 0, "the number of moves") if words else 1
    if count < 0:
        raise GtpError(f"cannot undo: {count} moves")
    _undo(session, count)


def _undo(session: Session, count: int) -> None:
    played = len(session.engine.position.moves)
    if count > played:
        raise GtpError("cannot undo" if count == 1 else f"cannot undo: only {played} moves have been played")
    session.engine.undo(count)


def decision_text(session: Session, decision) -> str:
    """`resign`, or the vertex of the move."""
    from goengine.board.coords import to_gtp

    return "resign" if decision.resign else to_gtp(decision.point, session.engine.position.size)


@command("genmove", "play")
def genmove(session: Session, words: list[str]) -> str:
    """COLOR: choose a move and play it."""
    color = arguments.color(words)
    return _generate(session, color)


@command("kgs-genmove_cleanup", "kgs")
def genmove_cleanup(session: Session, words: list[str]) -> str:
    """COLOR: as `genmove`, but without passing while dead stones of the opponent stand, and without resigning."""
    color = arguments.color(words)
    return _generate(session, color, cleanup=True)


@command("kata-search", "katago")
@command("reg_genmove", "play")
def reg_genmove(session: Session, words: list[str]) -> str:
    """COLOR: the best move, without chance; it is not played, costs no clock time, and is never a resignation."""
    color = arguments.color(words)
    return decision_text(session, session.engine.choose(color, should_stop=session.lookahead.abandoned))


@command("kata-search_cancellable", "katago")
def search_cancellable(session: Session, words: list[str]) -> str:
    """COLOR: as `kata-search`, but any input ends it with `cancelled`."""
    color = arguments.color(words)
    decision = session.engine.choose(color, should_stop=session.lookahead.pending)
    return "cancelled" if decision.stopped else decision_text(session, decision)


def _generate(session: Session, color: int, cleanup: bool = False) -> str:
    engine = session.engine
    decision = engine.genmove(color, cleanup=cleanup, should_stop=session.lookahead.abandoned)
    session.journal.note(decision.log_line())
    return decision_text(session, decision)
