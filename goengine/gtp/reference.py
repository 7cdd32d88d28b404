"""docs/gtp.md out of the table of commands: `python -m goengine.gtp.reference > docs/gtp.md`."""

import sys

from goengine.gtp import commands as _commands  # noqa: F401 (fills the table)
from goengine.gtp.registry import TABLE

_GROUPS = {
    "admin": "The program",
    "setup": "Board and position",
    "play": "Playing",
    "handicap": "Handicap",
    "time": "Time",
    "rules": "Rules",
    "end": "The end of a game",
    "analysis": "Analysis",
    "params": "Parameters",
    "tools": "Tools",
    "katago": "As KataGo",
    "gogui": "For GoGui",
    "kgs": "For KGS",
    "cgos": "For CGOS",
    "gomill": "For gomill",
}


def reference() -> str:
    """The page: a table of commands for each group. Raises KeyError if a group has no title."""
    groups: dict[str, list[str]] = {name: [] for name in _GROUPS}
    for command in TABLE:
        line = (command.handler.__doc__ or "").strip().split("\n")[0].replace("|", "\\|")
        hidden = "" if command.listed else " (not in `list_commands`)"
        groups[command.group].append(f"| `{command.name}` | {line}{hidden} |")
    parts = ["# GTP commands", "", "Made by `python -m goengine.gtp.reference`; a test compares it with the engine.", ""]
    for name, rows in groups.items():
        if rows:
            parts += [f"## {_GROUPS[name]}", "", "| command | arguments and meaning |", "|---|---|", *rows, ""]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reference())
