"""Life by eyes and reading of small fights: diagrams in, facts out."""

import pytest

from goengine.board import coords, life
from goengine.board.capture_search import CAPTURED, SURVIVES, UNKNOWN
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE

OUTCOMES = {SURVIVES: "survives", CAPTURED: "captured", UNKNOWN: "unknown"}

# Eye spaces, and what becomes of the group around if the opponent plays in them first, and if it plays first itself.
IN_THE_MIDDLE = {
    "one point": ("x", "captured", "captured"),
    "two points": ("xx", "captured", "captured"),
    "straight three": ("xxx", "captured", "survives"),
    "bent three": ("xx/x.", "captured", "survives"),
    "square four": ("xx/xx", "captured", "captured"),
    "pyramid four": ("xxx/.x.", "captured", "survives"),
    "straight four": ("xxxx", "survives", "survives"),
    "bent four": ("xxx/x..", "survives", "survives"),
    "zigzag four": ("xx./.xx", "survives", "survives"),
    "straight five": ("xxxxx", "survives", "survives"),
    "bulky five": ("xxx/xx.", "captured", "survives"),
    "cross": (".x./xxx/.x.", "captured", "survives"),
    "five with an arm at the side": ("xxxx/.x..", "survives", "survives"),
    "five around a corner": ("xxx/x../x..", "survives", "survives"),
    "five like a U": ("x.x/xxx", "survives", "survives"),
    "five like a staircase": ("xx./.xx/..x", "survives", "survives"),
    "rabbity six": ("xx./xxx/.x.", "captured", "survives"),
    "rectangular six": ("xxx/xxx", "survives", "survives"),
    "cross with a tail": (".x../xxxx/.x..", "survives", "survives"),
    "seven points": ("xxx/xxx/x..", "survives", "survives"),
}
IN_THE_CORNER = {
    "straight four in the corner": ("xxxx", "survives", "survives"),
    "bent four in the corner": ("xxx/x..", "captured", "survives"),
    "bent four with its end in the corner": ("xxx/..x", "survives", "survives"),
    "rectangular six in the corner": ("xxx/xxx", "captured", "survives"),
    "rectangular six upright in the corner": ("xx/xx/xx", "captured", "survives"),
    "bulky five in the corner": ("xxx/xx.", "captured", "survives"),
}
SHAPES = [(name, 2, *rest) for name, rest in IN_THE_MIDDLE.items()] + [(name, 0, *rest) for name, rest in IN_THE_CORNER.items()]


def board_of(diagram):
    return Position.from_diagram(diagram).game.board


def point(vertex, board):
    return coords.from_gtp(vertex, int(board.info[0]))


def filled_but_for(shape, offset, symbol="O"):
    """A board of 9x9 full of stones around one eye space, whose first row and column are `offset`."""
    rows = [[symbol] * 9 for _ in range(9)]
    for r, row in enumerate(shape.split("/")):
        for c, cell in enumerate(row):
            if cell == "x":
                rows[r + offset][c + offset] = "."
    return board_of("\n".join("".join(row) for row in rows))


def outcome(board, target, first):
    """What becomes of the chain on a point, read in the whole fight around it."""
    size = int(board.info[0])
    fight = life.fight_around(board, [target], life.living_by_eyes(board))
    return OUTCOMES[life.Reader(size).captured(board, target, first, fight)]


@pytest.mark.parametrize("own, symbol", [(WHITE, "O"), (BLACK, "X")])
@pytest.mark.parametrize("name, offset, shape, attacked, defended", SHAPES, ids=[name for name, *_ in SHAPES])
def test_eye_spaces(name, offset, shape, attacked, defended, own, symbol):
    board = filled_but_for(shape, offset, symbol)
    assert bool(life.living_by_eyes(board)) == (attacked == "survives")
    stone = point("J1", board)
    reader, fight = life.Reader(9), life.fight_around(board, [stone], frozenset())
    found = [OUTCOMES[reader.captured(board, stone, first, fight)] for first in (3 - own, own)]
    assert found == [attacked, defended]


# White's six points in the corner, with the liberties outside that are named.
SIX = """
. . . O {0} X X
. . . O {1} X X
O O O O X . X
X X X X X X X
. X . X . X .
X X X X X X X
. X . X . X .
"""


@pytest.mark.parametrize("outside, attacked", [("XX", "captured"), ("..", "survives")])
def test_liberties_outside_save_six_in_the_corner(outside, attacked):
    board = board_of(SIX.format(*outside))
    assert outcome(board, point("D5", board), BLACK) == attacked


# name, diagram, then for a stone: what becomes of it if Black begins, and if White does.
FIGHTS = [
    (
        "two shared liberties, a seki",
        ". O X . O X . / . O X . O X . / . O X X O X . / . O O O X X . / . . . O X . . / . . . O X . . / . . . O X . .",
        {"C7": ("survives", "survives"), "E7": ("survives", "survives")},
    ),
    (
        "two shared liberties, but the capture leaves three points",
        "X . O X . / X . O X . / O O O X . / X X X X . / . . . . .",
        {"A5": ("survives", "survives"), "C5": ("captured", "captured")},
    ),
    (
        "three points in a row",
        ". . . O X / O O O O X / X X X X X / . X . X . / X X X X X",
        {"A4": ("captured", "survives")},
    ),
    (
        "a ko",
        ". X O X . X . / X O O X X X . / . O X X X X X / O O X . X O O / O O X X X O . / X X X O O O O / . . X O . . .",
        {"C7": ("captured", "survives"), "A6": ("survives", "captured")},
    ),
    (
        "bent four in the corner",
        "X . O X . X . / X O O X X X . / X O X X X X X / . O X . X O O / O O X X X O . / X X X O O O O / . . X O . . .",
        {"C7": ("captured", "captured"), "A7": ("survives", "survives")},
    ),
    (
        "a chain between two dame, either of which connects it",
        "O . O . O O . O X . / O O O X X O O O X . / . X X X . X O O X X / O X . X X X O O X . / O X X X X O O X X X /"
        "O O O O O O X X . X / . . . O X X X . X X / . O O O X . . X . . / . . . O X . . . . . / . . . O X . . . . .",
        {"A9": ("survives", "survives")},
    ),
]


@pytest.mark.parametrize("name, rows, facts", FIGHTS, ids=[name for name, *_ in FIGHTS])
def test_who_captures_whom(name, rows, facts):
    board = board_of(rows.replace("/", "\n"))
    stones = {vertex: point(vertex, board) for vertex in facts}
    assert {v: tuple(outcome(board, p, first) for first in (BLACK, WHITE)) for v, p in stones.items()} == facts


def test_a_budget_that_is_spent_and_a_fight_that_is_too_large_are_unknown(monkeypatch):
    board = filled_but_for("xxx/xxx", 2)
    stone, reader = point("J1", board), life.Reader(9)
    fight = life.fight_around(board, [stone], frozenset())
    assert reader.captured(board, stone, BLACK, fight) == SURVIVES
    monkeypatch.setattr(life, "BUDGET", 5)
    assert reader.captured(board, stone, BLACK, fight) == UNKNOWN
    open_board = board_of("\n".join([". " * 7] * 6 + [". . . O . . ."]))
    stone = point("D1", open_board)
    assert life.fight_around(open_board, [stone], frozenset()) is None
    assert life.Reader(7).captured(open_board, stone, BLACK, None) == UNKNOWN


# Name, diagram, and one stone of each chain that lives by its own eyes.
LIVING = [
    (
        "two eyes beside dame",
        ". O . O . X . / O O O O . X X / . . . . . X . / . . . . . X X / O O . . . X . / . . . . . X X / . . . . . X .",
        "B7 F1",
    ),
    (
        "an eye and a false eye",
        ". O . O X . X / O O O X X X X / X X X X X X . / . . . X . X X / . . . X X X . / O . . . . X X / . . . . . X .",
        "D6",
    ),
    (
        "two chains with two eyes between them, each false by itself",
        ". X X X X X X O . / X O O O O O X O O / X O . O . O X O . / X O O O O O X X O / X X X X X X . X O /"
        "O O O O O X X O O / . . . . O O O O . / . . O . . . O . . / . . . . . . . . .",
        "B9 A8 B8 H9 J6 G2 C2",
    ),
    ("stones that a large empty space connects", "O . . . O / . . . . . / . . . . . / O O O O O / . . . . .", "A5 E5 A2"),
]


@pytest.mark.parametrize("name, rows, stones", LIVING, ids=[name for name, *_ in LIVING])
def test_living_by_eyes(name, rows, stones):
    board = board_of(rows.replace("/", "\n"))
    assert life.living_by_eyes(board) == {int(board.chain[point(v, board)]) for v in stones.split()}


def test_reading_tells_what_is_settled():
    """White's corner is dead whoever begins; with a ko it depends; a seki that was taken for dead is alive."""
    names, rows, _ = zip(*FIGHTS, strict=True)
    found = {}
    for name, vertex in (("bent four in the corner", "C7"), ("a ko", "C7"), ("two shared liberties, a seki", "E7")):
        board = board_of(rows[names.index(name)].replace("/", "\n"))
        chain = life.chain_of(board, point(vertex, board))
        reading = life.read(board, [chain])
        found[name] = [chain in reading.dead, set(chain) <= reading.settled, set(chain) <= reading.unsettled]
    assert found == {
        "bent four in the corner": [True, True, False],
        "a ko": [True, False, True],
        "two shared liberties, a seki": [False, True, False],
    }


def test_eyes_that_nobody_can_take_away():
    """White's eyes of one point, not the large space below, and not the false eye of Black."""
    board = board_of(
        ". O . O . X . / O O O O . X O / . . . . . X X / . . . . . . . / . . . . . . . / . . . . . . . / . . . . . . .".replace(
            "/", "\n"
        )
    )
    assert sorted(life.lasting_eyes(board)) == [[point("A7", board)], [point("C7", board)]]
