"""How long a GTP client waits: from process start to the answer of `name`, and to a first move.

python benchmarks/start_up.py
"""

import sys
import time
from pathlib import Path

from goengine.gtp.controller import Controller

SERVER = Path(__file__).resolve().parent.parent / "gtp_server.py"
STARTS, VISITS = 5, 100


def main() -> None:
    """Start the server a few times and print the times."""
    for _ in range(STARTS):
        begin = time.perf_counter()
        with Controller([sys.executable, str(SERVER), "--quiet", "--visits", str(VISITS)]) as engine:
            engine.ask("name")
            named = time.perf_counter() - begin
            engine.ask("genmove b")
            moved = time.perf_counter() - begin
            again = time.perf_counter()
            engine.ask("genmove w")
            print(f"name {named:.2f} s   first move {moved:.2f} s   next move {time.perf_counter() - again:.2f} s")


if __name__ == "__main__":
    main()
