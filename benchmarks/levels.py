"""Are the levels in order? Each plays against the one a few steps above it, and all are rated together.

    python benchmarks/levels.py --boardsize 9 --games 20 --step 2

Chinese rules, no openings: levels draw their moves. The last is full strength at --visits. The table has the rating of each
level above level 1, with a 95 % interval, and its score against the level `step` above.
"""

import argparse
import sys

from goengine.arena.strength.elo import Score
from goengine.arena.strength.ratings import rate
from goengine.board.rules import Rules
from goengine.board.state import BLACK
from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.player.engine import Engine
from goengine.player.engine_options import MAX_LEVEL, EngineOptions
from goengine.player.net_source import NetSource


def play(black: Engine, white: Engine, size: int) -> int:
    """One game; 1 if Black wins, -1 if White does, 0 if nobody. A game that does not end in time has no winner."""
    players = {BLACK: black, 3 - BLACK: white}
    for engine in players.values():
        engine.new_game(size, rules=Rules.preset("chinese"))
    while not black.position.is_over() and len(black.position.moves) < 3 * size * size:
        color = black.position.to_play
        decision = players[color].genmove(color)
        if decision.resign:
            return -1 if color == BLACK else 1
        players[3 - color].play(color, decision.point)
    lead = black.score() if black.position.is_over() else 0
    return (lead > 0) - (lead < 0)


def match(weaker: Engine, stronger: Engine, size: int, games: int) -> Score:
    """The score of the weaker one, colours alternating."""
    results = []
    for game in range(games):
        results.append(play(weaker, stronger, size) if game % 2 == 0 else -play(stronger, weaker, size))
    return Score(results.count(1), results.count(0), results.count(-1))


def main() -> int:
    """Play, and print a table."""
    parser = argparse.ArgumentParser(description="Rate the levels against each other.")
    parser.add_argument("--boardsize", type=int, default=9)
    parser.add_argument("--games", type=int, default=20, help="of each level against the one `step` above")
    parser.add_argument("--step", type=int, default=2)
    parser.add_argument("--visits", type=int, default=800, help="of the highest level")
    parser.add_argument("--net", default=None)
    options = parser.parse_args()
    nets = NetSource(options.net, threads=1)
    levels = range(1, MAX_LEVEL + 1)
    engines = {n: Engine(nets, EngineOptions(visits=options.visits, level=n), seed=n) for n in levels}
    pairs = [(n, min(n + step, MAX_LEVEL)) for n in levels[:-1] for step in (1, options.step)]
    results: dict[tuple[str, str], Score] = {}
    with Progress("levels", len(pairs)) as bar:
        for done, (low, high) in enumerate(pairs, 1):
            name = f"{low}", f"{high}"
            results[name] = results.get(name, Score()) + match(engines[low], engines[high], options.boardsize, options.games)
            bar.update(done, f"{low} against {high}: {results[name]}")
    rows = []
    for rating in sorted(rate(results, anchor="1"), key=lambda found: int(found.name)):
        above = results.get((rating.name, f"{int(rating.name) + 1}"), "")
        rows.append((rating.name, f"{rating.elo:+.0f}", f"{rating.low:+.0f} to {rating.high:+.0f}", str(above)))
    sys.stdout.write(table(rows, header=("level", "Elo", "95 % interval", "against the next")))
    nets.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
