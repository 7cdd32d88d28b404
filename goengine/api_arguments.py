"""What callers of the public API may write for a colour, a point, a position or a number, and what is said of anything else.

A value of a wrong type is a TypeError, a wrong value of the right type a ValueError; both name what was expected.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from numbers import Real
from typing import Any

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE

Color = int | str
Point = int | str
_COLORS: dict[object, int] = {"b": BLACK, "black": BLACK, BLACK: BLACK, "w": WHITE, "white": WHITE, WHITE: WHITE}
_LONGEST = 60  # letters of a value in a message


def told(value: object) -> str:
    """A value and its type, for a message."""
    text = repr(value)
    return f"{text if len(text) <= _LONGEST else text[:_LONGEST] + '...'} ({type(value).__name__})"


def whole_number(value: Any, name: str, wanted: str = "a whole number") -> int:
    """Raises TypeError, with what is wanted, if it is no whole number."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name}: expected {wanted}, got {told(value)}")


def number(value: Any, name: str) -> float:
    """Raises TypeError if it is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {told(value)}")
    return float(value)


def to_color(color: Color) -> int:
    """BLACK or WHITE from "B", "W", "black", "white", 1 or 2. Raises ValueError if it is none of these."""
    key = color.strip().lower() if isinstance(color, str) else whole_number(color, "colour", '"B" or "W"')
    if key not in _COLORS:
        raise ValueError(f'{color!r} is not a colour; expected "B" or "W"')
    return _COLORS[key]


def to_point(point: Point, size: int) -> int:
    """The padded point of "E5", "pass" or a padded point. Raises ValueError if there is no such point on the board."""
    if isinstance(point, str):
        return coords.from_gtp(point, size)
    place = whole_number(point, "point", 'a text such as "E5" or "pass"')
    if place != coords.PASS and not coords.on_board(place, size):
        raise ValueError(f'{point!r} is not a point of a {size}x{size} board; expected a text such as "E5" or "pass"')
    return place


def to_points(points: Iterable[Point], size: int, name: str) -> list[int]:
    """The padded points of several. Raises TypeError if it is a single one, ValueError as `to_point` and for a pass."""
    if isinstance(points, str) or not isinstance(points, Iterable):
        raise TypeError(f'{name}: expected a list of points such as ["E5", "C3"], got {told(points)}')
    found = [to_point(point, size) for point in points]
    if coords.PASS in found:
        raise ValueError(f"{name}: a pass is not a point where a stone can be")
    return found


def to_rules(rules: Rules | str | None) -> Rules | None:
    """Rules from their name. Raises RulesError (a ValueError) if there are none of that name."""
    if rules is None or isinstance(rules, Rules):
        return rules
    if isinstance(rules, str):
        return Rules.parse(rules)
    raise TypeError(f'rules: expected a name such as "japanese" or Rules, got {told(rules)}')


def to_position(position: Any) -> Position:
    """Raises TypeError if it is no position."""
    if not isinstance(position, Position):
        raise TypeError(f"expected a Position, got {told(position)}")
    return position


def to_positions(positions: Any) -> list[Position]:
    """A list of positions. Raises TypeError if it is a single one or holds something else, ValueError if there is none."""
    if isinstance(positions, Position):
        raise TypeError("expected a list of positions, got one Position; write evaluate([position])")
    if isinstance(positions, str | bytes) or not isinstance(positions, Iterable):
        raise TypeError(f"expected a list of positions, got {told(positions)}")
    found = list(positions)
    for place, position in enumerate(found):
        if not isinstance(position, Position):
            raise TypeError(f"expected a list of positions, but item {place} is {told(position)}")
    if not found:
        raise ValueError("expected one or more positions, got none")
    return found


def net_name(name: Any) -> str:
    """A net's name or path as text. Raises TypeError if it is neither."""
    if isinstance(name, str | os.PathLike):
        return os.fsdecode(name)
    raise TypeError(f"net: expected a net's name or path, got {told(name)}")
