"""Command lines out of frozen dataclasses.

Knows: how to turn a frozen dataclass into an argparse parser and the arguments back into an instance. The dataclass
holds every default, once; the command line, its help and its errors follow from it. Knows nothing of Go, and
imports only the standard library, because every program of the project starts through here.

A field becomes `--name VALUE` (underscores become hyphens); a bool becomes `--name/--no-name`; a tuple takes
several values; `Literal` and `Enum` restrict the values; `X | None` takes an X. A field made with `option(...)`
carries its help, and may be positional.
"""

import argparse
import dataclasses
import enum
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


class Seconds(float):
    """A duration in seconds; as text '90s', '25m', '2h', '1h30m', or a plain number of seconds."""


def parse_duration(text: str) -> Seconds:
    """Seconds in a duration such as '25m' or '1h30m'. Raises ValueError if the text is not one."""
    compact = text.strip().lower()
    try:
        value = float(compact)
    except ValueError:
        if not re.fullmatch(r"(\d+(\.\d+)?[dhms])+", compact):
            raise ValueError(f"{text!r} is not a duration; write 90s, 25m, 2h or 1h30m") from None
        value = sum(float(number) * _UNITS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)([dhms])", compact))
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text!r} is not a duration; it must be finite and not negative")
    return Seconds(value)


def format_duration(seconds: float) -> str:
    """'1h05m', '12m30s' or '42s'."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{whole % 60:02d}s" if minutes else f"{whole}s"


def option(default: Any = dataclasses.MISSING, help: str = "", *, positional: bool = False, short: str | None = None) -> Any:
    """A dataclass field with a help text.

    `positional` takes it without its name, `short` adds a spelling such as '-n'.
    """
    metadata = {"help": help, "positional": positional, "short": short}
    return dataclasses.field(default=default, metadata=metadata)


def _unwrap(kind: Any) -> Any:
    """X of `X | None`; other types as they are."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        members = [member for member in typing.get_args(kind) if member is not type(None)]
        if len(members) != 1:
            raise TypeError(f"an option may be X or X | None, not {kind}")
        return members[0]
    return kind


def _converter(kind: Any) -> tuple[Callable[[str], Any], tuple | None]:
    """Function from text, and the choices if there are only some."""
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        return (lambda text: next((c for c in choices if str(c) == text), text)), choices
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return (lambda text: next((m for m in kind if text in (m.name.lower(), str(m.value))), text)), tuple(kind)
    if kind is Seconds:
        return parse_duration, None
    if kind in (int, float):
        return _number(kind), None
    if kind in (str, Path):
        return kind, None
    raise TypeError(f"no command-line form for {kind}")


def _number(kind: type) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a {'whole number' if kind is int else 'number'}") from None

    return convert


def _readable(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse show the converter's own message."""

    def wrapped(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return wrapped


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field, kind: Any) -> None:
    kind, missing = _unwrap(kind), dataclasses.MISSING
    default = field.default_factory() if field.default_factory is not missing else field.default
    positional = bool(field.metadata.get("positional"))
    name = field.name if positional else "--" + field.name.replace("_", "-")
    names = [name] if positional or not field.metadata.get("short") else [field.metadata["short"], name]
    text = field.metadata.get("help", "").replace("%", "%%")
    if default is not missing and default is not None and default != () and default != "":
        shown = format_duration(default) if isinstance(default, Seconds) else default
        shown = " ".join(map(str, shown)) if isinstance(shown, tuple) else shown
        text = f"{text} ({str(shown).replace('%', '%%')})".strip()
    settings: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS}
    if not positional:
        settings |= {"dest": field.name, "required": default is missing}
    if kind is bool:
        parser.add_argument(*names, action=argparse.BooleanOptionalAction, **settings)
        return
    if typing.get_origin(kind) is tuple:
        members = typing.get_args(kind)
        settings["nargs"] = ("+" if default is missing else "*") if members[-1] is Ellipsis else len(members)
        kind = members[0]
    elif positional and default is not missing:
        settings["nargs"] = "?"
    convert, choices = _converter(kind)
    if choices is not None:
        settings |= {"choices": choices}
        settings["metavar"] = "{" + ",".join(str(c.value if isinstance(c, enum.Enum) else c) for c in choices) + "}"
    else:
        settings["metavar"] = "TIME" if kind is Seconds else field.name.upper()
    parser.add_argument(*names, type=_readable(convert), **settings)


def _fill(parser: argparse.ArgumentParser, config: type) -> None:
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if field.init:
            _add(parser, field, hints[field.name])


def _instance(config: type, values: Mapping[str, Any], parser: argparse.ArgumentParser) -> Any:
    tidy = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    try:
        return config(**tidy)
    except ValueError as error:  # a dataclass may check its own values in __post_init__
        parser.error(str(error))


def build_parser(config: type, prog: str | None = None) -> argparse.ArgumentParser:
    """The parser of one dataclass; its docstring is the description."""
    parser = argparse.ArgumentParser(prog=prog, description=config.__doc__, allow_abbrev=False)
    _fill(parser, config)
    return parser


def parse(config: type, argv: Sequence[str] | None = None, prog: str | None = None) -> Any:
    """An instance of `config` from arguments (sys.argv[1:] if None).

    An unknown or bad option prints its error to stderr and exits with 2.
    """
    parser = build_parser(config, prog)
    values = vars(parser.parse_args(sys.argv[1:] if argv is None else list(argv)))
    return _instance(config, values, parser)


_COMMAND = "the command"  # no field of a dataclass can have this name


def parse_command(
    commands: Mapping[str, type],
    argv: Sequence[str] | None = None,
    prog: str | None = None,
    description: str | None = None,
) -> tuple[str, Any]:
    """(command's name, instance of its dataclass) where the first argument names the command.

    Exits with 2 on an error.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description, allow_abbrev=False)
    choices = parser.add_subparsers(dest=_COMMAND, required=True, metavar="COMMAND")
    children = {}
    for name, config in commands.items():
        summary = (config.__doc__ or "").strip().split("\n")[0]
        children[name] = choices.add_parser(name, help=summary, description=config.__doc__, allow_abbrev=False)
        _fill(children[name], config)
    values = vars(parser.parse_args(sys.argv[1:] if argv is None else list(argv)))
    name = values.pop(_COMMAND)
    return name, _instance(commands[name], values, children[name])
