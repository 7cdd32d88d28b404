"""The fast encoder of the set `zero` gives the planes of the plain one to the last bit, whatever it encoded before."""

import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from goengine import features
from goengine.board import coords
from goengine.board.game_kernels import game_is_legal, game_play
from goengine.board.playout import random_move
from goengine.board.position import Position
from goengine.board.random import below, new_generator
from goengine.board.replay import INDEX_POINTS
from goengine.board.rules import Rules
from goengine.board.state import PASS, TO_PLAY, copy_game, new_game
from goengine.dataio import sgf
from goengine.dataio.records import GameRecord
from goengine.features import plain_zero, zero

DATA = os.environ.get("GOENGINE_DATA")
RULES = [Rules.preset(name).code() for name in ("tromp-taylor", "japanese", "aga")]


class Pair:
    """Both encoders for one board size, each with one scratch for all positions."""

    def __init__(self, size: int):
        self.fast, self.plain = zero.new_scratch(size), plain_zero.new_scratch(size)
        self.planes = np.full((2, zero.PLANES, size, size), 7, np.float32)
        self.values = np.full((2, zero.GLOBALS), 7, np.float32)

    def compare(self, game, rules) -> np.ndarray:
        """Assert that both agree. Returns how many points each plane marks."""
        zero.encode(game, rules, self.fast, self.planes[0], self.values[0])
        plain_zero.encode(game, rules, self.plain, self.planes[1], self.values[1])
        assert np.array_equal(*self.planes) and np.array_equal(*self.values)
        return self.planes[0].sum((1, 2))


def step(game, generator, rules) -> None:
    """One random legal move, or at times a pass."""
    color = int(game.status[TO_PLAY])
    move = PASS if below(generator, 40) == 0 else int(random_move(game.board, color, generator))
    game_play(game, move if game_is_legal(game, move, color, rules) else PASS, color)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 9, 13, 19, 22, 25])
def test_random_games(size):
    """Every ply of random games, and after each two brothers of the next position, as a search meets them."""
    pair, generator, marked = Pair(size), new_generator(size), np.zeros(zero.PLANES)
    child = new_game(size)
    for rules in RULES:
        game = new_game(size)
        for _ in range(min(2 * size * size, 250)):
            step(game, generator, rules)
            marked += pair.compare(game, rules)
            for _ in range(2):
                copy_game(child, game)
                step(child, generator, rules)
                pair.compare(child, rules)
    assert size < 5 or marked[[3, 4, 12, 13, 14, 15]].all()
    assert size > 9 or size < 4 or marked[[6, 16, 17]].all()


def test_reading_leaves_the_game_as_it_was():
    game, generator = new_game(9), new_generator(3)
    before = new_game(9)
    for _ in range(100):
        step(game, generator, RULES[1])
        copy_game(before, game)
        features.get("zero").encode_one(game, RULES[1], 9)
        for was, now in zip(before.board[:3], game.board[:3], strict=True):
            assert np.array_equal(was, now)
        assert before.board.hash[0] == game.board.hash[0]
        chains = np.unique(game.board.chain)[1:]
        assert np.array_equal(before.board.pseudo[chains], game.board.pseudo[chains])


def test_a_long_ladder():
    """Across the whole board and back to a breaker, with and without a stone in its way, with either side to move."""
    for breaker in ("", "R16", "Q4", "K10"):
        position = Position(19)
        for name in ["D4", "D5", "E3", "C4", "E5", "C3", breaker or "pass"]:
            position.play(coords.from_gtp(name, 19))
        pair = Pair(19)
        pair.compare(position.game, RULES[0])
        position.play(PASS)
        pair.compare(position.game, RULES[0])


def real_games(paths):
    return (game for game in sgf.iterate_games(paths) if isinstance(game, GameRecord) and not game.edits)


def compare_record(pairs: dict[int, Pair], record: GameRecord, every: int, rules) -> int:
    """Replay a game and compare every so many positions. Returns how many."""
    size, compared = record.size, 0
    pair, game = pairs.setdefault(size, Pair(size)), new_game(size)
    for ply, (color, index) in enumerate(record.moves):
        point = int(INDEX_POINTS[size][index])
        game.status[TO_PLAY] = color
        if not game_is_legal(game, point, color, rules):
            break
        game_play(game, point, color)
        if ply % every == 0:
            pair.compare(game, rules)
            compared += 1
    return compared


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="GOENGINE_DATA names no folder of game records")
def test_ten_thousand_positions_of_real_games():
    folder, pairs = Path(DATA), {}
    small = real_games(sorted((folder / "small").rglob("*.sgf")))
    compared = [compare_record(pairs, game, 1, RULES[i % 3]) for i, game in enumerate(small)]
    large = real_games([folder / "tygem" / "validation.sgfs.xz"])
    compared += [compare_record(pairs, game, 2, RULES[i % 3]) for i, game in enumerate(islice(large, 100))]
    assert sum(compared) > 10_000 and len(pairs) > 5
