"""docs/analysis.md lists every field and every setting, with the support that the code says."""

import re
from pathlib import Path

import pytest

from goengine.analysis import fields, settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")


def rows(title):
    part = PAGE.split(f"# {title}\n", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (yes|partly|no) \|", part, re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Of a query", fields.QUERY),
        ("Of an action", fields.ACTION | fields.ACTIONS),
        ("Of an answer", fields.ANSWER),
        ("Of `rootInfo`", fields.ROOT),
        ("Of an entry of `moveInfos`", fields.MOVE),
        ("Of an error or a warning", fields.PROBLEM),
    ],
)
def test_fields(title, known):
    assert list(rows(title).items()) == list(known.items())


def test_what_is_only_partly_there_is_explained():
    for line in PAGE.splitlines():
        if "| partly |" in line or "| no |" in line:
            assert re.fullmatch(r"\| `\w+` \| (partly|no) \| .{4,} \|", line)


def test_settings():
    part = PAGE.split("## Settings\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == [*settings.NAMES, *settings.START_NAMES]
