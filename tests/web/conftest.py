"""A server that runs as users start it, and a browser that looks at its page."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import hearing_interrupts

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def started():
    """A function that starts `goengine web` and gives its process and address; all end with the test."""
    processes = []

    def start(*words, port=None, **settings):
        port = port or free_port()
        command = [sys.executable, "-m", "goengine.cli", "web", "--no-browser", "--port", str(port), "--threads", "1", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        running = hearing_interrupts(command, env=environment, stdout=subprocess.PIPE, text=True, **settings)
        process = running.__enter__()
        processes.append(running)
        line = process.stdout.readline()
        assert f"http://127.0.0.1:{port}/" in line
        return process, f"http://127.0.0.1:{port}/"

    yield start
    for running in processes:
        running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def address():
    """Of one server for all tests of a module, whose engine searches without a net."""
    pytest.importorskip("uvicorn")
    port = free_port()
    command = [sys.executable, "-m", "goengine.cli", "web", "--no-browser", "--port", str(port), "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*command, "--net", "uniform"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    """Chromium; its own sandbox needs rights that a container may not give, and it sees our pages only."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as run:
        opened = run.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, address):
    """A page that has opened; it asks nobody but its server, and no error reaches its console."""
    from tests.web.page_support import open_page

    context = browser.new_context(viewport={"width": 1100, "height": 800}, accept_downloads=True)
    opened = open_page(context, address)
    yield opened
    assert opened.problems == []
    context.close()
