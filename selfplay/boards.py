"""Self-play on several board sizes by turns: a table of games for each size, all with the same net.

Knows how many games each table has, and whose turn it is: that of the size with the fewest evaluations for its share. What
happens at a table is in `selfplay.lockstep`. Knows no files and no processes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple

from goengine.evaluators.base import Evaluator
from goengine.zero.run_folder import SizeSettings
from selfplay.finished import FinishedGame
from selfplay.lockstep import Lockstep, SelfPlayStats, new_table_needed

LEAST = 8  # games of a size at once


def games_at_once(boards: Sequence[SizeSettings], games: int) -> list[int]:
    """How many games of each board size are played at once: about so many in all, but a few of each size.

    They are divided by share and area: games on a large board take long, and learning waits for the first of them.
    """
    weights = [board.share / board.settings.size**2 for board in boards]
    return [max(min(LEAST, games), round(games * weight / sum(weights))) for weight in weights]


class Boards:
    """Self-play on every board size of a run. `use` comes first, and again with every other net."""

    def __init__(self, *, games: int, new_seed: Callable[[], int], threads: int = 1):
        """games: at once, of all sizes together. new_seed: called for each new table. threads: as of `Lockstep`."""
        self._games, self._new_seed, self._threads = games, new_seed, threads
        self.tables: dict[int, Lockstep] = {}  # by board size
        self._shares: dict[int, float] = {}
        self._given: dict[int, int] = {}  # evaluations that each size has had while these were the shares
        self._gone = SelfPlayStats()  # of tables that have been replaced

    @property
    def stats(self) -> SelfPlayStats:
        """What self-play took so far, on all boards, at earlier tables too."""
        return _sum([self._gone, *(table.stats for table in self.tables.values())])

    def use(self, evaluator: Evaluator, boards: Sequence[SizeSettings]) -> None:
        """Go on with this net, whose sizes are always the same.

        A table that has no room for its new settings is replaced. Its games under way are lost, as when a worker is stopped;
        this is rare in a run. Raises ValueError as `Lockstep`.
        """
        shares = {board.settings.size: board.share for board in boards}
        if shares != self._shares:
            self._shares, self._given = shares, dict.fromkeys(shares, 0)
        for (settings, _), games in zip(boards, games_at_once(boards, self._games), strict=True):
            table = self.tables.get(settings.size)
            if table is not None and not new_table_needed(table.settings, settings):
                table.change_net(evaluator, settings)
                continue
            if table is not None:
                table.close()
                self._gone = _sum([self._gone, table.stats])
            seed = self._new_seed()
            self.tables[settings.size] = Lockstep(evaluator, settings, games=games, seed=seed, threads=self._threads)

    def step(self) -> list[FinishedGame]:
        """A step at the table whose turn it is, as `Lockstep.step`."""
        size = min(self._given, key=lambda size: self._given[size] / self._shares[size])
        table = self.tables[size]
        before = table.stats.evaluations
        ended = table.step()
        self._given[size] += table.stats.evaluations - before
        return ended

    def take_ended(self) -> list[FinishedGame]:
        """As `Lockstep.take_ended`, of all tables."""
        return [game for table in self.tables.values() for game in table.take_ended()]

    def close(self) -> None:
        """End the threads; the net is the caller's."""
        for table in self.tables.values():
            table.close()


def _sum(parts: Iterable[SelfPlayStats]) -> SelfPlayStats:
    return SelfPlayStats(*map(sum, zip(*map(astuple, parts), strict=True)))
