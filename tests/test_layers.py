"""Imports run one way. Each package may import only the layers named here, and torch lives in few places."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# part of the tree: the parts that it may import (besides itself), lowest first
BASE = {
    "goengine",
    "goengine.board.coords",
    "goengine.core.figures",
    "goengine.core.files",
    "goengine.core.jit",
    "goengine.core.options",
    "goengine.core.progress",
    "goengine.board.rules",
    "goengine.core.stopping",
}
BOARD = BASE | {"goengine.board"}
NETS = {"goengine", "goengine.core.array_file", "goengine.core.files", "goengine.core.openvino_import"}
MAY_IMPORT = {
    "goengine.core.files": {"goengine"},
    "goengine.core.array_file": {"goengine", "goengine.core.files"},
    "goengine.board": BASE,
    "goengine.features": BOARD,
    "goengine.board.symmetry": BASE,
    "goengine.patterns": BOARD | {"goengine.core.array_file"},
    "goengine.dataio.records": BOARD | {"goengine.core.array_file"},
    "goengine.dataio.sgf": BOARD | {"goengine.dataio.records", "goengine.dataio.sgf_values"},
    "goengine.zero": BOARD | {"goengine.core.array_file", "goengine.dataio.records", "goengine.dataio.sgf"},
    "goengine.nets": NETS,
    "goengine.evaluators": BOARD | NETS | {"goengine.features", "goengine.nets", "goengine.board.symmetry"},
    "goengine.search": BOARD
    | {
        "goengine.core.array_file",
        "goengine.features",
        "goengine.evaluators.base",
        "goengine.evaluators.uniform",
        "goengine.patterns",
        "goengine.board.symmetry",
    },
    "goengine.policy_play": BOARD | {"goengine.features", "goengine.dataio.records", "goengine.search"},
    "goengine.arena": BOARD
    | {
        "goengine.player.endgame",
        "goengine.player.engine",
        "goengine.evaluators",
        "goengine.features",
        "goengine.gtp.controller",
        "goengine.board.handicap",
        "goengine.core.machine",
        "goengine.policy_play",
        "goengine.dataio.records",
        "goengine.search",
        "goengine.dataio.sgf",
        "goengine.board.symmetry",
        "goengine.core.tables",
        "goengine.player.territory",
    },
    "training": BOARD
    | NETS
    | {
        "goengine.core.machine",
        "goengine.core.tables",
        "goengine.features",
        "goengine.nets",
        "goengine.patterns",
        "goengine.dataio.records",
        "goengine.dataio.sgf",
        "goengine.board.symmetry",
        "goengine.evaluators",
        "goengine.arena",
        "goengine.policy_play",
        "goengine.zero",
    },
    "selfplay": BOARD
    | {
        "goengine.core.array_file",
        "goengine.evaluators",
        "goengine.features",
        "goengine.core.machine",
        "goengine.dataio.records",
        "goengine.search",
        "goengine.dataio.sgf",
        "goengine.board.symmetry",
        "goengine.core.tables",
        "goengine.zero",
    },
}
# What stands above the player: programs that people start. Nothing may know them but each other, and who is allowed to above.
COMMANDS = ("arena.match_command", "arena.tournament_command", "nets_command")
TOP = (*COMMANDS, "gtp", "cli", "play", "terminal_game", "bench", "doctor", "warmup")
TORCH = ("goengine.nets", "goengine.evaluators.network", "training")


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted([*ROOT.glob("goengine/**/*.py"), *ROOT.glob("training/**/*.py"), *ROOT.glob("selfplay/**/*.py")]):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found.append((name, path))
    return found


def imports(path: Path, top_only: bool = False) -> set[str]:
    """Full names of what a file imports; with ``top_only`` only what importing the file itself imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def inside(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_run_one_way(name, path):
    part = next((part for part in MAY_IMPORT if inside(name, part)), None)
    ours = {used for used in imports(path) if used.split(".")[0] in ("goengine", "training", "selfplay")}
    below = MAY_IMPORT.get(part, set()) - {"goengine"}
    if part is not None:
        allowed = below | {part}
        upward = {used for used in ours if not any(inside(used, layer) for layer in allowed) and used != "goengine.__version__"}
        # `from goengine import coords` reads as goengine.board.coords
        assert not upward, f"{name} reaches up to {sorted(upward)}"
    if not any(inside(name, f"goengine.{top}") for top in TOP):
        above = {used for used in ours if not any(inside(used, layer) for layer in below)}
        assert not any(inside(used, f"goengine.{top}") for used in above for top in TOP), f"{name} knows what stands above it"
    assert not any(inside(used, f"goengine.{command}") for used in ours for command in COMMANDS), f"{name} imports a command"
    if not inside(name, "training"):
        assert not any(inside(used, "training") for used in ours), f"{name} imports training"
    if not inside(name, "selfplay"):
        assert not any(inside(used, "selfplay") for used in ours), f"{name} imports selfplay"


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_ray_is_one_module_s_business(name, path):
    if name != "selfplay.cluster":
        assert not any(inside(used, "ray") for used in imports(path)), f"{name} imports ray"
    assert not any(inside(used, "ray") for used in imports(path, top_only=True)), f"{name} imports ray before it is needed"


@pytest.mark.parametrize(("name", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_torch_stays_where_it_belongs(name, path):
    if not any(inside(name, place) for place in TORCH):
        assert not any(inside(used, "torch") for used in imports(path, top_only=True)), f"{name} imports torch"
