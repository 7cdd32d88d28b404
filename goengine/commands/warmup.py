"""``goengine warmup``: compile every kernel that playing needs, by playing a little with each of them.

numba compiles a kernel for the types of its first arguments, so the surest list of what a game needs is a game.
"""

import sys
import time
from collections.abc import Callable

from goengine.core.progress import Progress


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


STEPS: tuple[tuple[str, Callable[[], None]], ...] = (("search", _search), ("play", _play), ("files", _read))


def main(argv: list[str]) -> int:
    """Run the command. Returns its exit status."""
    if argv:
        sys.stderr.write("goengine warmup takes no options\n")
        return 2
    begin = time.monotonic()
    with Progress("compiling the kernels, once", len(STEPS)) as progress:
        for number, (what, run) in enumerate(STEPS):
            progress.update(number, what)
            run()
        progress.update(len(STEPS), f"done in {time.monotonic() - begin:.0f} s")
    return 0
