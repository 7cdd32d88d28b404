"""The built page belongs to its sources, and lists the licences of what is in it."""

import hashlib
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "goengine" / "web"
PAGE, STATIC = WEB / "page", WEB / "static"


def digest():
    """As page/build.mjs has it: names and contents of all sources, in the order of their names."""
    names = [path.relative_to(PAGE).as_posix() for path in (PAGE / "src").rglob("*.*") if path.is_file()]
    names += ["package.json", "package-lock.json", "build.mjs"]
    found = hashlib.sha256()
    for name in sorted(names):
        found.update(f"{name}\n".encode() + (PAGE / name).read_bytes() + b"\n")
    return found.hexdigest()


def test_the_built_page_belongs_to_its_sources():
    assert (STATIC / "SOURCES.sha256").read_text().strip() == digest(), "npm ci && npm run build in goengine/web/page"


def test_licences_of_all_packages_are_listed():
    text = (STATIC / "LICENSES.txt").read_text()
    for name in ("@sabaki/go-board", "@sabaki/sgf", "@sabaki/shudan", "classnames", "preact"):
        assert f"{name} " in text
    assert text.count("Permission is hereby granted") == 5
