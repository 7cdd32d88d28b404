"""Commands about the program itself. They need no engine, so they are answered while it still loads."""

import time

from goengine.gtp.protocol import GtpQuit
from goengine.gtp.registry import TABLE, command
from goengine.gtp.session import Session


@command("protocol_version", "admin")
def protocol_version(session: Session, words: list[str]) -> str:
    """The version of the protocol: 2."""
    return "2"


@command("name", "admin")
def name(session: Session, words: list[str]) -> str:
    """The name of the engine."""
    return session.name


@command("version", "admin")
def version(session: Session, words: list[str]) -> str:
    """The version of the engine."""
    return session.version


@command("known_command", "admin")
def known_command(session: Session, words: list[str]) -> str:
    """NAME: whether there is such a command."""
    found = TABLE.find(words[0]) if words else None
    return "true" if found and found.listed else "false"


@command("list_commands", "admin")
def list_commands(session: Session, words: list[str]) -> str:
    """All commands, one in a line."""
    return "\n".join(TABLE.listed())


@command("quit", "admin")
def quit_session(session: Session, words: list[str]) -> str:
    """End the session."""
    raise GtpQuit()


@command("echo", "tools", raw=True)
def echo(session: Session, text: str) -> str:
    """TEXT: the same text."""
    return text


@command("cputime", "tools")
@command("gomill-cpu_time", "tools")
def cputime(session: Session, words: list[str]) -> str:
    """Seconds of processor time that the engine has used."""
    return f"{time.process_time():.3f}"
