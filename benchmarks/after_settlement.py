"""Does the engine lose points once a board is settled? It plays itself; from the first settled position on the count must stay.

    python benchmarks/after_settlement.py --games 200 --visits 16

For each rule set: how many games were settled before their end, in how many the count changed after that, and by how much for
the side that it got worse for.
"""

import argparse
import sys
from collections import Counter

from goengine.board.rules import Rules
from goengine.board.state import BLACK, WHITE
from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.player.endgame import settled
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import NetSource

RULES = ("japanese", "chinese", "tromp-taylor", "aga")
LONGEST = 400  # moves


def play(engine: Engine, size: int, rules: Rules) -> tuple[float, float] | None:
    """Black's lead at the first settled position and at the end; None if nothing was settled before the end."""
    engine.new_game(size, rules=rules)
    position, first = engine.position, None
    while not position.is_over() and len(position.moves) < LONGEST:
        color = position.to_play
        if first is None and position.moves and is_settled(engine):
            first = engine.score()
        engine.genmove(color)
    return None if first is None else (first, engine.score())


def is_settled(engine: Engine) -> bool:
    """Whether neither side has anything left to do."""
    position, territory = engine.position, engine.final_status()
    return engine.opinion.decided(position) and all(settled(position, territory, color) for color in (BLACK, WHITE))


def main() -> int:
    """Play, and print a table."""
    parser = argparse.ArgumentParser(description="Count changes after a board is settled.")
    parser.add_argument("--games", type=int, default=200, help="games for each rule set")
    parser.add_argument("--visits", type=int, default=16)
    parser.add_argument("--boardsize", type=int, default=9)
    parser.add_argument("--net", default=None)
    parser.add_argument("--rules", nargs="+", default=RULES)
    options = parser.parse_args()
    lines = []
    for name in options.rules:
        engine = Engine(NetSource(options.net, threads=1), EngineOptions(visits=options.visits, resign=False), seed=1)
        found: Counter[str] = Counter()
        lost = 0.0
        with Progress(name, options.games) as bar:
            for game in range(options.games):
                result = play(engine, options.boardsize, Rules.preset(name))
                if result is not None:
                    found["settled"] += 1
                    found["changed"] += result[0] != result[1]
                    lost += abs(result[1] - result[0])
                bar.update(game + 1, f"{found['changed']} changed")
        lines.append((name, options.games, found["settled"], found["changed"], f"{lost:g}"))
        engine.close()
    sys.stdout.write(table(lines, header=("rules", "games", "settled", "changed", "points")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
