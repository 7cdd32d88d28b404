"""The progress line: what it says without a terminal."""

import io

import pytest

from goengine.core import progress
from goengine.core.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_come_every_few_seconds(clock):
    stream = io.StringIO()
    with Progress("job", 100, every=10.0, stream=stream) as bar:
        for done in range(0, 50, 5):
            bar.update(done, f"at {done}")
            clock[0] += 4
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3 and lines[-1].endswith("at 45")
    assert lines[0].startswith("job   15.0 %  12s gone, 1m08s left")


def test_time_left_does_not_count_what_an_earlier_process_did(clock):
    stream = io.StringIO()
    with Progress("job", 1.0, every=10.0, stream=stream) as bar:
        bar.update(0.5)
        clock[0] += 20
        bar.update(0.75)
    assert "75.0 %  20s gone, 20s left" in stream.getvalue()


def test_unknown_end(clock):
    stream = io.StringIO()
    with Progress("job", stream=stream) as bar:
        bar.update(7, "games")
    assert stream.getvalue() == "job  7  games\n"


def test_messages_stay():
    stream = io.StringIO()
    with Progress("job", 10, stream=stream) as bar:
        bar.message("[not markup] saved")
    assert "[not markup] saved\n" in stream.getvalue()


def test_the_bar_of_a_terminal_goes_to_stderr(capsys):
    with Progress("job", 10, bar=True) as bar:
        bar.update(5, "half")
        bar.message("[kept]")
    printed = capsys.readouterr()
    assert printed.out == "" and "[kept]" in printed.err
