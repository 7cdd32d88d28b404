"""What the server refuses before anything else looks at it: other hosts and origins, and bodies that are too long.

A page of another site can make a browser send requests to this machine, and a name of its own can be made to mean 127.0.0.1:
so the name that was asked for (Host) and the page that asks (Origin) must be ours. Knows ASGI; no pages and no engine.
"""

from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY: Final = 5_000_000  # bytes
_NAMES: Final = ("127.0.0.1", "localhost")
_READING: Final = ("GET", "HEAD")


def _policy(hosts: frozenset[str]) -> str:
    """The content security policy: everything comes from this server, and nothing is in the page itself."""
    sockets = " ".join(sorted(f"ws://{host}" for host in hosts))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' {sockets}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Guard:
    """Wraps the application that listens on a port of this machine."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = frozenset(name if port == 80 else f"{name}:{port}" for name in _NAMES)  # 80 is left out
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._headers = {
            "content-security-policy": _policy(self._hosts),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if reason := self._why_refused(scope, headers):
            await _refuse(scope, receive, send, 403, reason)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif (body := await _read(headers, receive)) is None:
            await _refuse(scope, receive, self._adding(send), 413, f"more than {MAX_BODY} bytes are not taken")
        else:
            await self._app(scope, _replay(body, receive), self._adding(send))

    def _why_refused(self, scope: Scope, headers: Headers) -> str:
        """Why this is not for us, or ""."""
        if headers.getlist("host") != [headers.get("host", "")] or headers.get("host", "").lower() not in self._hosts:
            return "this host name is not served"
        origins = headers.getlist("origin")
        changing = scope["type"] == "websocket" or scope["method"] not in _READING
        if any(origin.lower() not in self._origins for origin in origins) or (changing and len(origins) != 1):
            return "pages of other origins are not served"
        return ""

    def _adding(self, send: Send) -> Send:
        """`send` with our headers on every response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        return with_headers


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    """Answer with an error; a WebSocket is refused before it is open, which a client sees as status 403."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    await JSONResponse({"error": reason}, status, {"connection": "close"})(scope, receive, send)


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is known to be too long."""
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > MAX_BODY:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what comes after it."""
    given = False

    async def replayed() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
