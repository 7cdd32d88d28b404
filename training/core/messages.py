"""What is said to people on stderr, where there is no progress bar to say it through."""

import sys


def say(text: str) -> None:
    """A line."""
    sys.stderr.write(text + "\n")


def warn(text: str) -> None:
    """Something that need not stop the run."""
    say(f"warning: {text}")
