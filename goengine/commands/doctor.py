"""The command `goengine doctor`: what works on this machine, what does not, and how to fix it.

Every check is a function that gives findings and never raises for what it looks for. Changes nothing but what using the engine
would change as well (it compiles kernels into the cache).
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from goengine.core import machine
from goengine.core.options import option, parse

NEEDED = ("numpy", "numba", "openvino", "sgfmill", "rich")
PROBE_SECONDS = 0.5

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class DoctorOptions:
    """Say what works on this machine, what does not, and how to fix it. Exits with 1 if something is wrong."""

    json: bool = option(False, "write JSON")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. 'note': the engine works, but something is missing or slower; 'wrong': something fails."""

    part: str
    state: State
    says: str
    fix: str = ""


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    options = parse(DoctorOptions, argv, "goengine doctor")
    found = []
    for check in CHECKS:
        for finding in examine(check):
            found.append(finding)
            if not options.json:
                sys.stdout.write(_line(finding))
                sys.stdout.flush()
    wrong = sum(finding.state == "wrong" for finding in found)
    if options.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in found], indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\nEverything that is needed works.\n" if not wrong else f"\n{wrong} wrong.\n")
    return 1 if wrong else 0


def examine(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; one that fails unexpectedly is a finding too."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks must still run
        place = traceback.extract_tb(error.__traceback__)[-1]
        says = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
        yield Finding(
            check.__name__.strip("_").replace("_", " "), "wrong", f"{says} ({place.filename}:{place.lineno})", "report this"
        )


def python_and_packages() -> Iterator[Finding]:
    """The interpreter and the packages that the engine cannot do without."""
    here = machine.describe()
    good = sys.version_info >= (3, 11)
    yield Finding(
        "python",
        "ok" if good else "wrong",
        f"{here.python} at {sys.executable}",
        "" if good else "install Python 3.11 or newer",
    )
    for name in NEEDED:
        version = machine.installed(name)
        if not version:
            yield Finding(name, "wrong", "not installed", f"pip install {name}")
            continue
        try:
            importlib.import_module(name)
            yield Finding(name, "ok", version)
        except ImportError as error:
            yield Finding(name, "wrong", f"{version}, but cannot be imported: {error}", f"pip install --force-reinstall {name}")
    memory = f", {here.memory:.0f} GiB" if here.memory else ""
    yield Finding("machine", "ok", f"{here.processor}, {here.cores} cores{memory}; {here.system}")


def kernels() -> Iterator[Finding]:
    """The folder of compiled kernels, and the speed of one of them."""
    from goengine.core import jit

    folder = jit.kernel_folder()
    fix = "set GOENGINE_CACHE to a folder that can be written and lasts"
    if not os.access(folder, os.W_OK):
        yield Finding("kernel cache", "wrong", f"{folder} cannot be written: every start compiles anew", fix)
    elif Path(tempfile.gettempdir()) in folder.parents:
        yield Finding("kernel cache", "note", f"{folder}: the kernels are lost when that folder is emptied", fix)
    else:
        yield Finding("kernel cache", "ok", str(folder))
    count = len(list(folder.rglob("*.nbi")))
    if count:
        yield Finding("kernels", "ok", f"{count} compiled")
    else:
        yield Finding("kernels", "note", "not compiled yet; the first use takes a minute", "goengine warmup")
    start = time.perf_counter()
    from goengine.commands.bench import playouts_per_second

    rate = playouts_per_second(9, PROBE_SECONDS / 3)
    seconds = time.perf_counter() - start - PROBE_SECONDS
    yield Finding("board", "ok", f"{rate:,.0f} random playouts/s on 9x9; ready after {max(seconds, 0):.1f} s")


def openvino() -> Iterator[Finding]:
    """Whether nets can be computed here, and in which precision."""
    if not machine.installed("openvino"):
        return
    from goengine.evaluators.openvino import best_precision, capabilities, core

    devices = core().available_devices
    if "CPU" not in devices:
        yield Finding(
            "openvino",
            "wrong",
            f"offers no CPU, only {' '.join(devices) or 'nothing'}",
            "pip install --force-reinstall openvino",
        )
        return
    found = capabilities()
    missing = [name for name in ("BF16", "INT8") if name not in found]
    formats = [name for name in found if name in ("FP32", "BF16", "FP16", "INT8")]
    says = f"nets play in {best_precision()}; number formats of the CPU: {' '.join(formats)}"
    yield Finding("openvino", "note" if missing else "ok", says + (f"; no {' or '.join(missing)}: slower" if missing else ""))


def shipped_nets() -> Iterator[Finding]:
    """Whether every net's files are whole, and the default one plays."""
    from goengine.evaluators import shipped_nets as nets
    from goengine.evaluators.base import EvaluatorError
    from goengine.evaluators.load import load

    names = nets.names()
    if not names:
        yield Finding(
            "nets", "note", "none comes with this copy", "train one (python -m training --help), or play with --net uniform"
        )
        return
    for name in names:
        for problem in nets.problems(name):
            yield Finding(f"net {name}", "wrong", problem, "get the files again")
    try:
        start = time.perf_counter()
        with load("", size=19) as evaluator:
            seconds = time.perf_counter() - start
            rate = _evaluations_per_second(evaluator)
        says = f"{len(names)} shipped; {evaluator.name} ({evaluator.traits.device}) loads in {seconds:.1f} s"
        yield Finding("nets", "ok", f"{says}, {rate:,.0f} positions/s on 19x19")
    except EvaluatorError as error:
        yield Finding("nets", "wrong", str(error))


def _evaluations_per_second(evaluator) -> float:
    from goengine.commands.bench import batch_of_games, evaluations_per_second, games_along

    return evaluations_per_second(evaluator, batch_of_games(evaluator, games_along(19, count=8)), PROBE_SECONDS / 3)


def shipped_policies() -> Iterator[Finding]:
    """Whether the files of every linear policy are whole."""
    from goengine.patterns import shipped_policies

    names, problems = shipped_policies.names(), shipped_policies.problems()
    for problem in problems:
        yield Finding("policies", "wrong", problem, "get the files again")
    if not problems:
        yield Finding("policies", "ok" if names else "note", f"{', '.join(names) or 'none'} shipped")


def torch() -> Iterator[Finding]:
    """torch, which training needs and a GPU is played with."""
    from goengine.evaluators.load import cuda_devices

    version, gpus = machine.installed("torch"), cuda_devices()
    if not version:
        fix = "only for training or a GPU: pip install torch"
        yield Finding("torch", "note", "not installed: no training" + (f", and {gpus} GPU unused" if gpus else ""), fix)
    elif not gpus:
        yield Finding("torch", "ok", f"{version}, no GPU")
    else:
        library = importlib.import_module("torch")
        if library.cuda.is_available():
            yield Finding("torch", "ok", f"{version} with {library.cuda.get_device_name(0)}")
        else:
            fix = "install a torch built for CUDA: https://pytorch.org/get-started"
            yield Finding("torch", "note", f"{version} cannot use the {gpus} GPU here", fix)


def opponents() -> Iterator[Finding]:
    """Programs to play against."""
    path = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")  # where Debian has it, off many a PATH
    if path is None:
        yield Finding("gnugo", "note", "not found: no matches against it", "install the package gnugo")
        return
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
        lines = done.stdout.splitlines()
        yield Finding("gnugo", "ok", f"{lines[0] if lines else 'an unknown version'} at {path}")
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("gnugo", "note", f"{path} does not run: {error}", "install the package gnugo again")


def terminal() -> Iterator[Finding]:
    """Whether boards can be drawn with round stones."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        "●○┼".encode(encoding)
        yield Finding("terminal", "ok", f"{encoding}, {shutil.get_terminal_size().columns} columns")
    except UnicodeEncodeError:
        fix = "set PYTHONUTF8=1, or a UTF-8 locale (LANG=C.UTF-8)"
        yield Finding("terminal", "note", f"{encoding} has no round stones; boards are drawn with letters", fix)


CHECKS = (python_and_packages, kernels, openvino, shipped_nets, shipped_policies, torch, opponents, terminal)
_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def _line(finding: Finding) -> str:
    text = f"{_MARKS[finding.state]}  {finding.part:14}{finding.says}\n"
    return text + (f"{'':21}-> {finding.fix}\n" if finding.fix else "")
