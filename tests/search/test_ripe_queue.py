"""Leaves that became ripe while nobody could evaluate them: the next batch takes them first. Batches of several threads."""

import numpy as np
import pytest

from goengine.board.position import Position
from goengine.search.params import LEE
from goengine.search.search import Search
from goengine.search.tree import LEAF, MOVE, NODES, PARENT, QUEUE, QUEUED, TERMINAL, VISITS
from goengine.search.tree_search import TreeSearch
from tests.search.helpers import check_tree, noisy, position

THRESHOLD = 3.0


def rolled(visits: int, start: Position, **changes) -> tuple[Search, Position]:
    """A search that has played so many visits since its last batch, and its position."""
    engine = Search(noisy(4), LEE.with_(leaves=4, expansion_threshold=3, **changes))
    engine.set_position(start)
    ask(engine, 1)
    engine.core.threshold = THRESHOLD
    engine.core.roll(visits)
    return engine, start


def ask(engine: Search, visits: int) -> tuple[list[int], int]:
    """One batch with its answers: (nodes, visits begun)."""
    core, leaves = engine.core, engine.core.new_leaves()
    begun = core.select(leaves, 4, visits)
    nodes = leaves.nodes[: leaves.count].tolist()
    if nodes:
        core.update(leaves, engine.evaluator.evaluate(leaves.batch))
    core.threshold = THRESHOLD
    return nodes, begun


def queued(core: TreeSearch) -> list[int]:
    return core.tree.queue[: core.tree.used[QUEUED]].tolist()


def line(core: TreeSearch, node: int) -> tuple[int, ...]:
    """The moves from the root."""
    links, moves = core.tree.links, []
    while links[node, PARENT] >= 0:
        moves.append(int(links[node, MOVE]))
        node = int(links[node, PARENT])
    return tuple(reversed(moves))


def grown(engine: Search, batches: int, rolls: int = 40) -> None:
    """Make the tree deeper, so that leaves of several depths wait."""
    for _ in range(batches):
        ask(engine, 100)
        engine.core.roll(rolls)


@pytest.mark.parametrize("threads", [1, 3])
def test_ripe_leaves_wait_and_are_taken_first(threads):
    """In the order in which they became ripe, without a visit, each once, as the game stands there."""
    engine, start = rolled(300, position(9, "E5 E4"), rollout_threads=threads)
    core = engine.core
    grown(engine, 12)
    waiting = queued(core)
    assert len(waiting) > 8 and len(set(waiting)) == len(waiting) and max(len(line(core, node)) for node in waiting) > 1
    assert (core.tree.state[waiting] == LEAF).all() and (core.tree.stats[waiting, VISITS] >= THRESHOLD).all()
    leaves, visits = core.new_leaves(), core.visits
    assert core.select(leaves, 4, 100) == 0 and leaves.nodes[: leaves.count].tolist() == waiting[:4]
    assert queued(core) == waiting[4:] and core.visits == visits
    for place, node in enumerate(waiting[:4]):
        there = start.copy()
        for point in line(core, node):
            there.play(point)
        assert np.array_equal(core._games.board.color[place], there.game.board.color)
        assert core._games.status[place].tolist() == there.game.status.tolist()
    core.update(leaves, engine.evaluator.evaluate(leaves.batch))
    check_tree(core.tree)


def test_the_queue_is_bounded():
    engine, _ = rolled(3000, position(19))
    core = engine.core
    assert len(queued(core)) == QUEUE
    ripe = (core.tree.state[: core.tree.used[NODES]] == LEAF) & (core.tree.stats[: core.tree.used[NODES], VISITS] >= 3)
    assert ripe.sum() > QUEUE


def test_who_has_been_evaluated_is_passed_over():
    engine, _ = rolled(300, position(9, "E5"))
    core = engine.core
    waiting = queued(core)
    core.tree.state[waiting[0]] = TERMINAL
    nodes, begun = ask(engine, 100)
    assert nodes == waiting[1:5] and begun == 0


def test_the_queue_goes_on_below_the_move_played():
    engine, start = rolled(300, position(9, "E5 E4"))
    core = engine.core
    grown(engine, 20)
    before = [line(core, node) for node in queued(core)]
    move = next(moves[0] for moves in before if len(moves) > 1)
    kept = [moves[1:] for moves in before if moves[0] == move and len(moves) > 1]
    assert 0 < len(kept) < len(before)
    start.play(move)
    assert core.set_position(start) and [line(core, node) for node in queued(core)] == kept
    assert (core.tree.state[queued(core)] == LEAF).all()
    core.clear()
    assert not queued(core)


def test_what_is_recycled_waits_no_more():
    engine, _ = rolled(300, position(5), max_nodes=100)
    core = engine.core
    grown(engine, 12)
    core.roll(500)
    assert core.full
    before = [line(core, node) for node in queued(core)]
    assert core.recycle()
    after = [line(core, node) for node in queued(core)]
    assert 0 < len(after) < len(before) and after == [moves for moves in before if moves in after]
    check_tree(core.tree)
    nodes, _ = ask(engine, 100)
    assert nodes and not core.tree.links[: core.tree.used[NODES], 7].any()


def batch_sizes(threads: int) -> list[int]:
    """Leaves of each batch of a search whose evaluator answers at once."""
    engine = Search(noisy(4), LEE.with_(rollout_threads=threads, expansion_threshold=4))
    engine.set_position(position(9, "E5"))
    core, leaves, sizes = engine.core, engine.core.new_leaves(), []
    while core.visits < 1500:
        core.select(leaves, 8, 1500 - core.visits)
        if leaves.count:
            sizes.append(leaves.count)
            core.update(leaves, engine.evaluator.evaluate(leaves.batch))
    return sizes


def test_several_threads_fill_batches_as_one_does():
    """From the first batches on, when waves are still small."""
    one = batch_sizes(1)
    for threads in (2, 4):
        several = batch_sizes(threads)
        assert np.mean(several) == pytest.approx(np.mean(one), rel=0.15)
        assert np.mean(several[:10]) == pytest.approx(np.mean(one[:10]), rel=0.3)
