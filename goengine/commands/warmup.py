"""``goengine warmup``: compile every kernel that playing, self-play and training samples need, by using each of them a little.

numba compiles a kernel for the types of its first arguments, so the surest list of what a game needs is a game.
"""

import subprocess
import sys
import time
from collections.abc import Callable

from numba.core.dispatcher import Dispatcher

from goengine.core.compiling import OURS, watching
from goengine.core.progress import Progress


def _kernels() -> tuple[int, int]:
    """(kernels of ours that are loaded or compiled, kernels in all modules of ours that are imported)."""
    found = {
        id(value): bool(value.signatures)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in OURS
        for value in list(vars(module).values())
        if isinstance(value, Dispatcher)
    }
    return sum(found.values()), len(found)


def _play() -> None:
    """A short game, counted, taken back and searched under other rules."""
    from goengine.board.rules import Rules
    from goengine.board.state import BLACK, WHITE
    from goengine.player.engine import Engine
    from goengine.player.engine_options import EngineOptions

    engine = Engine.load("uniform", EngineOptions(visits=32), boardsize=9, seed=1)
    for _ in range(2):
        engine.genmove(BLACK)
        engine.genmove(WHITE)
    engine.set_rules(Rules.preset("japanese"))
    engine.choose(BLACK, ownership=True)
    engine.final_status()
    engine.undo()
    engine.close()


def _search() -> None:
    """Every preset of the search, in every feature set."""
    from goengine.search.tree_bench import warm_up

    warm_up()


def _read() -> None:
    """A game with set-up stones, as files and clients give it."""
    from goengine.board.position import Position
    from goengine.dataio import sgf
    from goengine.dataio.records import GameRecord

    Position.from_diagram(". X .\n. O .\n. . .")
    sgf.check_moves(GameRecord(size=9, moves=((1, 40),), black_setup=(0,), white_setup=(1,)))


def _self_play() -> None:
    """Games of self-play, in a process of its own: the engine does not know the package that plays them."""
    command = [sys.executable, "-m", "selfplay", "bench", "--net", "uniform", "--sizes", "5", "--games", "4", "--visits", "8"]
    _elsewhere([*command, "--seconds", "1"], "self-play")


def _training() -> None:
    """Samples for training, in a process of its own for the same reason."""
    _elsewhere([sys.executable, "-m", "training.warmup"], "the making of training samples")


def _elsewhere(command: list[str], what: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"goengine warmup: {what} was not compiled: {done.stderr.strip()[-500:]}\n")


STEPS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("play", _play),
    ("search", _search),
    ("files", _read),
    ("self-play", _self_play),
    ("training", _training),
)


def main(argv: list[str]) -> int:
    """Run the command. Returns its exit status."""
    if argv:
        sys.stderr.write("goengine warmup takes no options\n")
        return 2
    begin, compiled = time.monotonic(), 0
    with Progress("compiling the kernels, once", 1.0) as progress:
        for number, (what, run) in enumerate(STEPS):

            def begins(name: str, number: int = number, what: str = what) -> None:
                nonlocal compiled
                compiled += 1
                ready, known = _kernels()
                part = max(ready / max(known, 1), number / len(STEPS))
                progress.update(part, f"{what}: {name}, the {compiled}. that is compiled")

            progress.update(number / len(STEPS), what)
            with watching(begins):
                run()
        progress.update(1.0, f"{compiled} kernels compiled in {time.monotonic() - begin:.0f} s")
    return 0
