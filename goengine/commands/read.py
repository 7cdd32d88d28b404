"""The command `goengine read`: a picture in, the positions of its boards out."""

import json
import sys
from typing import TYPE_CHECKING

from goengine.core.options import parse
from goengine.vision.read_options import ReadOptions

if TYPE_CHECKING:
    from goengine.vision.door import OpenedPicture
    from goengine.vision.placing import PlacedBoard


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 if a board was read, 1 if not, and stderr says why."""
    options = parse(ReadOptions, argv, "goengine read")
    from goengine.board.state import BLACK, WHITE
    from goengine.evaluators.base import EvaluatorError
    from goengine.vision.door import STDIN, PictureFileError, read_picture
    from goengine.vision.from_picture import boards_of

    name = "standard input" if str(options.image) == STDIN else str(options.image)
    try:
        picture = read_picture(options.image)
        to_play = {None: 0, "black": BLACK, "white": WHITE}[options.to_play]
        boards = boards_of(picture, options.reader, to_play, options.size, options.threads)
        if options.board is not None and options.board > len(boards):
            raise PictureFileError(f"there is no board {options.board}; {len(boards)} were found")
        for note in picture.notes:
            _say(f"{name}: {note}")
        if options.overlay is not None:
            _draw(options, picture, boards)
    except (PictureFileError, EvaluatorError) as error:
        _say(f"{name}: {error}")
        return 1
    except OSError as error:
        _say(f"{error.filename or name}: {error.strerror or error}")
        return 1
    _write(options, picture, boards)
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"goengine read: {text}\n")


def _write(options: ReadOptions, picture: "OpenedPicture", boards: "list[PlacedBoard]") -> None:
    """What was asked for of the boards on standard output, remarks on stderr."""
    from goengine.vision import answers

    count = len(boards)
    chosen = [(number, board) for number, board in enumerate(boards, 1) if options.board in (None, number)]
    if options.gtp and len(chosen) > 1:
        _say(f"{count} boards were found; the commands set up the first one, --board chooses another")
        chosen = chosen[:1]
    for number, board in chosen:
        _remark(f"board {number}: " if count > 1 else "", board)
    if options.json:
        told = [answers.to_json(board, number, picture.scale) for number, board in chosen]
        sys.stdout.write(json.dumps({"width": picture.width, "height": picture.height, "boards": told}) + "\n")
        return
    for number, board in chosen:
        title = answers.title(number, count, board)
        if options.sgf:
            sys.stdout.write(answers.to_sgf(board, options.komi, f"board {number} of {count}" if count > 1 else "") + "\n")
        elif options.gtp:
            sys.stdout.write(f"# {title}\n{answers.to_gtp(board, options.komi)}")
        else:
            sys.stdout.write(f"{title}\n{answers.diagram(board)}\n" + ("\n" if number < count and len(chosen) > 1 else ""))


def _remark(which: str, board: "PlacedBoard") -> None:
    from goengine.vision import answers

    for note in board.notes:
        _say(f"{which}{note}")
    if weak := answers.unsure(board):
        _say(f"{which}not sure of {', '.join(weak[:20])}{' and others' if len(weak) > 20 else ''}")
    if stone := answers.without_liberties(board):
        _say(f"{which}the stones at {stone} have no liberty: something was misread")


def _draw(options: ReadOptions, picture: "OpenedPicture", boards: "list[PlacedBoard]") -> None:
    """Write the picture with what was read on it."""
    from PIL import Image

    from goengine.core.files import replacing
    from goengine.vision import answers

    assert options.overlay is not None
    with replacing(options.overlay) as beside:
        Image.fromarray(answers.overlay(picture.pixels, [board.reading for board in boards])).save(beside, "PNG")
