"""A Go engine in the line of AlphaGo: a numba board, a PUCT tree search, nets that learn from records and from self-play.

    from goengine import Engine, Position
    position = Position(9)
    position.play("E5")
    print(position)
    print(Engine().search(position, visits=100).moves[0])

The names below are the public API; docs/python.md has examples. They are loaded at their first use, so that a command line can
answer before numba is loaded.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goengine.api import Engine, Net, Position, load_net, read_sgf
    from goengine.board.rules import Rules
    from goengine.search.params import SearchParams

__version__ = "0.1.0"
__all__ = ["Engine", "Net", "Position", "Rules", "SearchParams", "load_net", "read_sgf"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("goengine.api"), name)
    raise AttributeError(f"module 'goengine' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
