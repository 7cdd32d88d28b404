"""The engine's process: started again when it dies, given up when that is no use."""

import asyncio
import sys

from goengine.core.restarts import FAILURES
from goengine.web.engine_process import EngineProcess


def states_of(monkeypatch, program):
    """What is told of a program in the engine's place until it is given up, without the pauses between."""

    async def scene():
        told = []
        given_up = asyncio.Event()

        def hear(state):
            told.append(state)
            if state == "failed":
                given_up.set()

        engine = EngineProcess(1, lambda answer: told.append(answer), hear)
        engine._command = [sys.executable, "-c", program]
        engine.start()
        await asyncio.wait_for(given_up.wait(), 300)
        pid = engine.pid
        await engine.close()
        return told, pid

    monkeypatch.setattr("goengine.core.restarts.LONGEST_PAUSE", 0.0)
    return asyncio.run(scene())


def test_one_that_dies_at_once_is_given_up(monkeypatch):
    told, pid = states_of(monkeypatch, "")
    assert told == ["restarting"] * (FAILURES - 1) + ["failed"]
    assert pid is None


def test_one_that_talks_nonsense_is_ended(monkeypatch, capfd):
    told, pid = states_of(monkeypatch, "import time; print('nonsense', flush=True); time.sleep(1000)")
    assert told[-1] == "failed" and pid is None
    assert "does not speak as it should" in capfd.readouterr().err


def test_answers_come_before_its_end_is_told(monkeypatch):
    told, _ = states_of(monkeypatch, """print('{"ready": true}'); print('{"key": "1", "final": true, "answer": {}}')""")
    assert told[:3] == ["ready", {"key": "1", "final": True, "answer": {}}, "restarting"]
