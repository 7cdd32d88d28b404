"""Clocks: what texts mean, when a flag falls, and what programs are told."""

import pytest

from goengine.arena.timing import MatchClock, TimeControl


@pytest.mark.parametrize(
    "text, commands",
    [
        ("main=60", ["kata-time_settings absolute 60", "kgs-time_settings absolute 60", "time_settings 60 0 0"]),
        (
            "main=60 byo=5x10",
            ["kata-time_settings byoyomi 60 10 5", "kgs-time_settings byoyomi 60 10 5", "time_settings 60 10 1"],
        ),
        (
            "main=0 canadian=25/300",
            ["kata-time_settings canadian 0 300 25", "kgs-time_settings canadian 0 300 25", "time_settings 0 300 25"],
        ),
        ("main=60 inc=2.5", ["kata-time_settings fischer 60 2.5", "time_settings 60 0 0"]),
        ("move=5 grace=0.1", ["time_settings 0 5 1"]),
        (
            "move=0.5",
            ["kata-time_settings byoyomi 0 0.5 1", "kgs-time_settings byoyomi 0 0.5 1", "time_settings 0 1 1"],
        ),
    ],
)
def test_texts_and_commands(text, commands):
    control = TimeControl.parse(text)
    assert control.text == text and TimeControl.parse(control.text) == control
    assert control.commands() == commands


@pytest.mark.parametrize(
    "text",
    ["", "5", "main", "main=x", "main=-5", "main=0", "byo=5", "byo=0x5", "byo=5x0", "move=0", "move=1 main=5", "main=nan"]
    + ["inc=5", "main=1 byo=1x1 canadian=1/1", "speed=3", "main=5 grace=-1", "byo=1x2x3"],
)
def test_nonsense_is_refused(text):
    with pytest.raises(ValueError, match="makes no sense"):
        TimeControl.parse(text)


@pytest.mark.parametrize(
    "text, moves, left",
    [
        ("main=10 grace=0", [4, 5, 0.9], (0.1, 0)),
        ("main=10 inc=2 grace=0", [4, 5, 1], (6, 0)),
        ("main=3 byo=3x10 grace=0", [2, 12, 9.9], (10, 2)),
        ("byo=3x10 grace=0", [29.9, 9.9], (10, 1)),
        ("main=3 canadian=2/10 grace=0", [5, 7.5], (10, 2)),
        ("main=3 canadian=3/10 grace=0", [5, 3], (5, 1)),
        ("main=3 canadian=3/10 grace=0", [2.5], (10, 3)),  # what is left of main time is less than GTP can say
        ("byo=5x0.5 grace=0", [0.2], (0.5, 5)),
        ("move=5 grace=0", [5, 5, 5], None),
    ],
)
def test_moves_in_time(text, moves, left):
    clock = MatchClock(TimeControl.parse(text))
    assert all(clock.spend("a", seconds) for seconds in moves)
    assert clock.time_left("a") == (left and (pytest.approx(left[0]), left[1]))
    assert clock.longest("a") is not None


@pytest.mark.parametrize(
    "text, moves",
    [
        ("main=10 grace=0", [4, 6.1]),
        ("main=10 inc=2 grace=0.5", [4, 5, 5.6]),
        ("main=3 byo=3x10 grace=0", [33.1]),
        ("byo=3x10 grace=0", [25, 10.1]),
        ("main=3 canadian=2/10 grace=0", [5, 8.1]),
        ("move=5 grace=0.5", [5.4, 5.6]),
    ],
)
def test_the_flag_falls_at_the_last_move(text, moves):
    clock = MatchClock(TimeControl.parse(text))
    assert [clock.spend("b", seconds) for seconds in moves] == [True] * (len(moves) - 1) + [False]
    assert clock.left["a"] == MatchClock(clock.control).left["a"]


def test_without_a_control_nothing_is_too_slow():
    clock = MatchClock(None)
    assert clock.spend("a", 1e9) and clock.longest("a") is None and clock.time_left("a") is None
