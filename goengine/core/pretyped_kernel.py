"""Calls of kernels past numba's look-up of the argument types, which costs 2 to 4 µs for every NamedTuple.

The types are looked up once. From then on the arguments must keep them: arrays their number of dimensions, dtype and
contiguity. Nobody checks that, so only code that makes all its arrays itself may call this way.
"""

from collections.abc import Callable
from typing import Any

import numba


class PretypedKernel:
    """A kernel with the types of its first call. Another callable than a kernel is simply called."""

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        self._call = None if hasattr(function, "overloads") else function

    def __call__(self, *arguments: Any) -> Any:
        if self._call is None:
            types = tuple(numba.typeof(argument) for argument in arguments)
            self._function.compile(types)
            self._call = self._function.overloads[types].entry_point
        return self._call(*arguments)
