"""Self-play on several board sizes: how many games each has, whose turn it is, and that no size disturbs another."""

import itertools
import threading
from dataclasses import replace

import pytest

from goengine.evaluators.uniform import Uniform
from goengine.zero import run_folder
from goengine.zero.run_folder import SizeSettings
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import FULL, Shard
from selfplay import worker
from selfplay.boards import Boards, games_at_once
from selfplay.worker import Worker
from selfplay.worker_options import WorkerOptions
from tests.search.helpers import noisy
from tests.zero.runs import SETTINGS, new_run, publish

LARGER = replace(SETTINGS, size=7, komi=9.0)


def at_work(*boards: SizeSettings, games=32) -> Boards:
    """Boards of a net that knows nothing."""
    found = Boards(games=games, new_seed=itertools.count(1).__next__)
    found.use(Uniform(), boards)
    return found


def given(boards: Boards) -> dict[int, int]:
    """Evaluations by size, at the tables of now."""
    return {size: table.stats.evaluations for size, table in boards.tables.items()}


@pytest.mark.parametrize(
    "shares, games, expected",
    [
        ({9: 1.0}, 128, [128]),
        ({19: 1.0}, 128, [128]),
        ({19: 0.1}, 5, [5]),
        ({9: 0.5, 19: 0.5}, 128, [105, 23]),
        ({9: 0.6, 13: 0.2, 19: 0.2}, 128, [104, 17, 8]),
        ({9: 0.6, 13: 0.2, 19: 0.2}, 32, [26, 8, 8]),  # a few of each
        ({9: 0.6, 13: 0.2, 19: 0.2}, 4, [4, 4, 4]),  # but never more than asked for
        ({19: 0.98, 9: 0.02}, 128, [117, 11]),
    ],
)
def test_games_at_once(shares, games, expected):
    boards = [SizeSettings(SelfPlayParams(size=size), share) for size, share in shares.items()]
    assert games_at_once(boards, games) == expected


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.75, 0.25), (0.1, 0.9), (1.0, 1.0, 6.0)])
def test_evaluations_are_divided_by_share(shares):
    sizes = (5, 7, 4)[: len(shares)]
    boards = at_work(*(SizeSettings(replace(SETTINGS, size=size), share) for size, share in zip(sizes, shares, strict=True)))
    games = [game for _ in range(300) for game in boards.step()]
    found, largest = given(boards), max(table.games for table in boards.tables.values())
    for size, share in zip(sizes, shares, strict=True):
        # Nobody is further off than a batch of one of them.
        assert abs(found[size] - sum(found.values()) * share / sum(shares)) <= largest
    assert boards.stats.evaluations == sum(found.values()) and boards.stats.games == len(games)
    assert {game.record.size for game in games} <= set(sizes) and games
    boards.close()


def test_one_size_alone_is_one_table():
    boards = at_work(SizeSettings(SETTINGS), games=16)
    (table,) = boards.tables.values()
    games = [game.seed for _ in range(60) for game in boards.step()]
    assert table.games == 16 and table.seed == 1 and len(games) == boards.stats.games == table.stats.games > 0
    assert boards.stats == table.stats
    boards.close()


def test_settings_of_one_size_replace_its_table_alone():
    boards = at_work(SizeSettings(SETTINGS, 0.5), SizeSettings(LARGER, 0.5))
    for _ in range(40):
        boards.step()
    before, tables = boards.stats, dict(boards.tables)
    boards.use(noisy(), [SizeSettings(replace(SETTINGS, visits=6), 0.5), SizeSettings(replace(LARGER, komi=8.0), 0.5)])
    assert boards.tables[5] is not tables[5] and boards.tables[7] is tables[7] and tables[7].settings.komi == 8.0
    assert [table.seed for table in boards.tables.values()] == [3, 2] and boards.stats == before
    games = [game for _ in range(150) for game in boards.step()]
    assert {int(game.visits[game.kind == FULL].max()) for game in games if game.record.size == 5} == {6}
    assert boards.stats.games == before.games + len(games)
    boards.close()


def test_other_shares_count_from_now():
    boards = at_work(SizeSettings(SETTINGS, 0.9), SizeSettings(LARGER, 0.1))
    for _ in range(60):
        boards.step()
    before = given(boards)
    boards.use(noisy(), [SizeSettings(SETTINGS, 0.5), SizeSettings(LARGER, 0.5)])
    for _ in range(60):
        boards.step()
    more = {size: count - before[size] for size, count in given(boards).items()}
    assert abs(more[5] - more[7]) <= 2 * max(table.games for table in boards.tables.values())
    boards.close()


def test_a_worker_writes_shards_of_one_size_each(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SOONER", 1e9)
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    run = new_run(tmp_path / "run", SETTINGS, LARGER)
    said = []
    with Worker(WorkerOptions(run=run, name="w1", games=16, once=60, seed=1)) as plays:
        look = plays._look

        def watched(bar):
            if plays.games >= 30 and len(run_folder.nets(run)) == 1:
                publish(run, SETTINGS, replace(LARGER, komi=8.0))
            look(bar)
            said.append(plays.summary())

        plays._look = watched
        plays.play(threading.Event())
    shards = [Shard.load(path) for path in run_folder.shard_paths(run)]
    assert {(shard.size, shard.net) for shard in shards} >= {(5, "000000"), (7, "000000")} and len(shards) <= 4
    for shard in shards:
        komi = 3.0 if shard.size == 5 else 9.0 if shard.net == "000000" else 8.0
        assert shard.settings["size"] == shard.size and shard.settings["komi"] == komi
    status = run_folder.read_status(run, "w1")
    assert status.games == sum(map(len, shards)) == plays.games and status.positions == sum(len(s.kind) for s in shards)
