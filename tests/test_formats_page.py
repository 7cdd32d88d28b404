"""docs/formats.md lists the fields that the code writes and reads, with their types."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from goengine.book import book_file
from goengine.dataio import records
from goengine.nets import card
from goengine.zero import run_folder, shards

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(
    ("title", "module"), [("Fields of a pack", records), ("Fields of a shard", shards), ("Fields of a book", book_file)]
)
def test_arrays_are_listed_with_type_and_length(title, module):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w+]+) \|", section(title), re.MULTILINE)
    assert rows == [(name, np.dtype(dtype).name, length) for name, (dtype, length) in module._ARRAYS.items()]
    assert f'`format` ("{module.FORMAT}"), `version` ({module.VERSION})' in section(title)


def test_keys_of_a_card_are_listed():
    keys = re.findall(r"^\| `(\w+)` \|", section("Fields of a card"), re.MULTILINE)
    results = [field.name for field in dataclasses.fields(card.Results) if field.name != "numbers"]
    assert keys == [*card._CHECKS, *results] and f'`format` ("{card.FORMAT}")' in section("Fields of a card")


def test_the_version_of_a_run_folder_is_said():
    assert f'`format` ("{run_folder.FORM}"' in section("The folder of a zero run")
