"""Command lines out of frozen dataclasses.

Knows: how to turn a frozen dataclass into an argparse parser and the arguments back into an instance. The dataclass
holds every default, once; the command line, its help and its errors follow from it. Knows nothing of Go, and
imports only the standard library, because every program of the project starts through here.

Numbers are finite and, unless `option` says otherwise, not negative.

A field becomes `--name VALUE` (underscores become hyphens); a bool becomes `--name/--no-name`; a tuple takes
several values; `Literal` and `Enum` restrict the values; `X | None` takes an X. A field made with `option(...)`
carries its help, and may be positional.

Every command also takes `--config FILE`, a TOML file of options: keys are names of fields, with hyphens or underscores.
What the command line says goes before what the file says, and that before the defaults.
"""

import argparse
import dataclasses
import enum
import math
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


MOST_WHOLE = 2**63 - 1  # larger numbers fit into no array and seed no generator
MOST_THREADS = 1024


def option(
    default: Any = dataclasses.MISSING,
    help: str = "",
    *,
    positional: bool = False,
    short: str | None = None,
    least: float | None = 0,
    most: float | None = None,
) -> Any:
    """A dataclass field with a help text.

    `positional` takes it without its name, `short` adds a spelling such as '-n'. A number, or each of several, must be from
    `least` to `most`; None leaves that open.
    """
    metadata = {"help": help, "positional": positional, "short": short, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=metadata)


def check_range(field: dataclasses.Field, value: Any) -> None:
    """Raises ValueError if a number, or one of several, is not in the range of its field."""
    if isinstance(value, tuple | list):
        for member in value:
            check_range(field, member)
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    least, most = field.metadata.get("least", 0), field.metadata.get("most")
    if most is None and isinstance(value, int):
        most = MOST_WHOLE
    if not math.isfinite(value):
        raise ValueError(f"must be finite, not {value}")
    if least is not None and value < least:
        raise ValueError(f"must be {_range(least, most)}, not {_shown(value)}")
    if most is not None and value > most:
        raise ValueError(f"must be {_range(least, most)}, not {_shown(value)}")


def _range(least: float | None, most: float | None) -> str:
    if most is None or most == MOST_WHOLE:
        return f"at least {least}" if most is None or least is not None else f"at most {most}"
    return f"at most {most}" if least is None else f"from {least} to {most}"


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
            raise ValueError(f"{_shown(text)} is not a {'whole number' if kind is int else 'number'}") from None

    return convert


def _readable(convert: Callable[[str], Any], field: dataclasses.Field) -> Callable[[str], Any]:
    """Check the range, and let argparse show the converter's own message."""

    def wrapped(text: str) -> Any:
        try:
            value = convert(text)
            check_range(field, value)
            return value
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
    parser.add_argument(*names, type=_readable(convert, field), **settings)


def _fill(parser: argparse.ArgumentParser, config: type) -> None:
    hints = typing.get_type_hints(config)
    kinds = {field.name: hints[field.name] for field in dataclasses.fields(config) if field.init}
    for field in dataclasses.fields(config):
        if field.init:
            _add(parser, field, kinds[field.name])
    text = "TOML file with values of these options; the command line goes before it"
    parser.add_argument(
        "--config",
        action=_ReadFile,
        kinds=kinds,
        ranges=config,
        dest=_FILE,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help=text,
    )


_FILE = "the file"  # as _COMMAND, no field can have this name
_MAX_BYTES = 64 * 1024


class _ReadFile(argparse.Action):
    """Keeps the values of a file, and no longer requires on the command line what the file has."""

    def __init__(self, *args: Any, kinds: Mapping[str, Any], ranges: type, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.kinds = kinds
        self.fields = {field.name: field for field in dataclasses.fields(ranges)}

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, name: Any = None) -> None:
        if hasattr(namespace, _FILE):
            raise argparse.ArgumentError(self, "may be given once")
        try:
            found = read_config(Path(values), self.kinds)
            for key, value in found.items():
                self._check(Path(values), key, value)
        except ValueError as error:
            raise argparse.ArgumentError(self, str(error)) from None
        setattr(namespace, _FILE, found)
        self._require_less(parser, values, found)

    def _check(self, path: Path, key: str, value: Any) -> None:
        try:
            check_range(self.fields[key], value)
        except ValueError as error:
            raise ValueError(f"{path}: {key} {error}") from None

    def _require_less(self, parser: argparse.ArgumentParser, values: Any, found: Mapping[str, Any]) -> None:
        """What the file has need not be on the command line."""
        for action in parser._actions:
            if action.required and action.dest in found:
                if found[action.dest] == ():
                    raise argparse.ArgumentError(self, f"{values}: {action.dest}: at least one is needed")
                action.required = False
                if not action.option_strings:  # a positional
                    action.nargs = "*" if action.nargs == "+" else "?"


def read_config(path: Path, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field from a TOML file; kinds: the type of every field that it may have.

    Raises ValueError, which names the file and the key, if the file cannot be read, is larger than 64 KiB or no TOML, if there
    is no such field, or if a value is not of its type.
    """
    values: dict[str, Any] = {}
    for key, value in _read_toml(path).items():
        name = key.replace("-", "_")
        if name not in kinds:
            raise ValueError(f"{path}: there is no option '{key}'; possible: {', '.join(kinds)}")
        if name in values:
            raise ValueError(f"{path}: '{key}' is given twice, with a hyphen and with an underscore")
        try:
            values[name] = _from_toml(value, _unwrap(kinds[name]))
        except ValueError as error:
            raise ValueError(f"{path}: {key}: {error}") from None
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # here: no start without --config waits for it

    try:
        if not path.is_file():
            raise ValueError(f"{path}: {'not a regular file' if path.exists() else 'there is no such file'}")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    if len(data) > _MAX_BYTES:
        raise ValueError(f"{path}: larger than {_MAX_BYTES // 1024} KiB, so it is no file of options")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8") from None
    except (ValueError, RecursionError) as error:  # RecursionError: brackets in brackets in brackets
        raise ValueError(f"{path}: not TOML: {error}") from None


def _from_toml(value: Any, kind: Any) -> Any:
    """A value of a file as a field of that type has it. Raises ValueError that says what was expected."""
    if typing.get_origin(kind) is tuple:
        return _list_from_toml(value, typing.get_args(kind))
    if kind is Seconds and isinstance(value, str | int | float) and not isinstance(value, bool):
        return parse_duration(str(value))
    if kind in (str, Path) and isinstance(value, str) and "\0" not in value:
        return kind(value)
    if kind in (bool, int) and type(value) is kind:
        return value
    if kind is float and type(value) in (int, float):
        return _to_float(value)
    if typing.get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        convert, choices = _converter(kind)
        found = convert(str(value)) if type(value) in (str, int) else None
        if found in (choices or ()) and (isinstance(found, enum.Enum) or type(found) is type(value)):
            return found
    raise ValueError(f"expected {_expected(kind)}, not {_shown(value)}")


def _to_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def _list_from_toml(value: Any, members: tuple) -> tuple:
    several, kind = members[-1] is Ellipsis, members[0]
    if not isinstance(value, list) or not (several or len(value) == len(members)):
        count = "" if several else f" of {len(members)}"
        raise ValueError(f"expected an array{count}, each {_expected(kind)}, not {_shown(value)}")
    return tuple(_from_toml(member, kind) for member in value)


def _expected(kind: Any) -> str:
    """What a value of that type is called in an error."""
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes", Path: "a path in quotes"}
    if kind is Seconds:
        return "a duration in quotes, such as '25m', or seconds"
    if kind in names:
        return names[kind]
    choices = _converter(kind)[1] or ()
    return "one of " + ", ".join(repr(c.value if isinstance(c, enum.Enum) else c) for c in choices)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."


def _instance(config: type, values: Mapping[str, Any], parser: argparse.ArgumentParser) -> Any:
    given = {**values.get(_FILE, {}), **{key: value for key, value in values.items() if key != _FILE}}
    tidy = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
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
