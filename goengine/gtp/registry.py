"""The table of all commands of the engine, filled by the modules of `goengine.gtp.commands`.

A handler is a function (session, words) -> text, stream or None; a `raw` command gets the text after its name instead of words.
"""

from goengine.gtp.protocol import CommandTable

TABLE = CommandTable()
command = TABLE.register
