"""Where the books that come with the engine lie, one for a board size, and which one a player was told to use."""

from pathlib import Path
from typing import Final

from goengine.book.book import Book
from goengine.book.book_file import BookError, read_book

FOLDER: Final = Path(__file__).resolve().parent.parent / "books"


def shipped(size: int) -> Path | None:
    """The file of the book for that board size, if one comes with the engine."""
    path = FOLDER / f"book-{size}x{size}.npz"
    return path if path.is_file() else None


class Shelf:
    """The books of a player, read when they are first wanted.

    choice: 'shipped' are those that come with the engine: where one of them cannot be used, `problem` says so and nothing else
    happens. 'none' is no book. Anything else is a file, which is read at once: raises BookError if it cannot be used.
    """

    def __init__(self, choice: str = "shipped"):
        self.choice = choice
        self.problem = ""
        self._books: dict[int, Book | None] = {}
        self._own = None if choice in ("shipped", "none") else read_book(Path(choice).expanduser())

    def get(self, size: int) -> Book | None:
        """The book for that board size, if there is one."""
        if self._own is not None:
            return self._own if self._own.size == size else None
        if size not in self._books:
            self._books[size] = self._shipped(size)
        return self._books[size]

    def _shipped(self, size: int) -> Book | None:
        path = shipped(size) if self.choice == "shipped" else None
        try:
            return None if path is None else read_book(path)
        except BookError as error:
            self.problem = f"playing without the book for {size}x{size}: {error}"
            return None
