"""A real client: the protocol library of Sabaki, run by node.

It is used where `npm install @sabaki/gtp` was done in the project's folder, or in the folder that NODE_PATH names.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from gtp_support import ROOT, SERVER

SCRIPT = Path(__file__).with_name("sabaki_client.js")
NODE = shutil.which("node")


def _modules():
    """Folders in which the library may be."""
    return [Path(p) for p in os.environ.get("NODE_PATH", "").split(os.pathsep) if p] + [ROOT / "node_modules"]


FOLDER = next((folder for folder in _modules() if (folder / "@sabaki" / "gtp").is_dir()), None)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(FOLDER is None, reason="@sabaki/gtp is not installed: npm install @sabaki/gtp, or set NODE_PATH")
def test_sabaki():
    done = subprocess.run(
        [NODE, str(SCRIPT), *SERVER, "--visits", "60"],
        capture_output=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "NODE_PATH": str(FOLDER)},
    )
    assert done.returncode == 0, done.stderr.decode()
    seen = json.loads(done.stdout)
    assert (seen["name"], seen["protocol"], seen["answer"], seen["problems"]) == ("Goengine", "2", "2", [])
    assert {"genmove_analyze", "analyze", "kata-analyze", "lz-analyze", "set_free_handicap", "undo"} <= set(seen["commands"])
    assert "kgs-chat" not in seen["commands"] and "rectangular_boardsize" not in seen["commands"]
    assert not seen["genmoveError"]
    assert re.fullmatch(r"play (?:[A-HJ-N]\d+|pass)", [line for line in seen["generated"] if line][-1])
    for line in (line for line in seen["generated"] + seen["reports"] if line.startswith("info ")):
        assert re.search(r" winrate \d\.\d+ ", line) and re.search(r" pv (?:[A-HJ-N]\d+|pass)", line)
    assert sum(line.startswith("info ") for line in seen["reports"]) >= 3
    assert seen["wrong"]["error"] and seen["wrong"]["content"].startswith("illegal move")
    assert seen["state"]["boardsize"] == [13, 13] and len(seen["state"]["history"]) == 3
