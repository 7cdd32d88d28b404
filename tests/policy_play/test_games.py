"""Games of policies without a search, replayed move by move through `Position`, and every choice that their player makes."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.kernels import fills_eye
from goengine.board.position import Position
from goengine.dataio.records import NO_RESULT, GamePack
from goengine.policy_play.games import RULES, PolicyGameParams, PolicyGames, alternating, by_colour
from tests.policy_play.scripted import Scripted, steep

SMALL = PolicyGameParams(5, komi=0.5)


def play(terms, games, policies=None, seed=(3,), who=None, random_at=None):
    policies = policies or [Scripted(steep), Scripted()]
    return PolicyGames(terms, games).play(policies, who or by_colour(alternating(games)), seed, random_at)


def sensible(position: Position) -> list[int]:
    """What may be played, by definition."""
    moves = []
    for point in coords.points(position.size).tolist():
        if position.is_legal(point) and not fills_eye(position.game.board, point, position.to_play):
            before = position.copy()
            before.play(point)
            if before.color(point):  # else it was suicide
                moves.append(coords.to_index(point, position.size))
    return moves or [position.size**2]


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_games_are_what_the_rules_make_of_them(size):
    terms = PolicyGameParams(size, komi=0.5, longest=10.0)
    played = play(terms, 12)
    assert (~np.isnan(played.margin)).any()
    for g in range(12):
        position = Position(size, RULES.with_komi(0.5))
        for ply in range(played.length[g]):
            assert not position.is_over()
            assert int(played.moves[g, ply]) in sensible(position), f"game {g}, ply {ply}"
            position.play(coords.from_index(int(played.moves[g, ply]), size))
        if position.is_over():
            assert played.margin[g] == -position.score()
        else:
            assert np.isnan(played.margin[g]) and played.length[g] == terms.plies


def test_a_game_does_not_depend_on_its_company():
    many, few = play(SMALL, 40), play(SMALL, 4)
    assert len(set(many.length.tolist())) > 3  # they end at different times, so places were exchanged
    for one, other in zip(many, few, strict=True):
        assert np.array_equal(one[:4], other)
    again = PolicyGames(SMALL, 4)
    for _ in range(2):  # a table may be used again
        found = again.play([Scripted(steep), Scripted()], by_colour(alternating(4)), (3,))
        assert all(np.array_equal(one, other) for one, other in zip(found, few, strict=True))
    assert not np.array_equal(play(SMALL, 4, seed=(4,)).moves, few.moves)


def test_policies_move_where_they_have_the_move():
    a, b = Scripted(), Scripted(name="zero")  # each sees its own features
    play(SMALL, 6, [a, b])
    begun = dict(a.asked[:2]), dict(b.asked[:2])
    assert begun == ({0: [0, 2, 4], 1: [1, 3, 5]}, {0: [1, 3, 5], 1: [0, 2, 4]})
    assert alternating(5).tolist() == [0, 1, 0, 1, 0]


def test_moves_are_drawn_from_the_softmax():
    heights = np.log(np.arange(1, 11))
    terms = PolicyGameParams(3, temperature=0.5)
    first = play(terms, 20_000, [Scripted(lambda rows: np.tile(heights, (len(rows.legal), 1)))] * 2).moves[:, 0]
    shares = np.bincount(first, minlength=10) / 20_000
    expected = np.append(np.arange(1, 10) ** 2.0, 0) / (np.arange(1, 10) ** 2.0).sum()
    assert np.abs(shares - expected).max() < 0.01 and shares[9] == 0


def test_without_a_temperature_the_likeliest_move_is_played():
    played = play(PolicyGameParams(3, temperature=0.0), 5, [Scripted(steep)] * 2)
    assert (played.moves[:, :3] == played.moves[0, :3]).all()
    assert played.moves[0, 0] == np.argmax(np.sin(1.7 * np.arange(9)))


def test_a_game_that_becomes_too_long_has_no_result():
    terms = PolicyGameParams(5, longest=0.4)
    played = play(terms, 8)
    assert (played.length == 10).all() and np.isnan(played.margin).all() and np.isnan(played.result).all()
    assert (played.pack(terms).outcome == NO_RESULT).all()


def test_one_random_move():
    """Drawn from all legal points alike, whatever the policy says; before and after it the policy has its way."""
    corner = Scripted(lambda rows: np.eye(10)[np.zeros(len(rows.legal), int)] * 50.0)
    games = 4000
    at = np.where(np.arange(games) % 2 == 0, 0, 1)
    played = play(PolicyGameParams(3), games, [corner] * 2, random_at=at)
    assert (played.moves[1::2, 0] == 0).all()
    for start in (0, 1):
        shares = np.bincount(played.moves[start::2, start], minlength=10) / (games / 2)
        possible = 9 - start
        assert shares[9] == 0 and np.abs(shares[shares > 0] - 1 / possible).max() < 0.03 and (shares > 0).sum() == possible


def test_a_random_move_may_fill_an_eye():
    played = play(PolicyGameParams(5), 200, random_at=np.full(200, 30))
    filled = 0
    for g in range(200):
        position = Position(5, RULES.with_komi(7.5))
        for ply in range(min(played.length[g], 31)):
            index = int(played.moves[g, ply])
            filled += ply == 30 and index not in sensible(position)
            position.play(coords.from_index(index, 5))
    assert filled > 0


def test_records(tmp_path):
    terms = PolicyGameParams(5, komi=3.5)
    played = play(terms, 10)
    pack = played.pack(terms, "note")
    assert pack.fault() == "" and len(pack) == 10
    pack.save(tmp_path / "games.npz")
    again = GamePack.load(tmp_path / "games.npz")
    for g in range(10):
        record = again.game(g)
        assert [index for _, index in record.moves] == played.moves[g, : played.length[g]].tolist()
        assert [color for color, _ in record.moves[:3]] == [1, 2, 1] and record.komi == 3.5
        assert record.margin == played.margin[g] and record.outcome == played.result[g]


def test_answers_must_be_numbers():
    with pytest.raises(ValueError, match="not numbers"):
        play(SMALL, 2, [Scripted(lambda rows: np.full(rows.legal.shape, np.nan))] * 2)


@pytest.mark.parametrize("changes", [{"size": 1}, {"temperature": -1}, {"longest": 0}, {"komi": float("inf")}])
def test_terms_that_make_no_sense(changes):
    with pytest.raises(ValueError):
        PolicyGameParams(**{"size": 9, **changes})
