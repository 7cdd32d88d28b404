"""What a drawn board shows: its stones, which part of the board, marks, numbers, letters, coordinates.

Arrays by crossing have one more crossing on each side, where coordinates stand, as in `shader.Surface`.
"""

from dataclasses import dataclass, field

import numpy as np

from goengine.board.state import BLACK, EMPTY
from goengine.vision.board_picture import Edges
from training.pictures import glyphs, positions

USUAL = ((19, 0.72), (13, 0.1), (9, 0.11))  # sizes and their shares; the rest are others
LEAST_PART = 5  # rows or columns of a part of a board


@dataclass
class Content:
    """A board or a part of one, with all that is written on it."""

    stones: np.ndarray  # int8[rows, columns]
    edges: Edges = Edges()
    offset: tuple[int, int] = (0, 0)  # row and column of the whole board at which the part begins
    size: int = 19  # of the whole board
    last_move: tuple[int, int] | None = None
    marks: np.ndarray = field(init=False)  # int16[rows + 2, columns + 2]
    colours: np.ndarray = field(init=False)  # float32[rows + 2, columns + 2, 3]
    sizes: np.ndarray = field(init=False)  # float32[rows + 2, columns + 2]
    patches: np.ndarray = field(init=False)  # uint8[rows + 2, columns + 2]

    def __post_init__(self) -> None:
        shape = (self.rows + 2, self.columns + 2)
        self.marks, self.patches = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
        self.colours, self.sizes = np.zeros((*shape, 3), np.float32), np.ones(shape, np.float32)

    @property
    def rows(self) -> int:
        return self.stones.shape[0]

    @property
    def columns(self) -> int:
        return self.stones.shape[1]

    def hoshi(self) -> np.ndarray:
        """uint8[rows + 2, columns + 2]: 1 on the star points of the whole board."""
        found = np.zeros((self.rows + 2, self.columns + 2), np.uint8)
        line = 3 if self.size >= 12 else 2
        middle = self.size // 2 if self.size % 2 else line
        places = {line, middle, self.size - 1 - line} if self.size >= 17 else {line, self.size - 1 - line}
        points = {(a, b) for a in places for b in places} | {(middle, middle)}
        for row, column in points if self.size >= 7 else ():
            i, j = row - self.offset[0], column - self.offset[1]
            if 0 <= i < self.rows and 0 <= j < self.columns:
                found[i + 1, j + 1] = 1
        return found

    def put(self, row: int, column: int, mark: int, colour: tuple[float, ...], size: float = 1.0) -> None:
        """Write a mark on a crossing or, with row or column -1 or one past the end, beside the board."""
        self.marks[row + 1, column + 1] = mark
        self.colours[row + 1, column + 1] = colour
        self.sizes[row + 1, column + 1] = size


def draw_size(rng: np.random.Generator) -> int:
    """A board's size: 19 mostly."""
    drawn = rng.random()
    for size, share in USUAL:
        drawn -= share
        if drawn < 0:
            return size
    return int(rng.choice([5, 6, 7, 8, 10, 11, 12, 14, 15, 16, 17, 18, 21]))


def draw_content(rng: np.random.Generator, parts: float) -> Content:
    """A board; `parts` of all boards are shown in part, as corner and side diagrams show them."""
    size = draw_size(rng)
    stones = positions.draw(size, rng)
    if size < 9 or rng.random() >= parts:
        return Content(stones, size=size)
    top, bottom = _cut(size, rng)
    left, right = _cut(size, rng)
    if bottom - top == size and right - left == size:
        return Content(stones, size=size)
    edges = Edges(top == 0, right == size, bottom == size, left == 0)
    return Content(np.ascontiguousarray(stones[top:bottom, left:right]), edges, (top, left), size)


def _cut(size: int, rng: np.random.Generator) -> tuple[int, int]:
    """The first row or column that is shown, and the one after the last: all of them, or those at one edge; rarely in the
    middle."""
    kind = rng.random()
    if kind < 0.35:
        return 0, size
    shown = int(rng.integers(LEAST_PART, size))
    if kind < 0.65:
        return 0, shown
    if kind < 0.95:
        return size - shown, size
    start = int(rng.integers(0, size - shown + 1))
    return start, start + shown


def _ink(stone: int, dark: tuple[float, ...]) -> tuple[float, ...]:
    """The colour in which a mark is seen on this stone."""
    return (245.0, 245.0, 245.0) if stone == BLACK else dark


def add_numbers(content: Content, rng: np.random.Generator) -> None:
    """Move numbers on a few stones or on most of them."""
    face, size = int(rng.integers(glyphs.FACES)), float(rng.uniform(0.8, 1.1))
    places = np.argwhere(content.stones != EMPTY)
    if not len(places):
        return
    count = int(rng.integers(1, min(len(places), 150) + 1)) if rng.random() < 0.6 else min(len(places), 8)
    first = 1 if rng.random() < 0.7 else int(rng.integers(1, 90))
    for number, place in enumerate(rng.permutation(places)[:count]):
        row, column = int(place[0]), int(place[1])
        value = min(first + number, glyphs.MOST_NUMBER)
        content.put(row, column, glyphs.number(value, face), _ink(content.stones[row, column], (10, 10, 10)), size)


def add_marks(content: Content, dark: tuple[float, ...], rng: np.random.Generator) -> None:
    """Letters on empty crossings; triangles, squares and other signs on stones and crossings."""
    face = int(rng.integers(glyphs.FACES))
    letters = glyphs.LETTERS[:26] if rng.random() < 0.5 else glyphs.LETTERS[26:]
    patch = rng.random() < 0.8
    empty = np.argwhere(content.stones == EMPTY)
    for number, place in enumerate(rng.permutation(empty)[: int(rng.integers(0, 8))]):
        row, column = int(place[0]), int(place[1])
        content.put(row, column, glyphs.letter(letters[number], face), dark)
        content.patches[row + 1, column + 1] = patch
    kind = int(rng.choice(glyphs.SHAPES))
    most = 4 if rng.random() < 0.7 else 60
    everywhere = rng.permutation(np.argwhere(content.stones >= (0 if rng.random() < 0.3 else 1)))
    colour = (220.0, 30.0, 30.0) if rng.random() < 0.15 else None
    for place in everywhere[: int(rng.integers(0, most))]:
        row, column = int(place[0]), int(place[1])
        content.put(row, column, kind, colour or _ink(content.stones[row, column], dark), float(rng.uniform(0.6, 1)))


def add_territory(content: Content, rng: np.random.Generator) -> None:
    """Small signs of both colours on many crossings, as programs show who owns what; some lie on dead stones."""
    kind = int(rng.choice([glyphs.SMALL_SQUARE, glyphs.DOT, glyphs.SQUARE, glyphs.CROSS]))
    size = float(rng.uniform(0.6, 1.1))
    owner = np.add.outer(np.arange(content.rows), rng.integers(-3, 4) * np.arange(content.columns)) > content.rows // 2
    for row, column in np.argwhere(rng.random(content.stones.shape) < rng.choice([0.2, 0.9])):
        stone, white = int(content.stones[row, column]), bool(owner[row, column])
        if stone == EMPTY or (rng.random() < 0.1):
            bright = (245.0,) * 3 if (white if stone == EMPTY else stone == BLACK) else (15.0,) * 3
            content.put(int(row), int(column), kind, bright, size)


def mark_last_move(content: Content, rng: np.random.Generator) -> None:
    """A sign on one stone, as programs mark the last move."""
    places = np.argwhere(content.stones != EMPTY)
    if not len(places):
        return
    row, column = (int(value) for value in places[rng.integers(len(places))])
    kind = int(rng.choice([glyphs.CIRCLE, glyphs.RING, glyphs.DOT, glyphs.SMALL_SQUARE, glyphs.TRIANGLE, glyphs.FULL_TRIANGLE]))
    plain = _ink(content.stones[row, column], (10, 10, 10))
    colour = plain if rng.random() < 0.6 else tuple(rng.choice([(230, 20, 20), (30, 60, 230), (20, 160, 40), (240, 120, 0)]))
    content.put(row, column, kind, colour, float(rng.uniform(0.6, 1.15)))
    content.last_move = (row, column)


def add_coordinates(content: Content, dark: tuple[float, ...], rng: np.random.Generator) -> None:
    """Letters and numbers around the board, on two sides or on four."""
    face, size, size_of = int(rng.integers(glyphs.FACES)), float(rng.uniform(0.6, 1.1)), content.size
    names = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
    names = names.lower() if rng.random() < 0.15 else names
    both, numeric = rng.random() < 0.7, rng.random() < 0.1
    for column in range(content.columns):
        place = column + content.offset[1]
        tile = glyphs.number(place + 1, face) if numeric else glyphs.letter(names[place], face)
        for row in (-1, content.rows) if both else (content.rows,):
            content.put(row, column, tile, dark, size)
    for row in range(content.rows):
        tile = glyphs.number(size_of - row - content.offset[0], face)
        for column in (-1, content.columns) if both else (-1,):
            content.put(row, column, tile, dark, size)
