"""Lines for people on stderr, where there is no progress bar."""

import sys


def say(text: str) -> None:
    """Write a line."""
    sys.stderr.write(text + "\n")


def warn(text: str) -> None:
    """Write a warning: something is wrong, but the run goes on."""
    say(f"warning: {text}")
