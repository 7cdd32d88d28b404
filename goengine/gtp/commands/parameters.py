"""The settings of the player by name, in KataGo's commands and in GoGui's `param` form. One table: `EngineOptions`."""

import json
from dataclasses import dataclass

from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session
from goengine.player.engine_options import KINDS, EngineOptions, OptionError
from goengine.player.rank_style import parse_profile, profile_name, style_of

# KataGo's names, which clients use, for our options.
_ALIASES = {
    "maxVisits": "visits",
    "maxTime": "time",
    "lagBuffer": "lag",
    "ponderingEnabled": "ponder",
    "allowResignation": "resign",
    "analysisWideRootNoise": "analysis_wide_root_noise",
    "humanSLProfile": "rank",
    "humanSLChosenMoveProp": "human_move_prop",
    "humanSLChosenMovePiklLambda": "human_lambda",
    "humanSLChosenMoveIgnorePass": "human_ignore_pass",
}
_PROFILE = "humanSLProfile"  # may be set to nothing, which is no profile


WITHOUT_RANK = 1e8  # the lambda of a player who is held back by nothing, as KataGo writes it


@dataclass(frozen=True)
class _Fixed:
    """A parameter of KataGo that clients ask for and that has one value here."""

    value: str
    reason: str  # why it can have no other

    def accepts(self, text: str) -> bool:
        if text.lower() == self.value.lower():
            return True
        ours, theirs = arguments.parse_number(self.value), arguments.parse_number(text)
        return ours is not None and ours == theirs


_EXPLORATIONS = tuple(
    f"humanSL{whose}ExploreProb{how}" for whose in ("Root", "Pla", "Opp") for how in ("Weightless", "Weightful")
)
_EXPLORING = "the search never goes by people's moves; those that a rank may play are looked at beside it"


def _fixed(session: Session) -> dict[str, _Fixed]:
    from goengine.core.machine import usable_cores  # slow to import

    threads = session.options.threads or usable_cores()
    return {
        "playoutDoublingAdvantage": _Fixed("0", "no net here has learned to play against a deeper or a shallower search"),
        "playoutDoublingAdvantagePla": _Fixed("AUTO", "there is no playoutDoublingAdvantage that a colour could have"),
        "numSearchThreads": _Fixed(str(threads), "threads are chosen at the start, with --threads"),
        **{name: _Fixed("0", _EXPLORING) for name in _EXPLORATIONS},
    }


def _own(name: str) -> str:
    return _ALIASES.get(name, name)


def _names(session: Session) -> list[str]:
    return [*KINDS, *_ALIASES, *_fixed(session)]


def _change(session: Session, changes: dict[str, str]) -> None:
    """Set all or none."""
    from goengine.evaluators.base import EvaluatorError  # loads numpy

    engine = session.engine
    options, fixed = engine.options, _fixed(session)
    try:
        for name, text in changes.items():
            if name in fixed:
                if not fixed[name].accepts(text):
                    raise GtpError(f"{name} can only be {fixed[name].value}: {fixed[name].reason}")
                continue
            options = options.with_text(_own(name), text)
        engine.configure(options)
    except (ValueError, EvaluatorError, OSError) as error:  # out of range, or a book or a net that cannot be used
        raise GtpError(str(error)) from None


@command("kata-list-params", "params")
def list_params(session: Session, words: list[str]) -> str:
    """The parameters that kata-set-param knows."""
    return " ".join(_names(session))


@command("kata-get-param", "params")
def get_param(session: Session, words: list[str]) -> str:
    """NAME: the value of a parameter."""
    name = arguments.word(words, 0, "the parameter")
    fixed = _fixed(session)
    if name in fixed:
        return fixed[name].value
    try:
        return _text(session.engine.options, name)
    except OptionError as error:
        raise GtpError(str(error)) from None


def _text(options: EngineOptions, name: str) -> str:
    """A value as KataGo would answer it: a profile by its whole name, a lambda as the number that it is."""
    if name == _PROFILE:
        return profile_name(options.rank or "")
    if name == "humanSLChosenMovePiklLambda" and options.human_lambda is None:
        return f"{WITHOUT_RANK:g}" if options.rank is None else f"{style_of(parse_profile(options.rank).black).pikl_lambda:g}"
    return options.text(_own(name))


@command("kata-set-param", "params", raw=True)
def set_param(session: Session, text: str) -> None:
    """NAME VALUE: set a parameter."""
    name, _, value = text.partition(" ")
    if name == _PROFILE and not value.strip():
        value = "none"
    if not name or not value.strip():
        raise GtpError("syntax error: a parameter and a value are needed")
    _change(session, {name: value.strip()})


@command("kata-get-params", "params")
def get_params(session: Session, words: list[str]) -> str:
    """All parameters as JSON."""
    options, fixed = session.engine.options, _fixed(session)
    values = {name: getattr(options, _own(name)) for name in (*KINDS, *_ALIASES)}
    values[_PROFILE] = profile_name(options.rank or "")
    return json.dumps(values | {name: entry.value for name, entry in fixed.items()})


@command("kata-set-params", "params", raw=True)
def set_params(session: Session, text: str) -> None:
    """JSON: set several parameters, all or none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GtpError(f"syntax error: not JSON: {error}") from None
    if not isinstance(values, dict):
        raise GtpError("syntax error: a JSON object is needed")
    plain = {name: "none" if value is None or value == "" else str(value) for name, value in values.items()}
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
