"""The options of ``goengine web``. Imports nothing slow."""

from dataclasses import dataclass

from goengine.core.options import MOST_THREADS, option

PORT = 8519  # where nobody names one; the next free one if it is taken


@dataclass(frozen=True)
class WebOptions:
    """Play, analyse and review in the browser, on a page that only this machine can reach."""

    port: int | None = option(None, f"port on 127.0.0.1; {PORT} or the next free one if not given", least=1, most=65535)
    net: str | None = option(None, "net to begin with: a shipped one's name or a path; the best for each board if not given")
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)
    browser: bool = option(True, "open the page in the browser where there is one")
    or_terminal: bool = option(False, "where there is no browser, play in the terminal instead")
