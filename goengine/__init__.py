"""A Go engine in the line of AlphaGo: a numba board, a PUCT tree search, nets that learn from records and from self-play.

This file knows only the version. Nothing is imported here, so that a command line can answer before numba is loaded.
"""

__version__ = "0.1.0"
