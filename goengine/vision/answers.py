"""Boards that were read, as people and programs take them: a diagram, SGF, GTP, JSON, and the picture with the boards on it.

Knows placed boards; no files and no nets.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from goengine.board import coords
from goengine.board.drawing import star_points
from goengine.board.state import BLACK, EMPTY, WHITE
from goengine.dataio import sgf
from goengine.vision.board_picture import BoardReading
from goengine.vision.placing import PlacedBoard

UNSURE: Final = 0.8  # confidence below which a crossing is pointed out
NAMES: Final = {BLACK: "black", WHITE: "white"}
_LETTERS: Final = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
_COLOURS: Final = {BLACK: (220, 30, 30), WHITE: (30, 90, 230), EMPTY: (30, 150, 60)}
_UNSURE_COLOUR: Final = (255, 190, 0)


def title(number: int, count: int, board: PlacedBoard) -> str:
    """What was found, in a line: which board, its size, whose turn it is."""
    black, white = (int((board.stones == color).sum()) for color in (BLACK, WHITE))
    which = f"board {number} of {count}: " if count > 1 else ""
    return f"{which}{board.size} x {board.size}, {black} black and {white} white stones, {NAMES[board.to_play]} to move"


def unsure(board: PlacedBoard) -> list[str]:
    """Names of the crossings that the reader was not sure of, such as D5."""
    weak = np.argwhere(board.reading.confidence < UNSURE)
    return [_name(board, int(row), int(column)) for row, column in weak]


def without_liberties(board: PlacedBoard) -> str:
    """The name of a stone whose chain has no liberty, "" if all have one: then something was misread."""
    stones = np.pad(board.stones, 1, constant_values=-1)
    free = np.zeros_like(stones, bool)
    while True:  # liberties spread along chains
        reached = free.copy()
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            beside, beside_free = np.roll(stones, step, axis), np.roll(free, step, axis)
            reached |= (stones > 0) & ((beside == EMPTY) | ((beside == stones) & beside_free))
        if (reached == free).all():
            break
        free = reached
    dead = np.argwhere((board.stones > 0) & ~free[1:-1, 1:-1])
    return coords.to_gtp(coords.point(int(dead[0, 0]), int(dead[0, 1]), board.size), board.size) if len(dead) else ""


def _name(board: PlacedBoard, row: int, column: int) -> str:
    return coords.to_gtp(coords.point(board.row + row, board.column + column, board.size), board.size)


def diagram(board: PlacedBoard) -> str:
    """Rows from the top: X Black, O White, ``+`` star points, the marked last stone in brackets, ``?`` behind a row with
    a crossing of which the reader was not sure."""
    size, last = board.size, board.last_move
    weak = {board.row + int(row) for row, _ in np.argwhere(board.reading.confidence < UNSURE)}
    header = "   " + " ".join(_LETTERS[:size])
    lines = [header]
    for row in range(size):
        cells = []
        for column in range(size):
            symbol = ".XO"[board.stones[row, column]]
            cells.append("+" if symbol == "." and (row, column) in star_points(size) else symbol)
        line = f"{size - row:2d} " + " ".join(cells) + " "
        if last is not None and coords.row_column(last, size)[0] == row:
            at = 3 + 2 * coords.row_column(last, size)[1]
            line = f"{line[: at - 1]}({line[at]}){line[at + 2 :]}"
        lines.append(f"{line}{size - row}{' ?' if row in weak else ''}")
    return "\n".join([*lines, header])


def to_sgf(board: PlacedBoard, komi: float, name: str = "") -> str:
    """One game without moves; the marked last stone has a circle."""
    more = {"GN": name} if name else {}
    text = sgf.write_game(board.record(komi), more, turn=None).decode("utf-8")
    if board.last_move is None:
        return text
    head, semicolon, rest = text.partition(";")
    return f"{head}{semicolon}CR[{coords.to_sgf(board.last_move, board.size)}]{rest}"


def to_gtp(board: PlacedBoard, komi: float) -> str:
    """Commands that set up a board."""
    stones = [f"{'bw'[color - 1]} {coords.to_gtp(p, board.size)}" for color in (BLACK, WHITE) for p in board.points(color)]
    setup = ["set_position " + " ".join(stones)] if stones else []
    lines = [
        f"boardsize {board.size}",
        "clear_board",
        f"komi {komi:g}",
        *setup,
        f"gogui-setup_player {NAMES[board.to_play][0]}",
    ]
    return "\n".join(lines) + "\n"


def to_json(board: PlacedBoard, number: int, scale: float = 1.0) -> dict[str, Any]:
    """All that was read. scale: pixels of the file's picture for one of the picture that was read."""
    reading = board.reading
    corners = (reading.corners.astype(np.float64) + 0.5) * scale - 0.5
    return {
        "board": number,
        "size": board.size,
        "rows": reading.rows,
        "columns": reading.columns,
        "top_left": _name(board, 0, 0),
        "edges": reading.edges._asdict(),
        "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in corners],
        "found": round(reading.found, 3),
        "to_play": NAMES[board.to_play],
        "last_move": None if board.last_move is None else coords.to_gtp(board.last_move, board.size),
        "black": [coords.to_gtp(p, board.size) for p in board.points(BLACK)],
        "white": [coords.to_gtp(p, board.size) for p in board.points(WHITE)],
        "stones": ["".join(".XO"[stone] for stone in row) for row in reading.stones],
        "confidence": [[round(float(value), 3) for value in row] for row in reading.confidence],
        "unsure": unsure(board),
        "notes": list(board.notes),
    }


def overlay(picture: np.ndarray, readings: Sequence[BoardReading]) -> np.ndarray:
    """A picture uint8 [H,W,3] with the boards on it: a frame, red rings on black stones, blue ones on white stones, green
    points on empty crossings, yellow discs where the reader was not sure, and the board's number where there are several."""
    import cv2

    from goengine.vision.geometry import grid_corners, homography, moved
    from goengine.vision.lattice import crossings

    shown = picture.copy()
    for number, reading in enumerate(readings, 1):
        plane = homography(grid_corners(reading.rows, reading.columns), reading.corners)
        places = moved(plane, crossings(reading.rows, reading.columns))
        step = float(np.linalg.norm(reading.corners[1] - reading.corners[0])) / (reading.columns - 1)
        line = max(1, round(step / 14))
        cv2.polylines(shown, [np.round(reading.corners).astype(np.int32)], True, _COLOURS[EMPTY], line, cv2.LINE_AA)
        for (x, y), stone, sure in zip(places, reading.stones.ravel(), reading.confidence.ravel(), strict=True):
            centre = (round(float(x)), round(float(y)))
            if sure < UNSURE:
                cv2.circle(shown, centre, max(2, round(step * 0.5)), _UNSURE_COLOUR, 2 * line, cv2.LINE_AA)
            radius = max(2, round(step * (0.12 if stone == EMPTY else 0.32)))
            cv2.circle(shown, centre, radius, _COLOURS[int(stone)], -1 if stone == EMPTY else line, cv2.LINE_AA)
        if len(readings) > 1:
            at = (round(float(reading.corners[0, 0])), round(float(reading.corners[0, 1])))
            cv2.putText(
                shown, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, max(0.6, step / 20), (220, 30, 30), 2 * line, cv2.LINE_AA
            )
    return shown
