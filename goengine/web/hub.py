"""All pages and the one engine: who has asked what, whose answer it is, and what happens when the engine dies.

A page has one move, one count, one analysis and one review under way at most: a new one takes the place of the old. That
bounds the memory, and makes turns fair: moves and counts are answered in the order in which they came, and before analyses;
analyses of all pages share the net's batches. What was under way when the engine died is asked again, once: it may be what
killed it.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

from goengine.web.client import Client
from goengine.web.engine_process import EngineProcess, State

MOST_CLIENTS: Final = 64
_ATTEMPTS: Final = 2

WORDS: Final[dict[State, str]] = {
    "starting": "The engine starts.",
    "ready": "The engine is ready.",
    "restarting": "The engine has ended. It is started again.",
    "failed": "The engine ends whenever it is started: see the terminal where goengine web runs, then start that again.",
}


@dataclass(eq=False)
class _Pending:
    """A request that has no last answer yet."""

    client: Client
    id: str
    kind: str
    data: dict[str, Any]
    attempts: int = 0


class Hub:
    """Between pages and engine; all in one event loop."""

    def __init__(self, threads: int | None) -> None:
        self.engine = EngineProcess(threads, self._answer, self._tell_state)
        self._clients: set[Client] = set()
        self._pending: dict[str, _Pending] = {}
        self._numbers = itertools.count(1)

    # -- pages --

    def join(self) -> Client | None:
        """A new page; None if there are too many."""
        if len(self._clients) >= MOST_CLIENTS:
            return None
        client = Client(next(self._numbers))
        self._clients.add(client)
        client.tell(self._status())
        return client

    def leave(self, client: Client) -> None:
        """A page is gone, and with it all that it has asked."""
        self._clients.discard(client)
        for key, pending in list(self._pending.items()):
            if pending.client is client:
                self._cancel(key)

    def ask(self, client: Client, id: str, kind: str, data: dict[str, Any]) -> None:
        """A request of a page, checked already."""
        for key, pending in list(self._pending.items()):
            if pending.client is client and (pending.id == id if kind == "cancel" else kind == pending.kind):
                self._cancel(key)
        if kind == "cancel":
            return
        key = str(next(self._numbers))
        self._pending[key] = _Pending(client, id, kind, data)
        if self.engine.state == "ready":
            self._send(key)
        elif self.engine.state == "failed":
            self._give_up(key, WORDS["failed"])

    # -- the engine --

    def _send(self, key: str) -> None:
        pending = self._pending[key]
        pending.attempts += 1
        self.engine.send({"key": key, "tab": str(pending.client.number), "request": pending.data})

    def _cancel(self, key: str) -> None:
        del self._pending[key]
        self.engine.send({"key": key, "tab": "", "request": {"type": "cancel"}})

    def _answer(self, data: dict[str, Any]) -> None:
        """Pass on an answer, unless nobody waits for it any more."""
        pending = self._pending.get(data["key"])
        if pending is None:
            return
        if data["final"]:
            del self._pending[data["key"]]
        pending.client.tell({**data["answer"], "id": pending.id, "final": data["final"]})

    def _tell_state(self, state: State) -> None:
        for key, pending in list(self._pending.items()):
            if state == "ready":
                self._send(key)
            elif state == "failed" or (state == "restarting" and pending.attempts >= _ATTEMPTS):
                self._give_up(key, WORDS["failed"] if state == "failed" else "The engine has ended twice while it did this.")
        for client in self._clients:
            client.tell(self._status())

    def _give_up(self, key: str, reason: str) -> None:
        pending = self._pending.pop(key)
        pending.client.tell({"type": "error", "id": pending.id, "error": reason, "final": True})

    def _status(self) -> dict[str, Any]:
        return {"type": "status", "engine": self.engine.state, "text": WORDS[self.engine.state], "id": ""}
