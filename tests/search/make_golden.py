"""Remakes the golden trees: `python -m tests.search.make_golden`. Look at the difference before committing it.

A golden tree is what a preset made of a position with a scripted evaluator: the root's moves with visits and value, and the
principal variation. It notices every change of behaviour, wanted or not.
"""

import json
from pathlib import Path

from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.search.params import PRESETS
from tests.search.helpers import names, noisy, position, search

FILE = Path(__file__).parent / "golden.json"
POSITIONS = {
    "empty 5x5": lambda: position(5),
    "fight 5x5": lambda: position(5, "C3 C4 D4 B3 B2 C2"),
    "ko 4x4": lambda: Position.from_diagram(". X O . \n X O . O \n . X O . \n . . . .", Rules.preset("chinese")),
}
VISITS = 200


def trees() -> dict[str, dict]:
    """All golden trees by name."""
    made = {}
    for place, make in POSITIONS.items():
        for preset, params in PRESETS.items():
            _, result = search(make(), noisy(11, score=True), VISITS, params.with_(leaves=2), seed=5)
            made[f"{place}, {preset}"] = {
                "chosen": names([result.chosen], make().size)[0],
                "value": round(result.value, 4),
                "pv": " ".join(names(result.moves[0].pv, make().size)),
                "moves": {names([m.point], make().size)[0]: [m.visits, round(m.value, 4)] for m in result.moves},
            }
    return made


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(tree)}" for name, tree in trees().items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
