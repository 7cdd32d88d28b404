"""How much a page may send, and what waits for one that does not read."""

import asyncio
import json

import pytest

from goengine.web.client import BURST, MOST_UNSENT, RATE, Allowance, Client, Outbox, SlowReader


def test_a_burst_is_allowed_and_a_flood_is_not():
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    assert all(allowance.take() for _ in range(int(BURST)))
    assert not allowance.take()
    now[0] += 10 / RATE
    assert [allowance.take() for _ in range(12)] == [True] * 10 + [False] * 2


def test_of_one_analysis_only_the_latest_report_waits():
    async def scene():
        outbox = Outbox()
        for visits in range(1000):
            outbox.put({"type": "analysis", "id": "a", "visits": visits})
        outbox.put({"type": "move", "id": "m"})
        return [json.loads(await outbox.take()) for _ in range(2)]

    assert asyncio.run(scene()) == [{"type": "analysis", "id": "a", "visits": 999}, {"type": "move", "id": "m"}]


def test_who_does_not_read_is_given_up():
    async def scene():
        client = Client(1)
        for turn in range(MOST_UNSENT):
            client.tell({"type": "review", "id": "r", "turn": turn})
        before = client.gone.is_set()
        client.tell({"type": "review", "id": "r", "turn": MOST_UNSENT})
        with pytest.raises(SlowReader):
            client.outbox.put({"type": "move", "id": "m"})
        return before, client.gone.is_set()

    assert asyncio.run(scene()) == (False, True)
