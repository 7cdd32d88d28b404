"""The sets `lee48` and `lee49` against their slow reference over random games, and by diagrams in special cases."""

import numpy as np
import pytest

from goengine import features
from goengine.board import coords
from goengine.board.game_kernels import game_legal, game_play
from goengine.board.kernels import fills_eye
from goengine.board.ladders import BUDGET, atari_captures, begin_reading, defence_escapes, new_ladder_scratch
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, TO_PLAY, WHITE
from tests.features import slow_lee
from tests.features.slow import chains

JAPANESE, TROMP_TAYLOR, AGA = (Rules.preset(name).code() for name in ("japanese", "tromp-taylor", "aga"))
LEE48, LEE49 = features.get("lee48"), features.get("lee49")
TURNS, LIBERTIES, CAPTURED, ATARI, AFTER = 4, 12, 20, 28, 36  # first planes of eight
LADDERS = (44, 45)
KO = """
    . . . . .
    . X O . .
    X . X O .
    . X O . .
    . . . . .
    """


def set_up(size: int, rng: np.random.Generator) -> Position:
    """An empty board, or one with a few stones of both colours and either side to play."""
    position = Position(size)
    if rng.random() < 0.5:
        corners = [coords.point(r, c, size) for r in (1, size - 2) for c in (1, size - 2)]
        rng.shuffle(corners)
        position.set_up(corners[:2], corners[2:3], int(rng.integers(1, 3)))
    return position


def choose(game, size: int, rules, rng: np.random.Generator) -> int:
    """A random move: mostly a sensible one, at times a pass, a filled eye or suicide."""
    mask = np.zeros(size * size + 1, np.uint8)
    game_legal(game, rules, mask)
    moves = [coords.from_index(int(index), size) for index in np.flatnonzero(mask[:-1])]
    if rng.random() > 0.1:
        color = int(game.status[TO_PLAY])
        moves = [move for move in moves if not fills_eye(game.board, move, color)]
    return int(rng.choice(moves)) if moves and rng.random() > 0.03 else PASS


def compare_games(size: int, seed: int, games: int, plies: int, every: int, rules) -> np.ndarray:
    """Play games and compare each `every`-th position with the reference. Returns how often each plane was marked."""
    rng, marked = np.random.default_rng(seed), np.zeros(49)
    for _ in range(games):
        position = set_up(size, rng)
        game = position.game
        stones = {coords.row_column(p, size): position.color(p) for c in (BLACK, WHITE) for p in position.stones(c)}
        slow = slow_lee.SlowGame(size, rules, stones, position.to_play)
        for ply in range(plies):
            move = choose(game, size, rules, rng)
            game_play(game, move, int(game.status[TO_PLAY]))
            slow.play(move)
            if ply % every == 0:
                marked += compare(game, slow, rules, size)
    return marked


def compare(game, slow, rules, size: int) -> np.ndarray:
    """Assert that both sets agree with the reference. Returns how many points each plane marks."""
    expected, unsure = slow_lee.encode(slow)
    planes, values = LEE49.encode_one(game, rules, size)
    fewer, _ = LEE48.encode_one(game, rules, size)
    assert values.size == 0 and (fewer == planes[:48]).all()
    differ = planes != expected
    for plane in LADDERS:
        for p in zip(*np.nonzero(differ[plane]), strict=True):
            differ[plane][p] = not unsure[p] and not beyond_budget(game.board, slow, plane, p)
    assert not differ.any(), f"planes, rows and columns {np.argwhere(differ).tolist()} of\n{slow.board.stones}"
    return expected.sum((1, 2))


def test_small_boards_agree_with_the_reference():
    """Long games that fill the board, recapture, repeat positions and commit suicide: nothing but the zeros stays empty."""
    marked = np.zeros(49)
    for size, games, plies in ((5, 12, 60), (7, 6, 90)):
        for seed, rules in enumerate((JAPANESE, TROMP_TAYLOR, AGA)):
            marked += compare_games(size, seed, games, plies, 2, rules)
    assert np.flatnonzero(marked == 0).tolist() == [47]


@pytest.mark.parametrize(("size", "games", "plies", "every"), [(9, 6, 120, 3), (13, 3, 220, 6), (19, 1, 420, 9)])
def test_larger_boards_agree_with_the_reference(size, games, plies, every):
    compare_games(size, size, games, plies, every, TROMP_TAYLOR)


@pytest.mark.slow
@pytest.mark.parametrize("rules", [JAPANESE, TROMP_TAYLOR, AGA])
@pytest.mark.parametrize(("size", "games", "plies"), [(5, 80, 80), (7, 20, 120), (9, 10, 160), (13, 3, 300), (19, 1, 500)])
def test_many_games_agree_with_the_reference(size, games, plies, rules):
    compare_games(size, 100 + size, games, plies, 1, rules)


def beyond_budget(board, slow, plane: int, p) -> bool:
    """Whether the kernels took a ladder for broken only because reading it takes more moves than they may play."""
    size, own = slow.board.size, slow.to_play
    scratch, move = new_ladder_scratch(size), coords.point(int(p[0]), int(p[1]), size)
    begin_reading(board, scratch)
    read, prey, left = (atari_captures, 3 - own, 2) if plane == 44 else (defence_escapes, own, 1)
    for color, stones, liberties in chains(slow.board):
        if color == prey and len(liberties) == left and (plane == 45 or p in liberties):
            target = coords.point(*min(stones), size)
            if read(target, move, scratch, BUDGET) != read(target, move, scratch, 1_000_000):
                return True
    return False


def planes_of(position: Position) -> np.ndarray:
    return LEE49.encode_one(position.game, position.code, position.size)[0]


def number(planes: np.ndarray, first: int, name: str) -> int:
    """What the eight planes from `first` say of a point: 1 to 8, or 0 if none is marked."""
    row, column = coords.row_column(coords.from_gtp(name, planes.shape[1]), planes.shape[1])
    column_of_planes = planes[first : first + 8, row, column]
    assert column_of_planes.sum() <= 1
    return int(column_of_planes.argmax()) + 1 if column_of_planes.any() else 0


def marked(planes: np.ndarray, plane: int) -> set[str]:
    """The points that a plane marks."""
    size = planes.shape[1]
    return {coords.to_gtp(coords.point(int(r), int(c), size), size) for r, c in np.argwhere(planes[plane])}


def play(position: Position, moves: str) -> np.ndarray:
    """Play moves by turns and encode."""
    for name in moves.split():
        position.play(coords.from_gtp(name, position.size))
    return planes_of(position)


def test_turns_since():
    """A pass is a turn, old and set-up stones share the last plane, and a captured stone has none."""
    position = Position(9)
    position.place_handicap([coords.from_gtp("D4", 9)])
    planes = play(position, "A1 C3 pass G7 F6 H2 H3 J5")
    ages = {name: number(planes, TURNS, name) for name in ("D4", "A1", "C3", "G7", "F6", "H2", "H3", "J5", "E5")}
    assert ages == {"D4": 8, "A1": 8, "C3": 7, "G7": 5, "F6": 4, "H2": 3, "H3": 2, "J5": 1, "E5": 0}


def test_turns_since_of_stones_captured_and_played_again():
    position = Position(9)
    planes = play(position, "J9 A1 A2 D4 B1")  # takes A1
    assert [number(planes, TURNS, name) for name in ("A1", "B1", "D4", "A2")] == [0, 1, 2, 3]
    planes = play(position, "E4 C5 D5 A1")  # now a black stone
    assert [number(planes, TURNS, name) for name in ("A1", "D5", "B1", "D4")] == [1, 2, 5, 6]
    position = Position.from_diagram(KO, Rules.preset("japanese"), WHITE)
    planes = play(position, "B3 E5 E1 C3 A1 A5 B3")  # taken, taken back, taken again
    assert [number(planes, TURNS, name) for name in ("B3", "C3", "A5", "E5", "B4")] == [1, 0, 2, 6, 8]


def test_captures():
    """Two chains at one blow; the stones that go leave liberties to the chain that is made, beside any of its stones."""
    position = Position.from_diagram(
        """
        . . . . . . .
        . . X X . . .
        . X O O X . .
        . . X . O X .
        . . . X O X .
        . . . . X . .
        . . . . . . .
        """
    )
    planes = planes_of(position)
    assert [number(planes, first, "D4") for first in (CAPTURED, ATARI, AFTER)] == [4, 0, 7]
    assert [number(planes, first, "A1") for first in (CAPTURED, ATARI, AFTER)] == [0, 0, 2]
    assert number(planes, LIBERTIES, "D5") == number(planes, LIBERTIES, "E3") == 1 and number(planes, LIBERTIES, "C4") == 3


def test_ko():
    """Taking it leaves one stone with one liberty; taking it back is forbidden, so nothing is said of that move."""
    position = Position.from_diagram(KO, to_play=WHITE)
    planes = planes_of(position)
    assert [number(planes, first, "B3") for first in (CAPTURED, ATARI, AFTER)] == [1, 1, 1] and "B3" in marked(planes, 46)
    planes = play(position, "B3")
    assert not planes[CAPTURED:47, 2, 2].any()


@pytest.mark.parametrize(("rules", "allowed"), [("tromp-taylor", False), ("aga", False), ("japanese", True)])
def test_superko(rules, allowed):
    """After two passes simple ko allows to take back what superko does not."""
    planes = play(Position.from_diagram(KO, Rules.preset(rules), BLACK), "pass B3 pass pass")
    assert planes[CAPTURED:47, 2, 2].any() == allowed == ("C3" in marked(planes, 46))


@pytest.mark.parametrize(("rules", "lost"), [("tromp-taylor", 3), ("japanese", 0)])
def test_suicide(rules, lost):
    """Where it is legal, it costs the own stones at once and leaves no chain that could have liberties."""
    planes = planes_of(
        Position.from_diagram(
            """
            X . O . .
            X O O . .
            O O . . .
            . . . . .
            . . . . .
            """,
            Rules.preset(rules),
        )
    )
    assert [number(planes, first, "B5") for first in (CAPTURED, ATARI, AFTER)] == [0, lost, 0]
    assert ("B5" in marked(planes, 46)) == (lost > 0)


def test_self_atari_counts_the_whole_chain():
    diagram = """
        . O O X . . .
        X X . X . . .
        . . X . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """
    planes = planes_of(Position.from_diagram(diagram, to_play=WHITE))
    assert [number(planes, first, "C6") for first in (CAPTURED, ATARI, AFTER)] == [0, 3, 1]
    assert [number(planes, first, "A7") for first in (CAPTURED, ATARI, AFTER)] == [0, 3, 1]
    assert number(planes, ATARI, "A5") == 0 and number(planes, AFTER, "A5") == 1 + 1
    planes = planes_of(Position.from_diagram(diagram, to_play=BLACK))
    assert number(planes, ATARI, "C6") == number(planes, CAPTURED, "C6") == 0


def test_numbers_of_eight_and_more_share_a_plane():
    position = Position.from_diagram(
        """
        O O O O O O O O X
        X X X X X X X . X
        . . . . . . . X .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        """
    )
    planes = planes_of(position)
    assert [number(planes, first, "H8") for first in (CAPTURED, AFTER)] == [8, 8]
    assert number(planes, LIBERTIES, "A8") == 8 and number(planes, LIBERTIES, "A9") == 1
    position.to_play = WHITE
    planes = planes_of(position)
    assert [number(planes, first, "H8") for first in (CAPTURED, ATARI, AFTER)] == [0, 8, 0]  # suicide


LADDER = """
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . X . . . . .
    . X O . . . . . .
    . . X . . . . . .
    . . . . . . . . .
    """


def test_ladder_captures():
    """Both ataris work, until a stone breaks one of the ladders."""
    position = Position.from_diagram(LADDER)
    planes = planes_of(position)
    assert marked(planes, 44) == {"C4", "D3"} and not marked(planes, 45)
    assert marked(play(position, "J9 E2"), 44) == {"D3"}


def test_ladder_escapes():
    """All saving moves are marked: the extension, and the capture of a stone around."""
    position = Position.from_diagram(LADDER)
    assert not marked(play(position, "C4"), 45)
    saved = Position.from_diagram(
        """
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . X . . . .
        . X O . . . .
        . O X O . . .
        . . . . . . .
        """,
        to_play=WHITE,
    )
    assert marked(planes_of(saved), 45) == {"C1", "D3"}
    saved.to_play = BLACK
    assert not marked(planes_of(saved), 44)  # a chain in atari is simply taken


def test_own_eyes_are_not_sensible():
    planes = planes_of(
        Position.from_diagram(
            """
            . X . O .
            X X . O O
            . . . . .
            X O . . .
            . X . . .
            """
        )
    )
    assert len(marked(planes, 46)) == 25 - 9 - 2 and not {"A5", "E5"} & marked(planes, 46)  # A1 is no eye
    assert number(planes, AFTER, "A5") == 4 and number(planes, AFTER, "E5") == 0


def test_the_color_is_in_the_last_plane_of_lee49():
    position = Position(5)
    assert planes_of(position)[48].all()
    assert not play(position, "C3")[48].any()
