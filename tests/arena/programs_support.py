"""A GTP program of a few lines that plays soundly, column by column, and misbehaves at a chosen move."""

import sys

from goengine.arena.players import ProgramPlayer

# Black plays up column C, White up column G; after `LAST` moves it passes. `bad` is run in place of the answer to genmove `AT`.
SOURCE = """
import os, sys, time
bad, at, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
count = 0
def answer(text):
    print("= " + text + "\\n", flush=True)
{start}
for line in sys.stdin:
    words = line.split()
    command = words[0]
    if command == "genmove":
        count += 1
        if count == at:
            exec(bad)
            continue
        answer("pass" if count > last else ("C" if words[1] == "b" else "G") + str(count + 1))
    elif command == "list_commands":
        answer("name\\nversion\\nboardsize\\nkomi\\nplay\\ngenmove\\nclear_board\\ntime_left\\ntime_settings\\nfinal_status_list\\n{known}")
    elif command == "name":
        answer("Scripted")
    elif command == "version":
        answer("1")
    elif command == "final_status_list":
        answer("")
    elif command == "quit":
        break
    {more}
    else:
        answer("")
"""


def scripted(bad="", at=0, last=4, start="", more="elif 0: pass", known=""):
    """A player; ``start`` runs first, ``more`` is a further branch for commands, ``known`` one that it lists besides."""
    source = SOURCE.format(start=start, more=more, known=known)
    return ProgramPlayer((sys.executable, "-S", "-E", "-c", source, bad, str(at), str(last)))
