"""Words of a GTP command to values, with the protocol's error texts. Knows the entities, not what commands do with them."""

import math

from goengine.gtp.protocol import GtpError

BLACK, WHITE = 1, 2  # as in goengine.board.state, which would load numpy
_COLORS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def word(words: list[str], place: int, what: str) -> str:
    """The word at `place`. Raises GtpError that names what is missing."""
    if place >= len(words):
        raise GtpError(f"syntax error: {what} is missing")
    return words[place]


def color(words: list[str], place: int = 0) -> int:
    """BLACK or WHITE."""
    text = word(words, place, "the color")
    if not is_color(text):
        raise GtpError(f"syntax error: '{text}' is not a color")
    return _COLORS[text.lower()]


def is_color(text: str) -> bool:
    """Whether a word names a color."""
    return text.lower() in _COLORS


def vertex(text: str, size: int) -> int:
    """The point of a vertex, or PASS."""
    from goengine.board import coords  # loads numpy, so not before a command needs a board

    try:
        return coords.from_gtp(text, size)
    except ValueError as error:
        raise GtpError(f"syntax error: {error}") from None


def is_integer(text: str) -> bool:
    """Whether a word is a decimal integer of sensible length."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    return digits.isascii() and digits.isdigit() and len(digits) <= 18


def integer(words: list[str], place: int, what: str) -> int:
    """A decimal integer."""
    text = word(words, place, what)
    if not is_integer(text):
        raise GtpError(f"syntax error: {what} '{text}' is not an integer")
    return int(text)


def number(words: list[str], place: int, what: str) -> float:
    """A finite float."""
    text = word(words, place, what)
    value = parse_number(text)
    if value is None:
        raise GtpError(f"syntax error: {what} '{text}' is not a number")
    return value


def parse_number(text: str) -> float | None:
    """A finite float, or None. Python's spellings with underscores and non-ASCII digits are no numbers here."""
    if not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def flag(words: list[str], place: int, what: str) -> bool:
    """A boolean such as `true` or `0`."""
    text = word(words, place, what)
    if text.lower() not in _FLAGS:
        raise GtpError(f"syntax error: {what} '{text}' is neither true nor false")
    return _FLAGS[text.lower()]


def moves(words: list[str], size: int) -> list[tuple[int, int]]:
    """Pairs `color vertex` as (color, point)."""
    if len(words) % 2:
        raise GtpError("syntax error: the list must alternate color and vertex")
    return [(color(words, i), vertex(words[i + 1], size)) for i in range(0, len(words), 2)]
