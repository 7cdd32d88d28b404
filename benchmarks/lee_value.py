"""What a value net, rollouts, and both half and half foresee of results, on positions that the net has not learned from.

python benchmarks/lee_value.py --games runs/value/games --net lee-value    # games of `python -m training value`
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine import features
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.rules import Rules
from goengine.board.state import new_board
from goengine.core.options import option, parse
from goengine.evaluators.load import load
from goengine.search.linear_policies import new_rollout_scratch, roll_out
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.measure import evaluate
from training.stages import value_games

KOMI = 7.5


@dataclass(frozen=True)
class Options:
    """Mean squared errors of values against results of 1 and -1."""

    games: Path = option(help="folder of games, a position each")
    net: str = option("lee-value", "a value net")
    positions: int = option(1500, "the first ones, which the run held out")
    rollouts: int = option(100, "from each position")


def rolled(position: Position, rollouts: int, memory: tuple) -> float:
    """The mean result of rollouts, for the player to move."""
    return float(np.mean([roll_out(position.game, *memory[:2], KOMI, memory[2]) for _ in range(rollouts)]))


def main(options: Options) -> None:
    """Print the errors, and how much larger each is than that of the rollouts."""
    games, chosen, _ = value_games.load(options.games, options.positions)
    size, held = int(games.size[0]), chosen[: options.positions]
    memory, values, results, rolls = (new_board(size), new_rollout_scratch(size), new_generator(3)), [], [], []
    with load(options.net, size=size, device="cpu", threads=1) as net:
        sampler = Sampler(games, features.get(net.features), Draw(0, symmetries=0, shuffle=1, vary=0.0), chosen=held)
        predict = evaluate.from_evaluator(net)
        for first in range(0, len(held), 100):
            batch = sampler.batch(first, min(100, len(held) - first))
            values.append(predict(batch.planes, batch.globals).value)
            results.append(batch.value)
    for place in sampler.positions(0, len(held)):
        position = Position(size, Rules.preset("tromp-taylor").with_komi(KOMI))
        for i in range(games.start[np.searchsorted(games.start, place, "right") - 1], place):
            position.play(int(games.moves[i]), int(games.colors[i]), tolerant=True)
        rolls.append(rolled(position, options.rollouts, memory))
    value, rollout, result = np.concatenate(values), np.array(rolls), np.concatenate(results)
    missed = (rollout - result) ** 2
    for name, said in ((net.name, value), ("rollouts", rollout), ("half and half", (value + rollout) / 2)):
        more = (said - result) ** 2 - missed
        print(f"{name:16}{(more + missed).mean():.3f}  {more.mean():+.3f}, standard error {more.std() / len(more) ** 0.5:.3f}")


if __name__ == "__main__":
    main(parse(Options, None, "lee_value.py"))
