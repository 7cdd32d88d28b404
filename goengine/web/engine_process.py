"""The engine in a process of its own: lines to it, answers from it, started again when it dies. Knows no pages and no games."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from goengine.core.restarts import Restarts
from goengine.core.stopping import own_group

State = Literal["starting", "ready", "restarting", "failed"]

_LONGEST_LINE = 1 << 24  # bytes of an answer
_GRACE = 5.0  # seconds for the process to end by itself


class EngineProcess:
    """Keeps one worker running until `close`.

    on_answer: told each answer. on_state: told each change of `state`; at "restarting" all that was asked is lost.
    """

    def __init__(
        self, threads: int | None, on_answer: Callable[[dict[str, Any]], None], on_state: Callable[[State], None]
    ) -> None:
        self._command = [sys.executable, "-m", "goengine.web.worker", str(threads or 0)]
        self._on_answer, self._on_state = on_answer, on_state
        self._process: asyncio.subprocess.Process | None = None
        self._restarts = Restarts()
        self._task: asyncio.Task[None] | None = None
        self.state: State = "starting"

    def start(self) -> None:
        """Start it, within a running event loop."""
        self._task = asyncio.create_task(self._keep_running())

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def send(self, data: dict[str, Any]) -> None:
        """Ask something; lost if the process is not there."""
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(json.dumps(data).encode() + b"\n")

    async def close(self) -> None:
        """End the process, and wait for its end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _GRACE)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    # -- inside --

    async def _keep_running(self) -> None:
        while not self._restarts.hopeless:
            self._restarts.note_start(time.monotonic())
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=_LONGEST_LINE,
                    **own_group(),
                )
                await self._listen(self._process)
            except OSError as error:  # no memory for a process
                sys.stderr.write(f"goengine web: the engine cannot be started: {error.strerror or error}\n")
            except ValueError as error:  # a line that is no answer
                sys.stderr.write(f"goengine web: the engine is ended, as it does not speak as it should: {error}\n")
            await self._end_process()
            now = time.monotonic()
            self._restarts.note_end(now, failed=True)
            if not self._restarts.hopeless:
                self._tell("restarting")
                await asyncio.sleep(max(0.0, self._restarts.again - now))
        self._tell("failed")

    async def _end_process(self) -> None:
        """Whatever it does after its output was closed."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Pass on the answers until the process closes its output."""
        assert process.stdout is not None
        while line := await process.stdout.readline():
            data = json.loads(line)
            if data.get("ready"):
                self._tell("ready")
            else:
                self._on_answer(data)

    def _tell(self, state: State) -> None:
        self.state = state
        self._on_state(state)
