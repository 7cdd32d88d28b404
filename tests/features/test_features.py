"""Each plane against a slow reference over random games, and what every feature set must keep to."""

import numpy as np
import pytest

from goengine import features
from goengine.board import coords
from goengine.board.game_kernels import game_is_legal, game_legal, game_play, position_key
from goengine.board.playout import random_move
from goengine.board.position import Position
from goengine.board.random import below, new_generator
from goengine.board.rules import Rules
from goengine.board.state import BLACK, PASS, TO_PLAY, new_game
from tests.features.slow import SlowBoard, TooLong, chains, ladder

JAPANESE = Rules.preset("japanese").code()
TROMP_TAYLOR = Rules.preset("tromp-taylor").code()


def random_game(size: int, seed: int, plies: int, rules=JAPANESE):
    """Yield (game, slow board, moves so far) after every ply of a random game with a few passes."""
    game, slow, moves = new_game(size), SlowBoard(size), []
    generator = new_generator(seed)
    for _ in range(plies):
        color = int(game.status[TO_PLAY])
        move = PASS if below(generator, 40) == 0 else int(random_move(game.board, color, generator))
        if not game_is_legal(game, move, color, rules):
            move = PASS
        slow = slow.after_pass() if move == PASS else slow.after(coords.row_column(move, size), color)
        assert slow is not None
        game_play(game, move, color)
        moves.append(move)
        yield game, slow, moves


def plane_of(points, size: int) -> np.ndarray:
    plane = np.zeros((size, size), np.float32)
    for p in points:
        plane[p] = 1
    return plane


@pytest.mark.parametrize("size", [5, 9, 13, 19])
def test_zero_stones_moves_and_liberties(size):
    zero = features.get("zero")
    for game, slow, moves in random_game(size, size, 2 * size * size // 3):
        planes, values = zero.encode_one(game, JAPANESE, size)
        own = int(game.status[TO_PLAY])
        assert planes[0].all()
        assert (planes[1] == plane_of([p for p, c in slow.stones.items() if c == own], size)).all()
        assert (planes[2] == plane_of([p for p, c in slow.stones.items() if c != own], size)).all()
        by_liberties = {1: set(), 2: set(), 3: set()}
        for _, stones, liberties in chains(slow):
            by_liberties.get(len(liberties), set()).update(stones)
        for count in (1, 2, 3):
            assert (planes[2 + count] == plane_of(by_liberties[count], size)).all()
        assert (planes[6] == plane_of([slow.ko] if slow.ko else [], size)).all()
        for ply, move in enumerate(moves[::-1][:5]):
            expected = [] if move == PASS else [coords.row_column(move, size)]
            assert (planes[7 + ply] == plane_of(expected, size)).all()
            assert values[ply] == (move == PASS)


@pytest.mark.parametrize(("size", "seed"), [(7, 1), (9, 2), (9, 3), (13, 4)])
def test_zero_ladders(size, seed):
    zero = features.get("zero")
    for ply, (game, slow, _) in enumerate(random_game(size, seed, size * size)):
        if ply % 5:
            continue
        planes, _ = zero.encode_one(game, JAPANESE, size)
        own = int(game.status[TO_PLAY])
        expected = {plane: set() for plane in (12, 13, 14)}
        unsure = set()
        for color, stones, liberties in chains(slow):
            if len(liberties) > 2:
                continue
            target = min(stones)
            try:
                if ladder(slow, target, len(liberties) == 2, [300]):
                    expected[12 if color == own else 13] |= stones
                if color != own and len(liberties) == 2:
                    for p in liberties:
                        after = slow.after(p, own)
                        if after and ladder(after, target, False, [300]):
                            expected[14].add(p)
            except TooLong:
                unsure |= stones | liberties
        known = 1 - plane_of(unsure, size)
        for plane, points in expected.items():
            assert (planes[plane] * known == plane_of(points, size) * known).all()


def test_zero_escape_moves_save():
    """Plane 15 names, for each own chain in atari that can be saved, one move that saves it."""
    zero, found = features.get("zero"), 0
    for game, slow, _ in random_game(9, 11, 120):
        planes, _ = zero.encode_one(game, JAPANESE, 9)
        own = int(game.status[TO_PLAY])
        saves = 0
        for color, stones, liberties in chains(slow):
            if color == own and len(liberties) == 1 and not ladder(slow, min(stones), False, [10_000]):
                saves += 1
                moves = [tuple(p) for p in np.argwhere(planes[15]).tolist()]
                assert any((after := slow.after(p, own)) and not ladder(after, min(stones), True, [10_000]) for p in moves)
        assert (planes[15].sum() > 0) == (saves > 0)
        found += saves
    assert found > 10


def test_zero_superko_plane_agrees_with_legality():
    zero, mask, seen = features.get("zero"), np.zeros(26, np.uint8), 0
    for seed in range(40):
        for game, _, _ in random_game(5, seed, 60, TROMP_TAYLOR):
            planes, _ = zero.encode_one(game, TROMP_TAYLOR, 5)
            game_legal(game, TROMP_TAYLOR, mask)
            forbidden = planes[6].astype(bool)
            assert not (mask[:25].reshape(5, 5).astype(bool) & forbidden).any()
            seen += int(forbidden.sum())
    assert seen > 20


def test_zero_globals_tell_the_rules():
    game = new_game(9)
    zero = features.get("zero")
    _, black = zero.encode_one(game, TROMP_TAYLOR._replace(komi=7.0), 9)
    game_play(game, PASS, BLACK)
    _, white = zero.encode_one(game, JAPANESE._replace(komi=7.0), 9)
    assert black[5] == pytest.approx(-7 / 20)
    assert white[5] == pytest.approx(7 / 20)
    assert black[[6, 8, 9, 10, 13]].tolist() == [1, 1, 0, 0, 0]
    assert white[[0, 6, 8, 9, 10, 13]].tolist() == [1, 0, 0, 1, 1, 1]


def test_agz17_holds_eight_positions():
    agz17 = features.get("agz17")
    history = [{}]
    for game, slow, _ in random_game(9, 5, 60):
        history.append(slow.stones)
        planes, _ = agz17.encode_one(game, JAPANESE, 9)
        own = int(game.status[TO_PLAY])
        for ply in range(8):
            stones = history[-1 - ply] if ply < len(history) else {}
            for offset, color in ((1, own), (9, 3 - own)):
                expected = plane_of([p for p, c in stones.items() if c == color], 9)
                assert (planes[offset + ply] == expected).all()
        assert (planes[17] == (own == BLACK)).all()


@pytest.mark.parametrize("name", features.names())
@pytest.mark.parametrize("size", [2, 7, 19])
def test_contract(name, size):
    """Any set: plane 0 is the board, padding stays zero, stale buffers are overwritten, bytes equal floats."""
    feature_set = features.get(name)
    scratch = feature_set.new_scratch(size)
    padded = np.full((feature_set.planes, 25, 25), 7, np.float32)
    as_bytes = np.full((feature_set.planes, size, size), 7, np.uint8)
    values = np.full(feature_set.globals, np.nan, np.float32)
    for game, _, _ in random_game(size, 3, 40):
        planes, fresh = feature_set.encode_one(game, TROMP_TAYLOR, size)
        feature_set.encode(game, TROMP_TAYLOR, scratch, padded, values)
        feature_set.encode(game, TROMP_TAYLOR, scratch, as_bytes, values)
        assert (planes[0] == 1).all()
        assert (padded[:, :size, :size] == planes).all()
        assert padded[:, size:].sum() == padded[:, :, size:].sum() == 0
        assert (as_bytes == planes).all()
        assert (values == fresh).all()


@pytest.mark.parametrize("name", features.names())
def test_symmetry_commutes_with_encoding(name):
    """A rotated game gives rotated planes (all but plane 15 of `zero` and `zero_ranked`: one of several saving moves)."""
    feature_set, size = features.get(name), 7
    *_, (game, _, moves) = random_game(size, 9, 45)
    for turns in range(4):
        for flip in (False, True):
            twin = new_game(size)
            for move in moves:
                if move != PASS:
                    board = np.zeros((size, size))
                    board[coords.row_column(move, size)] = 1
                    board = np.rot90(board[:, ::-1] if flip else board, turns)
                    move = coords.point(*np.argwhere(board)[0].tolist(), size)
                game_play(twin, move, int(twin.status[TO_PLAY]))
            planes, _ = feature_set.encode_one(game, JAPANESE, size)
            turned = np.rot90(planes[:, :, ::-1] if flip else planes, turns, (1, 2))
            same, _ = feature_set.encode_one(twin, JAPANESE, size)
            keep = [c for c in range(feature_set.planes) if not (name in ("zero", "zero_ranked") and c == 15)]
            assert (turned[keep] == same[keep]).all()


def test_a_chain_of_very_many_liberties():
    """257 of them on 25x25 are not one."""
    size, generator = 25, new_generator(1)
    stones = {coords.point(r, c, size) for r in range(1, 25, 3) for c in range(size)}
    stones |= {coords.point(r, 12, size) for r in range(1, 23)}

    def liberties() -> list[int]:
        around = {n for p in stones for n in (p - size - 1, p - 1, p + 1, p + size + 1)}
        return sorted(n for n in around - stones if coords.on_board(n, size))

    while len(free := liberties()) > 257:
        stones.add(free[int(below(generator, len(free)))])
    position = Position(size)
    position.set_up(sorted(stones), (), BLACK)
    planes, _ = features.get("zero").encode_one(position.game, position.code, size)
    assert len(free) == 257 and not planes[3:6].any() and not planes[12:16].any()


def test_keys_tell_prisoners_apart():
    """The same board after the same last moves, with a prisoner more: territory scoring counts it."""
    after = "B1 J8 J1 H9 H1 H8 G1 G9 F1 G8"
    games = []
    for fourth in ("A1", "pass"):
        position = Position(9, Rules.preset("japanese"))
        for name in f"A2 J9 pass {fourth} {after}".split():
            position.play(coords.from_gtp(name, 9))
        games.append(position)
    assert games[0].to_diagram() == games[1].to_diagram()
    assert position_key(games[0].game) != position_key(games[1].game)


def test_unknown_set_is_named():
    with pytest.raises(KeyError, match=r"no feature set 'lee'.*zero"):
        features.get("lee")
