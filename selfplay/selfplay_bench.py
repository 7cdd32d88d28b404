"""How fast this machine plays games of a net against itself: what `python -m selfplay bench` measures.

Games begin with drawn openings of all lengths, so that the positions are those of whole games. Games per minute are given only
if enough games have ended, which takes minutes on 9x9. Judges nothing.
"""

import time
from collections.abc import Iterator

from goengine.core.figures import Figure
from goengine.evaluators.load import load
from goengine.evaluators.uniform import Uniform
from goengine.zero.selfplay_params import SelfPlayParams
from selfplay.lockstep import Lockstep, SelfPlayStats
from selfplay.worker_options import SelfPlayBenchOptions

_OPENING = 200.0  # plies on 19x19, on average; shorter games are cut at a quarter of the board


def measure(options: SelfPlayBenchOptions) -> Iterator[Figure]:
    """All figures, one board size after the other. Raises EvaluatorError if the net cannot be loaded."""
    for size in options.sizes:
        net = load(options.net, size=size, device=options.device, precision=options.precision, threads=options.threads)
        settings = SelfPlayParams(size=size, visits=options.visits, opening_plies=_OPENING)
        table = Lockstep(Uniform(net.features), settings, games=options.games, seed=1, threads=options.threads)
        try:
            for _ in range(size * size // 4 + 1):  # the openings hardly use the net
                table.step()
            table.change_net(net, settings)
            yield from _measure(table, f"self-play {net.name}, {options.visits} visits", options.seconds)
        finally:
            table.close()
            net.close()


def _measure(table: Lockstep, label: str, seconds: float) -> Iterator[Figure]:
    table.step()  # the net compiles
    table.stats, end = SelfPlayStats(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        table.step()
    stats, size = table.stats, table.settings.size
    yield Figure(label, size, stats.evaluations / stats.seconds, "evaluations/s")
    yield Figure(label, size, stats.moves / stats.seconds, "moves/s")
    if stats.games >= table.games:  # as many have ended as are played at once: enough to tell
        yield Figure(label, size, 60 * stats.games / stats.seconds, "games/min")
    yield Figure(label, size, 100 * stats.busy, "% of the time in the net")
