"""Random games: the kernels and the naive board agree on every position, and undo is the same as replay."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.game_kernels import game_play
from goengine.board.kernels import find_liberties, hash_after
from goengine.board.position import Position
from goengine.board.rules import KO_RULES, Rules
from goengine.board.state import BLACK, CAPTURED_BLACK, CAPTURED_WHITE, EMPTIES, EMPTY, WHITE, ZOBRIST, ZOBRIST_SIZE
from tests.board.naive import NaiveGame

# size, games per rule set, plies, every how many plies the legal moves are compared
QUICK = [(2, 40, 60, 1), (3, 25, 80, 1), (5, 5, 120, 1), (7, 2, 150, 3), (9, 1, 250, 10), (13, 1, 250, 50), (19, 1, 300, 100),
         (25, 1, 200, 100)]  # fmt: skip
SLOW = [(2, 500, 60, 1), (3, 300, 80, 1), (5, 60, 150, 1), (7, 30, 200, 2), (9, 15, 300, 5), (13, 5, 500, 25),
        (19, 2, 900, 60), (25, 1, 1200, 100)]  # fmt: skip
RULES = [Rules(ko=ko, suicide=suicide) for ko in KO_RULES for suicide in (False, True)]


def name(value):
    return f"{value.ko}-{'suicide' if value.suicide else 'no'}" if isinstance(value, Rules) else str(value)


@pytest.mark.parametrize("rules", RULES, ids=name)
@pytest.mark.parametrize(("size", "games", "plies", "every"), QUICK)
def test_random_games(size, games, plies, every, rules):
    compare(size, games, plies, every, rules, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=name)
@pytest.mark.parametrize(("size", "games", "plies", "every"), SLOW)
def test_many_random_games(size, games, plies, every, rules):
    compare(size, games, plies, every, rules, seed=2)


def compare(size, games, plies, every, rules, seed):
    random = np.random.default_rng([seed, size])
    hashes = {}
    for _ in range(games):
        position, naive = Position(size, rules), NaiveGame(size, rules.ko, rules.suicide)
        for ply in range(plies):
            color = naive.to_play
            if ply % every == 0:
                expected = [naive.is_legal(color, point) for point in naive.points()]
                assert position.legal_mask()[:-1].astype(bool).tolist() == expected, diagram(position)
                check_structure(position.game.board)
            move = choose(position, random)
            expected_hash = hash_after(position.game.board, move, color)
            game_play(position.game, move, color)
            position.moves.append((color, move))
            naive.play(color, None if move == coords.PASS else coords.row_column(move, size))
            assert position.game.board.hash[0] == expected_hash, diagram(position)
            check_stones(position, naive, hashes)
        check_undo(position, random)


@pytest.mark.parametrize("rules", RULES, ids=name)
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_moves_out_of_turn(size, rules):
    """Both colours' legal moves agree where either may play next, as over GTP."""
    random = np.random.default_rng([3, size])
    for _ in range(12):
        position, naive = Position(size, rules), NaiveGame(size, rules.ko, rules.suicide)
        for _ in range(60):
            for color in (BLACK, WHITE):
                legal = [position.is_legal(coords.point(*place, size), color) for place in naive.points()]
                assert legal == [naive.is_legal(color, place) for place in naive.points()], diagram(position)
            color = int(random.integers(BLACK, WHITE + 1))
            position.to_play = color
            naive.turn(color)
            assert position.legal_mask()[:-1].tolist() == [naive.is_legal(color, place) for place in naive.points()]
            move = choose(position, random)
            position.play(move, color)
            naive.play(color, None if move == coords.PASS else coords.row_column(move, size))


def choose(position, random):
    """A random legal move; passes are more frequent on small boards, where positions then recur."""
    mask = position.legal_mask()
    points = np.flatnonzero(mask[:-1])
    if not len(points) or random.random() < 0.3 / position.size:
        return coords.PASS
    return coords.from_index(int(random.choice(points)), position.size)


def diagram(position):
    return f"{position.to_diagram()}\n{position.moves}"


def check_stones(position, naive, hashes):
    """Stones and prisoners agree; positions have the same hash if and only if they are the same."""
    board, size = position.game.board, position.size
    colors = board.color[coords.points(size)].reshape(size, size)
    stones = {(int(r), int(c)): int(colors[r, c]) for r, c in zip(*np.nonzero(colors), strict=True)}
    assert stones == naive.stones, diagram(position)
    assert board.info[CAPTURED_BLACK] == naive.captured[BLACK]
    assert board.info[CAPTURED_WHITE] == naive.captured[WHITE]
    value = int(board.hash[0])
    assert hashes.setdefault(value, naive.past[-1][0]) == naive.past[-1][0]
    expected = int(ZOBRIST_SIZE[size])
    for (row, column), color in stones.items():
        expected ^= int(ZOBRIST[color - 1, coords.point(row, column, size)])
    assert value == expected


def check_structure(board):
    """Chains, pseudo-liberties and the list of empty points are what the colours say."""
    size = int(board.info[0])
    naive = NaiveGame(size)
    of = {coords.row_column(int(p), size): int(p) for p in coords.points(size)}
    naive.stones = {place: int(board.color[p]) for place, p in of.items() if board.color[p] != EMPTY}
    empty = sorted(p for place, p in of.items() if place not in naive.stones)
    listed = board.empties[: board.info[EMPTIES]].tolist()
    assert sorted(listed) == empty
    assert all(board.slot[p] == place for place, p in enumerate(listed))
    assert all(board.chain[p] == 0 for p in empty)
    left = set(naive.stones)
    while left:
        stones, free = naive.chain(naive.stones, next(iter(left)))
        left -= stones
        names = {int(board.chain[of[place]]) for place in stones}
        assert len(names) == 1
        chain = names.pop()
        assert board.stones[chain] == len(stones)
        assert board.pseudo[chain] == sum(n not in naive.stones for place in stones for n in naive.neighbours(place))
        assert find_liberties(board, chain, 99, np.zeros(800, np.uint64)) == len(free)
        walk, p = set(), chain
        for _ in stones:
            walk.add(coords.row_column(p, size))
            p = int(board.next[p])
        assert (p, walk) == (chain, stones)


def check_undo(position, random):
    """Taking moves back gives the position that replaying the rest gives."""
    length = int(random.integers(0, len(position.moves) + 1))
    fresh = Position(position.size, position.rules)
    for color, point in position.moves[:length]:
        fresh.play(point, color)
    position.undo(len(position.moves) - length)
    assert position.to_diagram() == fresh.to_diagram()
    assert position.game.board.hash[0] == fresh.game.board.hash[0]
    assert position.legal_mask().tolist() == fresh.legal_mask().tolist()
    assert position.to_play == fresh.to_play
