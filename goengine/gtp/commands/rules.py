"""Rules: read and changed at any time; they hold from the next move on, and the komi and the moves so far stay."""

from goengine.board.rules import Rules, RulesError, kgs_preset
from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.gtp.registry import command
from goengine.gtp.session import Session


def _set(session: Session, make) -> None:
    """Change the rules to `make()`, keeping the komi. Raises GtpError if they do not exist."""
    engine = session.engine
    try:
        engine.set_rules(make().with_komi(engine.rules.komi))
    except RulesError as error:
        raise GtpError(str(error)) from None


@command("kata-get-rules", "rules")
def get_rules(session: Session, words: list[str]) -> str:
    """The rules as JSON."""
    return session.engine.rules.to_json()


@command("kata-set-rules", "rules", raw=True)
def set_rules(session: Session, text: str) -> None:
    """RULES: set the rules, a preset such as japanese or JSON."""
    _set(session, lambda: Rules.parse(text))


@command("kata-set-rule", "rules")
def set_rule(session: Session, words: list[str]) -> None:
    """NAME VALUE: set one rule."""
    key, value = arguments.word(words, 0, "the rule"), arguments.word(words, 1, "the value")
    _set(session, lambda: session.engine.rules.with_rule(key, value))


@command("kgs-rules", "kgs")
def kgs_rules(session: Session, words: list[str]) -> None:
    """RULES: set the rules by the name that the server KGS uses."""
    name = arguments.word(words, 0, "the name of the rules")
    _set(session, lambda: kgs_preset(name))
