"""The settings of the player by name, in KataGo's commands and in GoGui's `param` form. One table: `EngineOptions`."""

import json

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session
from goengine.player.engine_options import KINDS, OptionError

# KataGo's names, which clients use, for our options.
_ALIASES = {
    "maxVisits": "visits",
    "maxTime": "time",
    "lagBuffer": "lag",
    "ponderingEnabled": "ponder",
    "allowResignation": "resign",
}


def _own(name: str) -> str:
    return _ALIASES.get(name, name)


def _names() -> list[str]:
    return [*KINDS, *_ALIASES]


def _change(session: Session, changes: dict[str, str]) -> None:
    """Set all or none."""
    engine = session.engine
    options = engine.options
    try:
        for name, text in changes.items():
            options = options.with_text(_own(name), text)
    except OptionError as error:
        raise GtpError(str(error)) from None
    engine.configure(options)


@command("kata-list-params", "params")
def list_params(session: Session, words: list[str]) -> str:
    """The parameters that kata-set-param knows."""
    return " ".join(_names())


@command("kata-get-param", "params")
def get_param(session: Session, words: list[str]) -> str:
    """NAME: the value of a parameter."""
    name = arguments.word(words, 0, "the parameter")
    try:
        return session.engine.options.text(_own(name))
    except OptionError as error:
        raise GtpError(str(error)) from None


@command("kata-set-param", "params", raw=True)
def set_param(session: Session, text: str) -> None:
    """NAME VALUE: set a parameter."""
    name, _, value = text.partition(" ")
    if not name or not value.strip():
        raise GtpError("syntax error: a parameter and a value are needed")
    _change(session, {name: value.strip()})


@command("kata-get-params", "params")
def get_params(session: Session, words: list[str]) -> str:
    """All parameters as JSON."""
    options = session.engine.options
    return json.dumps({name: getattr(options, _own(name)) for name in _names()})


@command("kata-set-params", "params", raw=True)
def set_params(session: Session, text: str) -> None:
    """JSON: set several parameters, all or none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GtpError(f"syntax error: not JSON: {error}") from None
    if not isinstance(values, dict):
        raise GtpError("syntax error: a JSON object is needed")
    plain = {name: "none" if value is None else str(value) for name, value in values.items()}
    _change(session, plain)


@command("goengine-param", "gogui")
def gogui_param(session: Session, words: list[str]) -> str | None:
    """Without arguments the settings as GoGui's `param` dialog reads them; with `NAME VALUE` sets one."""
    if words:
        _change(session, {arguments.word(words, 0, "the parameter"): " ".join(words[1:]) or "none"})
        return None
    options = session.engine.options
    lines = []
    for name, (kind, _) in KINDS.items():
        if kind is bool:
            lines.append(f"[bool] {name} {int(getattr(options, name))}")
        else:
            lines.append(f"[string] {name} {options.text(name)}")
    return "\n".join(lines)
