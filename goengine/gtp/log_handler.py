"""Warnings of the engine's other rooms, written as remarks of the session: on stderr in its form, and in its log file.

Knows the journal and Python's logging. Written directly, such a line could wait for a reader of stderr in the middle of a game.
"""

import logging

from goengine.gtp.session import Journal


class JournalHandler(logging.Handler):
    """Passes what is logged on to a journal: warnings as notes, so that a quiet session shows only errors."""

    def __init__(self, journal: Journal):
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        tell = self._journal.error if record.levelno >= logging.ERROR else self._journal.note
        tell(record.getMessage())


def write_warnings_to(journal: Journal) -> None:
    """From now on warnings of this package go to that journal, and to no other one."""
    logger = logging.getLogger("goengine")
    for handler in [handler for handler in logger.handlers if isinstance(handler, JournalHandler)]:
        logger.removeHandler(handler)
    logger.addHandler(JournalHandler(journal))
