"""OpenVINO without its reports to its makers.

It tells them of each use, unasked, through processes that it forks; these hold our open files for a while, a run's lock among
them. It sends nothing while it thinks that its own tests run. Whoever needs OpenVINO takes `ov` from here, and converts
`unreported`.
"""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def unreported() -> Iterator[None]:
    """In this block OpenVINO sends nothing: its switch for its own tests is on."""
    before = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = before


with unreported():
    import openvino as ov

__all__ = ["ov", "unreported"]
