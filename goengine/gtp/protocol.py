"""The Go Text Protocol, version 2: lines in, responses out. Knows no Go, no threads and no files.

A line is preprocessed byte by byte, split into id, command and arguments, and handed to a handler from a `CommandTable`. The
handler returns the result's text, or a `Stream` whose lines come later, or raises one of three exceptions. Everything that
leaves `handle_line` is printable ASCII, and no result holds an empty line, because the first empty line ends a response.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

MAX_ID_DIGITS = 18  # more could not be a machine integer, and int() of very long digits is refused by Python

# HT becomes a blank; every other control character but LF is dropped, as the protocol demands.
_CONTROL = bytes(c for c in range(32) if c not in (9, 10)) + bytes([127])
_TAB_TO_BLANK = bytes.maketrans(b"\t", b" ")


class GtpError(Exception):
    """The command fails: its text becomes the `?` response."""


class GtpQuit(Exception):
    """The command succeeds with this text, and the session ends."""


class GtpFatal(Exception):
    """The command fails with this text, and the session ends because it cannot go on."""


Emit = Callable[[str], None]


@dataclass(frozen=True)
class Stream:
    """A result that comes line by line: `run(emit)` writes lines through `emit` and returns when the response is complete."""

    run: Callable[[Emit], None]


Handler = Callable[[Any], str | Stream | None]  # of words, or of one text where the command is `raw`
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Command:
    """One entry of the table. `listed` is False for what is accepted but not advertised; `raw` wants text instead of words."""

    name: str
    group: str
    handler: Callable[..., str | Stream | None]
    listed: bool = True
    raw: bool = False


class CommandTable:
    """The commands by name: the one source of `list_commands`, `known_command` and of dispatch."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def register(self, name: str, group: str, *, listed: bool = True, raw: bool = False) -> Callable[[F], F]:
        """Decorator for a handler. Raises ValueError if the name is taken."""

        def wrap(handler: F) -> F:
            if name in self._commands:
                raise ValueError(f"command '{name}' is registered twice")
            self._commands[name] = Command(name, group, handler, listed, raw)
            return handler

        return wrap

    def find(self, name: str) -> Command | None:
        """The command of this name; upper-case spellings are tolerated."""
        return self._commands.get(name) or self._commands.get(name.lower())

    def listed(self) -> list[str]:
        """Names for `list_commands`, in order of registration."""
        return [command.name for command in self._commands.values() if command.listed]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())


class Request(NamedTuple):
    """A parsed line: id as text without leading zeros ('' if absent), command, the rest of the line."""

    id: str
    command: str
    text: str


class Response(NamedTuple):
    """What to write. With a stream, `reply` is the header line; the stream's lines and one empty line follow."""

    reply: str
    quit: bool = False
    stream: Stream | None = None


NO_RESPONSE = Response("")


def clean_line(line: bytes) -> str:
    """A line as the protocol sees it: no control characters, no comment, no outer blanks.

    Bytes beyond ASCII survive as surrogates where they are not UTF-8, so that file names reach the file system unchanged.
    """
    line = line.translate(_TAB_TO_BLANK, _CONTROL + b"\n").partition(b"#")[0]
    return line.strip(b" ").decode("utf-8", "surrogateescape")


def parse_line(text: str) -> Request | None:
    """Id, command and arguments of a cleaned line; None if it is blank. Raises GtpError if the id is too long."""
    head, _, rest = text.partition(" ")
    if not head:
        return None
    if not (head.isascii() and head.isdigit()):
        return Request("", head, rest.strip(" "))
    number = head.lstrip("0") or "0"
    if len(number) > MAX_ID_DIGITS:
        raise GtpError("syntax error: the id is too long")
    command, _, arguments = rest.strip(" ").partition(" ")
    return Request(number, command, arguments.strip(" "))


def printable(text: str) -> str:
    """`text` as a GTP result may hold it: printable ASCII, no CR, no tab, no empty line, nothing at the end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    plain = "".join(c if c == "\n" or " " <= c <= "~" else "?" for c in text).rstrip()
    if "\n" not in plain:
        return plain
    first, *others = plain.split("\n")
    return "\n".join([first, *(line or " " for line in others)])


def success(number: str, result: str) -> str:
    """A complete success response; the blank after the id is always there, because clients cut at it."""
    return f"={number} {printable(result)}\n\n"


def failure(number: str, message: str) -> str:
    """A complete failure response on one line."""
    return f"?{number} {' '.join(printable(message).split())}\n\n"


class Protocol:
    """Dispatches lines to the handlers of a table. `report` gets the exception that a handler should not have raised.

    A handler is called with its words as a list, or, if its command is `raw`, with the text after the command's name.
    """

    def __init__(self, table: CommandTable, bind: Callable[[Command], Handler], report: Callable[[BaseException], None]):
        self._table = table
        self._bind = bind
        self._report = report

    def handle_line(self, line: bytes | str) -> Response:
        """The response to one line, without its line end. Never raises an Exception."""
        text = clean_line(line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape"))
        try:
            request = parse_line(text)
        except GtpError as error:
            return Response(failure("", str(error)))
        return NO_RESPONSE if request is None else self._answer(request)

    def _answer(self, request: Request) -> Response:
        number = request.id
        command = self._table.find(request.command)
        if command is None:
            return Response(failure(number, "unknown command"))
        try:
            result = self._bind(command)(request.text if command.raw else request.text.split())
        except GtpError as error:
            return Response(failure(number, str(error)))
        except GtpQuit as leave:
            return Response(success(number, str(leave)), quit=True)
        except GtpFatal as error:
            return Response(failure(number, str(error)), quit=True)
        except Exception as error:  # noqa: BLE001  a client must get an answer, whatever went wrong
            self._report(error)
            return Response(failure(number, f"internal error: {type(error).__name__}: {error}"))
        if isinstance(result, Stream):
            return Response(f"={number}\n", stream=self._guarded(result))
        return Response(success(number, result or ""))

    def _guarded(self, stream: Stream) -> Stream:
        """After the header only an empty line can follow, so an error inside a stream goes to the report alone."""

        def run(emit: Emit) -> None:
            try:
                stream.run(lambda line: emit(printable(line)))
            except Exception as error:  # noqa: BLE001  as above
                self._report(error)

        return Stream(run)
