"""One page that is connected: what it has asked, what waits to be sent to it, and how much it may send. Knows no sockets."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

RATE: Final = 30.0  # messages a second in the long run
BURST: Final = 120.0  # at once
MOST_UNSENT: Final = 2000  # messages that wait for a page which does not read: a review of a long game


class SlowReader(Exception):
    """The page does not read what it is sent."""


class Allowance:
    """How many messages may still come now: a bucket that fills up by `RATE` a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._seen = BURST, clock()

    def take(self) -> bool:
        """Count a message. False if it is one too many."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._seen) * RATE)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class Outbox:
    """Messages on their way to a page. Of reports of one analysis only the latest waits."""

    _waiting: dict[str, str] = field(default_factory=dict)
    _count: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, message: dict[str, Any]) -> None:
        """Let a message wait. Raises SlowReader if too many do."""
        if message["type"] == "analysis":
            name = f"analysis {message['id']}"
            self._waiting.pop(name, None)
        else:
            self._count += 1
            name = str(self._count)
        self._waiting[name] = json.dumps(message)
        if len(self._waiting) > MOST_UNSENT:
            raise SlowReader
        self._changed.set()

    async def take(self) -> str:
        """The next message; waits for it."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.pop(next(iter(self._waiting)))


@dataclass(eq=False)
class Client:
    """A page that is connected."""

    number: int
    outbox: Outbox = field(default_factory=Outbox)
    allowance: Allowance = field(default_factory=Allowance)
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # it is to be disconnected

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message when there is room; a page that reads too slowly is given up."""
        try:
            self.outbox.put(message)
        except SlowReader:
            self.gone.set()
