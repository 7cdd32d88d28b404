"""What a page may ask: every wrong field is named."""

import json

import pytest

from goengine.web.requests import (
    AnalyzeRequest,
    CancelRequest,
    CountRequest,
    MoveRequest,
    RequestError,
    read_message,
)

GAME = {"size": 9, "rules": "japanese", "komi": 6.5, "moves": [["B", "E5"], ["W", "pass"]]}
MOVE = {"id": "m1", "type": "move", "game": GAME, "color": "B", "level": 3}


def read(**changes):
    data = {**MOVE, **changes}
    return read_message(json.dumps({key: value for key, value in data.items() if value is not ...}))


def test_a_move_is_read():
    id, kind, request = read(clock={"kind": "fischer", "main": 60, "increment": 5, "left_main": 12.5})
    assert (id, kind) == ("m1", "move")
    assert isinstance(request, MoveRequest)
    assert request.game.moves == (("B", "E5"), ("W", "pass"))
    assert (request.level, request.visits, request.clock.left_main) == (3, None, 12.5)


def test_a_rank_is_read():
    assert read()[2].rank == ""
    assert read(rank="12k", level=...)[2].rank == "12k"


def test_the_other_requests_are_read():
    analyze = read_message(json.dumps({"id": "a", "type": "analyze", "game": GAME, "visits": 10}))[2]
    assert isinstance(analyze, AnalyzeRequest) and analyze.visits == 10
    count = read_message(json.dumps({"id": "c", "type": "count", "game": GAME, "dead": ["E5"]}))[2]
    assert isinstance(count, CountRequest) and count.dead == ("E5",)
    assert isinstance(read_message(b'{"id": "c", "type": "cancel"}')[2], CancelRequest)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": ...}, "'id'"),
        ({"id": 7}, "'id'"),
        ({"id": "x" * 41}, "'id'"),
        ({"id": "<b>"}, "'id'"),
        ({"type": "dance"}, "unknown type 'dance'"),
        ({"type": ["move"]}, "'type'"),
        ({"game": ...}, "lacks 'game'"),
        ({"game": []}, "'game' must be an object"),
        ({"rank": "30k?", "level": 20}, "'rank': rank '30k?'"),
        ({"rank": "1p", "level": 20}, "a professional's"),
        ({"rank": "NR", "level": 20}, "'rank': rank 'nr'"),
        ({"rank": 5, "level": 20}, "'rank' must be a text"),
        ({"rank": "12k"}, "'rank' 12k and 'level' 3 exclude each other"),
        ({"game": {**GAME, "size": 26}}, "'size'"),
        ({"game": {**GAME, "size": True}}, "'size'"),
        ({"game": {**GAME, "size": 9.0}}, "'size'"),
        ({"game": {**GAME, "komi": float("nan")}}, "'komi'"),
        ({"game": {**GAME, "komi": "6.5"}}, "'komi'"),
        ({"game": {**GAME, "komi": 1e308}}, "'komi'"),
        ({"game": {**GAME, "rules": "x" * 101}}, "'rules'"),
        ({"game": {**GAME, "moves": [["B", "K5"]]}}, "K5 is not on a 9x9 board"),
        ({"game": {**GAME, "moves": [["B", "I5"]]}}, "'I5' is no vertex"),
        ({"game": {**GAME, "moves": [["B", "E05"]]}}, "'E05' is no vertex"),
        ({"game": {**GAME, "moves": [["G", "E5"]]}}, "a move must be"),
        ({"game": {**GAME, "moves": [["B"]]}}, "a move must be"),
        ({"game": {**GAME, "moves": "E5"}}, "'moves'"),
        ({"game": {**GAME, "moves": [["B", "pass"]] * 10_001}}, "'moves'"),
        ({"game": {**GAME, "black": ["E5"] * 82}}, "'black'"),
        ({"game": {**GAME, "unknown": 1}}, "unknown field 'unknown'"),
        ({"color": "black"}, "'color'"),
        ({"color": {"B": 1}}, "'color'"),
        ({"level": 0}, "'level'"),
        ({"visits": 10**9}, "'visits'"),
        ({"time": -1}, "'time'"),
        ({"clock": {"kind": "sand"}}, "'kind'"),
        ({"clock": {"stones": 0}}, "'stones'"),
        ({"more": 1}, "unknown field 'more'"),
    ],
)
def test_what_is_wrong_is_named(changes, named):
    with pytest.raises(RequestError, match=r".") as caught:
        read(**changes)
    assert named in str(caught.value)


@pytest.mark.parametrize("text", ["", "move", "[1]", "null", "[" * 100_000, "\ud800", b"\xff\xfe", "9" * 5000])
def test_what_is_no_object_is_an_error(text):
    with pytest.raises(RequestError):
        read_message(text)


def test_an_error_says_for_which_request():
    with pytest.raises(RequestError) as caught:
        read(level=99)
    assert caught.value.id == "m1"
