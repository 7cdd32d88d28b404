"""How fast a net is searched on this machine, so that a match can give two nets equal time by unequal visits.

Plays a few games of the player against itself in lock step and looks at the time. Judges no strength.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from goengine.arena.batched_games import BatchedGames, NetQueue
from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.players import DEFAULT_VISITS, NetPlayer
from goengine.board.rules import Rules
from goengine.evaluators.base import Evaluator

GAMES = 16
SECONDS = 3.0  # of measuring, after as many rounds as every kernel needs to be loaded
_FIRST_ROUNDS = 8


def visits_per_second(player: NetPlayer, size: int, *, seconds: float = SECONDS, evaluator: Evaluator | None = None) -> float:
    """New visits per second of one core, as in a match in lock step; seconds of the wall where the net is not on the CPU.

    Counts the time of this process only, so that other programs matter less. evaluator: instead of the player's own net.
    Raises EvaluatorError if the net cannot be loaded.
    """
    net = NetQueue(player.load(size) if evaluator is None else evaluator, player.symmetries)
    try:
        batched = BatchedGames({"a": player, "b": player}, {"a": net, "b": net}, GameSetup(size, Rules()), GAMES)
        clock = time.process_time if net.traits.device.startswith("cpu") else time.perf_counter
        begun = _rounds(batched, 0, lambda rounds: rounds < _FIRST_ROUNDS)
        visits, start = batched.visits, clock()
        _rounds(batched, begun, lambda rounds: clock() - start < seconds)
        return (batched.visits - visits) / max(1e-9, clock() - start)
    finally:
        if evaluator is None:
            net.close()


def _rounds(batched: BatchedGames, begun: int, go_on: Callable[[int], bool]) -> int:
    """Rounds of games that begin anew as they end, while ``go_on(rounds)``. Returns how many games have begun in all."""
    rounds = 0
    while go_on(rounds):
        while batched.playing < GAMES:
            batched.seat(Fixture(begun, "a", seed=begun))
            begun += 1
        batched.step()
        rounds += 1
    return begun


def with_equal_time(player: NetPlayer, like: NetPlayer, size: int, *, seconds: float = SECONDS) -> NetPlayer:
    """``player`` with as many visits as it makes in the time that ``like`` needs for its own, both measured now.

    Raises ValueError if ``like`` has no number of visits.
    """
    if like.playouts is not None or like.seconds is not None:
        raise ValueError(f"{like.describe()}: equal time is measured against a number of visits")
    visits = DEFAULT_VISITS if like.visits is None else like.visits
    ratio = visits_per_second(player, size, seconds=seconds) / visits_per_second(like, size, seconds=seconds)
    return replace(player, visits=max(1, round(visits * ratio)), playouts=None, seconds=None)
