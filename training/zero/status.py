"""What self-play does while a learner learns, as figures for its log: how much, how fast, with which settings.

Knows what workers say of themselves, and the words for it. Reads no shards and plays nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from goengine.zero import run_folder


def figures(run: Path, window: int, plies: Mapping[int, float]) -> dict[str, float]:
    """Games of all workers, their speed as long as they say something of it, and how they play now.

    window: rows that are learned from. plies: mean length of their games, by board size. Where a run has several sizes, such
    figures are named after theirs, as komi_9.
    """
    statuses = run_folder.statuses(run).values()
    found: dict[str, float] = {"games": sum(status.games for status in statuses), "window": window}
    if (pace := run_folder.pace(statuses)).workers:
        found["games_per_minute"] = round(pace.games_per_minute, 1)
        found["evaluations_per_second"] = round(pace.evaluations_per_second, 1)
        found["net_busy"] = round(pace.busy, 4)
    net = run_folder.newest(run)
    several = len(plies) > 1 or (net is not None and len(net.boards) > 1)
    found |= {f"plies_{size}" if several else "plies": round(mean, 2) for size, mean in plies.items()}
    if net is not None:
        found["visits"] = net.settings.visits
        found |= {f"komi_{board.settings.size}" if several else "komi": board.settings.komi for board in net.boards}
    return found
