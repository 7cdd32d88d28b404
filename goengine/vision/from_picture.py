"""A picture's boards in one call, for commands that take a picture where they take a game."""

import os
from collections.abc import Sequence

from goengine.dataio.sgf_values import SgfError
from goengine.vision import reader as readers
from goengine.vision.board_picture import BoardReading
from goengine.vision.door import OpenedPicture, PictureFileError, read_picture
from goengine.vision.placing import PlacedBoard, PlacingError, placed

LEAST_FOUND = 0.5  # how sure a reader must be of a board
NO_BOARD = "shows no Go board that can be found"


def boards_of(
    picture: OpenedPicture, name: readers.Name = readers.DEFAULT, to_play: int = 0, size: int | None = None, threads: int = 0
) -> list[PlacedBoard]:
    """The boards of a picture, in the reader's order. Raises PictureFileError where there is none that can be placed."""
    return boards_by(readers.load(name, threads), picture, to_play, size)


def in_reading_order(readings: Sequence[BoardReading]) -> list[BoardReading]:
    """Boards row by row from the top, each row from the left: in a row are those whose middle is beside the topmost."""
    left, found = sorted(readings, key=lambda reading: float(reading.corners[:, 1].min())), []
    while left:
        bottom = float(left[0].corners[:, 1].max())
        row = [reading for reading in left if float(reading.corners[:, 1].mean()) < bottom]
        found += sorted(row, key=lambda reading: float(reading.corners[:, 0].mean()))
        left = [reading for reading in left if all(reading is not other for other in row)]
    return found


def boards_by(
    reader: readers.PictureReader, picture: OpenedPicture, to_play: int = 0, size: int | None = None
) -> list[PlacedBoard]:
    """As `boards_of`, by a reader that is there."""
    from goengine.vision.edge_lines import with_edges_seen

    found: list[PlacedBoard] = []
    reasons: list[str] = []
    for reading in in_reading_order(reader.boards(picture.pixels)):
        if reading.found < LEAST_FOUND:
            continue
        try:
            found.append(placed(with_edges_seen(reading, picture.pixels), to_play, size))
        except PlacingError as error:
            reasons.append(str(error))
    if not found:
        raise PictureFileError(reasons[0] if reasons else NO_BOARD)
    return found


def sgf_of_picture(path: str | os.PathLike[str], komi: float = 7.5) -> bytes:
    """The first board of a picture file as an SGF game. Raises SgfError that names the file."""
    from goengine.vision import answers

    try:
        boards = boards_of(read_picture(path))
    except PictureFileError as error:
        raise SgfError(f"{path}: {error}") from None
    return answers.to_sgf(boards[0], komi).encode("utf-8")
