"""Time: the settings of a game, and what the clocks show. The engine counts its own time between two `time_left`."""

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session


def _use(session: Session, make) -> None:
    """Set the clock to `make()`. Raises GtpError if there is no such control."""
    try:
        settings = make()
    except ValueError as error:
        raise GtpError(f"syntax error: {error}") from None
    session.engine.clock.set(settings)


@command("time_settings", "time")
def time_settings(session: Session, words: list[str]) -> None:
    """`time_settings MAIN BYOYOMI STONES`, Canadian; `0 1 0` means no limit."""
    main = arguments.number(words, 0, "the main time")
    period = arguments.number(words, 1, "the byoyomi time")
    stones = arguments.number(words, 2, "the number of stones")
    from goengine.search.clock import from_gtp

    if min(main, period, stones) < 0:
        raise GtpError("syntax error: times must not be negative")
    _use(session, lambda: from_gtp(main, period, int(stones)))


@command("time_left", "time")
def time_left(session: Session, words: list[str]) -> None:
    """COLOR SECONDS STONES: what a clock shows. A negative time counts as zero."""
    color = arguments.color(words)
    seconds = arguments.number(words, 1, "the time")
    stones = arguments.number(words, 2, "the number of stones")
    try:
        session.engine.clock.time_left(color, seconds, max(0, int(stones)))
    except ValueError as error:
        raise GtpError(f"syntax error: {error}") from None


@command("kgs-time_settings", "time")
@command("kata-time_settings", "time")
def named_time_settings(session: Session, words: list[str]) -> None:
    """KIND NUMBER ...: set the time control, such as `byoyomi 600 30 5`."""
    arguments.word(words, 0, "the kind of time control")
    for place in range(1, len(words)):
        arguments.number(words, place, "the number")
    from goengine.search.clock import from_words

    _use(session, lambda: from_words([words[0].lower(), *words[1:]]))


@command("kata-list_time_settings", "time")
def list_time_settings(session: Session, words: list[str]) -> str:
    """The kinds of time control."""
    from goengine.search.clock import KINDS

    return " ".join(KINDS)
