"""The server as a process: its output byte by byte, analysis that any input ends, clients that leave, fuzz, start-up."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress

import pytest
from gtp_support import ROOT, SERVER

# A strict reader of analysis lines, after Sabaki's: one value per key, floats with a dot, `pv` and what it lists at the end.
VERTEX = r"(?:[A-HJ-Z][0-9]{1,2}|pass)"
FLOAT = r"-?[0-9]+\.[0-9]+"
KATA = re.compile(
    rf"move {VERTEX} visits \d+ edgeVisits \d+ utility {FLOAT} winrate {FLOAT} scoreMean {FLOAT} scoreStdev {FLOAT} "
    rf"scoreLead {FLOAT} scoreSelfplay {FLOAT} prior {FLOAT} lcb {FLOAT} utilityLcb {FLOAT} weight {FLOAT} "
    rf"(?:isSymmetryOf {VERTEX} )?order \d+ pv {VERTEX}(?: {VERTEX})*"
)
LZ = re.compile(rf"move {VERTEX} visits \d+ winrate -?\d+ prior \d+ lcb -?\d+ order \d+ pv {VERTEX}(?: {VERTEX})*")


SOON = 10.0  # seconds: at once, on a busy machine too; what is to be cut short here would take a minute or for ever
ENDINGS = ["blank", "name", "comment", "quit", "EOF"]
SCRIPT = b"""1 boardsize 9
2 genmove b
3 genmove_analyze w 100000
4 undo
5 kata-search_analyze w
6 cgos-genmove_analyze w
7 quit"""


class Server:
    """A server process whose output a thread collects with the time of each line."""

    def __init__(self, *extra):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([*SERVER, *extra], cwd=ROOT, **pipes)
        self.lines = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append((time.monotonic(), line))
                self.changed.notify_all()
        with self.changed:
            self.lines.append((time.monotonic(), None))
            self.changed.notify_all()

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def until(self, condition, seconds=60.0):
        """The time of the first line that meets the condition; its place is remembered for the next call."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for i, (moment, line) in enumerate(self.lines):
                    if condition(line):
                        del self.lines[: i + 1]
                        return moment
                left = end - time.monotonic()
                assert left > 0, f"waited in vain; there is {[line for _, line in self.lines][-5:]}"
                self.changed.wait(left)

    def ready(self):
        """Wait until the engine is loaded."""
        self.send(b"boardsize 9\n")
        self.until(lambda line: line == b"= \n")
        self.until(lambda line: line == b"\n")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):
                stream.close()


@pytest.fixture
def server():
    server = Server("--visits", "50")
    yield server
    server.end()


def blocks(output):
    """Whole output -> responses; asserts its form: nothing before `=` or `?`, one empty line after each, no stray byte."""
    text = output.decode("ascii")
    assert all(c == "\n" or " " <= c <= "~" for c in text)
    if not text:
        return []
    assert text.endswith("\n\n")
    parts = text[:-2].split("\n\n")
    assert all(part[:1] in ("=", "?") for part in parts), parts
    return parts


def run(data, *extra, timeout=120):
    done = subprocess.run([*SERVER, *extra], input=data, capture_output=True, timeout=timeout, cwd=ROOT)
    assert done.returncode == 0
    return blocks(done.stdout)


@pytest.mark.parametrize("command, form", [(b"kata-analyze b 5", KATA), (b"lz-analyze 5", LZ), (b"analyze w interval 5", KATA)])
@pytest.mark.parametrize("ending", [b"\n", b"name\n", b"# interrupt\n", b"quit\n", None], ids=ENDINGS)
def test_analysis_ends_at_any_input(server, command, form, ending):
    server.ready()
    server.send(b"7 " + command + b"\n")
    server.until(lambda line: line == b"=7\n")
    collected = []

    def third_report(line):
        collected.append(line)
        return len(set(collected)) >= 3

    server.until(lambda line: line is not None and line.startswith(b"info") and third_report(line))
    sent = time.monotonic()
    server.send(ending) if ending is not None else server.process.stdin.close()
    blank = server.until(lambda line: collected.append(line) or line == b"\n")
    assert blank - sent < SOON
    for line in collected[:-1]:
        for segment in line.decode().strip().split("info ")[1:]:
            assert form.fullmatch(segment.strip()), segment
    if ending == b"name\n":
        server.until(lambda line: line == b"= Goengine\n")
    if ending in (b"quit\n", None):
        assert server.process.wait(SOON) == 0


def test_interrupt_ends_a_move_search_and_only_that(server):
    server.ready()
    server.send(b"kata-set-param visits none\nkata-set-param time 60\n1 genmove b\n")
    time.sleep(0.5)
    sent = time.monotonic()
    server.send(b"# interrupt\n")
    moment = server.until(lambda line: line is not None and line.startswith(b"=1 "))
    assert moment - sent < SOON
    server.send(b"kata-set-param time 0.3\n2 genmove w\n")
    assert server.until(lambda line: line is not None and line.startswith(b"=2 ")) - moment >= 0.25


@pytest.mark.parametrize("how", ["quit", "EOF", "SIGTERM"])
def test_leaving_in_the_middle_of_a_search(server, how):
    server.ready()
    server.send(b"kata-set-param visits none\nkata-set-param time 60\n")
    server.send(b"genmove b\n")
    time.sleep(0.6)
    if how == "quit":
        server.send(b"quit\n")
    elif how == "EOF":
        server.process.stdin.close()
    else:
        server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(SOON) == 0


def test_a_client_that_stops_reading_ends_the_server_quietly():
    process = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    process.stdout.close()
    try:
        process.stdin.write(b"name\nname\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    assert process.wait(10) == 0
    assert process.stderr.read() == b""
    process.stdin.close()
    process.stderr.close()


def test_scripts_are_answered_in_full_and_in_order():
    parts = run(SCRIPT, "--visits", "40")
    assert [part[:2] for part in parts] == ["=1", "=2", "=3", "=4", "=5", "=6", "=7"]
    assert re.fullmatch(rf"=2 {VERTEX}", parts[1])
    for part in (parts[2], parts[4]):
        head, *reports, last = part.split("\n")
        assert reports and all(report.startswith("info move ") for report in reports) and re.fullmatch(rf"play {VERTEX}", last)
    head, report, last = parts[5].split("\n")
    assert head == "=6" and last.startswith("play ")
    fields = json.loads(report)
    assert set(fields) == {"winrate", "score", "visits", "moves", "ownership"} and len(fields["ownership"]) == 81


def test_crlf_and_tabs():
    assert run(b"1\tname\r\n2 boardsize\t9\r\n\r\n3 play\tb\td4\r\n4 quit\r\n") == ["=1 Goengine", "=2 ", "=3 ", "=4 "]


@pytest.mark.parametrize("nets", ["+", "uniform+"])
def test_the_first_alphago_s_search_plays_for_both_colours(nets):
    """Every move is legal; without a net it plays by rollouts and the tree policy alone."""
    from goengine.board import coords
    from goengine.board.position import Position

    words = ("--generation", "lee", "--net", nets, "--boardsize", "5", "--visits", "40")
    parts = run(b"genmove b\ngenmove w\n" * 4 + b"showboard\nquit\n", *words)
    position = Position(5)
    for part in parts[:8]:
        move = re.fullmatch(rf"= ({VERTEX})", part)
        assert move, part
        position.play(coords.from_gtp(move[1], 5))  # raises IllegalMove if it is not
    assert len(position.moves) == 8 and not position.is_empty and parts[0] != "= pass"
    assert parts[8].startswith("= ") and parts[9] == "= "


def test_ten_thousand_pipelined_commands():
    source = random.Random(2)
    ids = [source.choice((None, i, source.randrange(2**31))) for i in range(10_000)]
    commands = (b"name", b"play b c3", b"undo", b"komi 6.5", b"foo")
    lines = [b"boardsize 9\n"]
    lines += [(b"" if i is None else b"%d " % i) + source.choice(commands) + b"\n" for i in ids]
    parts = run(b"".join(lines))
    assert len(parts) == 10_001
    for i, part in zip(ids, parts[1:], strict=True):
        assert re.match(rf"[=?]{'' if i is None else i} ", part + " ")


def test_random_bytes():
    source = random.Random(3)
    lines = [bytes(source.randrange(256) for _ in range(source.randrange(60))) for _ in range(2000)]
    words = b"""play genmove b w D4 pass undo kata-set-rules { 9 -1 final_status_list 1e99 set_free_handicap loadsgf
        kata-get-param gg-undo boardsize nan \xff kata-raw-nn time_settings kata-time_settings byoyomi time_left""".split()
    lines += [b" ".join(source.choices(words, k=source.randrange(1, 6))) for _ in range(1500)]
    lines = [line for line in lines if b"quit" not in line]
    parts = run(b"boardsize 5\n" + b"\n".join(lines) + b"\n99 name\nquit\n", "--visits", "2")
    assert parts[-2] == "=99 Goengine"
    assert not any("internal error" in part for part in parts)


def test_a_very_long_line():
    parts = run(b"name " + b"x" * (8 << 20) + b"\nname\nquit\n")
    assert parts[0].startswith("? syntax error") and parts[1:] == ["= Goengine", "= "]


def test_start_up():
    """The first answers do not wait for numba and the net. The bound is generous, as the machine may be busy."""
    best = 9.0
    for _ in range(3):
        start = time.monotonic()
        server = Server()
        server.send(b"name\n")
        best = min(best, server.until(lambda line: line == b"= Goengine\n") - start)
        server.end()
    assert best < 2.0, f"name was answered after {best:.2f} s"


def test_stderr_cannot_be_mistaken_for_answers():
    """Lizzie reads both streams as one."""
    command = [part for part in SERVER if part != "--quiet"]
    script = b"boardsize 9\ngenmove b\nkata-analyze\n\ncgos-opponent_name info -> x\nquit\n"
    done = subprocess.run([*command, "--visits", "30"], input=script, capture_output=True, timeout=120, cwd=ROOT)
    assert done.stderr and b" -> " not in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith((b"=", b"?", b"info", b"play"))]


def test_log(tmp_path):
    run(b"boardsize 9\nplay b D4\nquit\n", "--log", str(tmp_path / "gtp.log"))
    text = (tmp_path / "gtp.log").read_text()
    assert "<< play b D4" in text and ">> = " in text


def test_bad_options_are_named():
    done = subprocess.run([*SERVER, "--boardsize", "99"], capture_output=True, timeout=60, cwd=ROOT)
    assert done.returncode == 2 and b"boardsize" in done.stderr and not done.stdout


def test_a_missing_net_is_named_and_the_rest_works():
    command = [*SERVER[:2], "--net", "no-such-net"]
    done = subprocess.run(command, input=b"name\ngenmove b\nquit\n", capture_output=True, timeout=60, cwd=ROOT)
    parts = blocks(done.stdout)
    assert parts[0] == "= Goengine" and parts[1].startswith("? the engine could not be loaded: ") and "no-such-net" in parts[1]
    assert b"no-such-net" in done.stderr


IMPOSSIBLE = [("--rules", "chess"), ("--level", "21"), ("--komi", "nan"), ("--log", "/no/such/folder/x"), ("--threads", "-1"),
              ("--seed", "-1"), ("--search", "cpuct=nan"), ("--search", "cpuct=-1"), ("--time", "inf"),
              ("--visits", "0")]  # fmt: skip


@pytest.mark.parametrize("option, value", IMPOSSIBLE)
def test_impossible_options_end_with_their_name(option, value):
    done = subprocess.run([*SERVER, option, value], capture_output=True, timeout=60, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and option.encode() in done.stderr and not done.stdout


def cpu_seconds(server):
    """What the server says that it has used."""
    server.send(b"1 cputime\n")
    found = []
    server.until(lambda line: line is not None and line.startswith(b"=1 ") and (found.append(line) or True))
    return float(found[0].split()[1])


def test_pondering_gives_way_to_commands_and_is_off_by_default():
    for extra in ((), ("--ponder",)):
        server = Server("--visits", "20", *extra)
        server.ready()
        server.send(b"genmove b\n")
        server.until(lambda line: line is not None and line.startswith(b"= ") and len(line) > 4)
        before = cpu_seconds(server)
        used, deadline = 0.0, time.monotonic() + (60 if extra else 1.5)
        while time.monotonic() < deadline and used < 0.5:  # a busy machine gives a ponderer its half second late
            time.sleep(0.5)
            used = cpu_seconds(server) - before
        assert (used >= 0.5) == bool(extra)
        sent = time.monotonic()
        server.send(b"name\n")
        assert server.until(lambda line: line == b"= Goengine\n") - sent < SOON
        server.send(b"genmove w\nquit\n")
        assert server.process.wait(10) == 0
        server.end()


def test_nobody_needs_to_read_stderr():
    """A client that never does so must not find the server waiting on a full pipe."""
    command = [part for part in SERVER if part != "--quiet"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        process.stdin.write(b"".join(b"cgos-opponent_rating %s\n" % (b"x" * 500) for _ in range(1000)) + b"quit\n")
        process.stdin.close()
        assert blocks(process.stdout.read()) == ["= "] * 1001
        assert process.wait(SOON) == 0


@pytest.mark.parametrize(
    "closed, name", [("<&-", b"standard input"), (">&-", b"standard output"), ("<&- >&-", b"must not be closed")]
)
def test_closed_streams_are_named(closed, name):
    for program in ('"$0" "$1"', '"$0" -m goengine.cli gtp'):
        command = ["sh", "-c", f"{program} --net uniform {closed}", *SERVER[:2]]
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 1 and name in done.stderr and b"Traceback" not in done.stderr


def test_a_closed_stderr_does_not_matter():
    command = ["sh", "-c", '"$0" "$1" --net uniform 2>&-', *SERVER[:2]]
    done = subprocess.run(command, cwd=ROOT, input=b"boardsize 9\nreg_genmove b\n", stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 0 and blocks(done.stdout)[1].startswith("= ")


@pytest.mark.skipif(os.name != "posix", reason="the system does not tell when a reader closes")
@pytest.mark.parametrize(
    "command", [b"kata-analyze b 100", b"kata-analyze b 1000000", b"kata-genmove_analyze b 1000000", b"name"]
)
def test_a_client_that_closes_our_output_ends_the_server(command):
    """While its own end of our input stays open, and although nothing may be written for long."""
    read, write = os.pipe()
    words = [*SERVER, "--visits", "1000000000"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=write, stderr=subprocess.DEVNULL) as process:
        os.close(write)
        process.stdin.write(b"boardsize 9\n" + command + b"\n")
        process.stdin.flush()
        got = b""
        while not got.endswith((b"=\n", b"Goengine\n\n")):
            got += os.read(read, 1000)
        os.close(read)
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
