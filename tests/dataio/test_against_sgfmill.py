"""Every SGF file of the data is loaded as sgfmill reads it: the position, whose turn it is, komi and rules."""

import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sgfmill import boards, sgf

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import PRESETS, Rules
from goengine.board.state import BLACK, WHITE
from goengine.dataio.game_files import position_from_sgf

DATA = os.environ.get("GOENGINE_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="GOENGINE_DATA names no folder of game records")

IN_FORCE = Rules.preset("tromp-taylor").with_komi(3.25)
# What the files' RU means; compact texts are compared as texts.
NAMES = {
    "": "tromp-taylor", "Japanese": "japanese", "japanese": "japanese", "Chinese": "chinese", "chinese": "chinese",
    "AGA": "aga", "NewZealand": "new-zealand", "NZ": "new-zealand", "Tang (Japanese + group tax)": "ancient-territory",
    "Old Chinese": "stone-scoring", "Tromp-Taylor": "tromp-taylor", "TrompTaylor": "tromp-taylor", "TT--": "tromp-taylor",
    "Korean": "korean",
}  # fmt: skip
# The Fox server's komi: hundredths of points, or of stones under Chinese rules.
FOX = {750.0: 7.5, 650.0: 6.5, 550.0: 5.5, 375.0: 7.5, 325.0: 6.5}
# Files that both refuse, and files that ask for what no board can show: a stone on another, or without liberties.
REFUSED = {
    "19x19__Fuego_vs._Fuego.sgf", "Illegal_games__encoding-unsupported.sgf", "sgfc__test.sgf",
}  # fmt: skip
TWO_MOVES = {"katago-018.sgf", "katago-019.sgf"}
IMPOSSIBLE = {"katago-012.sgf", "Illegal_games__illegal-setup.sgf"}


class Impossible(Exception):
    """A game that sgfmill's board does not take."""


class TwoMoves(Exception):
    """A node with moves of both sides, of which sgfmill takes one."""


def replayed(game: sgf.Sgf_game) -> tuple[boards.Board, int]:
    """sgfmill's own board at the end of the main line, and whose turn it is."""
    board = boards.Board(game.get_size())
    turn = moves = 0
    black_only = True
    for node in game.get_main_sequence():
        if node.has_setup_stones():
            black, white, empty = node.get_setup_stones()
            black_only = black_only and not white
            if not board.apply_setup(black, white, empty):
                raise Impossible
        if node.has_property("PL"):
            turn = BLACK if node.get_raw("PL").strip() in (b"B", b"b", b"1") else WHITE
        if node.has_property("B") and node.has_property("W"):
            raise TwoMoves
        color, point = node.get_move()
        if color is None:
            continue
        moves += 1
        turn = WHITE if color == "b" else BLACK
        if point is not None:
            try:
                board.play(*point, color)
            except ValueError:
                raise Impossible from None
    if not turn:
        turn = WHITE if black_only and not board.is_empty() else BLACK
    return board, turn


def shown(position: Position) -> set[tuple[int, int, str]]:
    """Stones as sgfmill names them: row from below, column, colour."""
    size = position.size
    stones = [(coords.row_column(p, size), color) for color in (BLACK, WHITE) for p in position.stones(color)]
    return {(size - 1 - row, column, "bw"[color - 1]) for (row, column), color in stones}


def assert_read_alike(data: bytes) -> None:
    """Raises Impossible where there is nothing to compare, ValueError where sgfmill refuses the data."""
    game = sgf.Sgf_game.from_bytes(data)
    board, turn = replayed(game)
    position = position_from_sgf(data, IN_FORCE)
    assert position.size == game.get_size()
    assert shown(position) == {(row, column, color) for color, (row, column) in board.list_occupied_points()}
    assert position.to_play == turn
    assert position.rules.komi == expected_komi(info(game, "KM"))
    text = info(game, "RU").get("RU") if info(game, "RU").has_property("RU") else ""
    if text.startswith("ko"):
        assert position.rules.to_compact().startswith(text) or text in position.rules.to_compact().replace("taxNONE", "")
    else:
        assert position.rules == PRESETS[NAMES[text]].with_komi(position.rules.komi)


def info(game: sgf.Sgf_game, key: str):
    """The node of the main line that says something of the game; the root if none does."""
    return next((node for node in game.get_main_sequence() if node.has_property(key)), game.get_root())


def expected_komi(root) -> float:
    """sgfmill's reading, but for what Fox writes, a decimal fraction in words, and no komi at all."""
    raw = root.get_raw("KM").decode("ascii", "replace").strip() if root.has_property("KM") else ""
    if not raw:
        return IN_FORCE.komi
    if raw == "5 1/2":
        return 5.5
    komi = root.get("KM")
    if komi == 0 and root.has_property("TT") and root.get("HA") == 0:
        return 7.5 if root.get("RU") == "Chinese" else 6.5
    return FOX.get(komi, komi)


def games_of(path: Path) -> Iterator[bytes]:
    """The games of a compressed collection, two lines each."""
    with lzma.open(path) as source:
        for root in source:
            yield root + next(source, b"")


def compare_files(step: int) -> None:
    refused, impossible, both = set(), set(), set()
    paths = sorted(Path(DATA).rglob("*.sgf"))
    for path in paths[::step]:
        data = path.read_bytes()
        try:
            assert_read_alike(data)
        except Impossible:
            impossible.add(path.name)
            with pytest.raises(ValueError, match=r"[A-T]\d"):
                position_from_sgf(data, IN_FORCE)
        except TwoMoves:
            both.add(path.name)
        except ValueError:
            refused.add(path.name)
            with pytest.raises(ValueError, match="SGF"):
                position_from_sgf(data, IN_FORCE)
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from error
    assert refused <= REFUSED and impossible <= IMPOSSIBLE and both <= TWO_MOVES
    if step == 1:
        assert (refused, impossible, both) == (REFUSED, IMPOSSIBLE, TWO_MOVES) and len(paths) > 1000


def test_some_files():
    compare_files(5)


@pytest.mark.slow
def test_all_files():
    compare_files(1)


@pytest.mark.slow
def test_collections():
    """Every game of the smaller collections; of the large ones one in a hundred."""
    paths = sorted(Path(DATA).rglob("*.sgfs.xz"))
    assert len(paths) > 30
    for path in paths:
        games = list(games_of(path))
        for number in range(0, len(games), 1 if len(games) < 1000 else 100):
            try:
                assert_read_alike(games[number])
            except AssertionError as error:
                raise AssertionError(f"{path}, game {number + 1}: {error}") from error
