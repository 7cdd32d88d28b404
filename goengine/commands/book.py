"""The command `goengine book`: make a book of openings, look into one, check one.

What a book is belongs to `goengine.book`; here are its command lines, and what people are shown.
"""

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from goengine.board import coords, drawing
from goengine.board.position import IllegalMove, Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK
from goengine.book.book import UNLINKED, Book, Node, Origin
from goengine.book.book_file import BookError, problems, read_book, write_book
from goengine.book.canonical import from_place
from goengine.book.growth import grow, is_complete, mean_depth
from goengine.core.options import MOST_THREADS, Seconds, option, parse_command
from goengine.core.progress import Progress
from goengine.core.stopping import told_to_stop
from goengine.core.tables import table
from goengine.evaluators import load, shipped_nets
from goengine.evaluators.base import Evaluator, EvaluatorError
from goengine.nets import card as cards
from goengine.nets.safetensors_file import WeightsError

SAVE_EVERY = 60.0  # seconds
_WEIGHTS = "net.safetensors"  # in the folder of a net
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class MakeOptions:
    """Make a book by deep searches, or go on with one: good lines are looked at first, and furthest."""

    out: Path = option(help="the book; an existing one goes on")
    size: int = option(9, "board size", least=2, most=25)
    visits: int = option(800, "visits of each search", least=1, most=10**6)
    budget: Seconds = option(Seconds(600), "how long to work at it, such as 25m or 2h")
    positions: int | None = option(None, "stop when the book has so many", least=1)
    komis: tuple[float, ...] = option((6.5, 7.5), "komis at which each position is searched", least=-1000, most=1000)
    at_once: int = option(16, "positions that are searched side by side", least=1, most=1024)
    net: str = option("", "a shipped net, or a path; by default the one that would be played")
    threads: int = option(0, "threads of the net; 0 = all cores", most=MOST_THREADS)

    def __post_init__(self) -> None:
        if not 1 <= len(self.komis) <= 16 or list(self.komis) != sorted(set(self.komis)):
            raise ValueError("--komis: expected 1 to 16 numbers that ascend")


@dataclass(frozen=True)
class ShowOptions:
    """Show what a book says of a position: its replies in a table, and on the board."""

    file: Path = option(help="the book", positional=True)
    moves: tuple[str, ...] = option((), "moves from the empty board, such as E5 C5", positional=True)
    komi: float = option(7.5, "points for White", least=-1000, most=1000)


@dataclass(frozen=True)
class CheckOptions:
    """Check a book: every move is played, and every value found again."""

    file: Path = option(help="the book", positional=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 if the book cannot be used, or cannot be made."""
    commands: dict[str, tuple[type, Callable[..., int]]] = {
        "make": (MakeOptions, make),
        "show": (ShowOptions, show),
        "check": (CheckOptions, check),
    }
    kinds = {name: kind for name, (kind, _) in commands.items()}
    name, options = parse_command(kinds, argv, "goengine book", "Books of openings.")
    try:
        return commands[name][1](options)
    except (BookError, EvaluatorError) as error:
        sys.stderr.write(f"goengine book: {error}\n")
    except OSError as error:
        sys.stderr.write(f"goengine book: {error.filename or options}: {error.strerror or error}\n")
    return 1


# -- make --


def make(options: MakeOptions) -> int:
    """Make a book, or go on with it, until the time is over, it has enough positions, or Ctrl-C."""
    from goengine.book.searches import Searches  # kernels, which the other commands do not need

    options.out.expanduser().parent.mkdir(parents=True, exist_ok=True)
    evaluator = load.load(options.net, size=options.size, threads=options.threads)
    try:
        book = _opened(options, evaluator)
        searches = Searches(evaluator, book.origin.komis, book.origin.visits)
        _work(book, searches.nodes, options)
    finally:
        evaluator.close()
    if not book.nodes:
        raise BookError(f"{options.out}: the time was over before one position was searched; give more --budget")
    write_book(options.out, book)
    sys.stdout.write(f"{options.out}: {len(book.nodes)} positions, {mean_depth(book):.1f} moves deep on average\n")
    return 0


def _opened(options: MakeOptions, evaluator: Evaluator) -> Book:
    """The book to go on with. Raises BookError if it was made otherwise."""
    origin = Origin(options.size, options.komis, options.visits, evaluator.name, net_digest(options.net, options.size))
    if not options.out.exists():
        return Book(origin)
    book = read_book(options.out)
    for name, ours in vars(origin).items():
        if (theirs := getattr(book.origin, name)) != ours:
            raise BookError(f"{options.out}: it was made with {name} {theirs}, not {ours}; give another --out to begin anew")
    return book


def net_digest(name: str, size: int) -> str:
    """SHA-256 of a net's weights, as its card has it, or of its file; empty for what has none."""
    name = load.resolved(name, size)
    try:
        if name in shipped_nets.names():
            return shipped_nets.read(name).files.get(_WEIGHTS, "")
        path = Path(name).expanduser()
        if path.is_dir():
            return cards.read(path).files.get(_WEIGHTS, "")
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except WeightsError as error:
        raise EvaluatorError(str(error)) from error


def _work(book: Book, search: Callable[..., Sequence[Node] | None], options: MakeOptions) -> None:
    start = saved = time.monotonic()
    most = options.positions or sys.maxsize
    with told_to_stop() as stop, Progress("book", float(options.budget)) as progress:

        def is_over() -> bool:
            return stop.is_set() or time.monotonic() - start >= options.budget

        def watched(positions: Sequence[Position]) -> Sequence[Node] | None:
            return search(positions, is_over)

        while not is_over() and len(book.nodes) < most and not is_complete(book):
            count = min(options.at_once, most - len(book.nodes))
            if not grow(book, watched, count):
                break
            elapsed = time.monotonic() - start
            rates = " ".join(f"{100 * value:.1f} %" for value in book.nodes[0].value)
            progress.update(elapsed, f"{len(book.nodes)} positions, Black {rates}")
            if time.monotonic() - saved > SAVE_EVERY:
                write_book(options.out, book)
                saved = time.monotonic()


# -- show --


def show(options: ShowOptions) -> int:
    """Show the replies in a position."""
    book = read_book(options.file)
    position = Position(book.size, Rules(komi=options.komi))
    for text in options.moves:
        try:
            position.play(coords.from_gtp(text, book.size))
        except (IllegalMove, ValueError) as error:
            raise BookError(f"move '{text}': {error}") from None
    columns = book.columns(position.rules, options.komi)
    if not columns:
        komis = ", ".join(f"{komi:g}" for komi in book.origin.komis)
        raise BookError(f"{options.file}: it knows nothing of komi {options.komi:g}; it was made at {komis}")
    found = book.find(position)
    if found is None:
        sys.stdout.write(
            f"{drawing.terminal(position, drawing.palette_of(sys.stdout))}\n\nThe book does not know this position.\n"
        )
        return 0
    sys.stdout.write(_page(book, position, found[0], found[1][0], columns))
    return 0


def _page(book: Book, position: Position, node: Node, s: int, columns: tuple[int, ...]) -> str:
    """A position of the book for people."""

    def mean(numbers: Sequence[float]) -> float:
        return sum(numbers[k] for k in columns) / len(columns)

    total = sum(mean(reply.visits) for reply in node.replies) or 1
    worths = {reply.move: mean([book.worth(reply, k) for k in range(len(book.origin.komis))]) for reply in node.replies}
    replies = sorted(node.replies, key=lambda reply: -worths[reply.move])
    marks, rows = {}, []
    for letter, reply in zip(_LETTERS, replies, strict=False):
        point = from_place(reply.move, s, book.size)
        marks[point] = letter
        below = book.nodes[reply.child].below if reply.child != UNLINKED else 0
        share = 100 * mean(reply.visits) / total
        vertex = f"{letter} {coords.to_gtp(point, book.size)}"
        rows.append((vertex, f"{100 * worths[reply.move]:.1f} %", f"{mean(reply.visits):.0f}", f"{share:.1f} %", below))
    side = "Black" if position.to_play == BLACK else "White"
    head = (
        f"{side} to play, wins {100 * mean(node.value):.1f} % (its own search: {100 * mean(node.searched):.1f} %), "
        f"{node.below} positions from here; net {book.origin.net}, {node.visits} visits each\n"
    )
    text = table(rows, header=("reply", "wins", "visits", "share", "positions"))
    return f"{drawing.terminal(position, drawing.palette_of(sys.stdout), marks)}\n\n{head}\n{text}"


# -- check --


def check(options: CheckOptions) -> int:
    """Check a book; 1 if something is wrong with it."""
    book = read_book(options.file)
    found = problems(book)
    for line in found:
        sys.stderr.write(f"goengine book: {options.file}: {line}\n")
    if not found:
        origin = book.origin
        komis = ", ".join(f"{komi:g}" for komi in origin.komis)
        sys.stdout.write(
            f"{options.file}: {len(book.nodes)} positions of {origin.size}x{origin.size} at komi {komis}, "
            f"{sum(len(node.replies) for node in book.nodes)} replies, net {origin.net}, {origin.visits} visits: all right\n"
        )
    return 1 if found else 0
