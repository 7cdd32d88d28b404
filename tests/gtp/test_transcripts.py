"""Golden transcripts: what is sent, and exactly what comes back (the format is in transcripts/README.md)."""

import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "transcripts"
NAMES = sorted(path.stem for path in FOLDER.glob("*.gtp"))


def read(name):
    """[(line to send, its source line, expected lines)], and the remarks before the first."""
    remarks, steps = [], []
    for line in (FOLDER / f"{name}.gtp").read_text().split("\n"):
        if line.startswith(">"):
            text = line[3:].encode().decode("unicode_escape") if line.startswith(">e") else line[1:]
            steps.append((text.encode("latin-1"), line, []))
        elif steps:
            steps[-1][2].append(line)
        else:
            remarks.append(line)
    if steps and steps[-1][2][-1:] == [""]:
        steps[-1][2].pop()
    return steps, remarks


def answer(protocol, line):
    """The lines of a response without the empty line at its end."""
    reply = protocol.handle_line(line).reply
    assert reply == "" or (reply.endswith("\n\n") and "\n\n" not in reply[:-2])
    return reply[:-2].split("\n") if reply else []


def fits(expected, got):
    return len(expected) == len(got) and all(
        re.fullmatch(e[2:], g) is not None if e.startswith("~ ") else e == g for e, g in zip(expected, got, strict=True)
    )


@pytest.mark.parametrize("name", NAMES)
def test_transcript(name, protocol):
    for text, source, expected in read(name)[0]:
        got = answer(protocol, text)
        assert fits(expected, got), f"{source}\nexpected {expected}\ngot      {got}"


def remake(make_protocol):
    """Write the present answers into the files, where they do not fit the old ones."""
    for name in NAMES:
        protocol = make_protocol()
        steps, lines = read(name)
        for text, source, expected in steps:
            got = answer(protocol, text)
            lines += [source, *(expected if fits(expected, got) else got)]
        (FOLDER / f"{name}.gtp").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.path.insert(0, str(Path(__file__).parent))
    from gtp_support import new_protocol

    remake(new_protocol)
