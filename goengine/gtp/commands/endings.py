"""The end of a game: who has won by how much, and which stones are dead. Both can be asked at any time."""

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session

_STATUSES = ("alive", "seki", "dead")


@command("final_score", "end")
def final_score(session: Session, words: list[str]) -> str:
    """The score of the position, dead stones taken off, such as W+3.5."""
    return score_text(session.engine.score())


def score_text(black_lead: float) -> str:
    """`B+3.5`, `W+0.5` or `0`."""
    if black_lead == 0:
        return "0"
    return f"{'B' if black_lead > 0 else 'W'}+{abs(black_lead):.10g}" + (".0" if black_lead == int(black_lead) else "")


@command("final_status_list", "end")
def final_status_list(session: Session, words: list[str]) -> str:
    """STATUS (alive, seki or dead): the chains of that status, one per line. The three lists hold every stone once."""
    from goengine.board.coords import to_gtp

    status = arguments.word(words, 0, "the status").lower()
    if status not in _STATUSES:
        raise GtpError(f"syntax error: status '{status}' is none of {', '.join(_STATUSES)}")
    engine = session.engine
    size = engine.position.size
    return "\n".join(" ".join(to_gtp(p, size) for p in chain) for chain in getattr(engine.final_status(), status))
