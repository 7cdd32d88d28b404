"""docs/gtp.md names every command with its meaning."""

from pathlib import Path

from goengine.gtp.reference import reference
from goengine.gtp.registry import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gtp.md"


def test_the_page_is_what_the_engine_has():
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m goengine.gtp.reference > docs/gtp.md"


def test_every_command_says_what_it_does():
    assert [command.name for command in TABLE if not (command.handler.__doc__ or "").strip()] == []
    assert len(list(TABLE)) > 70
