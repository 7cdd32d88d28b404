"""The clock: tables of settings and what a move gets; and games in which every move takes all it may, plus lag."""

import random

import pytest

from goengine.board.state import BLACK, WHITE
from goengine.search.clock import KINDS, Clock, TimeSettings, from_gtp, from_words, moves_to_come
from goengine.search.params import Limits

# main, period, stones of `time_settings` -> kind
GTP = [
    ((0, 1, 0), "none"),
    ((300, 30, 0), "none"),
    ((0, 0, 0), "absolute"),
    ((300, 0, 0), "absolute"),
    ((300, 0, 5), "absolute"),
    ((0, 30, 1), "canadian"),
    ((300, 30, 25), "canadian"),
]

# words, ply, size -> normal, longest (seconds; lag is 0.5)
ALLOTMENTS = [
    ("none", 0, 19, None, None),
    ("absolute 0", 0, 19, 0.0, 0.0),
    ("absolute 0.4", 0, 19, 0.0, 0.0),
    ("absolute 126.5", 0, 19, 1.0, 4.0),
    ("absolute 40.5", 400, 19, 1.0, 4.0),
    ("absolute 12.5", 200, 9, 1.0, 3.0),
    ("byoyomi 0 10 5", 0, 19, 9.5, 9.5),
    ("byoyomi 0 1 5", 0, 19, 0.75, 0.75),
    ("byoyomi 1260 5 1", 0, 19, 10.0, 40.0),
    ("byoyomi 10 30 1", 0, 19, 29.5, 39.0),
    ("canadian 0 25.5 25", 0, 19, 1.0, 4.0),
    ("canadian 0 5.5 1", 0, 19, 5.0, 5.0),
    ("canadian 1260 25.5 25", 0, 19, 10.0, 40.0),
    ("fischer 126.5 5", 0, 19, 5.0, 20.0),
    ("fischer 1.5 10", 0, 19, 1.0, 1.0),
    ("fischer-capped 126.5 5 -1 -1", 0, 19, 5.0, 20.0),
    ("fischer-capped 126.5 5 -1 3.5", 0, 19, 3.0, 3.0),
    ("fischer-capped 30 20 30 -1", 0, 19, 20.0, 20.0),
]

BAD = [
    "",
    "hourglass 3",
    "absolute",
    "byoyomi 1 2",
    "fischer a b",
    "canadian 1 10 0",
    "absolute -5",
    "byoyomi 1 1 inf",
    "absolute nan",
]


@pytest.mark.parametrize(("numbers", "kind"), GTP)
def test_time_settings(numbers, kind):
    assert from_gtp(*numbers).kind == kind


@pytest.mark.parametrize(("words", "ply", "size", "normal", "longest"), ALLOTMENTS)
def test_allotment(words, ply, size, normal, longest):
    time = Clock(from_words(words.split()), lag=0.5).allot(BLACK, ply, size)
    if normal is None:
        assert time.normal is None and time.longest is None
    else:
        assert time.normal == pytest.approx(normal, rel=0.01) and time.longest == pytest.approx(longest, rel=0.01)


@pytest.mark.parametrize("words", BAD)
def test_settings_that_make_no_sense(words):
    with pytest.raises(ValueError):
        from_words(words.split())


def test_kinds_are_all_parsed():
    for kind, numbers in zip(KINDS, ("", "9", "9 3 2", "9 3 2", "9 3", "9 3 20 5"), strict=True):
        assert from_words([kind, *numbers.split()]).kind == kind


def test_the_controller_overwrites_our_count():
    clock = Clock(from_gtp(300, 30, 10))
    clock.spend(BLACK, 50)
    assert clock.left[BLACK].main == 250 and clock.left[WHITE].main == 300
    clock.time_left(BLACK, 17, 3)
    assert (clock.left[BLACK].main, clock.left[BLACK].period, clock.left[BLACK].stones) == (0, 17, 3)
    clock.time_left(WHITE, -5, 0)
    assert clock.left[WHITE].main == 0
    clock.restart()
    assert clock.left[BLACK].main == 300


# settings, seconds spent move by move -> (main, period, stones) left
SPENT = [
    ("absolute 10", [3, 4], (3, 0, 1)),
    ("byoyomi 10 5 3", [8, 4], (0, 5, 3)),
    ("byoyomi 0 5 3", [4.9, 5.5, 4], (0, 5, 2)),
    ("canadian 10 6 2", [8, 4], (0, 4, 1)),
    ("canadian 0 6 2", [1, 2], (0, 6, 2)),
    ("fischer 10 5", [8, 1], (11, 0, 1)),
    ("fischer-capped 10 5 12 -1", [1, 1], (12, 0, 1)),
]


@pytest.mark.parametrize(("words", "spent", "left"), SPENT)
def test_spending(words, spent, left):
    clock = Clock(from_words(words.split()))
    for seconds in spent:
        clock.spend(WHITE, seconds)
    now = clock.left[WHITE]
    assert (now.main, now.period, now.stones) == pytest.approx(left)


@pytest.mark.parametrize(
    "words",
    ["absolute 60", "byoyomi 20 3 1", "byoyomi 0 2 1", "canadian 10 20 10", "canadian 0 4 1", "fischer 10 2",
     "fischer-capped 20 3 25 6"],
)  # fmt: skip
@pytest.mark.parametrize("told", [True, False])
def test_time_never_loses(words, told):
    """Moves take up to the longest allotment and 0.2 s of lag; a referee of its own counts."""
    settings = from_words(words.split())
    clock, draw = Clock(settings), random.Random(words)
    main, period, stones = settings.main, settings.period, settings.stones
    for ply in range(0, 500, 2):
        time = clock.allot(BLACK, ply, 19)
        thought = draw.uniform(0.5, 1.0) * time.longest
        if time.longest > 0:
            taken = thought + draw.uniform(0, min(0.2, 0.2 * time.longest))
        else:
            taken = 0.0  # a move at once
        assert taken <= settings.move_limit
        over = max(0.0, taken - main)
        main = max(0.0, main - taken)
        if settings.kind.startswith("fischer"):
            assert over == 0
            main = min(main + settings.increment, settings.main_limit)
        elif settings.kind == "absolute":
            assert over == 0
        elif main == 0:
            assert over <= period
            if settings.kind == "canadian":
                period, stones = period - over, stones - 1
                if stones == 0:
                    period, stones = settings.period, settings.stones
        clock.spend(BLACK, taken)
        if told:
            clock.time_left(BLACK, main or period, 0 if main else stones)


def test_limits_for_a_search():
    limits = Clock(from_words(["absolute", "100"])).limits(BLACK, 10, 9, visits=50)
    assert limits.visits == 50 and limits.early_stop and limits.max_seconds > limits.seconds > 0
    free = Clock(TimeSettings()).limits(BLACK, 0, 19)
    assert free.seconds is None and not free.early_stop


# settings, what the controller says, whether a quick move saves time
SAVES = [
    ("none", None, False),
    ("absolute 60", None, True),
    ("fischer 60 5", None, True),
    ("byoyomi 60 5 3", None, True),
    ("byoyomi 60 5 3", (4, 2), False),
    ("byoyomi 0 5 3", None, False),
    ("canadian 0 30 10", None, True),
    ("canadian 60 30 10", (20, 1), False),
    ("canadian 0 1 1", None, False),
]


@pytest.mark.parametrize(("words", "told", "saves"), SAVES)
def test_an_early_stop_only_where_it_saves_time(words, told, saves):
    clock = Clock(from_words(words.split()))
    if told:
        clock.time_left(BLACK, *told)
    assert clock.limits(BLACK, 30, 9).early_stop == saves


def test_less_time():
    limits = Limits(visits=7, seconds=1.0, max_seconds=3.0).less(0.75)
    assert (limits.visits, limits.seconds, limits.max_seconds) == (7, 0.25, 2.25)
    assert Limits(seconds=1.0).less(2.0) == Limits(seconds=0.0)
    assert Limits(visits=3).less(1.0) == Limits(visits=3)


def test_moves_to_come_falls_and_stays_positive():
    for size in (2, 9, 19, 25):
        counts = [moves_to_come(ply, size) for ply in range(0, 2 * size * size, 2)]
        assert counts == sorted(counts, reverse=True) and counts[-1] >= 4
