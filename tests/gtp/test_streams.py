"""The reader thread and the loop, over pipes: order, looking ahead, long lines, clients that go away."""

import os
import time

import pytest

from goengine.gtp.protocol import CommandTable, GtpQuit, Protocol, Stream
from goengine.gtp.streams import CLOSING_GAP, MAX_LINE, LineReader, Output, serve


class Pipe:
    """A pipe whose write end a test holds and whose read end a `LineReader` has."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        self.reader = LineReader(self.read_end)

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.write_end, view) :]

    def close(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1


@pytest.fixture
def pipe():
    pipe = Pipe()
    yield pipe
    pipe.close()


def wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def test_lines_in_order_and_end(pipe):
    pipe.send(b"one\ntw")
    pipe.send(b"o\r\n\nlast")
    pipe.close()
    lines = []
    while (line := pipe.reader.take()) is not None:
        lines.append(line.content)
    assert lines == [b"one", b"two\r", b"", b"last"]
    assert pipe.reader.pending(), "the end of the input ends an analysis, too"


def test_an_empty_line_is_pending(pipe):
    assert not pipe.reader.pending()
    pipe.send(b"\n")
    wait_for(pipe.reader.pending)
    pipe.reader.wait()
    assert pipe.reader.take().content == b"" and not pipe.reader.pending()


def test_interrupt_reaches_the_running_command_only(pipe):
    pipe.send(b"genmove b\n")
    pipe.reader.take()
    assert not pipe.reader.abandoned()
    pipe.send(b" # interrupt\r\n")
    wait_for(pipe.reader.abandoned)
    pipe.send(b"genmove w\n")
    pipe.reader.take()
    pipe.reader.take()
    assert not pipe.reader.abandoned(), "a later command runs in full"


def test_quit_in_a_script_does_not_hurry_the_commands_before_it(pipe):
    pipe.send(b"genmove b\n3 quit\n")
    pipe.close()
    pipe.reader.take()
    time.sleep(0.05)
    assert not pipe.reader.abandoned()


@pytest.mark.parametrize("ending", [b"3 quit\n", b"quit\n", None])
def test_a_client_that_leaves_hurries_the_running_command(pipe, ending):
    pipe.send(b"genmove b\n")
    pipe.reader.take()
    time.sleep(CLOSING_GAP + 0.05)
    assert not pipe.reader.abandoned()
    pipe.close() if ending is None else pipe.send(ending)
    wait_for(pipe.reader.abandoned)


def test_the_word_quit_elsewhere_means_nothing(pipe):
    pipe.send(b"genmove b\n")
    pipe.reader.take()
    time.sleep(CLOSING_GAP + 0.05)
    pipe.send(b"known_command quit\n# quit\n")
    wait_for(pipe.reader.pending)
    time.sleep(0.02)
    assert not pipe.reader.abandoned()


def test_a_line_too_long_is_dropped_and_named():
    pipe, out = Pipe(), os.pipe()
    table = CommandTable()
    table.register("name", "test")(lambda words: "x" * len(words))
    import threading

    sender = threading.Thread(target=lambda: (pipe.send(b"name " + b"a" * (5 * MAX_LINE) + b"\nname\n"), pipe.close()))
    sender.start()
    serve(Protocol(table, lambda c: c.handler, print), pipe.reader, Output(out[1]))
    sender.join()
    text = os.read(out[0], 1 << 16).decode()
    assert text == f"? syntax error: a line may have at most {MAX_LINE} bytes\n\n= \n\n"


def test_loop_writes_streams_and_stops_at_quit(pipe):
    out = os.pipe()
    table = CommandTable()

    @table.register("flow", "test")
    def flow(words):
        def run(emit):
            emit("info a")
            emit("info b")

        return Stream(run)

    @table.register("quit", "test")
    def leave(words):
        raise GtpQuit()

    pipe.send(b"4 flow\n\n5 quit\nflow\n")
    idle_calls = []
    serve(Protocol(table, lambda c: c.handler, print), pipe.reader, Output(out[1]), idle=lambda: idle_calls.append(1))
    assert os.read(out[0], 1 << 16) == b"=4\ninfo a\ninfo b\n\n=5 \n\n"


def test_a_client_that_has_gone_ends_the_loop_quietly(pipe):
    out = os.pipe()
    os.close(out[0])
    output = Output(out[1])
    table = CommandTable()
    table.register("name", "test")(lambda words: "x")
    pipe.send(b"name\nname\n")
    serve(Protocol(table, lambda c: c.handler, print), pipe.reader, output)
    assert output.closed
