"""`goengine analysis` as a process: its command line, the ends of its input and of its reader, and real clients.

analyze-sgf is used where npm has put it into the project's folder or into one that NODE_PATH names; KaTrain where the Python
that KATRAIN_PYTHON names has it, or this one.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goengine.analysis.analysis_options import as_ours
from goengine.analysis.command import READY

ROOT = Path(__file__).resolve().parents[2]
ENGINE = [sys.executable, "-m", "goengine.cli", "analysis", "-model", "uniform"]
QUERY = {"id": "a", "moves": [], "rules": "chinese", "komi": 7, "boardXSize": 5, "boardYSize": 5, "maxVisits": 20}


def started(*words, **how):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*ENGINE, *words], cwd=ROOT, text=True, **(pipes | how))


def lines(*queries):
    return "".join((q if isinstance(q, str) else json.dumps(q)) + "\n" for q in queries)


def test_the_end_of_the_input_waits_for_all_answers():
    with started() as process:
        asked = [QUERY | {"id": str(number), "maxVisits": 300} for number in range(30)]
        out, err = process.communicate(lines(*asked, "nonsense", "", {"id": "v", "action": "query_version"}), timeout=300)
    answers = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0 and READY in err
    assert sorted(data["id"] for data in answers if "rootInfo" in data) == sorted(data["id"] for data in asked)
    assert len(answers) == 32 and sum("error" in data for data in answers) == 1


def test_the_end_of_the_input_without_waiting():
    with started("-quit-without-waiting") as process:
        process.stdin.write(lines(QUERY | {"maxVisits": 10**9}, {"id": "v", "action": "query_version"}))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "v"
        out, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and out == ""


def test_a_client_that_goes_away_ends_the_process():
    with started() as process:
        process.stdin.write(lines(QUERY | {"maxVisits": 10**9}, {"id": "v", "action": "query_version"}))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0


def test_a_client_that_writes_all_before_it_reads():
    """Far more answers than a pipe holds; nothing is lost."""
    asked = [QUERY | {"id": str(number), "includePolicy": True, "maxVisits": 5} for number in range(800)]
    with started() as process:
        process.stdin.write(lines(*asked))
        process.stdin.close()
        got = [json.loads(line)["id"] for line in process.stdout]
        assert process.wait(60) == 0
    assert sorted(got, key=int) == [data["id"] for data in asked]


def test_what_the_command_line_cannot_use_is_explained(tmp_path):
    config = tmp_path / "analysis.cfg"
    config.write_text("# remark\nreportAnalysisWinratesAs = WHITE  # whose\nmaxVisits = 7\nlogDir = logs\n")
    words = ["-config", str(config), "-override-config", "maxVisits=9", "-human-model", "h.bin.gz", "-analysis-threads", "3"]
    with started(*words, "-model", "katago.bin.gz", "-override-config", "homeDataDir=x") as process:
        out, err = process.communicate(lines({key: QUERY[key] for key in QUERY if key != "maxVisits"}), timeout=300)
    assert json.loads(out)["rootInfo"]["visits"] == 9
    said = [line for line in err.splitlines() if "compil" not in line]
    assert any("homeDataDir, logDir" in line for line in said) and any("-human-model" in line for line in said)
    assert any("katago.bin.gz" in line for line in said) and any("WHITE" in line for line in said)


@pytest.mark.parametrize(
    "words", [["-override-config", "maxVisits=many"], ["-model", "nothing-there"], ["-analysis-threads", "0"]]
)
def test_what_cannot_be_meant_ends_the_start(words):
    with started(*words) as process:
        _, err = process.communicate("", timeout=300)
    assert process.returncode in (1, 2) and len(err.splitlines()[-1]) < 400 and "Traceback" not in err


def test_spellings():
    assert as_ours(["-model", "m", "-config=c", "-override-config", "a=1", "--threads", "2", "-override-config", "b=2"]) == [
        *("--model", "m", "--katago-config=c", "--threads", "2", "--override-config=a=1,b=2"),
    ]


# -- real clients --

NODE = shutil.which("node")
_FOLDERS = [Path(p) for p in os.environ.get("NODE_PATH", "").split(os.pathsep) if p] + [ROOT / "node_modules"]
ANALYZE_SGF = next((script for folder in _FOLDERS if (script := folder / "analyze-sgf/src/index.js").is_file()), None)
KATRAIN = os.environ.get("KATRAIN_PYTHON", sys.executable)
GAME = "(;GM[1]FF[4]SZ[9]KM[7.5]PB[a]PW[b];B[ee];W[cc];B[aa];W[gg];B[cg];W[dd])"


@pytest.mark.skipif(NODE is None or ANALYZE_SGF is None, reason="node or analyze-sgf is not installed")
def test_analyze_sgf(tmp_path):
    (tmp_path / "game.sgf").write_text(GAME)
    home = os.environ.get("HOME", "")
    arguments = "-m goengine.cli analysis -override-config reportAnalysisWinratesAs=BLACK"
    katago = f"path:\"env HOME='{home}' PYTHONPATH='{ROOT}' '{sys.executable}'\",arguments:\"{arguments}\""
    done = subprocess.run(
        [NODE, str(ANALYZE_SGF), "-s", "-k", katago, "-a", "maxVisits:30,boardXSize:9,boardYSize:9", "game.sgf"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "game-analyzed.sgf").read_text()
    assert written.count("(;") > 1 and "Win rate" in written


KATRAIN_CLIENT = r"""
import json, sys, time
from katrain.core.constants import OUTPUT_ERROR
from katrain.core.engine import KataGoEngine
from katrain.core.game_node import GameNode
from katrain.core.sgf_parser import Move

problems, found = [], {}

class App:
    update_state = None
    def log(self, message, level=0):
        if level == OUTPUT_ERROR:
            problems.append(str(message))
    def __call__(self, *arguments):
        problems.append(str(arguments))

config = {"altcommand": sys.argv[1], "max_visits": 40, "fast_visits": 15, "max_time": 60.0, "_enable_ownership": True,
          "wide_root_noise": 0.02, "allow_recovery": False}
engine = KataGoEngine(App(), config)
node = GameNode(properties={"SZ": "9", "KM": "6.5", "RU": "japanese"})
nodes = [node]
for player, vertex in (("B", "E5"), ("W", "C7"), ("B", "G3")):
    node = node.play(Move.from_gtp(vertex, player=player))
    nodes.append(node)
for number, one in enumerate(nodes):
    one.analyze(engine, priority=-number, analyze_fast=number < 2)
nodes[-1].analyze(engine, find_alternatives=False, region_of_interest=[0, 3, 0, 3], visits=20)
end = time.time() + 400
while not (engine.is_idle() and all(one.analysis_complete for one in nodes)) and time.time() < end:
    time.sleep(0.05)
engine.shutdown(finish=None)
print(json.dumps({
    "problems": problems,
    "visits": [one.analysis["root"]["visits"] for one in nodes],
    "black": [one.analysis["root"]["winrate"] for one in nodes],
    "moves": [len(one.analysis["moves"]) for one in nodes],
    "policy": [len(one.analysis["policy"]) for one in nodes],
    "candidates": [move["move"] for move in nodes[-1].candidate_moves],
    "ownership": [len(one.analysis["ownership"] or ()) for one in nodes],
}))
"""


def _has_katrain() -> bool:
    words = [KATRAIN, "-c", "import importlib.util as u, sys; sys.exit(not (u.find_spec('katrain') and u.find_spec('kivy')))"]
    return subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.skipif(not _has_katrain(), reason="KaTrain is not installed; KATRAIN_PYTHON may name a Python that has it")
def test_katrain(tmp_path):
    """KaTrain's own engine class and nodes, without its window."""
    home = os.environ.get("HOME", "")
    engine = f"env HOME='{home}' PYTHONPATH='{ROOT}' '{sys.executable}' -m goengine.cli analysis"
    quiet = {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1", "KIVY_HOME": str(tmp_path)}
    done = subprocess.run(
        [KATRAIN, "-c", KATRAIN_CLIENT, engine],
        cwd=tmp_path,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["problems"] == [] and all(visits >= 15 for visits in seen["visits"])
    assert all(0 <= chance <= 1 for chance in seen["black"]) and min(seen["moves"]) >= 1
    assert seen["policy"] == [82] * 4 and seen["ownership"] == [81] * 4 and seen["candidates"]
