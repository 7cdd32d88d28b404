"""What torchrun tells the processes that it starts together. Imports no torch, so that errors come at once."""

import io
import os
import sys
from typing import TextIO


def launched() -> int:
    """Number of processes that torchrun started together; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leads() -> bool:
    """Whether this is the first of them; only the first uses the run's folder and reports to people."""
    return os.environ.get("RANK", "0") == "0"


def stderr() -> TextIO:
    """Where this process reports: the first one to stderr, the others nowhere."""
    return sys.stderr if leads() else _Nowhere()


class _Nowhere(io.StringIO):
    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)
