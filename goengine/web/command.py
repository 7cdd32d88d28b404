"""The command ``goengine web``: a free port, the server, the browser, and a clean end."""

import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from goengine.core.options import parse
from goengine.web.web_options import PORT, WebOptions

_TRIED = 50  # ports after the usual one
_MISSING = "goengine web: {name} is missing; install what the page needs: pip install 'goengine[web]'\n"
_TEXT_BROWSERS = ("www-browser", "links", "elinks", "lynx", "w3m")


def main(argv: list[str]) -> int:
    """Run the command. Returns its exit status."""
    options = parse(WebOptions, argv, "goengine web")
    if options.or_terminal and not has_browser():
        from goengine.terminal import play

        sys.stderr.write("There is no browser here: the game is in the terminal. goengine web serves the page anyway.\n")
        return play.main([] if options.net is None else ["--net", options.net])
    if unknown := _unknown_net(options.net):
        sys.stderr.write(f"goengine web: no net named '{unknown}', and no such file; goengine nets lists them\n")
        return 2
    try:
        listening = _listen(options.port)
    except OSError as error:
        sys.stderr.write(
            f"goengine web: port {options.port or PORT}: {error.strerror or error}; name another one with --port\n"
        )
        return 2
    with listening:
        try:
            return _serve(options, listening)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "websockets"):
                raise
            sys.stderr.write(_MISSING.format(name=error.name))
            return 2


def _unknown_net(name: str | None) -> str:
    """The name, or the half of POLICY+VALUE, that is neither a known net nor a file; "" if all are."""
    from goengine.evaluators import load, shipped_nets

    known = ("", load.LEE, load.UNIFORM, *shipped_nets.names())
    halves = load.parts(name or "") or (name or "",)
    return next((half for half in halves if half not in known and not Path(half).expanduser().exists()), "")


def has_browser() -> bool:
    """Whether a page can be opened for somebody to see."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return os.path.basename(getattr(browser, "name", "")) not in _TEXT_BROWSERS


def _listen(port: int | None) -> socket.socket:
    """A socket on 127.0.0.1 and the port, or the first free one. Raises OSError if there is none."""
    tried = range(PORT, PORT + _TRIED) if port is None else (port,)
    for number in tried:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two programs share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", number))
            listening.listen(128)
            return listening
        except OSError:
            listening.close()
            if number == tried[-1]:
                raise
    raise AssertionError


def _serve(options: WebOptions, listening: socket.socket) -> int:
    import uvicorn

    from goengine.web.app import make_app

    port = listening.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"

    class Server(uvicorn.Server):
        """Says where the page is once it is served; ends on a signal with status 0 instead of raising it again."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            ended = (signal.SIGINT, signal.SIGTERM)
            before = {number: signal.signal(number, self.handle_exit) for number in ended}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if not self.should_exit:
                sys.stdout.write(f"The board is at {address} (Ctrl-C ends)\n")
                sys.stdout.flush()
                if options.browser and has_browser():
                    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()  # it may wait for its end

    config = uvicorn.Config(
        make_app(options, port),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=1 << 20,
        ws_max_queue=8,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=256,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=1 << 16,
    )
    Server(config).run(sockets=[listening])
    return 0
