"""The server: addresses, what it refuses, and the engine behind it, which really runs."""

import base64
import json
import os
import re
import signal

import pytest

pytest.importorskip("httpx")
pytest.importorskip("starlette")

import anyio
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from goengine.web.app import make_app
from goengine.web.guard import MAX_BODY
from goengine.web.hub import MOST_CLIENTS
from goengine.web.kept import MOST_TABS, Kept
from goengine.web.requests import MAX_MESSAGE
from goengine.web.web_options import WebOptions
from tests.vision.boards import chess, draw, encoded

PORT = 8519
HERE = f"http://127.0.0.1:{PORT}"
OURS = {"origin": HERE}
GAME = {"size": 9, "moves": [["B", "E5"]]}


@pytest.fixture(scope="module")
def server():
    """The application; an engine that was killed is started again without a pause."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goengine.core.restarts.LONGEST_PAUSE", 0.0)
        with TestClient(make_app(WebOptions(net="uniform", threads=1), PORT), base_url=HERE) as client:
            yield client


def hub_of(server):
    return server.app._app.state.hub


def live(server, origin=HERE):
    return server.websocket_connect(f"ws://127.0.0.1:{PORT}/live", headers={} if origin is None else {"origin": origin})


def answer(socket, id):
    """The last answer to a request, and how many came before it."""
    count = 0
    while True:
        message = socket.receive_json()
        if message["id"] == id and message["type"] != "status":
            if message["final"]:
                return message, count
            count += 1


def ask(socket, id="q", **request):
    socket.send_json({"id": id, "net": "uniform", **request})
    return answer(socket, id)


# -- pages and files --


def test_the_page_and_its_files_are_served_with_a_strict_policy(server):
    for path in ("/", "/static/app.js", "/static/app.css", "/info"):
        response = server.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
    assert server.get("/static/../app.py").status_code == 404
    assert server.get("/static/%2e%2e/app.py").status_code == 404


def test_the_page_asks_nobody_else(server):
    page = server.get("/").text + server.get("/static/app.css").text
    assert not re.search(r"(?:src|href|url|@import)\W*(?:https?:)?//", page)
    assert "<script>" not in page and "style=" not in page


def test_info_names_nets_that_play_alone_and_rules(server):
    info = server.get("/info").json()
    names = [net["name"] for net in info["nets"]]
    assert names[0] == "" and "uniform" in names and "rollout" not in names and "lee-value" not in names
    assert info["rules"]["japanese"] == {"komi": 6.5, "ko": "simple", "suicide": False, "sgf": "Japanese"}


@pytest.mark.parametrize(
    "host", ["example.org", f"example.org:{PORT}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.nip.io:{PORT}", ""]
)
def test_other_hosts_are_refused(server, host):
    assert server.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://example.org", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:1", ""])
def test_other_origins_are_refused(server, origin):
    assert server.get("/info", headers={"origin": origin}).status_code == 403
    assert server.put("/kept/tab-00001", content="x", headers={"origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect), live(server, origin):
        pass


def test_who_changes_something_must_name_its_origin(server):
    assert server.put("/kept/tab-00001", content="x").status_code == 403
    with pytest.raises(WebSocketDisconnect), live(server, None):
        pass


# -- kept games --


def test_a_kept_game_comes_back(server):
    assert server.get("/kept/tab-00001").status_code == 204
    assert server.put("/kept/tab-00001", content='{"sgf": "(;)"}', headers=OURS).status_code == 204
    assert server.get("/kept/tab-00001").json() == {"sgf": "(;)"}
    assert server.get("/kept/tab-00002").status_code == 204


@pytest.mark.parametrize("tab", ["short", "x" * 41, "UPPERCASE", "tab-0000%0a"])
def test_names_of_tabs_are_checked(server, tab):
    assert server.put(f"/kept/{tab}", content="x", headers=OURS).status_code == 400


def test_bodies_that_are_too_long_are_refused(server):
    assert server.put("/kept/tab-00003", content=b"x" * MAX_BODY, headers=OURS).status_code == 204
    assert server.put("/kept/tab-00003", content=b"x" * (MAX_BODY + 1), headers=OURS).status_code == 413
    pieces = (b"x" * 1_000_000 for _ in range(6))  # without a length
    assert server.put("/kept/tab-00003", content=pieces, headers=OURS).status_code == 413
    assert server.post("/info", content=b"x" * (MAX_BODY + 1), headers=OURS).status_code == 413


def test_kept_games_are_bounded():
    kept = Kept()
    for number in range(MOST_TABS + 5):
        kept.put(f"tab-{number:05}", b"x")
    assert kept.get("tab-00004") is None and kept.get("tab-00005") == b"x"
    for number in range(20):
        kept.put(f"long-{number:05}", bytes(MAX_BODY))
    assert kept.get("long-00005") is None and kept.get("long-00019") is not None


# -- the engine --


def test_a_move_a_count_an_analysis_and_a_review(server):
    with live(server) as socket:
        move, _ = ask(socket, type="move", game=GAME, color="W", visits=4)
        assert move["type"] == "move" and move["move"] != "pass" and 0 <= move["winrate"] <= 1
        analysis, _ = ask(socket, type="analyze", game=GAME, visits=20)
        assert analysis["visits"] == 20
        assert len(analysis["policy"]) == 82 and len(analysis["ownership"]) == 81
        assert 0 < analysis["moves"][0]["visits"] < 20 and analysis["moves"][0]["pv"]
        review, before = ask(socket, type="review", game={"size": 9, "moves": [["B", "E5"], ["W", "C3"]]}, visits=4)
        assert (before, review["type"], review["figures"]["B"]["all"]["moves"]) == (3, "reviewed", 1)


def test_dead_stones_are_counted_as_they_are_told(server):
    wall = [f"D{row}" for row in range(1, 10)], [f"E{row}" for row in range(1, 10)]
    game = {"size": 9, "komi": 0.5, "black": wall[0], "white": [*wall[1], "A1"], "first": "B", "moves": []}
    with live(server) as socket:
        found, _ = ask(socket, type="count", game=game)
        assert found["dead"] == ["A1"] and found["result"] == "W+9.5"
        alive, _ = ask(socket, type="count", game=game, dead=[])
        assert alive["dead"] == [] and alive["result"] != found["result"]
        wrong, _ = ask(socket, type="count", game=game, dead=["B2"])
        assert wrong["type"] == "error" and "B2" in wrong["error"]


def test_what_is_malformed_is_answered_and_others_go_on(server):
    with live(server) as socket, live(server) as other:
        for text in ("nonsense", "[]", "{}", '{"id": "x"}', '{"id": "x", "type": "move"}', "\x00", "[" * 50_000):
            socket.send_text(text)
        socket.send_bytes(b"\xff\xfe")
        errors = [message for message in (socket.receive_json() for _ in range(9)) if message["type"] == "error"]
        assert len(errors) == 8
        wrong, _ = ask(socket, type="analyze", game={"size": 9, "moves": [["B", "E5"], ["W", "E5"]]}, visits=5)
        assert "E5" in wrong["error"]
        wrong, _ = ask(socket, type="analyze", game={"size": 9, "black": ["A1"], "white": ["A2", "B1"], "moves": []}, visits=5)
        assert "no stone can stand on B1" in wrong["error"]
        wrong, _ = ask(socket, type="analyze", game=GAME, visits=5, net="../../etc/passwd")
        assert "there is no net" in wrong["error"]
        assert ask(socket, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"
        assert ask(other, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"


def test_a_message_that_is_too_long_ends_the_connection_with_a_reason(server):
    with live(server) as socket:
        socket.send_text("x" * (MAX_MESSAGE + 1))
        assert "bytes" in last_error(socket)


def test_a_flood_gets_one_error_and_others_go_on(server):
    with live(server) as socket, live(server) as other:
        for _ in range(400):
            socket.send_text('{"id": "x", "type": "cancel"}')
        assert "too many messages" in last_error(socket)
        assert ask(other, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"


def last_error(socket):
    errors = []
    with pytest.raises(WebSocketDisconnect):
        while True:
            message = socket.receive_json()
            errors += [message["error"]] if message["type"] == "error" else []
    (error,) = errors
    return error


def test_too_many_pages_are_refused(server):
    hub = hub_of(server)
    clients = [hub.join() for _ in range(MOST_CLIENTS - len(hub._clients))]
    try:
        with live(server) as socket:
            assert "too many pages" in last_error(socket)
    finally:
        for client in clients:
            hub.leave(client)


def test_a_new_question_takes_the_place_of_the_old_one(server):
    with live(server) as socket:
        for number in range(20):
            socket.send_json({"id": f"a{number}", "type": "analyze", "net": "uniform", "game": GAME, "visits": 90_000})
        final, _ = ask(socket, "last", type="analyze", game=GAME, visits=5)
        assert final["visits"] == 5
        assert len(hub_of(server)._pending) == 0


def test_a_move_goes_before_analyses_of_others(server):
    with live(server) as one, live(server) as two:
        one.send_json({"id": "a", "type": "analyze", "net": "uniform", "game": GAME, "visits": 100_000})
        while one.receive_json()["type"] != "analysis":
            pass
        assert ask(two, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"
        one.send_json({"id": "a", "type": "cancel"})


def test_what_was_asked_when_the_engine_died_is_asked_again(server):
    with live(server) as socket:
        ask(socket, type="move", game=GAME, color="W", visits=2)
        socket.send_json({"id": "long", "type": "analyze", "net": "uniform", "game": GAME, "visits": 100_000})
        while socket.receive_json()["type"] != "analysis":
            pass
        os.kill(hub_of(server).engine.pid, signal.SIGKILL)
        states = []
        while True:
            message = socket.receive_json()
            if message["type"] == "status":
                states.append(message["engine"])
            elif states == ["restarting", "ready"]:
                break
        assert message["id"] == "long" and message["type"] == "analysis"
        socket.send_json({"id": "long", "type": "cancel"})
        assert ask(socket, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"


def test_what_kills_the_engine_twice_is_given_up(server):
    with live(server) as socket, live(server) as other:
        socket.send_json({"id": "long", "type": "analyze", "net": "uniform", "game": GAME, "visits": 100_000})
        for _ in range(2):
            while (message := socket.receive_json())["type"] != "analysis":
                assert message["type"] == "status", message
            os.kill(hub_of(server).engine.pid, signal.SIGKILL)
        assert "ended twice" in answer(socket, "long")[0]["error"]
        assert ask(other, type="move", game=GAME, color="W", visits=2)[0]["type"] == "move"


def test_messages_are_json_objects_with_an_id(server):
    with live(server) as socket:
        assert set(json.loads(socket.receive_text())) >= {"type", "id", "engine", "text"}


def test_pictures_are_read(server):
    rows = ["........."] * 4 + ["..XO....."] + ["........."] * 4
    picture = draw(rows, 30)
    answer = server.post("/picture", content=encoded(picture), headers=OURS)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["width"], told["height"]) == picture.size and told["boards"][0]["stones"] == rows
    text = b"data:image/png;base64," + base64.b64encode(encoded(picture))
    assert server.post("/picture", content=text, headers=OURS).json()["boards"][0]["stones"] == rows


PICTURES = [
    (b"", "is empty"),
    (b"hello", "no picture"),
    (encoded(chess()), "shows no Go board"),
    (encoded(chess())[:400], "cut off"),
]


@pytest.mark.parametrize("data, reason", PICTURES, ids=["empty", "text", "chess", "half"])
def test_bad_pictures_are_refused(server, data, reason):
    answer = server.post("/picture", content=data, headers=OURS)
    assert answer.status_code == 422 and reason in answer.json()["error"]


def test_pictures_come_from_the_page_only_and_are_not_too_long(server):
    assert server.post("/picture", content=b"x").status_code == 403
    assert server.post("/picture", content=bytes(MAX_BODY + 1), headers=OURS).status_code == 413
    assert server.get("/picture", headers=OURS).status_code == 405


def test_not_too_many_pictures_wait():
    """Of a crowd some are told to come again; later all are served."""
    from goengine.web.pictures import MOST_WAITING, Pictures

    async def crowd():
        pictures, answers = Pictures(1), []

        async def one():
            answers.append((await pictures.answer(b"hello")).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(MOST_WAITING + 3):
                group.start_soon(one)
        return answers, (await pictures.answer(b"hello")).status_code

    answers, after = anyio.run(crowd)
    assert sorted(answers) == [422] * MOST_WAITING + [429] * 3 and after == 422
