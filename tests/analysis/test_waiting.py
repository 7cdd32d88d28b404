"""Which job begins next."""

import random

from goengine.analysis.jobs import PositionJob
from goengine.analysis.waiting import Waiting
from goengine.board.position import Position

EMPTY = Position(5)


def job(turn=0, game=None, priority=0):
    return PositionJob(position=EMPTY, turn=turn, game=game, priority=priority)


def filled(jobs):
    waiting = Waiting()
    for one in jobs:
        waiting.add(one)
    return waiting


def taken(waiting):
    found = []
    while (one := waiting.take()) is not None:
        found.append(one)
    assert len(waiting) == 0
    return found


def test_priority_goes_before_arrival():
    jobs = [job(priority=p) for p in (0, 5, -3, 5, 0)]
    assert taken(filled(jobs)) == [jobs[1], jobs[3], jobs[0], jobs[4], jobs[2]]


def test_games_in_order_of_arrival():
    first, second = [job(t, "a") for t in range(3)], [job(t, "b") for t in range(3)]
    found = taken(filled([first[0], second[0], *first[1:], *second[1:]]))
    assert [one.game for one in found] == ["a"] * 3 + ["b"] * 3


def test_searches_divide_a_game_into_stretches():
    waiting = filled([job(t, "a") for t in range(8)])
    assert waiting.take().turn == 0
    second = waiting.take()
    assert second.turn == 4  # the second half of 1..7
    assert waiting.after(second).turn == 5
    assert waiting.after(job(0, "a")).turn == 1
    assert waiting.take().turn == 7 and waiting.take().turn == 3
    assert sorted(one.turn for one in taken(waiting)) == [2, 6]


def test_a_turn_that_is_missing_parts_a_game():
    waiting = filled([job(t, "a") for t in (0, 1, 5, 6)])
    first, second = waiting.take(), waiting.take()
    assert (first.turn, second.turn) == (0, 5)
    assert waiting.after(first).turn == 1 and waiting.after(job(1, "a")) is None


def test_the_next_turn_waits_for_what_is_more_urgent():
    waiting = filled([job(0, "a"), job(1, "a"), job(priority=1)])
    urgent = waiting.take()
    assert urgent.priority == 1
    first = waiting.take()
    waiting.add(job(priority=2))
    assert waiting.after(first) is None
    assert waiting.take().priority == 2 and waiting.after(first).turn == 1


def test_one_turn_asked_for_twice():
    jobs = [job(3, "a"), job(3, "a"), job(4, "a")]
    assert {id(one) for one in taken(filled(jobs))} == {id(one) for one in jobs}


def test_every_job_once_whatever_happens():
    chance = random.Random(1)
    for _ in range(200):
        waiting, jobs, ended = Waiting(), [], []
        for _ in range(chance.randrange(1, 40)):
            one = job(chance.randrange(12), chance.choice("ab"), chance.randrange(2))
            jobs.append(one)
            waiting.add(one)
        while len(waiting):
            step = chance.randrange(4)
            if step == 0 and ended:
                found = waiting.after(chance.choice(ended))
                ended += [found] if found else []
            elif step == 1:
                turn = chance.randrange(12)
                ended += waiting.remove(lambda one, turn=turn: one.turn == turn)
            else:
                highest = waiting.priority()
                ended.append(waiting.take())
                assert ended[-1].priority == highest
        assert sorted(map(id, ended)) == sorted(map(id, jobs))


def test_many_jobs_take_little_time():
    """80 000 turns that adjoin, do not, or are of as many games: each step must not look at all of them."""
    assert len(taken(filled([job(t, "a") for t in range(0, 160_000, 2)]))) == 80_000
    assert len(taken(filled([job(0, t) for t in range(80_000)]))) == 80_000
    waiting = filled([job(t, "a") for t in range(80_000)])
    walker, steps = waiting.take(), 1
    while (walker := waiting.after(walker)) is not None:
        steps += 1
    assert steps == 80_000 and len(waiting) == 0
