"""What tests do on the page in Chromium: open it, click, read what it says and draws, give it files, take them back."""

import itertools
import re
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
expect.set_options(timeout=PATIENCE)

NUMBERS = itertools.count(1)


def open_page(context, address):
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
    page.on("request", lambda request: request.url.startswith((address, "data:", "blob:")) or page.problems.append(request.url))
    page.goto(address)
    expect(page.locator(".board")).to_be_visible()
    expect(page.locator(".banner")).to_be_hidden()
    drawn(page)
    return page


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def said(page, text):
    expect(page.locator(".said")).to_contain_text(text)


def stones(page, black, white):
    expect(page.locator(".shudan-sign_1 .shudan-shadow")).to_have_count(black)
    expect(page.locator(".shudan-sign_-1 .shudan-shadow")).to_have_count(white)


def drawn(page):
    """Wait until the page has drawn what came before, as people do before they click."""
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 50))")


def click(page, x, y):
    drawn(page)
    point(page, x, y).click()
    drawn(page)


def point(page, x, y):
    return page.locator(f"[data-x='{x}'][data-y='{y}']")


def new_game(page, **fields):
    button(page, "New game").click()
    for name, value in {"size": "9", "visits": "4", **fields}.items():
        field = page.locator(f"dialog [name={name}]")
        if isinstance(value, bool):
            field.set_checked(value)
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    button(page, "Begin").click()


def attach(page, text, name):
    data = text.encode() if isinstance(text, str) else text
    page.get_by_label("SGF file").set_input_files({"name": name, "mimeType": "application/x-go-sgf", "buffer": data})


def load(page, text):
    """Open a game and wait until it is there: the page reads files while people, and tests, go on."""
    name = f"game-{next(NUMBERS)}.sgf"
    attach(page, text, name)
    said(page, f"{name} is open")


def saved(page) -> str:
    drawn(page)
    with page.expect_download() as download:
        button(page, "Save").click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def nodes(text) -> list[str]:
    """An SGF text without what stands between its nodes for the eye."""
    return re.sub(r"(?<=[\]();])\s+(?=[();A-Z])", "", text).strip()
