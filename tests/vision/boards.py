"""Pictures of boards for tests, drawn with plain lines and discs; the renderer of training pictures is not used for them."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

WOOD, PAPER, INK = (222, 178, 108), (255, 255, 255), (20, 20, 20)
ENDS = "top right bottom left"


def position(size: int, seed: int, share: float = 0.35, columns: int | None = None) -> list[str]:
    """Rows of ``.XO`` at random; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    values = rng.choice(list(".XO"), (size, columns or size), p=(1 - share, share / 2, share / 2))
    return ["".join(row) for row in values]


def draw(rows: list[str], cell: int = 24, ground=WOOD, edges: str = ENDS, last: tuple[int, int] | None = None) -> Image.Image:
    """A board as a program or a book shows it; lines go on beyond sides that are no edges of the board. last: (row, column)."""
    height, width = len(rows), len(rows[0])
    scale = 4  # drawn larger, then made smaller: smooth
    step, start = cell * scale, cell * scale
    picture = Image.new("RGB", ((width + 1) * step, (height + 1) * step), ground)
    pen = ImageDraw.Draw(picture)
    beyond = {side: 0 if side in edges else step * 0.6 for side in ENDS.split()}
    x0, x1 = start - beyond["left"], start + (width - 1) * step + beyond["right"]
    y0, y1 = start - beyond["top"], start + (height - 1) * step + beyond["bottom"]
    for row in range(height):
        thick = 2 * scale if (row == 0 and "top" in edges) or (row == height - 1 and "bottom" in edges) else scale
        pen.line((x0, start + row * step, x1, start + row * step), INK, thick)
    for column in range(width):
        thick = 2 * scale if (column == 0 and "left" in edges) or (column == width - 1 and "right" in edges) else scale
        pen.line((start + column * step, y0, start + column * step, y1), INK, thick)
    for row, line in enumerate(rows):
        for column, stone in enumerate(line):
            if stone != ".":
                x, y, r = start + column * step, start + row * step, step * 0.47
                pen.ellipse((x - r, y - r, x + r, y + r), INK if stone == "X" else PAPER, INK, scale)
                if (row, column) == last:
                    r *= 0.5
                    pen.ellipse((x - r, y - r, x + r, y + r), None, PAPER if stone == "X" else INK, 2 * scale)
    return picture.resize((picture.width // scale, picture.height // scale), Image.Resampling.LANCZOS)


def page(*boards: Image.Image) -> Image.Image:
    """Boards side by side on a sheet of paper."""
    width, height = sum(board.width + 60 for board in boards) + 60, max(board.height for board in boards) + 120
    sheet, x = Image.new("RGB", (width, height), PAPER), 60
    for board in boards:
        sheet.paste(board, (x, 60))
        x += board.width + 60
    return sheet


def chess() -> Image.Image:
    """A chess board with some pieces."""
    picture = Image.new("RGB", (400, 400), (240, 217, 181))
    pen = ImageDraw.Draw(picture)
    for row in range(8):
        for column in range(8):
            x, y = 50 * column, 50 * row
            if (row + column) % 2:
                pen.rectangle((x, y, x + 49, y + 49), (181, 136, 99))
            if row in (0, 1, 6, 7):
                pen.polygon([(x + 12, y + 42), (x + 38, y + 42), (x + 25, y + 8)], INK if row < 2 else PAPER, INK)
    return picture


def encoded(picture: Image.Image, form: str = "PNG", **how) -> bytes:
    """The bytes of a file."""
    out = BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()
