"""Edges that are made late are those that would have been made at once; lines are played as the board plays them."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.game_kernels import game_is_legal, game_legal, game_play
from goengine.board.random import new_generator, uniform
from goengine.board.rules import Rules
from goengine.board.state import HASHES, TO_PLAY, copy_game, new_game
from goengine.search.constants import SearchContext, make_constants, new_scratch, no_plan
from goengine.search.edges import fill_priors, make_edges, reserve_edges, unfold
from goengine.search.line import NOWHERE, go_along
from goengine.search.params import PLAY, Limits
from goengine.search.root import symmetries_of
from goengine.search.tree import COUNT, EDGES, FIRST, FOLDED, MOVE, SORTED, VISITED, VISITS, clear, new_tree
from tests.search.helpers import check_tree, noisy, position, search

RULES = ("chinese", "japanese", "tromp-taylor", "aga", "new-zealand")


def random_games(size: int, rules, seed: int, plies: int, capacity: int = 2048):
    """A game after each of so many random legal moves, passes among them: (game, the moves so far)."""
    generator, game, moves = new_generator(seed), new_game(size, capacity), []
    mask = np.zeros(size * size + 1, np.uint8)
    for _ in range(plies):
        yield game, moves
        game_legal(game, rules, mask)
        legal = np.flatnonzero(mask)
        index = int(legal[int(uniform(generator) * len(legal))])
        point = 0 if index == size * size else (index // size + 1) * (size + 1) + index % size + 1
        game_play(game, point, int(game.status[TO_PLAY]))
        moves.append(point)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("size", [2, 3, 5, 7])
def test_legal_moves_are_those_of_the_board(name, size):
    rules = Rules.preset(name).code()
    found = np.zeros(size * size + 1, np.uint8)
    seen = set()
    for seed in range(6):
        for game, _ in random_games(size, rules, seed, 6 * size * size):
            game_legal(game, rules, found)
            color = int(game.status[TO_PLAY])
            expected = [game_is_legal(game, int(point), color, rules) for point in coords.points(size)]
            assert found.tolist() == [*expected, 1]
            seen.add(int(found.sum()))
    assert len(seen) > 2


@pytest.mark.parametrize("barred", [False, True])
def test_unfolded_edges_are_those_made_at_once(barred):
    size, rules, random = 7, Rules.preset("chinese").code(), np.random.default_rng(1)
    constants = make_constants(PLAY.with_(policy_temperature=0.8), size, use_score=False, center=0.0, passes=0, salt=0)
    scratch, actions = new_scratch(size, 1), size * size + 1
    forbidden = np.zeros((4, len(scratch.owner)), np.int16)
    if barred:
        forbidden[:, 0] = 5  # no pass
        forbidden[:, 1::2] = 5
    for game, _ in random_games(size, rules, 3, 60):
        logits = random.normal(0, 3, actions).astype(np.float32)
        trees = [new_tree(size * size, 4, 2 * actions) for _ in range(2)]
        for tree in trees:
            clear(tree, int(game.status[TO_PLAY]))
        assert make_edges(trees[0], 0, game, rules, forbidden, 2, scratch.legal)
        fill_priors(trees[0], 0, logits, constants.policy_temperature, size + 1)
        assert reserve_edges(trees[1], 0, actions)
        trees[1].edge_prior[:actions] = logits
        unfold(trees[1], 0, game, SearchContext(trees[1], constants, rules, forbidden, no_plan(), scratch), 2, scratch.logits)
        columns = [FIRST, COUNT, VISITED, SORTED]
        assert np.array_equal(*(tree.links[0, columns] for tree in trees))
        count = int(trees[0].links[0, COUNT])
        for field in ("edge_move", "edge_prior", "edge_child"):
            assert np.array_equal(*(getattr(tree, field)[:count] for tree in trees)), field
        assert trees[1].edge_prior[:count].sum() == pytest.approx(1.0, abs=1e-5)


def test_without_room_nothing_is_reserved():
    tree = new_tree(9, 4, 15)
    clear(tree, 1)
    assert reserve_edges(tree, 0, 10) and not reserve_edges(tree, 0, 10)
    assert tree.used[EDGES] == 10


@pytest.mark.parametrize("length", [0, 1, 3, 8, 9, 20])
@pytest.mark.parametrize("capacity", [64, 2048])
def test_a_line_is_played_as_by_the_board(length, capacity):
    size, rules = 5, Rules.preset("tromp-taylor").code()
    games = [copied(game, capacity) for game, _ in random_games(size, rules, 4, 60 + length, capacity)]
    moves = [moves.copy() for _, moves in random_games(size, rules, 4, 60 + length, capacity)][-1]
    for start in (0, 4, 50):
        line = np.array([*moves, 0][start : start + length], np.int16)
        for stop in {0, length // 2, length}:
            game = new_game(size, capacity)
            game.past[:], game.recent[:] = 77, 77  # nothing of an earlier line may stay
            gone = NOWHERE if stop == 0 else go_along(game, games[start], line, NOWHERE, stop, length)
            assert go_along(game, games[start], line, gone, length, length) == length
            equal(game, games[start + length])


def copied(game, capacity: int):
    copy = new_game(game.board.info[0], capacity)
    copy_game(copy, game)
    return copy


def equal(one, other) -> None:
    """The same in all that means something."""
    assert np.array_equal(one.status, other.status)
    count = int(other.status[HASHES])
    assert np.array_equal(one.hashes[:count], other.hashes[:count]) and np.array_equal(one.movers[:count], other.movers[:count])
    for field in ("recent", "past", "touched"):
        assert np.array_equal(getattr(one, field), getattr(other, field)), field
    for field in ("color", "chain", "info", "hash"):
        assert np.array_equal(getattr(one.board, field), getattr(other.board, field)), field


def test_a_node_visited_once_gets_its_edges_when_it_becomes_the_root():
    engine, _ = search(position(9), noisy(4), 80, PLAY.with_(leaves=2, temperature=0.0))
    tree = engine.core.tree
    children = tree.edge_child[: tree.links[0, VISITED]]
    assert engine.core.twins and (tree.links[children, SORTED] == FOLDED).sum() > 1
    for child in children[tree.links[children, SORTED] == FOLDED]:
        place = position(9)
        place.play(int(tree.links[child, MOVE]))
        if len(symmetries_of(place.game, place.code)) == 1:  # else a new tree would be made
            break
    visits = tree.stats[child, VISITS]
    assert engine.set_position(place) and engine.visits == visits == 1
    tree, legal = engine.core.tree, np.zeros(82, np.uint8)
    game_legal(place.game, place.code, legal)
    assert tree.links[0, COUNT] == legal.sum() and tree.links[0, SORTED] == 1
    assert tree.edge_prior[: legal.sum()].sum() == pytest.approx(1.0, abs=1e-5)
    assert engine.run(Limits(visits=40)).chosen is not None
    check_tree(engine.core.tree)
