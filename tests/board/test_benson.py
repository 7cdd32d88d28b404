"""Benson's algorithm: equal to a slow one in sets, and true: what it calls alive survives any attack without an answer."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.kernels import is_legal, play
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.scoring import ALIVE_STONE, ALIVE_TERRITORY, area, benson, new_benson_scratch
from goengine.board.state import BLACK, EMPTY, WHITE, copy_board, new_board
from tests.board.naive import NaiveGame

DATA = os.environ.get("GOENGINE_DATA")


def slow_benson(game: NaiveGame, color: int, suicide: bool):
    """(alive stones, enclosed points) by the definition, in sets."""
    free = {p for p in game.points() if game.stones.get(p) != color}
    chains, regions = [], []
    for point in game.points():
        if point in free and not any(point in region for region in regions):
            regions.append(flood(game, point, free))
        elif point not in free and not any(point in chain for chain in chains):
            chains.append(frozenset(game.chain(game.stones, point)[0]))
    around = {region: {n for p in region for n in game.neighbours(p)} for region in regions}
    borders = {(chain, region) for chain in chains for region in regions if chain & around[region]}

    def vital(chain, region):
        needed = region if suicide else {p for p in region if p not in game.stones}
        return (chain, region) in borders and all(any(n in chain for n in game.neighbours(p)) for p in needed)

    alive, healthy = set(chains), set(regions)
    while True:
        weak = {chain for chain in alive if sum(vital(chain, region) for region in healthy) < 2}
        dead = set(chains) - alive | weak
        broken = {region for region in healthy if any((chain, region) in borders for chain in dead)}
        if not weak and not broken:
            break
        alive -= weak
        healthy -= broken
    inner = {region: sum(all(game.stones.get(n) != color for n in game.neighbours(p)) for p in region) for region in regions}
    enclosed = {p for region in healthy if alive and inner[region] <= 1 for p in region}
    return {p for chain in alive for p in chain}, enclosed


def flood(game, start, allowed):
    found, todo = {start}, [start]
    while todo:
        for n in game.neighbours(todo.pop()):
            if n in allowed and n not in found:
                found.add(n)
                todo.append(n)
    return frozenset(found)


def random_positions(size, count, seed):
    """Positions from random games, the stones of one side denser, so that some groups live."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        board = new_board(size)
        dense = int(random.integers(1, 3))
        for _ in range(int(random.integers(size * size // 2, 3 * size * size))):
            color = dense if random.random() < 0.6 else 3 - dense
            point = int(random.choice(coords.points(size)))
            if is_legal(board, point, color, False) and not would_fill_eye(board, point, color):
                play(board, point, color)
        yield board


def would_fill_eye(board, point, color):
    stride = int(board.info[1])
    return all(board.color[point + d] in (color, 3) for d in (-stride, -1, 1, stride))


def run(board, color, suicide):
    alive = np.zeros(board.color.size, np.uint8)
    size = int(board.info[0])
    number = benson(board, color, alive, suicide, new_benson_scratch(size))
    stones, enclosed = (
        {coords.row_column(int(p), size) for p in np.flatnonzero(alive == value)} for value in (ALIVE_STONE, ALIVE_TERRITORY)
    )
    assert number == len(stones)
    return stones, enclosed


@pytest.mark.parametrize(("size", "count"), [(3, 100), (5, 150), (7, 60), (9, 20), (13, 3)])
def test_equal_to_the_slow_one(size, count):
    lived = 0
    for board in random_positions(size, count, seed=size):
        game = NaiveGame(size)
        game.stones = {coords.row_column(int(p), size): int(board.color[p]) for p in coords.points(size) if board.color[p]}
        for color in (BLACK, WHITE):
            for suicide in (False, True):
                result = run(board, color, suicide)
                assert result == slow_benson(game, color, suicide)
                lived += bool(result[0])
    assert lived  # the positions do test something


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("size", [5, 7])
def test_alive_stones_survive_any_attack(size, suicide):
    random = np.random.default_rng(size)
    attacked = new_board(size)
    for board in random_positions(size, 25, seed=100 + size):
        for color in (BLACK, WHITE):
            stones, enclosed = run(board, color, suicide)
            for _ in range(4 if stones else 0):
                copy_board(attacked, board)
                for _ in range(3 * size * size):
                    moves = [int(p) for p in coords.points(size) if is_legal(attacked, int(p), 3 - color, suicide)]
                    if not moves:
                        break
                    play(attacked, int(random.choice(moves)), 3 - color)
                    play(attacked, coords.PASS, color)
                assert all(attacked.color[coords.point(*place, size)] == color for place in stones)
                opponent, _ = run(attacked, 3 - color, suicide)
                assert not opponent & enclosed


@pytest.mark.parametrize("size", [3, 5, 9])
def test_area_equals_flood_fills(size):
    for board in random_positions(size, 30, seed=200 + size):
        game = NaiveGame(size)
        game.stones = {coords.row_column(int(p), size): int(board.color[p]) for p in coords.points(size) if board.color[p]}
        owner = np.zeros(board.color.size, np.int8)
        score = area(board, owner, np.zeros(board.color.size, np.uint16))
        empty = {p for p in game.points() if p not in game.stones}
        for point in game.points():
            reached = {game.stones.get(point, EMPTY)} - {EMPTY}
            if point in empty:
                reached = {game.stones[n] for p in flood(game, point, empty) for n in game.neighbours(p) if n in game.stones}
            expected = {frozenset({BLACK}): 1, frozenset({WHITE}): -1}.get(frozenset(reached), 0)
            assert owner[coords.point(*point, size)] == expected
        assert score == owner.astype(int).sum()


def test_colours_and_sides_are_treated_alike():
    for board in random_positions(7, 20, seed=7):
        rows = board.color[coords.points(7)].reshape(7, 7)
        text = "\n".join("".join(".XO"[c] for c in row) for row in rows)
        turned = "\n".join("".join(".OX"[c] for c in row) for row in rows.T)
        for name in ("chinese", "japanese", "stone-scoring", "ancient-territory"):
            rules = Rules.preset(name).with_komi(0)
            assert Position.from_diagram(text, rules).score() == -Position.from_diagram(turned, rules).score()


@pytest.mark.skipif(not DATA, reason="GOENGINE_DATA names no folder of game records")
def test_owners_in_real_games():
    """Where no empty region is open to both sides, the owners are those that the players agreed on."""
    compared = 0
    for path in sorted((Path(DATA) / "scoring").glob("*.json")):
        case = json.loads(path.read_text())
        size = len(case["board"])
        board = [row.ljust(size).upper().translate({66: "X", 87: "O", 32: "."}) for row in case["board"]]
        agreed = [row.ljust(size) for row in case["correct_ownership"]]
        if "rules" in case or any(set(row) & set("s*") for row in agreed):
            continue
        position = Position.from_diagram("\n".join(board), Rules.preset("chinese"))
        both = {(r, c): board[r][c] + agreed[r][c] for r in range(size) for c in range(size)}
        dead = [coords.point(*place, size) for place, pair in both.items() if pair in ("XW", "OB")]
        owner = position.count(dead).owner
        assert all(owner[coords.point(*p, size)] == {"B": 1, "W": -1}.get(pair[1], 0) for p, pair in both.items()), path.name
        compared += 1
    assert compared > 8


def test_dead_stones_must_be_stones():
    position = Position(5)
    with pytest.raises(ValueError, match="no stone"):
        position.score([coords.from_gtp("C3", 5)])
