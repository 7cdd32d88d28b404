"""Games in lock step: who knows more wins, a game depends on its fixture alone, and failures end games, not matches."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from goengine.arena.batched_games import BatchedGames, NetQueue, NetStats
from goengine.arena.dead_stones import own_opinion
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup
from goengine.arena.live_game import LiveGame, new_seat
from goengine.arena.net_match import LockStepError, play_in_process
from goengine.arena.players import parse_player
from goengine.arena.referee import Referee
from goengine.board import coords, symmetry
from goengine.board.playout import sensible_moves
from goengine.board.rules import Rules
from goengine.evaluators.base import Evaluation, EvaluatorError, Traits
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.search.leaves import new_leaves
from goengine.search.tree import NODES, VIRTUAL

SIZE = 5
TERMS = GameSetup(SIZE, Rules(komi=0.5))
SHORT = replace(TERMS, max_plies=16)  # enough where the end does not matter
STONES_MINE, STONES_THEIRS, KOMI = 1, 2, 5  # planes and a number of the feature set `zero`


def never() -> bool:
    return False


def counts_stones(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """Whoever has more stones on the board is ahead: little, but more than nothing."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    lead = (planes[:, STONES_MINE] - planes[:, STONES_THEIRS]).sum(axis=(1, 2))
    answer.value[:] = np.tanh(0.2 * lead)
    answer.policy[:, -1] = -2.0
    return answer


def loves_losing(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """The fewer stones the better."""
    answer = counts_stones(planes, values)
    answer.value[:] *= -1
    return answer


def wavering(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """A policy that is not symmetric, so that it matters in which view a position is shown."""
    answer = counts_stones(planes, values)
    answer.policy[:, :-1] = np.linspace(0.0, 2.0, planes.shape[-1] ** 2, dtype=np.float32)
    return answer


def loves_passing(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """Nothing but a pass is worth a thought."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    answer.policy[:, -1] = 20.0
    return answer


def net(script, name: str = "scripted") -> Scripted:
    return Scripted(script, traits=Traits(name=name, features="zero"))


def fixtures(count: int, plies: int = 2) -> list[Fixture]:
    """Pairs with openings by chance."""
    points = coords.points(SIZE).tolist()
    openings = [tuple(random.Random(pair).sample(points, plies)) for pair in range((count + 1) // 2)]
    return [Fixture(n, "a" if n % 2 == 0 else "b", openings[n // 2], seed=n) for n in range(count)]


def players(text: str = "visits=16", other: str | None = None):
    return {"a": parse_player("uniform", text), "b": parse_player("uniform", text if other is None else other)}


def play(evaluators, games, terms=TERMS, settings="visits=16", other=None, stop=never, **how) -> dict[int, GameOutcome]:
    found: dict[int, GameOutcome] = {}
    stats = how.pop("stats", NetStats())

    def take(played: GameOutcome) -> None:
        assert played.fixture.number not in found
        found[played.fixture.number] = played

    how = {"games_at_once": 4} | how
    play_in_process(players(settings, other), evaluators=evaluators, stats=stats, **how)(games, terms, take, stop)
    return found


def test_who_knows_more_wins_with_both_colours():
    found = play({"a": net(counts_stones), "b": net(loves_losing)}, fixtures(6), settings="visits=30")
    assert Counter(played.fixture.black for played in found.values()) == {"a": 3, "b": 3}
    assert {(played.winner, played.reason) for played in found.values()} == {("a", "score")}


def test_games_are_legal_and_begin_with_their_opening():
    terms = replace(TERMS, rules=Rules.preset("chinese-kgs").with_komi(0.5))
    for played in play({"a": net(wavering), "b": Uniform()}, fixtures(6), terms).values():
        opening = played.fixture.opening
        assert played.moves[: len(opening)] == opening
        referee = Referee(replace(played.fixture, opening=()), terms)
        assert not any(referee.play(point) for point in played.moves)
        assert played.names == {"a": "scripted", "b": "uniform"}
        if referee.position.is_over():
            counted = referee.count(own_opinion(referee.position))
            assert played.winner == counted.winner and played.margin == counted.margin


@pytest.mark.parametrize("leaves", [1, 4])
def test_a_game_depends_on_its_fixture_alone(leaves):
    games = fixtures(4)
    nets = {"a": net(wavering, "one"), "b": net(counts_stones, "two")}
    settings = f"visits=12,temperature=0.5,temperature_plies=40,leaves={leaves}"
    expected = {number: played.moves for number, played in play(nets, games, SHORT, settings).items()}
    for order, how in ((games, {"games_at_once": 1}), (games[::-1], {"games_at_once": 3}), (games, {"groups": 2})):
        assert {number: played.moves for number, played in play(nets, order, SHORT, settings, **how).items()} == expected


def test_seed_and_number_change_a_game():
    """The same opening again: the net is seen in other views."""
    games = [Fixture(n, "a", seed=seed) for n, seed in ((0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (5, 4))]
    shared = net(wavering)
    found = play({"a": shared, "b": shared}, games, SHORT, "visits=12")
    assert len({played.moves for played in found.values()}) >= 5


def test_one_net_for_both_makes_one_batch():
    shared, stats = net(wavering), NetStats()
    found = play({"a": shared, "b": shared}, fixtures(8), SHORT, stats=stats, games_at_once=8)
    assert stats.games == 8 and stats.evaluations == shared.rows
    assert stats.visits == sum(sum(played.visits.values()) for played in found.values())
    assert stats.plies == sum(len(played.moves) - 2 for played in found.values())
    assert 0 < stats.net_seconds < stats.seconds
    assert "8 games" in stats.summary() and "%" in stats.summary()
    assert all(played.seconds["a"] > 0 and played.seconds["b"] > 0 for played in found.values())


def test_visits_count_what_a_kept_tree_has_and_playouts_do_not():
    once = play({"a": net(wavering), "b": net(wavering)}, fixtures(2), SHORT, "visits=30", "playouts=30")
    for played in once.values():
        plies = len(played.moves) - 2
        assert played.visits["a"] < 30 * (plies // 2 + 1)
        assert played.visits["b"] >= 30 * (plies // 2 - 1)


@pytest.mark.parametrize("settings", ["preset=GUMBEL,visits=20", "preset=LEE,visits=20", "visits=40,early_stop=true"])
def test_every_kind_of_search_plays(settings):
    found = play({"a": net(wavering), "b": net(counts_stones)}, fixtures(2), SHORT, settings)
    assert all(played.reason in ("score", "move limit") for played in found.values())


def test_no_nets_play_by_rollouts():
    """With the first AlphaGo's search a player without any net plays whole games, and better than one without rollouts."""
    nets = {"a": parse_player("+", "preset=LEE,rollout_weight=1,visits=60"), "b": parse_player("uniform", "visits=60")}
    found: dict[int, GameOutcome] = {}
    go = play_in_process(nets, workers=1, games_at_once=2)
    go(fixtures(4), TERMS, lambda played: found.update({played.fixture.number: played}), never)
    assert all(played.names == {"a": "+", "b": "uniform"} for played in found.values())
    assert [(played.winner, played.reason) for played in found.values()] == [("a", "score")] * 4
    assert all(played.visits["a"] >= 60 for played in found.values())


def broken_after(rows: int, how: str):
    """A net that works for a while."""
    seen = 0

    def script(planes, values):
        nonlocal seen
        seen += len(planes)
        answer = flat_evaluation(len(planes), planes.shape[-1])
        if seen <= rows:
            return answer
        if how == "raises":
            raise EvaluatorError("the net broke")
        if how == "crashes":
            raise RuntimeError("a bug of a library")
        if how == "nan":
            answer.value[-1] = np.nan
            return answer
        return answer.take(slice(0, 0))

    return net(script)


@pytest.mark.parametrize(
    ("how", "words"), [("raises", "the net broke"), ("crashes", "a bug of"), ("nan", "not a number"), ("short", "shapes")]
)
def test_a_broken_net_loses_its_games_and_the_match_goes_on(how, words):
    found = play({"a": Uniform(), "b": broken_after(100, how)}, fixtures(8), SHORT, "visits=10,leaves=2")
    assert len(found) == 8
    dead = [played for played in found.values() if played.reason == "died"]
    assert dead and all(played.winner == "a" and words in played.detail and played.counts for played in dead)
    if how != "nan":  # a row that is no number ends its own game only
        assert len(dead) >= 4


def test_nothing_is_left_under_way():
    evaluators = {"a": net(wavering), "b": broken_after(60, "nan")}
    batched = BatchedGames(
        players("visits=20,leaves=4"), {side: NetQueue(e) for side, e in evaluators.items()}, SHORT, 6, groups=2
    )
    for fixture in fixtures(6):
        batched.seat(fixture)
    games = [game for group in batched._groups for game in group.games]
    while batched.playing:
        batched.step()
    assert all(game.played is not None for game in games)
    for game in games:
        for seat in game.seats.values():
            assert seat.core.in_flight == 0
            if seat.core._origin is not None:
                assert not seat.core.tree.links[: seat.core.tree.used[NODES], VIRTUAL].any(), "a virtual loss is left"


def live_game(terms: GameSetup = TERMS, opening=()) -> LiveGame:
    fixture = Fixture(0, "a", opening)
    traits = Traits(name="uniform", features="zero")
    seats = {side: new_seat(player, traits, fixture, side) for side, player in players().items()}
    return LiveGame(fixture, terms, seats)


@pytest.mark.parametrize(
    ("values", "loser"),
    [
        ([-0.95] * 6, "a"),
        ([0.95] * 6, "b"),
        ([-0.95] * 5, None),
        ([-0.95, -0.95, -0.5, -0.95, -0.95, -0.95], None),
        ([-0.9] * 6, "a"),
        ([-0.5] + [-0.99] * 6, "a"),
    ],
)
def test_a_game_is_given_up_when_both_see_it_as_lost(values, loser):
    game = live_game(replace(TERMS, resign=-0.9))
    game._black_values.extend(values)  # the players' values by turns, for Black, who is a
    game._check_end()
    assert (game.played.winner if game.played else None) == (None if loser is None else "ba"["ab".index(loser)])
    assert game.played is None or game.played.reason == "resignation"
    keeps_on = live_game()
    keeps_on._black_values.extend(values)
    keeps_on._check_end()
    assert keeps_on.played is None, "terms without resignation"


def test_values_are_seen_from_black():
    def black_wins(planes, values):
        answer = flat_evaluation(len(planes), planes.shape[-1])
        answer.policy[:, -1] = -9.0
        answer.value[:] = np.where(values[:, KOMI] < 0, 0.9, -0.9)  # White gets the komi
        return answer

    shared = net(black_wins)
    found = play({"a": shared, "b": shared}, fixtures(4), replace(TERMS, resign=-0.5), settings="visits=4")
    for played in found.values():
        assert (played.reason, played.winner) == ("resignation", played.fixture.black)
        assert len(played.moves) == 2 + 6


def test_a_pass_that_wins_is_answered_by_a_pass():
    game = live_game(opening=(int(coords.points(SIZE)[12]),))
    assert game.to_move == "b"
    game.finish_turn()  # nothing was searched: a pass
    assert game.played is None and game._pass_wins()
    assert not game.select(new_leaves(SIZE, game.seat.core.features, 8))
    game.finish_turn()
    assert game.played.reason == "score" and game.played.winner == "a" and game.played.margin == 24.5


def test_too_long_a_game_has_no_winner():
    found = play({"a": Uniform(), "b": Uniform()}, fixtures(2), replace(TERMS, max_plies=5))
    assert Counter((played.reason, played.winner, len(played.moves)) for played in found.values()) == {("move limit", "", 5): 2}


def test_handicap_stones_stand_there():
    terms = GameSetup(9, Rules(komi=0.5), handicap=2, max_plies=4)
    games = [Fixture(n, "a" if n % 2 == 0 else "b", seed=n) for n in range(2)]
    for played in play({"a": Uniform(), "b": Uniform()}, games, terms).values():
        assert len(played.handicap_points) == 2 and len(played.moves) == 4


def test_seconds_need_a_clock():
    with pytest.raises(ValueError, match="over GTP"):
        play_in_process(players("seconds=1", "visits=10"))


@pytest.mark.parametrize("how", [{"workers": 0}, {"games_at_once": 0}])
def test_impossible_numbers(how):
    with pytest.raises(ValueError, match="at least 1"):
        play_in_process(players(), **how)


def test_it_stops_when_told():
    found: list[GameOutcome] = []
    go = play_in_process(players(), evaluators={"a": Uniform(), "b": Uniform()}, games_at_once=2)
    go(fixtures(20), SHORT, found.append, lambda: len(found) >= 3)
    assert 3 <= len(found) <= 5


def test_no_games_are_played_at_once():
    assert play({"a": Uniform(), "b": Uniform()}, []) == {}


@pytest.mark.slow
def test_processes_play_the_same_games():
    games = fixtures(8)
    expected = play({"a": Uniform(), "b": Uniform()}, games, SHORT)
    found: dict[int, GameOutcome] = {}
    stats = NetStats()
    go = play_in_process(players(), workers=2, games_at_once=4, stats=stats)
    go(games, SHORT, lambda played: found.update({played.fixture.number: played}), never)
    assert {n: played.moves for n, played in found.items()} == {n: played.moves for n, played in expected.items()}
    assert (stats.processes, stats.games) == (2, 8)


@pytest.mark.slow
def test_a_process_that_fails_says_why(tmp_path):
    missing = tmp_path / "net.xml"
    missing.write_text("")
    nets = {"a": parse_player(str(missing)), "b": parse_player("uniform")}
    with pytest.raises(EvaluatorError, match=r"net\.xml"):
        play_in_process(nets, workers=2)(fixtures(4), TERMS, lambda played: None, never)
    bad = [Fixture(n, "a", (int(coords.points(SIZE)[0]),) * 2) for n in range(4)]  # an opening that plays one point twice
    with pytest.raises(LockStepError, match="IllegalMove"):
        play_in_process(players(), workers=2)(bad, TERMS, lambda played: None, never)


# ------------------------------------------------------------------- without a search


def replayed(game: GameOutcome):
    """(position, point played in it) for each move after the opening."""
    referee = Referee(game.fixture, TERMS)
    for point in game.moves[len(game.fixture.opening) :]:
        yield referee.position, point
        referee.play(point)


def sensible(position) -> np.ndarray:
    mask = np.zeros(SIZE * SIZE + 1, np.uint8)
    sensible_moves(position.game, position.code, mask)
    return mask


def likes_passes_and_eyes(planes: np.ndarray, values: np.ndarray) -> Evaluation:
    """What a net may come to that knows no end: it would pass at once, and fill what is its own."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    answer.policy[:, -1] = 9.0
    answer.policy[:, :-1] = (planes[:, STONES_MINE] + planes[:, STONES_THEIRS]).reshape(len(planes), -1)
    return answer


def test_raw_players_play_on_while_there_are_sensible_moves():
    evaluators = {side: net(likes_passes_and_eyes) for side in ("a", "b")}
    raw = "raw=true,temperature=1,temperature_final=1"
    for game in play(evaluators, fixtures(6), settings=raw).values():
        assert game.reason == "score"
        for position, point in replayed(game):
            passed = position.moves[-1][1] == coords.PASS
            assert sensible(position)[coords.to_index(point, SIZE)] or (point == coords.PASS and passed)


def test_raw_players_follow_their_policy():
    """At no temperature the likeliest sensible move, at one what the softmax draws; a game depends on its fixture alone."""
    evaluators = {side: net(wavering) for side in ("a", "b")}
    games = play(evaluators, fixtures(4), settings="raw=true", other="raw=true,temperature=1,temperature_final=1")
    followed = Counter()
    for game in games.values():
        for position, point in replayed(game):
            side = game.fixture.side(position.to_play == 1)
            legal = sensible(position)[:-1]
            if legal.any():  # the net sees the board turned, in a way of the position's own
                favourites = {int(np.argmax(_ramp(legal, s))) for s in range(symmetry.COUNT)}
                followed[side, coords.to_index(point, SIZE) in favourites] += 1
    assert followed["a", False] == 0 and followed["a", True] > 20 and followed["b", False] > 10
    again = play(
        evaluators, fixtures(4), settings="raw=true", other="raw=true,temperature=1,temperature_final=1", games_at_once=1
    )
    assert {n: game.moves for n, game in games.items()} == {n: game.moves for n, game in again.items()}


def _ramp(legal: np.ndarray, s: int) -> np.ndarray:
    """What `wavering` says of the sensible moves when it sees the board through symmetry s."""
    return np.where(legal > 0, symmetry.flat(np.linspace(0.0, 2.0, SIZE**2, dtype=np.float32), symmetry.inverse(s)), -1.0)


def test_dead_stones_come_off_where_players_agree_about_them():
    """Under Japanese rules both nets pass at once beside a stone that cannot live."""
    walls = [f"{column}{row}" for row in range(1, 10) for column in "EF"] + ["J5", "H5"]
    opening = tuple(coords.from_gtp(vertex, 9) for vertex in walls)
    terms = replace(TERMS, size=9, rules=Rules.preset("japanese").with_komi(0.5))
    games = [Fixture(0, "a", opening), Fixture(1, "b", opening)]
    for played in play({"a": net(loves_passing), "b": net(loves_passing)}, games, terms).values():
        # Black has 36 points. White has 26 with that of the dead stone, the prisoner, and komi.
        assert (played.reason, played.margin) == ("score", 36 - 26 - 1 - 0.5)
        assert "1 dead stones" in played.detail
