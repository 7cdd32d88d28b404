"""How far a net's value is from what a search finds below it, and whether anything the net says foretells that.

    python benchmarks/value_error.py --size 9 --positions 60 --visits 400

KataGo weighs visits by how uncertain the net is of its value, which its nets are trained to say. Ours are not, so this measures
what else might do: the error (net's value against the mean of its children's, where these have enough visits) by quartiles of
|value|, of the score's standard deviation, of the policy's entropy and of the ply. A weight by inverse variance is worth having
only where the error differs much between the quartiles.

Measured with the net b6c64 on 9x9 by the command above (502 nodes of three games, so no more than a hint): the error is 0.318.
Its size correlates with |value| by -0.20, with the score's deviation by +0.30, with the entropy by +0.01 and with the ply by
-0.33. In the lowest quarter of the deviation the error is 0.259, in the others 0.365, 0.343 and 0.303; from the first quarter
of the plies to the last it falls from 0.366 to 0.238. So the deviation and the ply foretell the error somewhat (in part they
are one: deviation and ply correlate by -0.43), and weighting visits by them is a candidate. It has not been tried in matches.
"""

import itertools
import sys
from dataclasses import dataclass

import numpy as np

from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.core.options import option, parse
from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.player.net_source import NetSource
from goengine.search.params import PLAY, Limits
from goengine.search.search import Search
from goengine.search.tree import COUNT, EXPANDED, FIRST, NET_STDEV, NET_VALUE, NODES, OWN, VALUE_SUM, VISITS

PARAMS = PLAY.with_(temperature=1.0, temperature_plies=400, ownership=False)
PROXIES = ("|value|", "score stdev", "entropy", "ply")


@dataclass(frozen=True)
class Measurement:
    """Errors of a net's value against the search."""

    net: str | None = option(None, "net; the best shipped one for the size if not given")
    size: int = option(9, "board size")
    positions: int = option(60, "positions of games of the net against itself that are searched")
    visits: int = option(400, "visits of each search")
    least: int = option(40, "visits below a node, at least, for the search to be believed")
    every: int = option(4, "plies between two positions of a game")
    seed: int = option(1, "of the games")


def rows_of(search: Search, least: int, ply: int) -> list[tuple[float, ...]]:
    """(proxies..., error) of each node of the tree that has been searched enough."""
    tree, rows = search.core.tree, []
    used = int(tree.used[NODES])
    enough = (tree.stats[:used, VISITS] > least) & (tree.state[:used] == EXPANDED) & (tree.links[:used, OWN] == 1)
    for node in np.flatnonzero(enough):
        value, stdev = float(tree.net[node, NET_VALUE]), float(tree.net[node, NET_STDEV])
        below = (-float(tree.stats[node, VALUE_SUM]) - value) / (float(tree.stats[node, VISITS]) - 1.0)
        first = int(tree.links[node, FIRST])
        priors = tree.edge_prior[first : first + int(tree.links[node, COUNT])].astype(float)
        entropy = -float((priors * np.log(np.maximum(priors, 1e-12))).sum())
        rows.append((abs(value), stdev, entropy, float(ply), below - value))
    return rows


def measure(how: Measurement) -> np.ndarray:
    """All nodes' proxies and errors: float64[nodes, 5]."""
    evaluator = NetSource(how.net, seed=how.seed).get(how.size)
    rows: list[tuple[float, ...]] = []
    done = game = 0
    with Progress("searching", how.positions) as progress:
        while done < how.positions:
            position = Position(how.size, Rules.preset("tromp-taylor").with_komi(7.0))
            search, ply = Search(evaluator, PARAMS, how.seed + game), 0
            while done < how.positions and not position.is_over() and ply < how.size**2:
                search.set_position(position)
                search.clear()
                deep = ply % how.every == 0
                result = search.run(Limits(visits=how.visits if deep else 8))
                if deep:
                    rows += rows_of(search, how.least, ply)
                    done += 1
                    progress.update(done)
                position.play(result.chosen)
                ply += 1
            game += 1
    return np.array(rows)


def report(rows: np.ndarray) -> str:
    """Root mean squared error by quartiles of each proxy."""
    error = rows[:, -1]
    lines = [("all", f"{len(rows)} nodes", f"{np.sqrt((error**2).mean()):.3f}", "")]
    for column, name in enumerate(PROXIES):
        x = rows[:, column]
        correlation = np.corrcoef(x, abs(error))[0, 1] if x.std() > 0 else 0.0
        edges = np.quantile(x, (0, 0.25, 0.5, 0.75, 1))
        for low, high in itertools.pairwise(edges):
            inside = error[(x >= low) & (x <= high)]
            lines.append((name, f"{low:.2f} to {high:.2f}", f"{np.sqrt((inside**2).mean()):.3f}", f"{correlation:+.2f}"))
    return table(lines, header=("by", "where it is", "error (rms)", "correlation with |error|"), left=2)


def main() -> int:
    """Print the table."""
    print(report(measure(parse(Measurement, sys.argv[1:], "value_error"))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
