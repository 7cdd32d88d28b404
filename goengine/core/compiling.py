"""Who wants to know when numba compiles a kernel is told. Knows nothing of Go."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator

from numba.core import event

OURS = ("goengine", "selfplay", "training")  # packages whose kernels count


class _Listener(event.Listener):
    """Calls a function with the name of each of our kernels when numba begins to compile it; not if it comes from the disk."""

    def __init__(self, begins: Callable[[str], None]):
        self._begins = begins

    def on_start(self, event: event.Event) -> None:
        """A compilation begins."""
        function = event.data["dispatcher"].py_func
        if function.__module__.partition(".")[0] in OURS:
            self._begins(function.__name__)

    def on_end(self, event: event.Event) -> None:
        """A compilation has ended."""


@contextlib.contextmanager
def watching(begins: Callable[[str], None]) -> Iterator[None]:
    """Within the block `begins` is told the name of each kernel that is compiled, in whichever thread."""
    listener = _Listener(begins)
    event.register("numba:compile", listener)
    try:
        yield
    finally:
        event.unregister("numba:compile", listener)


class Notice:
    """Says once on stderr why the first answer takes long, when a kernel of this version is not on the disk and is compiled."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, name: str) -> None:
        if not self._said and sys.stderr is not None:
            self._said = True
            sys.stderr.write("Compiling the kernels, once for this version; goengine warmup does it beforehand ...\n")
            sys.stderr.flush()


@functools.cache
def announce() -> None:
    """Say so from now on, in this process. For programs that others write: our own commands use `watching`."""
    event.register("numba:compile", _Listener(Notice()))
