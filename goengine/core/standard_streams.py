"""Standard input, output and error as a program finds them at its start: any of them may be closed.

A closed one is dangerous, because the next file that is opened takes its number.
"""

import os
import sys

_NAMES = ("standard input", "standard output")


def missing(*numbers: int) -> str:
    """What to say if one of these descriptors (0, 1) is closed; "" if none is. A closed stderr becomes the null device."""
    closed = [_NAMES[number] for number in numbers if not _is_open(number)]  # before the null device takes a free number
    if not _is_open(2):
        null = os.open(os.devnull, os.O_WRONLY)
        if null != 2:
            os.dup2(null, 2)
            os.close(null)
        sys.stderr = os.fdopen(2, "w", closefd=False)
    return f"{' and '.join(closed)} must not be closed; use /dev/null for none" if closed else ""


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
