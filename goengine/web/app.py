"""The server's addresses: the page and its files, what the page must know (`/info`), kept games (`/kept/TAB`), pictures
that are read (`/picture`), and the WebSocket (`/live`) on which pages ask the engine.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from goengine import __version__
from goengine.board.rules import PRESETS
from goengine.evaluators import shipped_nets
from goengine.features import zero_ranked
from goengine.ranks.scale import HIGHEST, LOWEST, rank_name
from goengine.web.client import Client
from goengine.web.guard import Guard
from goengine.web.hub import Hub
from goengine.web.kept import NAME, Kept
from goengine.web.pictures import Pictures
from goengine.web.requests import MAX_MESSAGE, RequestError, read_message
from goengine.web.web_options import WebOptions

STATIC: Final = Path(__file__).resolve().parent / "static"
_CLOSING: Final = 2.0  # seconds
_POLICY_VIOLATION, _TOO_BIG, _TRY_LATER = 1008, 1009, 1013  # codes of RFC 6455 and its registry


def make_app(options: WebOptions, port: int) -> ASGIApp:
    """The application that listens on a port of 127.0.0.1. Its lifespan starts and ends the engine."""
    hub, kept, pictures = Hub(options.threads), Kept(), Pictures(options.threads)
    nets, ranks = _nets(options.net), _ranks()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        hub.engine.start()
        try:
            yield
        finally:
            await hub.engine.close()

    async def page(request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def info(request: Request) -> Response:
        return JSONResponse({"version": __version__, "nets": nets, "net": options.net or "", "rules": _rules(), "ranks": ranks})

    async def keep(request: Request) -> Response:
        tab = request.path_params["tab"]
        if not NAME.fullmatch(tab):
            return JSONResponse({"error": "a tab's name is 8 to 40 small letters, digits and hyphens"}, 400)
        if request.method == "PUT":
            kept.put(tab, await request.body())
            return Response(status_code=204)
        text = kept.get(tab)
        return Response(status_code=204) if text is None else Response(text, media_type="application/json")

    async def live(socket: WebSocket) -> None:
        await _serve(socket, hub, frozenset(net["name"] for net in nets))

    async def picture(request: Request) -> Response:
        return await pictures.answer(await request.body())

    routes = [
        Route("/", page),
        Route("/info", info),
        Route("/kept/{tab}", keep, methods=["GET", "PUT"]),
        Route("/picture", picture, methods=["POST"]),
        WebSocketRoute("/live", live),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.hub = hub
    return Guard(app, port)


def _nets(own: str | None) -> list[dict[str, Any]]:
    """The nets that a page may name: "" for the best of each board, those known by name, and the one of the command line."""
    found = [{"name": "", "about": "the best net for each board"}]
    for name in shipped_nets.names():
        with contextlib.suppress(ValueError):
            if shipped_nets.read(name).spec.outputs >= shipped_nets.WHOLE:
                found.append({"name": name, "about": name})
    found.append({"name": "uniform", "about": "no net: search alone"})
    if own and all(net["name"] != own for net in found):
        found.append({"name": own, "about": Path(own).name})
    return found


def _ranks() -> list[str]:
    """The ranks that an opponent may have, the weakest first; none where no net knows ranks."""
    there = shipped_nets.seeing(zero_ranked.NAME)
    return [rank_name(value) for value in range(int(LOWEST), int(HIGHEST) + 1)] if there else []


def _rules() -> dict[str, Any]:
    """What a page must know of each preset."""
    return {
        name: {"komi": rules.komi, "ko": rules.ko, "suicide": rules.suicide, "sgf": rules.to_sgf_text()}
        for name, rules in PRESETS.items()
    }


async def _serve(socket: WebSocket, hub: Hub, nets: frozenset[str]) -> None:
    """Talk with a page until it goes away, or must go."""
    await socket.accept()
    client = hub.join()
    if client is None:
        await _end(socket, _TRY_LATER, "too many pages are open")
        return
    try:
        await _first_of(
            lambda: _send(socket, client),
            lambda: _receive(socket, hub, client, nets),
            client.gone.wait,
        )
    finally:
        hub.leave(client)
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError), anyio.move_on_after(_CLOSING):  # it may not read that either
            await socket.close(_POLICY_VIOLATION)


async def _first_of(*functions: Callable[[], Awaitable[object]]) -> None:
    """Run all of them until one ends; the others are cancelled."""
    async with anyio.create_task_group() as group:

        async def run(function: Callable[[], Awaitable[object]]) -> None:
            await function()
            group.cancel_scope.cancel()

        for function in functions:
            group.start_soon(run, function)


async def _send(socket: WebSocket, client: Client) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.send_text(await client.outbox.take())


async def _receive(socket: WebSocket, hub: Hub, client: Client, nets: frozenset[str]) -> None:
    """Take requests. What is malformed is answered; who floods gets one error and is disconnected."""
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return
        text = message.get("text") or message.get("bytes") or ""
        if not client.allowance.take():
            await _end(socket, _POLICY_VIOLATION, "too many messages: at most 30 a second are taken")
            return
        if len(text) > MAX_MESSAGE:
            await _end(socket, _TOO_BIG, f"a message may have at most {MAX_MESSAGE} bytes")
            return
        try:
            id, kind, request = read_message(text)
            if getattr(request, "net", "") not in nets:
                raise RequestError(f"there is no net {getattr(request, 'net', '')[:60]!r} here", id)
        except RequestError as error:
            client.tell({"type": "error", "id": error.id, "error": str(error), "final": True})
            continue
        hub.ask(client, id, kind, _plain(text))


def _plain(text: str | bytes) -> dict[str, Any]:
    """A checked message without its id, as the engine's process reads it."""
    data: dict[str, Any] = json.loads(text)
    del data["id"]
    return data


async def _end(socket: WebSocket, code: int, reason: str) -> None:
    """Say why, and close."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError), anyio.move_on_after(_CLOSING):
        await socket.send_json({"type": "error", "id": "", "error": reason, "final": True})
        await socket.close(code, reason)
