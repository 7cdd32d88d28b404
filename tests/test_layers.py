"""Imports run one way through rooms in a fixed order, no files import each other in a circle, torch lives in few places."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("goengine", "selfplay", "training")

# Lowest first: a room may import itself and the rooms above it in this list. docs/architecture.md says what each one knows.
ROOMS = (
    "goengine.core",
    "goengine.board",
    "goengine.ranks",
    "goengine.dataio",
    "goengine.features",
    "goengine.patterns",
    "goengine.nets",
    "goengine.evaluators",
    "goengine.vision",
    "goengine.sequence",
    "goengine.search",
    "goengine.book",
    "goengine.player",
    "goengine.gtp",
    "goengine.analysis",
    "goengine.zero",
    "goengine.policy_play",
    "goengine.arena",
    "goengine.review",
    "goengine.estimate",
    "goengine.terminal",
    "goengine.web",
    "goengine.commands",
    "goengine",  # the public names and the command line
    "selfplay",
    "training.core",
    "training.parallel",
    "training.data",
    "training.pictures",
    "training.measure",
    "training.stages",
    "training.zero",
    "training.detection",
    "training.laboratory",
    "training",
)
TORCH = ("goengine.nets", "goengine.evaluators.network", "training")
RAY = ("goengine.core.ray_cluster", "selfplay.cluster", "training.parallel.cluster")
MOST_MODULES = 25  # of a folder


@cache
def modules() -> dict[str, Path]:
    """All modules by full name."""
    paths = [path for package in PACKAGES for path in ROOT.glob(f"{package}/**/*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(paths)}


def imported_names(path: Path, top_only: bool = False) -> set[str]:
    """Full names of what a file imports; with ``top_only`` only what importing the file itself imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def module_of(name: str) -> str | None:
    """The module of ours that a full name belongs to: `goengine.board.coords.PASS` is of `goengine.board.coords`."""
    return name if name in modules() else name.rpartition(".")[0] if name.rpartition(".")[0] in modules() else None


@cache
def graph() -> dict[str, frozenset[str]]:
    """The modules of ours that each module imports, wherever in the file."""
    found = {}
    for name, path in modules().items():
        used = {module_of(full) for full in imported_names(path)}
        found[name] = frozenset(module for module in used if module is not None and module != name)
    return found


def inside(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def room_of(module: str) -> str | None:
    return max((room for room in ROOMS if inside(module, room)), key=len, default=None)


def circles(edges: dict[str, frozenset[str]]) -> list[set[str]]:
    """Groups of modules that reach each other by imports: what is left when leaves are taken off from both ends."""
    left = dict(edges)
    while True:
        used = {target for targets in left.values() for target in targets}
        ends = {name for name, targets in left.items() if name not in used or not targets & left.keys()}
        if not ends:
            return [set(left)] if left else []
        left = {name: targets - ends for name, targets in left.items() if name not in ends}


@pytest.mark.parametrize("name", modules())
def test_imports_run_one_way(name):
    if name == "goengine":  # its names are there for those who import the package; it loads them when they are used
        return
    room = room_of(name)
    assert room is not None, f"{name} is in no room"
    upward = {used for used in graph()[name] if used != "goengine" and ROOMS.index(room_of(used)) > ROOMS.index(room)}
    assert not upward, f"{name} reaches up to {sorted(upward)}"


def test_no_two_files_import_each_other_in_a_circle():
    edges = {name: used - {"goengine"} for name, used in graph().items()}
    assert not circles(edges)


def test_circles_are_found():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles({name: frozenset(used) for name, used in edges.items()}) == [{"b", "c"}]


def test_self_play_and_training_meet_on_disk_only():
    for name, used in graph().items():
        for ours, other in (("selfplay", "training"), ("training", "selfplay")):
            assert not (inside(name, ours) and any(inside(module, other) for module in used)), f"{name} imports {other}"


def test_openvino_has_one_core():
    """A second one that ends in another thread takes the main thread's stack for signals with it: see `core`."""
    files = [path for room in ("goengine", "selfplay", "training", "tests") for path in (ROOT / room).rglob("*.py")]
    making = re.compile(r"\b(?:ov|openvino)\.(?:Core\(|compile_model\()")
    assert [path for path in files if making.search(path.read_text())] == [ROOT / "goengine/evaluators/openvino.py"]


def test_no_folder_is_crowded():
    folders = Counter(path.parent for path in modules().values() if path.name != "__init__.py")
    crowded = {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > MOST_MODULES}
    assert not crowded


@pytest.mark.parametrize("name", modules())
def test_ray_is_the_business_of_few_modules(name):
    path = modules()[name]
    if name not in RAY:
        assert not any(inside(used, "ray") for used in imported_names(path)), f"{name} imports ray"
    assert not any(inside(used, "ray") for used in imported_names(path, top_only=True)), f"{name} imports ray before its use"


@pytest.mark.parametrize("name", modules())
def test_torch_stays_where_it_belongs(name):
    if not any(inside(name, place) for place in TORCH):
        used = imported_names(modules()[name], top_only=True)
        assert not any(inside(module, "torch") for module in used), f"{name} imports torch"
