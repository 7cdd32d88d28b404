"""Commands that particular clients and servers send: KGS, CGOS, gomill, LizzieYzy's leftovers."""

from goengine.gtp.registry import command
from goengine.gtp.session import Session


@command("kgs-game_over", "kgs")
def kgs_game_over(session: Session, words: list[str]) -> None:
    """End pondering. The board stays, because the players may resume the game."""
    engine = session.loaded()
    if engine is not None:
        engine.rest()


@command("kgs-chat", "kgs", listed=False)
def kgs_chat(session: Session, words: list[str]) -> str:
    """Answer a chat message. Never listed: the KGS client fails on engines that list it."""
    return "I only play Go."


@command("cgos-opponent_name", "cgos", raw=True)
def cgos_opponent_name(session: Session, text: str) -> None:
    """NAME: the opponent on the server CGOS."""
    session.opponent = text
    session.journal.note(f"opponent: {text}")


@command("cgos-opponent_rating", "cgos")
def cgos_opponent_rating(session: Session, words: list[str]) -> None:
    """RATING: the rating of the opponent on the server CGOS."""
    session.journal.note(f"opponent's rating: {' '.join(words)}")


@command("cgos-gameover", "cgos")
def cgos_gameover(session: Session, words: list[str]) -> None:
    """RESULT: the server CGOS says that the game is over."""
    session.journal.note(f"game over: {' '.join(words)}")
    engine = session.loaded()
    if engine is not None:
        engine.rest()


@command("gomill-describe_engine", "gomill")
def gomill_describe_engine(session: Session, words: list[str]) -> str:
    """The engine, its net and its settings in words."""
    return session.engine.describe()


@command("gomill-explain_last_move", "gomill")
def gomill_explain_last_move(session: Session, words: list[str]) -> str:
    """What the search thought of the last move."""
    engine = session.engine
    return engine.last_decision.summary() if engine.last_decision else "no move yet"


@command("kata-debug-print-tc", "katago", listed=False)
def debug_print_time(session: Session, words: list[str]) -> str:
    """The clocks, for tests."""
    return session.engine.describe_clocks()
