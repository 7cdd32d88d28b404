"""The command: where it listens, how it ends, and what it does where there is no browser."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from goengine.web import command
from goengine.web.web_options import WebOptions
from tests.processes import wait_for

pytest.importorskip("uvicorn")

PATIENCE = 120  # seconds: a busy machine is no fault of the server


def children(pid) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def lives(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_server_and_engine_with_a_page_open(started, number):
    process, address = started()
    sync = pytest.importorskip("websockets.sync.client")
    with sync.connect(address.replace("http", "ws") + "live", origin=address.rstrip("/"), open_timeout=PATIENCE) as page:
        assert json.loads(page.recv(timeout=PATIENCE))["type"] == "status"
        (engine,) = children(process.pid)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert not lives(engine)


def test_an_engine_whose_server_was_killed_ends(started):
    process, _ = started()
    wait_for(lambda: children(process.pid))
    (engine,) = children(process.pid)
    process.kill()
    wait_for(lambda: not lives(engine))


def test_it_listens_on_the_loopback_only(started):
    _, address = started()
    port = int(address.rstrip("/").rpartition(":")[2])
    assert json.load(urllib.request.urlopen(address + "info", timeout=PATIENCE))["version"]
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(5)
        other.connect(("127.0.0.2", port))


def test_a_message_beyond_all_bounds_ends_that_connection_only(started):
    _, address = started()
    sync = pytest.importorskip("websockets.sync.client")
    exceptions = pytest.importorskip("websockets.exceptions")
    with sync.connect(address.replace("http", "ws") + "live", origin=address.rstrip("/"), open_timeout=PATIENCE) as page:
        page.recv(timeout=PATIENCE)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            page.send("x" * 3_000_000)
            while True:
                page.recv(timeout=PATIENCE)
        assert closed.value.rcvd.code == 1009
    assert urllib.request.urlopen(address, timeout=PATIENCE).status == 200


def test_a_port_that_is_taken_is_named(started, capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command.main(["--port", str(port), "--no-browser"]) == 2
    assert f"port {port}" in capfd.readouterr().err


def test_a_net_that_does_not_exist_is_named(capfd):
    assert command.main(["--net", "nonsense", "--no-browser"]) == 2
    assert "no net named 'nonsense'" in capfd.readouterr().err
    assert command._unknown_net("lee") == command._unknown_net(__file__) == command._unknown_net(None) == ""


def test_without_a_name_the_next_free_port_is_taken():
    with command._listen(None) as one, command._listen(None) as two:
        assert one.getsockname()[0] == two.getsockname()[0] == "127.0.0.1"
        assert one.getsockname()[1] < two.getsockname()[1]


def test_without_a_screen_there_is_no_browser(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not command.has_browser()


def test_without_a_browser_make_play_is_the_terminal_game(monkeypatch, capsys):
    from goengine.terminal import play

    asked = []
    monkeypatch.setattr(command, "has_browser", lambda: False)
    monkeypatch.setattr(play, "main", lambda words: asked.append(words) or 0)
    assert command.main(["--or-terminal", "--net", "uniform"]) == 0
    assert asked == [["--net", "uniform"]]
    assert "no browser" in capsys.readouterr().err


def test_the_page_is_served_without_its_extra_explained(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert command.main(["--no-browser"]) == 2
    assert "pip install 'goengine[web]'" in capsys.readouterr().err


def test_the_defaults_listen_on_no_named_port():
    assert WebOptions().port is None
