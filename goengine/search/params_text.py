"""Search constants as text: ``cpuct=1.1,leaves=4,preset=ZERO`` to `SearchParams` and back.

For command lines and match files. Knows the names and types of `goengine.search.params` and nothing else, so that a program can
check its arguments before anything heavy is loaded.
"""

import dataclasses
import typing
from collections.abc import Mapping

from goengine.search.params import PLAY, PRESETS, SearchParams

KINDS: Mapping[str, type] = typing.get_type_hints(SearchParams)
_WANTED = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


def pairs(text: str) -> dict[str, str]:
    """The settings in ``name=value,name=value``. Raises ValueError if a part is no setting or a name comes twice."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ValueError(f"'{part}' is not a setting; write name=value, several with commas between them")
        if name in found:
            raise ValueError(f"{name} is set twice")
        found[name] = value
    return found


def convert(name: str, text: str, kind: type) -> bool | int | float | str:
    """The value of a setting. Raises ValueError if the text is none of that kind."""
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name} must be {_WANTED[kind]}, not '{text[:40]}'") from None


def preset(name: str) -> SearchParams:
    """The preset of that name, in any case. Raises ValueError if there is none."""
    if name.upper() not in PRESETS:
        raise ValueError(f"no preset '{name}'; there are: {', '.join(PRESETS)}")
    return PRESETS[name.upper()]


def changed(base: SearchParams, values: Mapping[str, str]) -> SearchParams:
    """``base`` with these constants. Raises ValueError if one does not exist or makes no sense."""
    for name in values:
        if name not in KINDS:
            raise ValueError(f"unknown search constant '{name}'; possible: preset, {', '.join(KINDS)}")
    return base.with_(**{name: convert(name, text, KINDS[name]) for name, text in values.items()})


def parse(text: str, base: SearchParams = PLAY) -> SearchParams:
    """Constants from text: a ``preset`` in it replaces ``base``, the others change that. Raises ValueError."""
    values = pairs(text)
    name = values.pop("preset", None)
    return changed(base if name is None else preset(name), values)


def difference(params: SearchParams, base: SearchParams = PLAY) -> str:
    """What `parse` needs to make ``params`` from ``base``; empty if they are equal."""
    ours, theirs = dataclasses.asdict(params), dataclasses.asdict(base)
    return ",".join(f"{name}={_text(value)}" for name, value in ours.items() if value != theirs[name])


def _text(value: bool | int | float | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
